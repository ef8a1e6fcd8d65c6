/** Folds over axes, which disappear from the result. */
import type { Aval } from '../aval.ts';
import { acc, coord, load } from '../ir/expr.ts';
import type { Kernel, Reduction } from '../ir/kernel.ts';
import { noTangent, type Primitive } from '../primitive.ts';
import type { Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { bind, bind1 } from '../trace.ts';
import { add, compare, convert, div, mul } from './arithmetic.ts';
import { broadcastTo, concatenate, linear, reshape, slice, transpose } from './movement.ts';
import { scalar } from './pointwise.ts';

type ReduceParams = { axes: readonly number[] };

const without = (shape: Shape, axes: readonly number[]): number[] =>
  shape.filter((_, i) => !axes.includes(i));

/** The shape with reduced axes kept as extent 1. */
const kept = (shape: Shape, axes: readonly number[]): number[] =>
  shape.map((n, i) => (axes.includes(i) ? 1 : n));

/** Axes of a batched operand, when one of the remaining axes is the batch. */
const shiftAxes = (axes: readonly number[], batchAxis: number): number[] =>
  axes.map((axis) => (axis < batchAxis ? axis : axis + 1));

const batchOut = (axes: readonly number[], batchAxis: number): number =>
  batchAxis - shiftAxes(axes, batchAxis).filter((axis) => axis < batchAxis).length;

function reduceKernel(name: string, op: Reduction['op'], x: Aval, axes: readonly number[]): Kernel {
  const outer = without(x.shape, axes);
  let [parallel, reduced] = [0, outer.length];
  const index = x.shape.map((_, i) => coord(axes.includes(i) ? reduced++ : parallel++));
  const dtype = op === 'argmax' || op === 'argmin' ? 'int32' : x.dtype;
  return {
    name,
    inputs: [x],
    axes: outer,
    reduceAxes: axes.map((i) => x.shape[i] as number),
    reductions: [{ op, value: load(0, x, index) }],
    outputs: [acc(dtype, 0)],
  };
}

const sumPrimitive = linear<ReduceParams>({
  name: 'reduceSum',
  kind: 'kernel',
  shape: (x, { axes }) => without(x.shape, axes),
  transpose: (ct, x, { axes }) => broadcastTo(reshape(ct, kept(x.shape, axes)), x.shape),
  batch: (x, axis, _, { axes }) => [reduceSum(x, shiftAxes(axes, axis)), batchOut(axes, axis)],
  lower: (x, { axes }) => reduceKernel('reduceSum', 'add', x, axes),
});

/** A reduction whose derivative is `slope(x, y)`, with y broadcast against x. */
function reducePrimitive(
  name: string,
  op: Reduction['op'],
  tangent: (dx: Tensor, x: Tensor, y: Tensor, axes: readonly number[]) => Tensor,
): Primitive<ReduceParams> {
  const primitive: Primitive<ReduceParams> = {
    name,
    kind: 'kernel',
    shape: ([x], { axes }) => [{ shape: without((x as Aval).shape, axes), dtype: (x as Aval).dtype }],
    jvp: ([x], [dx], params) => {
      const y = bind1(primitive, [x as Tensor], params);
      return [[y], [tangent(dx as Tensor, x as Tensor, y, params.axes)]];
    },
    batch: ([x], [axis], _, { axes }) => [
      bind(primitive, [x as Tensor], { axes: shiftAxes(axes, axis as number) }),
      [batchOut(axes, axis as number)],
    ],
    lower: ([x], { axes }) => reduceKernel(name, op, x as Aval, axes),
  };
  return primitive;
}

/** Shared equally among the elements that attain the extremum. */
const extremumTangent = (dx: Tensor, x: Tensor, y: Tensor, axes: readonly number[]): Tensor => {
  const hit = convert(compare('eq', x, reshape(y, kept(x.shape, axes))), x.dtype);
  return div(reduceSum(mul(dx, hit), axes), reduceSum(hit, axes));
};

const maxPrimitive = reducePrimitive('reduceMax', 'max', extremumTangent);
const minPrimitive = reducePrimitive('reduceMin', 'min', extremumTangent);

/**
 * d prod / dx_i is the product of the other elements, formed without division so that zeros are exact:
 * along one axis after the other, by halving: (a b)' = a' b + a b'.
 */
const prodPrimitive = reducePrimitive('reduceProd', 'mul', (dx, x, _, axes) => {
  const perm = [...axes, ...x.shape.map((_, i) => i).filter((i) => !axes.includes(i))];
  const count = axes.reduce((n, axis) => n * (x.shape[axis] as number), 1);
  const rest = without(x.shape, axes);
  return productTangent(
    reshape(transpose(x, perm), [count, ...rest]),
    reshape(transpose(dx, perm), [count, ...rest]),
  )[1];
});

/** Product over axis 0 and its tangent, pairing elements until one is left. */
function productTangent(x: Tensor, dx: Tensor): [Tensor, Tensor] {
  const [n = 0, ...rest] = x.shape;
  if (n === 0) return [broadcastTo(scalar(1, x.dtype), rest), broadcastTo(scalar(0, x.dtype), rest)];
  if (n === 1) return [reshape(x, rest), reshape(dx, rest)];
  const half = Math.ceil(n / 2);
  const [a, b] = [rows(x, 0, half), fillRows(rows(x, half, n), half, 1)];
  const [da, db] = [rows(dx, 0, half), fillRows(rows(dx, half, n), half, 0)];
  return productTangent(mul(a, b), add(mul(da, b), mul(a, db)));
}

const rows = (x: Tensor, from: number, to: number): Tensor =>
  slice(
    x,
    x.shape.map((_, i) => (i === 0 ? from : 0)),
    x.shape.map((n, i) => (i === 0 ? to : n)),
    x.shape.map(() => 1),
  );

/** Adds rows of `value` until axis 0 has extent `n`. */
const fillRows = (x: Tensor, n: number, value: number): Tensor => {
  const missing = n - (x.shape[0] as number);
  if (missing === 0) return x;
  return concatenate([x, broadcastTo(scalar(value, x.dtype), [missing, ...x.shape.slice(1)])], 0);
};

const extremeIndex = (name: 'argmax' | 'argmin'): Primitive<ReduceParams> => {
  const primitive: Primitive<ReduceParams> = {
    name,
    kind: 'kernel',
    shape: ([x], { axes }) => [{ shape: without((x as Aval).shape, axes), dtype: 'int32' }],
    jvp: noTangent(([x], params: ReduceParams) => bind(primitive, [x as Tensor], params)),
    batch: ([x], [axis], _, { axes }) => [
      bind(primitive, [x as Tensor], { axes: shiftAxes(axes, axis as number) }),
      [batchOut(axes, axis as number)],
    ],
    lower: ([x], { axes }) => reduceKernel(name, name, x as Aval, axes),
  };
  return primitive;
};
const argmaxPrimitive = extremeIndex('argmax');
const argminPrimitive = extremeIndex('argmin');

export const reduceSum = (x: Tensor, axes: readonly number[]): Tensor =>
  axes.length === 0 ? x : bind1(sumPrimitive, [x], { axes });
export const reduceMax = (x: Tensor, axes: readonly number[]): Tensor => bind1(maxPrimitive, [x], { axes });
export const reduceMin = (x: Tensor, axes: readonly number[]): Tensor => bind1(minPrimitive, [x], { axes });
export const reduceProd = (x: Tensor, axes: readonly number[]): Tensor => bind1(prodPrimitive, [x], { axes });
/** int32 row-major position of the first greatest element over `axes`. */
export const argmax = (x: Tensor, axes: readonly number[]): Tensor => bind1(argmaxPrimitive, [x], { axes });
export const argmin = (x: Tensor, axes: readonly number[]): Tensor => bind1(argminPrimitive, [x], { axes });
