import {
  cummax,
  cummin,
  cumprod,
  cumsum,
  jit,
  reshape,
  setBackend,
  type Tensor,
  tensor,
} from '@neumann/core';
import { type DType, reference } from '@neumann/core/backend';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { createCpu } from '../src/backend.ts';
import { noLimits } from '../src/emit/cost.ts';
import { randomSource, valuesOf } from './kernels.ts';

const slow = reference();
const backends = await Promise.all([1, 3].map((threads) => createCpu({ threads }, noLimits)));
afterAll(() => setBackend(slow));

const folds = { cumsum, cumprod, cummax, cummin } as const;

/** The bits of the results: of -0 and 0, too. */
function bitsOf(
  name: keyof typeof folds,
  values: ReturnType<typeof valuesOf>,
  dtype: DType,
  shape: number[],
  axis: number,
  reverse: boolean,
): string {
  const x = reshape(tensor(values, dtype), shape);
  const y = jit((t: Tensor) => folds[name](t, { axis, reverse }))(x);
  return Array.from(y.dataSync(), (value) => (Object.is(value, -0) ? '-0' : String(value))).join(' ');
}

test('running folds give the bits of the host function, for any number of threads', () => {
  const cases = fc.record({
    name: fc.constantFrom(...(Object.keys(folds) as (keyof typeof folds)[])),
    dtype: fc.constantFrom<DType>('float32', 'float64', 'int32', 'uint32', 'uint8'),
    outer: fc.integer({ min: 1, max: 9 }),
    n: fc.integer({ min: 1, max: 11 }),
    inner: fc.constantFrom(1, 1, 2, 3, 4, 5, 7, 64, 66, 131),
    reverse: fc.boolean(),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(cases, ({ name, dtype, outer, n, inner, reverse, seed }) => {
      const values = valuesOf(dtype, outer * n * inner, randomSource(seed), seed % 2 ? 0.3 : 0);
      const run = () => bitsOf(name, values, dtype, [outer, n, inner], 1, reverse);
      setBackend(slow);
      const expected = run();
      for (const backend of backends) {
        setBackend(backend);
        expect(run()).toBe(expected);
      }
    }),
    { numRuns: 60 },
  );
});
