import { acc, coord, type Kernel, load } from '@neumann/core/backend';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cpu } from '../src/index.ts';
import { runKernel, runReference } from './kernels.ts';

const backend = await cpu({ threads: 1 });

/** Numbers at which an order of bits could go wrong, with NaN of both signs. */
const bits = [
  0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000,
  0xffc00000, 0x3f800000, 0xbf800000, 0x40000000, 0xc0000000,
];
const special = new Float32Array(Uint32Array.from(bits).buffer);

/** The greatest or smallest numbers of the rows, or the columns, of a matrix. */
function extreme(op: 'max' | 'min', rows: number, columns: number, alongRows: boolean): Kernel {
  const [axes, reduceAxes] = alongRows ? [[rows], [columns]] : [[columns], [rows]];
  const view = { shape: [rows, columns], dtype: 'float32' } as const;
  const value = load(0, view, alongRows ? [coord(0), coord(1)] : [coord(1), coord(0)]);
  const reductions = [{ op, value }];
  return { name: op, inputs: [view], axes, reduceAxes, reductions, outputs: [acc('float32', 0)] };
}

test('the greatest and the smallest of any numbers, with their zeros and NaN', () => {
  const shapes = fc.record({
    op: fc.constantFrom('max' as const, 'min' as const),
    rows: fc.integer({ min: 1, max: 9 }),
    columns: fc.integer({ min: 1, max: 41 }),
    alongRows: fc.boolean(),
    // From a few of them, so that a row seldom has all.
    of: fc.uniqueArray(fc.nat(bits.length - 1), { minLength: 1, maxLength: 4 }),
    picks: fc.array(fc.nat(3), { minLength: 9 * 41, maxLength: 9 * 41 }),
  });
  fc.assert(
    fc.property(shapes, ({ op, rows, columns, alongRows, of, picks }) => {
      const x = Float32Array.from({ length: rows * columns }, (_, i) => {
        const place = of[(picks[i] ?? 0) % of.length] ?? 0;
        return special[place] ?? 0;
      });
      const kernel = extreme(op, rows, columns, alongRows);
      expect(runKernel(backend, kernel, [x])).toEqual(runReference(kernel, [x]));
    }),
    { numRuns: 300 },
  );
});
