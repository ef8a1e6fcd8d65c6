/** Runs every `@example` of the packages and compares what its comments promise. */
import { globSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as backendCpu from '@neumann/backend-cpu';
import * as backendGpu from '@neumann/backend-gpu';
import * as core from '@neumann/core';
import * as extend from '@neumann/core/extend';
import * as nn from '@neumann/nn';
import * as data from '@neumann/nn/data';
import * as models from '@neumann/nn/models';
import * as node from '@neumann/nn/node';
import * as optim from '@neumann/optim';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { writeFixtures } from './fixtures.ts';
import { runExample } from './runExample.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sources = globSync('packages/{core,backend-cpu,backend-gpu,optim,nn}/src/**/*.ts', {
  cwd: root,
}).sort();
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
  'backend-gpu': backendGpu,
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

describe.each(sources.filter((file) => examplesOf(file).length > 0))('%s', (file) => {
  test.each(examplesOf(file))('the example of line $line runs and gives what it says', async ({ code }) => {
    core.setBackend(home);
    await expect(
      runExample(code.replaceAll('import.meta.url', 'here'), namesIn(file)),
    ).resolves.toBeUndefined();
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
