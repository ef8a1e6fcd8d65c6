/** Runs the code of the pages in docs/. */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as backendCpu from '@neumann/backend-cpu';
import * as core from '@neumann/core';
import * as kernels from '@neumann/core/backend';
import * as extend from '@neumann/core/extend';
import * as nn from '@neumann/nn';
import * as optim from '@neumann/optim';
import { beforeEach, describe, expect, test } from 'vitest';
import { runExample } from './runExample.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const home = core.getBackend();
const names = { ...kernels, ...backendCpu, ...optim, ...nn, ...extend, ...core };

beforeEach(() => core.setBackend(home));

interface Block {
  readonly kind: string;
  readonly code: string;
}

/** Fenced blocks of a page, with what is written behind the first fence. */
function blocksOf(page: string): Block[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(([, kind, code]) => ({
    kind: kind as string,
    code: (code as string).trimEnd(),
  }));
}

describe.each([
  'docs/autodiff.md',
  'docs/adding-an-op.md',
  'docs/adding-a-layer.md',
  'docs/adding-a-backend.md',
  'docs/optimizers.md',
])('%s', (page) => {
  test('its code runs from top to bottom, and gives what it says', async () => {
    const code = blocksOf(page).flatMap((block) => (block.kind === 'ts' ? [block.code] : []));
    expect(code.length).toBeGreaterThan(3);
    await runExample(code.join('\n\n'), names);
  });
});

const errorPages = globSync('docs/errors/*.md', { cwd: root }).sort();

describe.each(errorPages)('%s', (page) => {
  const name = basename(page, '.md');
  const [wrong, message, right] = blocksOf(page) as [Block, Block, Block];

  test('its first block throws the error with the message below', async () => {
    expect([wrong.kind, message.kind]).toEqual(['ts throws', 'text']);
    const thrown: unknown = await runExample(wrong.code, names).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(thrown).toMatchObject({ name });
    expect((thrown as Error).message).toContain(message.code);
  });

  test('its last block runs', async () => {
    expect(right.kind).toBe('ts');
    await expect(runExample(right.code, names)).resolves.toBeUndefined();
  });
});

test('every class of error has a page', () => {
  const classes = Object.entries(core).flatMap(([name, value]) =>
    typeof value === 'function' && value.prototype instanceof core.NeumannError ? [name] : [],
  );
  expect(errorPages.map((page) => basename(page, '.md'))).toEqual(classes.sort());
});
