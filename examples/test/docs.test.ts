/** Runs every `@example` of the packages and compares what its comments promise. */
import { globSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as backendCpu from '@neumann/backend-cpu';
import * as core from '@neumann/core';
import * as extend from '@neumann/core/extend';
import * as nn from '@neumann/nn';
import * as models from '@neumann/nn/models';
import * as data from '@neumann/nn/data';
import * as node from '@neumann/nn/node';
import * as optim from '@neumann/optim';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { writeFixtures } from './fixtures.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sources = globSync('packages/{core,backend-cpu,optim,nn}/src/**/*.ts', { cwd: root }).sort();
const home = core.getBackend();
const folder = mkdtempSync(join(tmpdir(), 'neumann-examples-'));
const before = process.cwd();

beforeAll(async () => {
  await writeFixtures(folder);
  process.chdir(folder);
});
afterAll(() => process.chdir(before));

/** What examples may take for granted. */
const given = {
  key: core.random.key(1),
  step: 3,
  x: core.ones([4, 3]),
  table: core.ones([10, 4]),
  tokens: core.tensor([[1, 2]], 'int32'),
  images: core.ones([8, 28, 28, 1]),
  params: { w: core.ones([3]) },
  grads: { w: core.ones([3]) },
  model: { init: () => ({ params: { w: core.ones([3]) } }) },
  loss: (p: { w: core.Tensor }) => core.sum(core.square(p.w)),
  train: () => undefined,
  here: pathToFileURL(join(folder, 'main.ts')).href,
  readFile: async (name: string) => readFileSync(join(folder, name)),
  writeFile: async (name: string, bytes: Uint8Array) => writeFileSync(join(folder, name), bytes),
};
const packages: Record<string, object> = {
  optim,
  nn: { ...nn, ...models, ...data, ...node },
  'backend-cpu': backendCpu,
  core: { ...extend, ...core },
};
/** All names; where packages share one, that of the file's own package. */
const namesIn = (file: string): Record<string, unknown> =>
  Object.assign({}, ...Object.values(packages), packages[file.split('/')[1] as string], given);

interface Example {
  readonly line: number;
  readonly code: string;
}

function examplesOf(file: string): Example[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/\/\*\*([\s\S]*?)\*\//g)].flatMap((comment) => {
    const body = (comment[1] as string).replace(/^\s*\* ?/gm, '');
    const line = text.slice(0, comment.index).split('\n').length;
    return body
      .split(/^@/m)
      .filter((tag) => tag.startsWith('example'))
      .map((tag) => ({ line, code: tag.slice('example'.length).trim() }));
  });
}

/** `f(x)   // 3` becomes a comparison, and so does `const [y] = f(x);   // 3`. */
function withChecks(code: string): string {
  return code
    .split('\n')
    .map((line) => {
      const [, statement = '', promised = ''] = /^(.*?\S)\s*\/\/ (.*)$/.exec(line) ?? [];
      if (!/^(-?[\d.]+(e-?\d+)?$|\[|[a-z0-9]+\[[\d,]*\]$|true$|false$)/.test(promised)) return line;
      const target = /^(?:const|let) \[?(\w+)\]? = /.exec(statement)?.[1];
      if (/^(const|let) /.test(statement) && !target) return line;
      if (target) return `${statement}\ncheck(${target}, ${JSON.stringify(promised)});`;
      return /^[a-z].*\)$|^[a-z].*\);$/i.test(statement)
        ? `check(${statement.replace(/;$/, '')}, ${JSON.stringify(promised)});`
        : line;
    })
    .join('\n');
}

/** A promise is a value, a shape (`[2, 3]`), or an aval (`f32[2,3]`); anything else is prose. */
function check(actual: unknown, promised: string): void {
  if (/^(f32|f64|i32|u32|u8|bool)\[/.test(promised)) {
    const aval = actual instanceof core.Tensor ? actual.aval : (actual as core.Aval);
    expect(core.showAval(aval)).toBe(promised.replaceAll(' ', ''));
    return;
  }
  const plain = (x: unknown): unknown =>
    x instanceof core.Tensor ? x.toArray() : Array.isArray(x) ? x.map(plain) : x;
  const parsed = parse(promised);
  if (parsed === undefined) return;
  if (actual instanceof core.Tensor && JSON.stringify(actual.shape) === JSON.stringify(parsed)) return;
  expectClose(plain(actual), parsed, 10 ** -(promised.match(/\.(\d+)/)?.[1]?.length ?? 6));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Equal up to a unit in the last digit that the comment shows. */
function expectClose(actual: unknown, promised: unknown, tolerance: number): void {
  if (Array.isArray(promised)) {
    expect(actual).toHaveLength(promised.length);
    for (const [i, p] of promised.entries()) expectClose((actual as unknown[])[i], p, tolerance);
  } else if (typeof promised === 'number')
    expect(Math.abs(Number(actual) - promised)).toBeLessThanOrEqual(tolerance);
  else expect(actual).toBe(promised);
}

const AsyncFunction = (async () => undefined).constructor as new (
  ...parts: string[]
) => (...args: unknown[]) => Promise<void>;

describe.each(sources.filter((file) => examplesOf(file).length > 0))('%s', (file) => {
  test.each(examplesOf(file))('the example of line $line runs and gives what it says', async ({ code }) => {
    core.setBackend(home);
    const js = stripTypeScriptTypes(`{\n${withChecks(code).replaceAll('import.meta.url', 'here')}\n}`); // a scope of its own
    const names = namesIn(file);
    const run = new AsyncFunction('check', ...Object.keys(names), js);
    await expect(run(check, ...Object.values(names))).resolves.toBeUndefined();
  });
});

test('the README shows examples/quickstart.ts, which trains its network', async () => {
  const [, ...lines] = readFileSync(join(root, 'examples/quickstart.ts'), 'utf8').trimEnd().split('\n');
  expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(lines.join('\n'));
  const printed: unknown[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...args) => void printed.push(...args));
  await import('../quickstart.ts');
  log.mockRestore();
  expect(String(printed[0])).toBe('f32[] 1');
  expect(printed[1]).toBeGreaterThan(0.95);
});
