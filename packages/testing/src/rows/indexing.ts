import fc from 'fast-check';
import { anyOperand, finiteOperand, integersBetween, smoothOperand } from '../arbitrary.ts';
import { type DType, dtypes, gather, isFloat, scatterAdd } from '../core.ts';
import { accumulate, build, points, read } from '../define.ts';
import type { Form, Operand, Row } from '../row.ts';

interface Extents {
  readonly outer: number;
  readonly rows: number;
  readonly count: number;
  readonly inner: number;
}

const extents = (small: boolean): fc.Arbitrary<Extents> =>
  fc.record({
    outer: fc.integer({ min: small ? 1 : 0, max: 3 }),
    rows: fc.integer({ min: 1, max: 5 }),
    count: fc.integer({ min: small ? 1 : 0, max: 6 }),
    inner: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: small ? 4 : 19 })),
  });

/** @param beyond how far indices may be out of range. */
function forms(
  name: 'gather' | 'scatterAdd',
  small: boolean,
  beyond: number,
  operand: (shape: number[]) => Operand,
): fc.Arbitrary<Form> {
  return extents(small).map((e) => {
    const { outer, rows, count, inner } = e;
    const indices = integersBetween('int32', [count], -beyond, rows - 1 + beyond);
    if (name === 'gather')
      return {
        f: (x, index) => gather(x, index, e),
        text: `gather ${JSON.stringify(e)}`,
        operands: [operand([outer, rows, inner]), indices],
        define: (x, index) => {
          const fill = isFloat(x.dtype) ? Number.NaN : 0;
          return [
            build([outer, count, inner], ([o, j, i]) => {
              const row = read(index, [j as number]);
              return row < 0 || row >= rows ? fill : read(x, [o as number, row, i as number]);
            }),
          ];
        },
      };
    return {
      f: (y, index) => scatterAdd(y, index, e),
      text: `scatterAdd ${JSON.stringify(e)}`,
      operands: [operand([outer, count, inner]), indices],
      define: (y, index) => [
        accumulate([outer, rows, inner], (give) => {
          for (const [o, j, i] of points([outer, count, inner]) as Iterable<[number, number, number]>)
            give([o, read(index, [j]), i], read(y, [o, j, i]));
        }),
      ],
    };
  });
}

const gatherRow: Row = {
  name: 'gather',
  dtypes,
  error: 'exact',
  values: (dtype) => forms('gather', false, 2, (shape) => anyOperand(dtype, shape)),
  // Out of range is NaN, which has no derivative.
  smooth: forms('gather', true, 0, (shape) => smoothOperand(shape)),
  linear: [[0]],
};

const scatterDTypes: readonly DType[] = ['float32', 'float64', 'int32', 'uint32'];

const scatterRow: Row = {
  name: 'scatterAdd',
  dtypes: scatterDTypes,
  error: 'sum',
  values: (dtype) =>
    forms('scatterAdd', false, 2, (shape) =>
      isFloat(dtype) ? finiteOperand(dtype, shape) : integersBetween(dtype, shape, 0, 1000),
    ),
  smooth: forms('scatterAdd', true, 2, (shape) => smoothOperand(shape)),
  linear: [[0]],
};

/** Rows by index. */
export const indexingRows: readonly Row[] = [gatherRow, scatterRow];
