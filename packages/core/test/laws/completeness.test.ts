/** The tables of samples have a row for everything there is. */
import { readdirSync, readFileSync } from 'node:fs';
import {
  draw,
  operationRows,
  primitiveRows,
  primitivesOf,
  type Row,
  type Sample,
  upload,
} from '@neumann/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as core from '../../src/index.ts';
import { elementary } from '../../src/primitives/arithmetic.ts';
import type { Tensor } from '../../src/tensor.ts';

const { isArray } = Array;
core.setBackend(core.reference());

/** What `@neumann/core` exports that is no operation on tensors; laws and tests of their own are about these. */
const notOperations = new Set([
  // backends
  ...['devicePut', 'getBackend', 'setBackend', 'reference'],
  // transformations
  ...[
    'axisSize',
    'checkpoint',
    'customJvp',
    'customVjp',
    'evalShape',
    'grad',
    'hessian',
    'hvp',
    'jacfwd',
    'jacobian',
    'jacrev',
  ],
  ...['jit', 'jvp', 'linearTranspose', 'linearize', 'makeProgram', 'valueAndGrad', 'vjp', 'vmap'],
  // trees and text
  ...['showAval', 'treeFlatten', 'treeLeaves', 'treeMap', 'treePaths', 'treeStructure', 'treeUnflatten'],
]);

const isClass = (value: unknown): boolean =>
  typeof value === 'function' && Function.prototype.toString.call(value).startsWith('class');

/** Names of exported functions; those of a namespace with its name. */
function functionsOf(exports: object, prefix: string = ''): string[] {
  return Object.entries(exports).flatMap(([name, value]) => {
    if (typeof value === 'function') return isClass(value) ? [] : [`${prefix}${name}`];
    return typeof value === 'object' && value !== null ? functionsOf(value, `${prefix}${name}.`) : [];
  });
}

const namesOf = (rows: readonly Row[]): string[] => rows.map((row) => row.name);
const primitiveOf = (row: Row): string => row.name.split(' ')[0] as string;

function samplesOf(row: Row, count: number): Sample[] {
  return row.dtypes.flatMap((dtype) => fc.sample(draw(row.values(dtype)), { numRuns: count, seed: 7 }));
}

/** Primitives that the row's function, its derivatives and its batches apply. */
function usedBy(row: Row): Set<string> {
  const backend = core.getBackend();
  const used = new Set<string>();
  const watch = (f: () => unknown): void => {
    for (const name of primitivesOf(f)) used.add(name);
  };
  for (const { form, inputs } of samplesOf(row, 3)) watch(() => form.f(...upload(backend, inputs)));
  if (!row.smooth) return used;
  for (const { form, inputs } of fc.sample(draw(row.smooth), { numRuns: 3, seed: 7 })) {
    const xs = upload(backend, inputs);
    const f = (...all: Tensor[]): Tensor[] => {
      const y = form.f(...all);
      return isArray(y) ? [...y] : [y as Tensor];
    };
    watch(() => core.jvp(f, xs, xs));
    watch(() => core.vjp(f, ...xs)[1](f(...xs)));
    watch(() => core.vmap(f)(...xs.map((x) => core.stack([x, x]))));
  }
  return used;
}

describe('completeness', { timeout: 60_000 }, () => {
  test('every exported operation has a row', () => {
    const operations = functionsOf(core).filter((name) => !notOperations.has(name));
    expect(operations.filter((name) => !namesOf(operationRows).includes(name))).toEqual([]);
  });

  test('every row of operations, and everything that is no operation, is exported', () => {
    const exported = functionsOf(core);
    expect([...namesOf(operationRows), ...notOperations].filter((name) => !exported.includes(name))).toEqual(
      [],
    );
  });

  test('every primitive row applies the primitive that it is named after', () => {
    for (const row of primitiveRows) expect([...usedBy(row)], row.name).toContain(primitiveOf(row));
  });

  test('every primitive that an operation, its derivative or its batch applies has a row', () => {
    const known = new Set(primitiveRows.map(primitiveOf));
    const missing = operationRows.flatMap((row) =>
      [...usedBy(row)].filter((name) => !known.has(name)).map((name) => `${name}, applied by ${row.name}`),
    );
    expect(missing).toEqual([]);
  });

  test('every primitive that the sources define by name has a row', () => {
    const folder = new URL('../../src/primitives/', import.meta.url);
    const defined = new Set<string>(Object.keys(elementary));
    for (const file of readdirSync(folder)) {
      const source = readFileSync(new URL(file, folder), 'utf8');
      // `name:` at the first level of an object, and the makers of primitives that take a name.
      for (const [, name] of source.matchAll(/^ {2}name: '(\w+)',$/gm)) defined.add(name as string);
      for (const [, name] of source.matchAll(/(?:Primitive|extremum|bitwise|extremeIndex)\('(\w+)'/g))
        defined.add(name as string);
    }
    const known = new Set(primitiveRows.map(primitiveOf));
    defined.delete('customVjpTangent'); // only its transpose exists: transforms/custom.test.ts
    expect([...defined].filter((name) => !known.has(name))).toEqual([]);
    expect(defined.size).toBeGreaterThan(60);
  });
});
