/** What every layer must keep: see layerTable.ts. */
import { cpu } from '@neumann/backend-cpu';
import {
  type DType,
  evalShape,
  jit,
  multiply,
  random,
  reference,
  type ShapeDtype,
  setBackend,
  slice,
  square,
  stack,
  Tensor,
  treeLeaves,
  treeMap,
  vmap,
} from '@neumann/core';
import * as nn from '@neumann/nn';
import { checkGradients } from '@neumann/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { type InputOf, type LayerRow, layerRows } from './layerTable.ts';

const isShape = (x: InputOf): x is readonly number[] => Array.isArray(x);

/** A tensor of a shape, or a tree of them. */
function inputOf({ x, dtype }: LayerRow, floats: DType, seed = 1): Tensor | Record<string, Tensor> {
  const one = (shape: readonly number[], i: number): Tensor =>
    dtype === 'int32'
      ? random.randint(random.key(seed + i), shape, { min: 0, max: 7 })
      : random.normal(random.key(seed + i), shape, { dtype: floats });
  return isShape(x)
    ? one(x, 0)
    : Object.fromEntries(Object.entries(x).map(([name, shape], i) => [name, one(shape, i)]));
}

/** The layer with parameters of its own, all moved a little from where they start: zeros would hide mistakes. */
function made(row: LayerRow, floats: DType) {
  const layer = row.layer as nn.Layer<unknown, unknown, unknown, unknown>;
  const key = random.key(7);
  const x = inputOf(row, floats);
  const { params, state } = layer.init(key, x instanceof Tensor ? x.aval : avalsOf(x));
  const moved = treeMap((p: Tensor) => multiply(p, 0.9), params);
  const context = (training: boolean) => ({ training, key });
  return { layer, x, params: moved, state, context };
}

const avalsOf = (x: Record<string, Tensor>) =>
  Object.fromEntries(Object.entries(x).map(([name, t]) => [name, t.aval]));

const shapesOf = (y: unknown): InputOf =>
  y instanceof Tensor
    ? y.shape
    : Object.fromEntries(Object.entries(y as Record<string, Tensor>).map(([name, t]) => [name, t.shape]));

const numbers = (tree: unknown): number[] =>
  (treeLeaves(tree) as Tensor[]).flatMap((t) => Array.from(t.dataSync()));

function expectClose(a: unknown, b: unknown, tolerance: number): void {
  const [xs, ys] = [numbers(a), numbers(b)];
  expect(xs.length).toBe(ys.length);
  for (const [i, x] of xs.entries())
    expect(Math.abs(x - (ys[i] as number))).toBeLessThanOrEqual(tolerance * (1 + Math.abs(x)));
}

/** Sums of some dozens of products in another order. */
const F32 = 2 ** -17;
const F64 = 1e-12;

describe.each(layerRows.map((row) => [row.name, row] as const))('%s', (_, row) => {
  beforeAll(() => setBackend(reference()));

  test('has the shapes and the parameters that it must have', () => {
    const { layer, x, params, state, context } = made(row, 'float32');
    const [y, next] = layer.apply(params, state, x);
    expect(shapesOf(y)).toEqual(row.y);
    expect((treeLeaves(params) as Tensor[]).reduce((n, p) => n + p.size, 0)).toBe(row.parameters);
    expect(treeLeaves(next).map((t) => (t as Tensor).shape)).toEqual(
      treeLeaves(state).map((t) => (t as Tensor).shape),
    );
    const shapes = evalShape(
      (p: unknown, s: unknown, t: unknown) => layer.apply(p, s, t, context(true))[0],
      params,
      state as object,
      x,
    );
    expect(treeLeaves(shapes).map((t) => (t as ShapeDtype).shape)).toEqual(
      treeLeaves(y).map((t) => (t as Tensor).shape),
    );
  });

  test.each([true, false])(
    'jit is eager (training: %s), on the CPU backend as on the reference',
    async (training) => {
      const run = () => {
        const { layer, x, params, state, context } = made(row, 'float32');
        const f = (p: unknown, s: unknown, t: unknown) => layer.apply(p, s, t, context(training));
        return { eager: f(params, state, x), jitted: jit(f)(params, state, x) };
      };
      const expected = run();
      expectClose(expected.jitted, expected.eager, F32);
      setBackend(await cpu({ memoryMB: 64 }));
      const found = run();
      expectClose(found.eager, found.jitted, F32);
      expectClose(found.jitted, expected.eager, F32);
      setBackend(reference());
    },
  );

  // An embedding has the dtype that it was told.
  test.runIf(row.dtype === undefined)(
    'computes in float64 when asked to, and gradients are right to second order',
    () => {
      const { layer, x, params, state, context } = made(row, 'float64');
      const f = (p: unknown, t: unknown) => layer.apply(p, state, t, context(true))[0];
      for (const leaf of treeLeaves([params, f(params, x)])) expect((leaf as Tensor).dtype).toBe('float64');
      if (row.differences === false) return;
      // With the squares no derivative is zero: that of the bias of attention's keys is, and would leave nothing to compare with.
      const g = (p: unknown, t: unknown) => [
        f(p, t),
        treeLeaves([p, t]).map((leaf) => square(leaf as Tensor)),
      ];
      checkGradients(g, [params, x]);
    },
  );

  test.runIf(row.perExample !== false)('vmap over examples is the layer of the whole batch', () => {
    const { layer, x, params, state, context } = made(row, 'float64');
    const f = (t: unknown) => layer.apply(params, state, t, context(true))[0];
    const several = treeMap((t: Tensor) => stack([t, multiply(t, row.dtype ? 1 : 0.5), t]), x);
    const batched = vmap(f)(several);
    const one = (i: number) => f(treeMap((t: Tensor) => slice(t, [i]), several));
    expectClose(
      batched,
      treeMap(
        (a: Tensor, b: Tensor, c: Tensor) => stack([a, b, c]),
        one(0) as Tensor,
        one(1) as Tensor,
        one(2) as Tensor,
      ),
      F64,
    );
  });

  test('parameters and state come back from a file', async () => {
    const { params, state } = made(row, 'float32');
    const bytes = await nn.encodeSafetensors({ params, state });
    const loaded = nn.loadInto({ params, state }, nn.decodeSafetensors(bytes));
    expect(numbers(loaded)).toEqual(numbers({ params, state }));
  });

  test('training does not change the parameters that it is given', () => {
    const { layer, x, params, state, context } = made(row, 'float32');
    const before = numbers([params, state]);
    layer.apply(params, state, x, context(true));
    expect(numbers([params, state])).toEqual(before);
  });
});
