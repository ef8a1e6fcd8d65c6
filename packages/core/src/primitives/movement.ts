/** Elements change place and nothing is computed. All are linear in their operands. */
import type { Aval } from '../aval.ts';
import { LiteralTensor } from '../concrete.ts';
import {
  addExpr,
  addIndex,
  allOf,
  compare,
  constant,
  coord,
  floorDiv,
  inBounds,
  load,
  mod,
  mulIndex,
  select,
} from '../ir/expr.ts';
import type { Expr, Kernel } from '../ir/kernel.ts';
import { Linear, type Params, type Primitive } from '../primitive.ts';
import { rowMajorStrides, type Shape, sameShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { bind, bind1 } from '../trace.ts';
import { broadcastIndex, scalar, unbroadcast } from './pointwise.ts';

/** A primitive that is linear in its only operand. */
export interface LinearRules<P extends Params> {
  readonly name: string;
  readonly kind: Primitive['kind'];
  readonly keepsUniform?: true;
  readonly shape: (x: Aval, params: P) => Shape;
  readonly transpose: (ct: Tensor, x: Aval, params: P) => Tensor;
  /** Moves the batch axis where it does not disturb: the result and its batch axis. */
  readonly batch: (x: Tensor, axis: number, size: number, params: P) => [Tensor, number];
  readonly lower: (x: Aval, params: P, out: Shape) => Kernel;
}

/** A primitive that is linear in its only operand, from its rules. */
/* @__NO_SIDE_EFFECTS__ */
export function linear<P extends Params>(rules: LinearRules<P>): Primitive<P> {
  const primitive: Primitive<P> = {
    name: rules.name,
    kind: rules.kind,
    ...(rules.keepsUniform && { keepsUniform: true }),
    shape: ([x], params) => [{ shape: rules.shape(x as Aval, params), dtype: (x as Aval).dtype }],
    jvp: (primals, [dx], params) => [
      bind(primitive, primals, params),
      bind(primitive, [dx as Tensor], params),
    ],
    transpose: ([ct], [x], params) => [rules.transpose(ct as Tensor, (x as Linear).aval, params)],
    batch: ([x], [axis], size, params) => {
      const [y, outAxis] = rules.batch(x as Tensor, axis as number, size, params);
      return [[y], [outAxis]];
    },
    lower: ([x], params) => rules.lower(x as Aval, params, rules.shape(x as Aval, params)),
  };
  return primitive;
}

/** A kernel whose output element is one element of its input. */
export function movementKernel(
  name: string,
  x: Aval,
  axes: Shape,
  index: readonly Expr[],
  guard?: Expr,
): Kernel {
  return { name, inputs: [x], axes, reduceAxes: [], reductions: [], outputs: [load(0, x, index, guard)] };
}

const coords = (shape: Shape): Expr[] => shape.map((_, i) => coord(i));

/* ---- reshape ---- */

const reshapePrimitive = linear<{ shape: Shape }>({
  name: 'reshape',
  kind: 'alias',
  keepsUniform: true,
  shape: (_, { shape }) => shape,
  transpose: (ct, x) => reshape(ct, x.shape),
  batch: (x, axis, size, { shape }) => [reshape(moveAxis(x, axis, 0), [size, ...shape]), 0],
  lower: (x, _, out) => movementKernel('reshape', x, out, reshapeIndex(x.shape, out)),
});

/** The same elements, in row-major order, in another shape of the same size. */
export const reshape = (x: Tensor, shape: Shape): Tensor =>
  sameShape(x.shape, shape) ? x : bind1(reshapePrimitive, [x], { shape });

/** Index into `from` of the element that a point of `to` holds; axes of extent 1 cost nothing. */
function reshapeIndex(from: Shape, to: Shape): Expr[] {
  const zero = constant('int32', 0);
  const wide = (shape: Shape) => shape.flatMap((extent, i) => (extent === 1 ? [] : [i]));
  const [a, b] = [wide(from), wide(to)];
  if (a.length === b.length && a.every((axis, i) => from[axis] === to[b[i] as number]))
    return from.map((extent, i) => (extent === 1 ? zero : coord(b[a.indexOf(i)] as number)));
  const toStrides = rowMajorStrides(to);
  const flat = to.reduce<Expr>((sum, _, i) => addExpr(sum, mulIndex(coord(i), toStrides[i] as number)), zero);
  const fromStrides = rowMajorStrides(from);
  return from.map((extent, i) =>
    i === 0
      ? floorDiv(flat, Math.max(1, fromStrides[0] as number))
      : mod(floorDiv(flat, Math.max(1, fromStrides[i] as number)), Math.max(1, extent)),
  );
}

/* ---- transpose ---- */

const transposePrimitive = linear<{ perm: readonly number[] }>({
  name: 'transpose',
  kind: 'kernel',
  keepsUniform: true,
  shape: (x, { perm }) => perm.map((i) => x.shape[i] as number),
  transpose: (ct, _, { perm }) => transpose(ct, inverse(perm)),
  batch: (x, axis, _, { perm }) => [transpose(x, [axis, ...perm.map((i) => (i < axis ? i : i + 1))]), 0],
  lower: (x, { perm }, out) => {
    const at = inverse(perm);
    return movementKernel(
      'transpose',
      x,
      out,
      x.shape.map((_, i) => coord(at[i] as number)),
    );
  },
});

const inverse = (perm: readonly number[]): number[] => perm.map((_, i) => perm.indexOf(i));

/** Axis `i` of the result is axis `perm[i]` of `x`. */
export const transpose = (x: Tensor, perm: readonly number[]): Tensor =>
  perm.every((axis, i) => axis === i) ? x : bind1(transposePrimitive, [x], { perm });

/** Moves one axis; the others keep their order. */
export function moveAxis(x: Tensor, from: number, to: number): Tensor {
  if (from === to) return x;
  const rest = x.shape.map((_, i) => i).filter((i) => i !== from);
  return transpose(x, [...rest.slice(0, to), from, ...rest.slice(to)]);
}

/* ---- broadcastTo ---- */

const broadcastPrimitive = linear<{ shape: Shape }>({
  name: 'broadcastTo',
  kind: 'kernel',
  keepsUniform: true,
  shape: (_, { shape }) => shape,
  transpose: (ct, x) => unbroadcast(ct, x.shape),
  batch: (x, axis, size, { shape }) => {
    const front = moveAxis(x, axis, 0);
    const missing = shape.length - (x.ndim - 1);
    const aligned = reshape(front, [size, ...new Array<number>(missing).fill(1), ...front.shape.slice(1)]);
    return [broadcastTo(aligned, [size, ...shape]), 0];
  },
  lower: (x, _, out) => movementKernel('broadcastTo', x, out, broadcastIndex(x.shape, out.length)),
});

/** Stretches axes of extent 1 and adds leading axes. */
export const broadcastTo = (x: Tensor, shape: Shape): Tensor =>
  sameShape(x.shape, shape) ? x : bind1(broadcastPrimitive, [x], { shape });

/* ---- slice, pad, reverse ---- */

type SliceParams = { start: readonly number[]; limit: readonly number[]; stride: readonly number[] };

const slicePrimitive = linear<SliceParams>({
  name: 'slice',
  kind: 'kernel',
  shape: (_, { start, limit, stride }) =>
    start.map((s, i) => Math.max(0, Math.ceil(((limit[i] as number) - s) / (stride[i] as number)))),
  transpose: (ct, x, { start, stride }) => {
    const interior = stride.map((s) => s - 1);
    const high = x.shape.map((extent, i) => {
      const n = ct.shape[i] as number;
      const covered = n === 0 ? 0 : (n - 1) * (stride[i] as number) + 1;
      return extent - (start[i] as number) - covered;
    });
    return pad(ct, start, high, interior);
  },
  batch: (x, axis, size, { start, limit, stride }) => {
    const insert = (xs: readonly number[], value: number) => [...xs.slice(0, axis), value, ...xs.slice(axis)];
    return [slice(x, insert(start, 0), insert(limit, size), insert(stride, 1)), axis];
  },
  lower: (x, { start, stride }, out) =>
    movementKernel(
      'slice',
      x,
      out,
      out.map((_, i) => addIndex(mulIndex(coord(i), stride[i] as number), start[i] as number)),
    ),
});

/** Elements `start, start + stride, …` below `limit` along each axis; all in range, strides positive. */
export const slice = (
  x: Tensor,
  start: readonly number[],
  limit: readonly number[],
  stride: readonly number[],
): Tensor =>
  start.every((s, i) => s === 0 && stride[i] === 1 && limit[i] === x.shape[i])
    ? x
    : bind1(slicePrimitive, [x], { start, limit, stride });

type PadParams = { low: readonly number[]; high: readonly number[]; interior: readonly number[] };

const padPrimitive = linear<PadParams>({
  name: 'pad',
  kind: 'kernel',
  shape: (x, { low, high, interior }) =>
    x.shape.map(
      (n, i) => n + Math.max(0, n - 1) * (interior[i] as number) + (low[i] as number) + (high[i] as number),
    ),
  transpose: (ct, _, { low, high, interior }) => {
    const zeros = low.map(() => 0);
    const cropped = pad(
      ct,
      low.map((n) => -n),
      high.map((n) => -n),
      zeros,
    );
    return slice(
      cropped,
      zeros,
      cropped.shape,
      interior.map((n) => n + 1),
    );
  },
  batch: (x, axis, _, { low, high, interior }) => {
    const insert = (xs: readonly number[]) => [...xs.slice(0, axis), 0, ...xs.slice(axis)];
    return [pad(x, insert(low), insert(high), insert(interior)), axis];
  },
  lower: (x, { low, interior }, out) => {
    const index = out.map((_, i) => addIndex(coord(i), -(low[i] as number)));
    const guards = x.shape.map((extent, i) => {
      const step = (interior[i] as number) + 1;
      if (extent === out[i] && low[i] === 0 && step === 1) return undefined;
      const at = index[i] as Expr;
      const inside = inBounds(at, extent === 0 ? 0 : (extent - 1) * step + 1);
      return step === 1 ? inside : allOf([inside, compare('eq', mod(at, step), constant('int32', 0))]);
    });
    const from = index.map((e, i) => floorDiv(e, (interior[i] as number) + 1));
    return movementKernel('pad', x, out, from, allOf(guards));
  },
});

/** Zeros around (`low`, `high`; negative crops) and between (`interior`) the elements of each axis. */
export const pad = (
  x: Tensor,
  low: readonly number[],
  high: readonly number[],
  interior: readonly number[],
): Tensor =>
  [...low, ...high, ...interior].every((n) => n === 0)
    ? x
    : bind1(padPrimitive, [x], { low, high, interior });

const reversePrimitive = linear<{ axes: readonly number[] }>({
  name: 'reverse',
  kind: 'kernel',
  keepsUniform: true,
  shape: (x) => x.shape,
  transpose: (ct, _, { axes }) => reverse(ct, axes),
  batch: (x, axis, _, { axes }) => [
    reverse(
      x,
      axes.map((i) => (i < axis ? i : i + 1)),
    ),
    axis,
  ],
  lower: (x, { axes }, out) =>
    movementKernel(
      'reverse',
      x,
      out,
      out.map((extent, i) => (axes.includes(i) ? addIndex(mulIndex(coord(i), -1), extent - 1) : coord(i))),
    ),
});

/** Flips the order along the given axes. */
export const reverse = (x: Tensor, axes: readonly number[]): Tensor =>
  axes.length === 0 ? x : bind1(reversePrimitive, [x], { axes });

/* ---- concatenate ---- */

const concatenatePrimitive: Primitive<{ axis: number }> = {
  name: 'concatenate',
  kind: 'kernel',
  shape: (inputs, { axis }) => {
    const first = inputs[0] as Aval;
    const total = inputs.reduce((n, x) => n + (x.shape[axis] as number), 0);
    return [{ shape: first.shape.map((n, i) => (i === axis ? total : n)), dtype: first.dtype }];
  },
  jvp: (primals, tangents, params) => {
    const filled = primals.map((x, i) => tangents[i] ?? broadcastTo(scalar(0, x.dtype), x.shape));
    return [[concatenate(primals, params.axis)], [concatenate(filled, params.axis)]];
  },
  transpose: ([ct], inputs, { axis }) => {
    let offset = 0;
    return inputs.map((x) => {
      const { shape } = x.aval;
      const start = shape.map((_, i) => (i === axis ? offset : 0));
      offset += shape[axis] as number;
      if (!(x instanceof Linear)) return null;
      return slice(
        ct as Tensor,
        start,
        shape.map((n, i) => n + (start[i] as number)),
        shape.map(() => 1),
      );
    });
  },
  batch: (inputs, axes, size, { axis }) => {
    const moved = inputs.map((x, i) => {
      const at = axes[i] ?? null;
      return at === null ? broadcastTo(x, [size, ...x.shape]) : moveAxis(x, at, 0);
    });
    return [[concatenate(moved, axis + 1)], [0]];
  },
  lower: (inputs, params) => {
    const { axis } = params;
    const [out] = concatenatePrimitive.shape(inputs, params) as [Aval];
    let end = out.shape[axis] as number;
    let value: Expr | undefined;
    for (let i = inputs.length - 1; i >= 0; i--) {
      const x = inputs[i] as Aval;
      const extent = x.shape[axis] as number;
      if (extent === 0) continue;
      end -= extent;
      const at = addIndex(coord(axis), -end);
      const index = coords(out.shape).map((e, j) => (j === axis ? at : e));
      const here = load(i, x, index, inBounds(at, extent));
      value = value ? select(compare('lt', coord(axis), constant('int32', end + extent)), here, value) : here;
    }
    return {
      name: 'concatenate',
      inputs,
      axes: out.shape,
      reduceAxes: [],
      reductions: [],
      outputs: [value ?? constant(out.dtype, 0)],
    };
  },
};

/** Joins tensors of one dtype, with equal extents elsewhere, along an axis. */
export const concatenate = (xs: readonly Tensor[], axis: number): Tensor =>
  xs.length === 1 ? (xs[0] as Tensor) : bind1(concatenatePrimitive, xs, { axis });

/* ---- sources: no operand ---- */

const iotaPrimitive: Primitive<{ size: number; dtype: Aval['dtype'] }> = {
  name: 'iota',
  kind: 'kernel',
  shape: (_, { size, dtype }) => [{ shape: [size], dtype }],
  jvp: () => [[], []],
  batch: () => [[], []],
  lower: (_, { size, dtype }) => ({
    name: 'iota',
    inputs: [],
    axes: [size],
    reduceAxes: [],
    reductions: [],
    outputs: [dtype === 'int32' ? coord(0) : { kind: 'cast', dtype, x: coord(0) }],
  }),
};

/** 0, 1, …, size - 1. */
export const iota = (size: number, dtype: Aval['dtype']): Tensor => bind1(iotaPrimitive, [], { size, dtype });

/** `x`, but with no derivative. */
const stopPrimitive: Primitive = {
  name: 'stopGradient',
  kind: 'alias',
  shape: (inputs) => [...inputs],
  jvp: ([x]) => [[stop(x as Tensor)], [null]], // enclosing derivatives stop here too
  batch: ([x], [axis]) => [[stop(x as Tensor)], [axis ?? null]],
  lower: ([x]) => movementKernel('stopGradient', x as Aval, (x as Aval).shape, coords((x as Aval).shape)),
};

export const stop = (x: Tensor): Tensor => (x instanceof LiteralTensor ? x : bind1(stopPrimitive, [x]));
