import { acc, binary, coord, type DType, type Kernel, load, sizeOf } from '@neumann/core/backend';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCpu } from '../src/backend.ts';
import { noLimits } from '../src/emit/cost.ts';
import { randomSource, runKernel, runReference, valuesOf } from './kernels.ts';

const backends = await Promise.all([1, 3].map((threads) => createCpu({ threads }, noLimits)));

type Op = 'add' | 'max' | 'min';

/** Folds over the rows of matrices `[outer, rows, columns]`: one of the elements, and one of their squares. */
function columnFolds(
  dtype: DType,
  ops: readonly Op[],
  [outer, rows, columns]: readonly number[],
  isPlain: boolean,
): Kernel {
  const view = { shape: [outer ?? 1, rows ?? 1, columns ?? 1], dtype };
  const x = load(0, view, [coord(0), coord(2), coord(1)]);
  const values = [x, dtype === 'bool' ? x : binary('mul', x, x)].slice(0, ops.length);
  const results = values.map((_, i) => acc(dtype, i));
  const [first = acc(dtype, 0)] = results;
  return {
    name: 'columns',
    inputs: [view],
    axes: [outer ?? 1, columns ?? 1],
    reduceAxes: [rows ?? 1],
    reductions: values.map((value, i) => ({ op: ops[i] ?? 'add', value })),
    outputs: isPlain ? results : [dtype === 'bool' ? first : binary('add', first, first), ...results],
  };
}

test('folds over the rows of wide matrices, with the same bits for any number of threads', () => {
  const cases = fc.record({
    dtype: fc.constantFrom<DType>('float32', 'float32', 'float64', 'int32', 'uint8', 'bool'),
    ops: fc.array(fc.constantFrom<Op>('add', 'max', 'min'), { minLength: 1, maxLength: 2 }),
    outer: fc.integer({ min: 1, max: 3 }),
    rows: fc.integer({ min: 30, max: 70 }),
    columns: fc.integer({ min: 100, max: 600 }),
    isPlain: fc.boolean(),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(cases, ({ dtype, ops: given, outer, rows, columns, isPlain, seed }) => {
      const ops = dtype === 'bool' ? given.map((op) => (op === 'add' ? 'max' : op)) : given;
      const kernel = columnFolds(dtype, ops, [outer, rows, columns], isPlain);
      // Sums of any order are near; NaN and infinities among extremes only.
      const edges = ops.includes('add') ? 0 : 0.02;
      const inputs = [valuesOf(dtype, sizeOf([outer, rows, columns]), randomSource(seed), edges)];
      const [one = [], many] = backends.map((backend) => runKernel(backend, kernel, inputs));
      expect(many).toEqual(one);
      const unit = dtype === 'float32' ? 2 ** -24 : 2 ** -53;
      for (const [i, want] of runReference(kernel, inputs).entries())
        for (const [k, y] of want.entries()) {
          const got = one[i]?.[k] ?? Number.NaN;
          if (Object.is(got, y) || (ops.includes('add') && Math.abs(got - y) <= 64 * rows ** 2 * unit))
            continue;
          expect.fail(`result ${i} at ${k}: ${got} instead of ${y}`);
        }
    }),
    { numRuns: 40 },
  );
});
