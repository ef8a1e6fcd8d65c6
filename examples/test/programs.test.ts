/** Each example starts, trains a little, goes on where it stopped, and says what is wrong in one line. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

vi.setConfig({ testTimeout: 120_000 }); // each test starts programs that compile networks
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'examples-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(...args: string[]) {
  const program = join(import.meta.dirname, '../run.ts');
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

/** An IDX file of bytes, packed. */
function idx(shape: readonly number[], value: (i: number) => number): Uint8Array {
  const header = [0, 0, 8, shape.length, ...shape.flatMap((n) => [0, 0, n >> 8, n & 255])];
  const count = shape.reduce((p, n) => p * n, 1);
  return gzipSync(Uint8Array.from([...header, ...Array.from({ length: count }, (_, i) => value(i) & 255)]));
}

test('fashion trains from the four files, is tested, and goes on', () => {
  const data = join(folder, 'fashion');
  mkdirSync(data);
  for (const [part, n] of [
    ['train', 64],
    ['t10k', 20],
  ] as const) {
    writeFileSync(
      join(data, `${part}-images-idx3-ubyte.gz`),
      idx([n, 28, 28], (i) => i * 7),
    );
    writeFileSync(
      join(data, `${part}-labels-idx1-ubyte.gz`),
      idx([n], (i) => i % 10),
    );
  }
  const first = run('fashion', '--data', data, '--epochs', '1', '--batch', '16', '--out', 'f');
  expect(first.err).toMatch(/^epoch 1\/1 .* testAccuracy /);
  expect(first.out).toMatch(
    /fashion: test accuracy [\d.]+ %, loss [\d.]+; checkpoints, logs and curves.svg in f/,
  );
  const second = run('fashion', '--data', data, '--epochs', '2', '--batch', '16', '--out', 'f');
  expect(second.out).toMatch(/^going on after step 4, from f.step-000000004/);
  expect(readFileSync(join(folder, 'f/log.csv'), 'utf8').trim().split('\n')).toHaveLength(3);
  const third = run('fashion', '--data', data, '--epochs', '2', '--batch', '16', '--out', 'f');
  expect([third.status, third.err]).toEqual([
    2,
    'fashion: --out f holds a run of 2 epochs already; give more --epochs, or another folder; --help lists the options\n',
  ]);
});

test('cifar trains on digits without data, and names a file that is none', () => {
  const { out, status } = run('cifar', '--images', '32', '--batch', '16', '--epochs', '1', '--out', 'c');
  expect([status, out]).toEqual([0, expect.stringMatching(/no --data.*\ncifar: test accuracy/)]);
  const wrong = run('cifar', '--data', 'missing.tar.gz');
  expect([wrong.status, wrong.err]).toEqual([
    1,
    expect.stringMatching(/^cifar: missing.tar.gz: ENOENT[^\n]*\n$/),
  ]);
});

test('charlm learns a text and writes letters of its alphabet', () => {
  writeFileSync(join(folder, 'text.txt'), 'abcabcabd '.repeat(100));
  const { out, status } = run(
    'charlm',
    '--text',
    'text.txt',
    '--steps',
    '3',
    '--batch',
    '4',
    '--length',
    '16',
    '--layers',
    '1',
    '--features',
    '8',
    '--write',
    '5',
    '--out',
    'l',
  );
  expect(status).toBe(0);
  expect(out).toMatch(/1,000 letters, 5 different ones; [\d,]+ parameters\n\nabcabcabd abcabc│[abcd ]{5}\n$/);
});

test('resnet50 prints its layers, and what a step takes', () => {
  const { out, status } = run('resnet50', '--side', '32', '--batch', '1', '--steps', '1');
  expect(status).toBe(0);
  expect(out).toMatch(/total +25,557,032/);
  expect(out).toMatch(/step 1: loss [\d.]+, [\d.]+ s, [\d.]+ images\/s/);
});

test('an unknown example and an unknown option are refused', () => {
  expect(run('mnits').err).toMatch(/^there is no example "mnits"; the examples are .*charlm.*resnet50/);
  expect(run('charlm', '--step', '3')).toMatchObject({
    status: 2,
    err: "charlm: Unknown option '--step'; --help lists the options\n",
  });
});
