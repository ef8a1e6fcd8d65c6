import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

const program = join(import.meta.dirname, '../main.ts');
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 }); // each test starts the program, some several times
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'neumann-mnist-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Result {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function run(...args: string[]): Result {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=@neumann/source', program, ...args],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  );
  return { status, out: stdout, err: stderr };
}

const small = ['--images', '200', '--batch', '32', '--epochs', '2'];

test.each<[string[], string]>([
  [['--epochs', '0'], '--epochs must be an integer from 1 to 10000, but is "0"'],
  [['--batch', 'abc'], '--batch must be an integer from 1 to 8000, but is "abc"'],
  [['--sede', '1'], "Unknown option '--sede'"],
  [['fast'], "Unexpected argument 'fast'"],
  [['--backend', 'tpu'], '--backend must be one of cpu, reference, gpu, but is "tpu"'],
  [['--out', program], `--out must be a folder that can be written to: EEXIST`],
])('%j is refused in one line, with exit code 2', (args, message) => {
  const { status, out, err } = run(...args);
  expect(err).toMatch(/^mnist: [^\n]*\n$/);
  expect(err).toContain(message);
  expect([status, out]).toEqual([2, '']);
});

test('--help lists the options', () => {
  const { status, out } = run('--help');
  expect(status).toBe(0);
  for (const option of ['optimizer', 'compare', 'epochs', 'batch', 'seed', 'backend', 'out', 'evaluate'])
    expect(out).toContain(`--${option}`);
});

describe('a small training', () => {
  let first: Result;
  beforeAll(() => {
    first = run(...small, '--out', 'a');
  });
  const weights = (): string => join(folder, 'a/weights.safetensors');

  test('prints a line for each epoch, the test and the confusion, and writes three files', () => {
    expect(first.err).toBe(''); // no progress bar where there is no terminal
    expect(first.out.match(/^neumann \d\/2 {2}loss \d/gm)).toHaveLength(2);
    expect(first.out).toMatch(/^neumann: test accuracy [\d.]+ %, loss [\d.]+, in [\d.]+ s$/m);
    expect(first.out).toMatch(/^worst digits: \d \(\d+ of \d+ wrong\)/m);
    expect(first.out).toMatch(/^most confused: \d taken for \d \(\d+×\)/m);
    expect(readdirSync(join(folder, 'a')).sort()).toEqual([
      'curves.svg',
      'metrics.csv',
      'weights.safetensors',
    ]);
    const csv = readFileSync(join(folder, 'a/metrics.csv'), 'utf8').split('\n');
    expect(csv[0]).toBe('optimizer,epoch,train_loss,train_accuracy,validation_loss,validation_accuracy');
    expect(csv).toHaveLength(4);
    expect(readFileSync(join(folder, 'a/curves.svg'), 'utf8')).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
  });

  test('gives the same numbers for the same seed, bit for bit, and others for another', () => {
    run(...small, '--out', 'b');
    run(...small, '--out', 'c', '--seed', '1');
    const read = (out: string, file: string): Buffer => readFileSync(join(folder, out, file));
    expect(read('b', 'metrics.csv')).toEqual(read('a', 'metrics.csv'));
    expect(read('b', 'weights.safetensors')).toEqual(read('a', 'weights.safetensors'));
    expect(read('c', 'metrics.csv')).not.toEqual(read('a', 'metrics.csv'));
  });

  test('leaves weights that can be evaluated', () => {
    const { status, out } = run('--evaluate', weights());
    expect(status).toBe(0);
    expect(out).toMatch(/test accuracy [\d.]+ %, loss [\d.]+/);
  });

  test('weights that are cut short, or no weights, are refused by name', () => {
    const cut = join(folder, 'cut.safetensors');
    writeFileSync(cut, readFileSync(weights()));
    truncateSync(cut, 5000);
    expect(run('--evaluate', cut)).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^mnist: .*cut\.safetensors: safetensors: the file is truncated: [^\n]*\n$/),
    });
    writeFileSync(cut, 'digits,weights\n1,2\n');
    expect(run('--evaluate', cut)).toMatchObject({
      status: 1,
      err: expect.stringMatching(/no safetensors file\.\n$/),
    });
    expect(run('--evaluate', 'missing')).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^mnist: missing: ENOENT/),
    });
  });
});

test('--backend gpu trains, without 32-bit integers, to the numbers of --backend cpu', () => {
  const losses = ['cpu', 'gpu'].map((backend) => {
    const { out, err } = run('--images', '200', '--epochs', '1', '--backend', backend, '--out', backend);
    expect(err).toBe('');
    return /loss ([\d.]+).*validation: loss ([\d.]+)/.exec(out)?.slice(1).map(Number) as [number, number];
  });
  const [[trained, validated], [want, wanted]] = losses as [[number, number], [number, number]];
  // Printed with four decimals; one step of sums of float32.
  expect(Math.abs(trained - want)).toBeLessThan(5e-4);
  expect(Math.abs(validated - wanted)).toBeLessThan(5e-3);
}, 120_000);
