/**
 * What all pointwise primitives share: operands broadcast as in NumPy, one result of the broadcast shape,
 * batching aligns ranks, and a cotangent is summed over the axes along which its operand was stretched.
 */
import type { Aval } from '../aval.ts';
import { LiteralTensor } from '../concrete.ts';
import type { DType } from '../dtype.ts';
import { isFloat } from '../dtype.ts';
import { constant, coord, load } from '../ir/expr.ts';
import type { Expr, Kernel } from '../ir/kernel.ts';
import type { Linear, Params, Primitive, Zero } from '../primitive.ts';
import { broadcastShapes, type Shape, sameShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { bind, bind1 } from '../trace.ts';
import { add } from './arithmetic.ts';
import { broadcastTo, moveAxis, reshape } from './movement.ts';
import { reduceSum } from './reduce.ts';

/** A scalar constant of a dtype. */
export function scalar(value: number, dtype: DType): Tensor {
  return new LiteralTensor({ shape: [], dtype }, dtype === 'float32' ? Math.fround(value) : value);
}

/** The tangent of the result due to one operand's tangent `dx`; `y` is the result. */
export type Differential = (dx: Tensor, operands: readonly Tensor[], y: Tensor, params: Params) => Tensor;

/** What tells one pointwise primitive from another. */
export interface PointwiseRules {
  readonly name: string;
  readonly dtype: (inputs: readonly Aval[], params: Params) => DType;
  readonly unit?: 'right' | 'either';
  readonly express: (operands: readonly Expr[], params: Params) => Expr;
  /** One for each operand; `null` where the result does not depend on it differentiably. */
  readonly differentials: readonly (Differential | null)[] | 'linear';
  /** For primitives linear in some operands: cotangents before unbroadcasting. */
  readonly transpose?: (
    ct: Tensor,
    inputs: readonly (Tensor | Linear)[],
    params: Params,
  ) => (Tensor | Zero)[];
}

/** A primitive that computes each element of the result from the elements at its place; operands broadcast. */
/* @__NO_SIDE_EFFECTS__ */
export function pointwise(rules: PointwiseRules): Primitive {
  const { name, dtype, unit, express, differentials, transpose } = rules;
  const primitive: Primitive = {
    name,
    kind: 'pointwise',
    ...(unit && { unit }),
    shape: (inputs, params) => [
      { shape: broadcastShapes(name, ...inputs.map((x) => x.shape)), dtype: dtype(inputs, params) },
    ],
    jvp: (primals, tangents, params) => {
      const y = bind1(primitive, primals, params);
      const terms = tangents.flatMap((dx, i) => {
        if (dx === null || differentials === 'linear') return [];
        const differential = differentials[i];
        return differential ? [differential(dx, primals, y, params)] : [];
      });
      if (differentials === 'linear') {
        const zeroed = tangents.map((dx, i) => dx ?? scalar(0, (primals[i] as Tensor).dtype));
        terms.push(bind1(primitive, zeroed, params));
      }
      if (terms.length === 0 || !isFloat(y.dtype)) return [[y], [null]];
      return [[y], [stretch(terms.reduce(add), y.shape)]];
    },
    batch: (inputs, axes, size, params) => {
      const aligned = alignBatch(inputs, axes, size);
      return [bind(primitive, aligned, params), [0]];
    },
    lower: (inputs, params) => pointwiseKernel(name, inputs, (operands) => [express(operands, params)]),
  };
  if (transpose)
    primitive.transpose = ([ct], inputs, params) =>
      transpose(ct as Tensor, inputs, params).map((t, i) =>
        t === null ? null : unbroadcast(t, (inputs[i] as Tensor | Linear).aval.shape),
      );
  return primitive;
}

/** The kernel that computes `express` at every point of the broadcast shape. */
export function pointwiseKernel(
  name: string,
  inputs: readonly Aval[],
  express: (operands: Expr[]) => Expr[],
): Kernel {
  const axes = broadcastShapes(name, ...inputs.map((x) => x.shape));
  const operands = inputs.map((x, i) => load(i, x, broadcastIndex(x.shape, axes.length)));
  return { name, inputs, axes, reduceAxes: [], reductions: [], outputs: express(operands) };
}

/** Index of an operand within a loop nest of `rank` axes: aligned at the right, 0 along axes of extent 1. */
export function broadcastIndex(shape: Shape, rank: number): Expr[] {
  return shape.map((extent, i) => (extent === 1 ? constant('int32', 0) : coord(i + rank - shape.length)));
}

/** Moves batch axes to the front and pads ranks, so that broadcasting does the rest. */
export function alignBatch(
  inputs: readonly Tensor[],
  axes: readonly (number | null)[],
  size: number,
): Tensor[] {
  const rank = Math.max(...inputs.map((x, i) => x.ndim - (axes[i] === null ? 0 : 1)));
  return inputs.map((x, i) => {
    const axis = axes[i] ?? null;
    if (axis === null) return x;
    const front = moveAxis(x, axis, 0);
    const missing = rank - (x.ndim - 1);
    if (missing === 0) return front;
    return reshape(front, [size, ...new Array<number>(missing).fill(1), ...front.shape.slice(1)]);
  });
}

/** Sums `x` down to `shape`, the adjoint of broadcasting from `shape`. */
export function unbroadcast(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.ndim - shape.length;
  const axes = x.shape.flatMap((extent, i) =>
    i < lead || (shape[i - lead] === 1 && extent !== 1) ? [i] : [],
  );
  const summed = axes.length === 0 ? x : reduceSum(x, axes);
  return reshape(summed, shape);
}

/** Broadcasts a tangent that lacks axes of the result. */
function stretch(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : broadcastTo(x, shape);
}
