/** Rows by index, and adding rows up by index: each is the other's adjoint. */
import type { Aval } from '../aval.ts';
import { isFloat } from '../dtype.ts';
import { acc, compare, constant, coord, inBounds, load, select } from '../ir/expr.ts';
import { Linear, type Primitive } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind, bind1 } from '../trace.ts';
import { add, and, compare as compareTensors, mul, or, select as selectTensor } from './arithmetic.ts';
import { broadcastTo, concatenate, iota, moveAxis, reshape } from './movement.ts';
import { scalar } from './pointwise.ts';

/** x is [outer, rows, inner], index i32[count], y is [outer, count, inner]. */
interface Extents {
  readonly outer: number;
  readonly rows: number;
  readonly count: number;
  readonly inner: number;
}
type GatherParams = { extents: Extents };

const gatherPrimitive: Primitive<GatherParams> = {
  name: 'gather',
  kind: 'kernel',
  shape: ([x], { extents: { outer, count, inner } }) => [
    { shape: [outer, count, inner], dtype: (x as Aval).dtype },
  ],
  jvp: ([x, index], [dx], params) => [
    bind(gatherPrimitive, [x as Tensor, index as Tensor], params),
    [dx ? bind1(gatherPrimitive, [dx, index as Tensor], params) : null],
  ],
  transpose: ([ct], [x, index], { extents }) => [
    x instanceof Linear ? scatterAdd(ct as Tensor, index as Tensor, extents) : null,
    null,
  ],
  batch: ([x, index], axes, size, { extents }) =>
    batchRows(gather, x as Tensor, index as Tensor, axes, size, extents),
  lower: ([x, index], { extents }) => {
    const { outer, rows, count, inner } = extents;
    const row = load(1, index as Aval, [coord(1)]);
    const inside = inBounds(row, rows);
    const value = load(0, x as Aval, [coord(0), row, coord(2)], inside);
    const { dtype } = x as Aval;
    return {
      name: 'gather',
      inputs: [x as Aval, index as Aval],
      axes: [outer, count, inner],
      reduceAxes: [],
      reductions: [],
      outputs: [isFloat(dtype) ? select(inside, value, constant(dtype, Number.NaN)) : value],
      routine: { name: 'gather', ...extents },
    };
  },
};

const scatterPrimitive: Primitive<GatherParams> = {
  name: 'scatterAdd',
  kind: 'kernel',
  shape: ([y], { extents: { outer, rows, inner } }) => [
    { shape: [outer, rows, inner], dtype: (y as Aval).dtype },
  ],
  jvp: ([y, index], [dy], params) => [
    bind(scatterPrimitive, [y as Tensor, index as Tensor], params),
    [dy ? bind1(scatterPrimitive, [dy, index as Tensor], params) : null],
  ],
  transpose: ([ct], [y, index], { extents }) => [
    y instanceof Linear ? gatherZero(ct as Tensor, index as Tensor, extents) : null,
    null,
  ],
  batch: ([y, index], axes, size, { extents }) =>
    batchRows(scatterAdd, y as Tensor, index as Tensor, axes, size, extents),
  lower: ([y, index], { extents }) => {
    const { outer, rows, count, inner } = extents;
    const here = compare('eq', load(1, index as Aval, [coord(3)]), coord(1));
    const { dtype } = y as Aval;
    const value = select(here, load(0, y as Aval, [coord(0), coord(3), coord(2)]), constant(dtype, 0));
    return {
      name: 'scatterAdd',
      inputs: [y as Aval, index as Aval],
      axes: [outer, rows, inner],
      reduceAxes: [count],
      reductions: [{ op: 'add', value }],
      outputs: [acc(dtype, 0)],
      routine: { name: 'scatterAdd', ...extents },
    };
  },
};

/** Rows of x by index; a row out of range is NaN (0 for integers). */
export const gather = (x: Tensor, index: Tensor, extents: Extents): Tensor =>
  bind1(gatherPrimitive, [x, index], { extents });

/** Adds row j of y to row index[j]; rows out of range are dropped. */
export const scatterAdd = (y: Tensor, index: Tensor, extents: Extents): Tensor =>
  bind1(scatterPrimitive, [y, index], { extents });

/** The exact adjoint of `scatterAdd`: rows out of range are 0, as they were dropped. */
function gatherZero(x: Tensor, index: Tensor, extents: Extents): Tensor {
  const rows = scalar(extents.rows, 'int32');
  const inside = and(compareTensors('le', scalar(0, 'int32'), index), compareTensors('lt', index, rows));
  const zeros = broadcastTo(scalar(0, x.dtype), [extents.outer, 1, extents.inner]);
  return gather(concatenate([x, zeros], 1), selectTensor(inside, index, rows), {
    ...extents,
    rows: extents.rows + 1,
  });
}

/**
 * A batch of x alone goes into `outer`; with a batch of indices the rows of all examples are laid behind one another
 * and the indices of example b are shifted by b times the number of rows.
 */
function batchRows(
  apply: (t: Tensor, index: Tensor, extents: Extents) => Tensor,
  t: Tensor,
  index: Tensor,
  [tAxis, indexAxis]: readonly (number | null)[],
  size: number,
  extents: Extents,
): [Tensor[], (number | null)[]] {
  const { outer, rows, count, inner } = extents;
  const front =
    (tAxis ?? null) === null ? broadcastTo(t, [size, ...t.shape]) : moveAxis(t, tAxis as number, 0);
  if ((indexAxis ?? null) === null) {
    const grown = { ...extents, outer: size * outer };
    const result = apply(reshape(front, [size * outer, ...front.shape.slice(-2)]), index, grown);
    return [[reshape(result, [size, outer, ...result.shape.slice(1)])], [0]];
  }
  const first = scalar(rows, 'int32');
  const local = moveAxis(index, indexAxis as number, 0); // [size, count]
  const outside = or(compareTensors('lt', local, scalar(0, 'int32')), compareTensors('le', first, local));
  const shift = reshape(mul(iota(size, 'int32'), first), [size, 1]);
  const shifted = selectTensor(outside, scalar(-1, 'int32'), add(local, shift));
  const behind = moveAxis(front, 0, 1); // [outer, size, rows or count, inner]
  const length = behind.shape[2] as number;
  const grown = { outer, rows: size * rows, count: size * count, inner };
  const result = apply(
    reshape(behind, [outer, size * length, inner]),
    reshape(shifted, [size * count]),
    grown,
  );
  return [[reshape(result, [outer, size, (result.shape[1] as number) / size, inner])], [1]];
}
