import type { Aval } from '../aval.ts';
import { type DType, isFloat } from '../dtype.ts';
import {
  binary,
  bitcast as bitcastExpr,
  cast,
  compare as compareExpr,
  select as selectExpr,
  unary,
} from '../ir/expr.ts';
import type { BinaryOp, CompareOp, UnaryOp } from '../ir/kernel.ts';
import { Linear, type Primitive } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind1 } from '../trace.ts';
import { type Differential, type PointwiseRules, pointwise, scalar } from './pointwise.ts';

const firstDtype = (inputs: readonly Aval[]): DType => (inputs[0] as Aval).dtype;

type Unary = (x: Tensor) => Tensor;
type Binary = (x: Tensor, y: Tensor) => Tensor;

/** A unary primitive; `slope(x, y)` is dy/dx, `null` where it is zero almost everywhere. */
function unaryPrimitive(op: UnaryOp, slope: ((x: Tensor, y: Tensor) => Tensor) | null): Primitive {
  const differential: Differential | null = slope && ((dx, [x], y) => mul(dx, slope(x as Tensor, y)));
  return pointwise({
    name: op,
    dtype: firstDtype,
    express: ([x]) => unary(op, x as never),
    differentials: [differential],
  });
}

function binaryPrimitive(
  op: BinaryOp,
  rest: Pick<PointwiseRules, 'unit' | 'differentials' | 'transpose'>,
): Primitive {
  return pointwise({
    name: op,
    dtype: firstDtype,
    express: ([x, y]) => binary(op, x as never, y as never),
    ...rest,
  });
}

const like = (value: number, x: Tensor): Tensor => scalar(value, x.dtype);
const one = (x: Tensor): Tensor => like(1, x);

/* ---- Linear and bilinear ---- */

const negPrimitive: Primitive = pointwise({
  name: 'neg',
  dtype: firstDtype,
  express: ([x]) => unary('neg', x as never),
  differentials: 'linear',
  transpose: (ct) => [neg(ct)],
});
const addPrimitive = binaryPrimitive('add', {
  differentials: [(dx) => dx, (dy) => dy],
  transpose: (ct, inputs) => inputs.map((x) => (x instanceof Linear ? ct : null)),
});
const subPrimitive = binaryPrimitive('sub', {
  differentials: [(dx) => dx, (dy) => neg(dy)],
  transpose: (ct, [x, y]) => [x instanceof Linear ? ct : null, y instanceof Linear ? neg(ct) : null],
});
const mulPrimitive = binaryPrimitive('mul', {
  unit: 'either',
  differentials: [(dx, [, y]) => mul(dx, y as Tensor), (dy, [x]) => mul(x as Tensor, dy)],
  transpose: (ct, [x, y]) =>
    x instanceof Linear ? [mul(ct, y as Tensor), null] : [null, mul(x as Tensor, ct)],
});
const divPrimitive = binaryPrimitive('div', {
  unit: 'right',
  differentials: [(dx, [, y]) => div(dx, y as Tensor), (dy, [, y], z) => neg(mul(dy, div(z, y as Tensor)))],
  transpose: (ct, [, y]) => [div(ct, y as Tensor), null],
});

export const neg: Unary = (x) => bind1(negPrimitive, [x]);
export const add: Binary = (x, y) => bind1(addPrimitive, [x, y]);
export const sub: Binary = (x, y) => bind1(subPrimitive, [x, y]);
export const mul: Binary = (x, y) => bind1(mulPrimitive, [x, y]);
export const div: Binary = (x, y) => bind1(divPrimitive, [x, y]);

/* ---- Comparison, selection, conversion ---- */

const compares = Object.fromEntries(
  (['eq', 'ne', 'lt', 'le'] as const).map((op) => [
    op,
    pointwise({
      name: op,
      dtype: () => 'bool',
      express: ([x, y]) => compareExpr(op, x as never, y as never),
      differentials: [null, null],
    }),
  ]),
) as Record<CompareOp, Primitive>;

export const compare = (op: CompareOp, x: Tensor, y: Tensor): Tensor => bind1(compares[op], [x, y]);

const selectPrimitive = pointwise({
  name: 'select',
  dtype: (inputs) => (inputs[1] as Aval).dtype,
  express: ([cond, x, y]) => selectExpr(cond as never, x as never, y as never),
  differentials: [
    null,
    (dx, [cond]) => select(cond as Tensor, dx, like(0, dx)),
    (dy, [cond]) => select(cond as Tensor, like(0, dy), dy),
  ],
  transpose: (ct, [cond, x, y]) => [
    null,
    x instanceof Linear ? select(cond as Tensor, ct, like(0, ct)) : null,
    y instanceof Linear ? select(cond as Tensor, like(0, ct), ct) : null,
  ],
});

/** `cond ? x : y`; x and y share a dtype. */
export const select = (cond: Tensor, x: Tensor, y: Tensor): Tensor => bind1(selectPrimitive, [cond, x, y]);

const convertPrimitive = pointwise({
  name: 'convert',
  dtype: (_, params) => params['dtype'] as DType,
  express: ([x], params) => cast(params['dtype'] as DType, x as never),
  differentials: [(dx, _, y) => (isFloat(y.dtype) ? convert(dx, y.dtype) : dx)],
  transpose: (ct, [x]) => [convert(ct, (x as Linear).aval.dtype)],
});

export const convert = (x: Tensor, dtype: DType): Tensor =>
  x.dtype === dtype ? x : bind1(convertPrimitive, [x], { dtype });

const bitcastPrimitive = pointwise({
  name: 'bitcast',
  dtype: (_, params) => params['dtype'] as DType,
  express: ([x], params) => bitcastExpr(params['dtype'] as DType, x as never),
  differentials: [null],
});

/** The same bits as another 4-byte dtype. */
export const bitcast = (x: Tensor, dtype: DType): Tensor => bind1(bitcastPrimitive, [x], { dtype });

/* ---- Nonlinear functions of one variable: name and slope dy/dx ---- */

/** 2 / sqrt(pi) */
const erfSlope = 1.1283791670955126;

export type ElementaryOp = Exclude<UnaryOp, 'neg'>;

const slopes: Record<ElementaryOp, ((x: Tensor, y: Tensor) => Tensor) | null> = {
  abs: (x) => sign(x),
  sign: null,
  floor: null,
  ceil: null,
  trunc: null,
  round: null,
  sqrt: (_, y) => div(like(0.5, y), y),
  rsqrt: (x, y) => mul(like(-0.5, y), div(y, x)),
  exp: (_, y) => y,
  expm1: (_, y) => add(y, one(y)),
  log: (x) => div(one(x), x),
  log1p: (x) => div(one(x), add(x, one(x))),
  sin: (x) => elementary.cos(x),
  cos: (x) => neg(elementary.sin(x)),
  tan: (_, y) => add(one(y), mul(y, y)),
  asin: (x) => elementary.rsqrt(sub(one(x), mul(x, x))),
  acos: (x) => neg(elementary.rsqrt(sub(one(x), mul(x, x)))),
  atan: (x) => div(one(x), add(one(x), mul(x, x))),
  sinh: (x) => elementary.cosh(x),
  cosh: (x) => elementary.sinh(x),
  tanh: (_, y) => mul(add(one(y), y), sub(one(y), y)),
  asinh: (x) => elementary.rsqrt(add(mul(x, x), one(x))),
  acosh: (x) => elementary.rsqrt(mul(sub(x, one(x)), add(x, one(x)))),
  atanh: (x) => div(one(x), mul(sub(one(x), x), add(one(x), x))),
  erf: (x) => mul(like(erfSlope, x), elementary.exp(neg(mul(x, x)))),
  erfc: (x) => mul(like(-erfSlope, x), elementary.exp(neg(mul(x, x)))),
  erfInv: (_, y) => mul(like(1 / erfSlope, y), elementary.exp(mul(y, y))),
  sigmoid: (x, y) => mul(y, elementary.sigmoid(neg(x))),
  not: null,
};

const unaries = Object.fromEntries(
  (Object.keys(slopes) as ElementaryOp[]).map((op) => [op, unaryPrimitive(op, slopes[op])]),
) as Record<ElementaryOp, Primitive>;

/** Unary functions by name: `elementary.exp(x)`. */
export const elementary = Object.fromEntries(
  (Object.keys(slopes) as ElementaryOp[]).map((op) => [op, (x: Tensor) => bind1(unaries[op], [x])]),
) as Record<ElementaryOp, Unary>;

const sign = (x: Tensor): Tensor => elementary.sign(x);

/* ---- Nonlinear functions of two variables ---- */

/** 1 where x beats y, 1/2 at a tie, 0 elsewhere: the derivative of max and min, symmetric in its operands. */
const share = (x: Tensor, y: Tensor, winner: Tensor): Tensor => {
  const won = select(compare('eq', x, winner), one(winner), like(0, winner));
  return select(compare('eq', x, y), like(0.5, winner), won);
};

const extremum = (op: 'max' | 'min'): Primitive =>
  binaryPrimitive(op, {
    differentials: [
      (dx, [x, y], z) => mul(dx, share(x as Tensor, y as Tensor, z)),
      (dy, [x, y], z) => mul(dy, share(y as Tensor, x as Tensor, z)),
    ],
  });
const maxPrimitive = extremum('max');
const minPrimitive = extremum('min');

/** d(x**y)/dx = y x**(y-1), and 0 where both are 0; elsewhere y = 0 is nothing special, or its derivative would be lost. */
const powSlopeX = (x: Tensor, y: Tensor): Tensor => {
  const zero = bind1(andPrimitive, [compare('eq', x, like(0, x)), compare('eq', y, like(0, y))]);
  return mul(y, pow(x, select(zero, one(y), sub(y, one(y)))));
};
/** d(x**y)/dy = x**y log x, and 0 at x = 0 where y >= 0. */
const powSlopeY = (x: Tensor, y: Tensor, z: Tensor): Tensor => {
  const atZero = bind1(andPrimitive, [compare('eq', x, like(0, x)), compare('le', like(0, y), y)]);
  return select(atZero, like(0, z), mul(z, elementary.log(select(compare('eq', x, like(0, x)), one(x), x))));
};
const powPrimitive = binaryPrimitive('pow', {
  differentials: [
    (dx, [x, y]) => mul(dx, powSlopeX(x as Tensor, y as Tensor)),
    (dy, [x, y], z) => mul(dy, powSlopeY(x as Tensor, y as Tensor, z)),
  ],
});
const atan2Primitive = binaryPrimitive('atan2', {
  differentials: [
    (dy, [y, x]) =>
      mul(dy, div(x as Tensor, add(mul(x as Tensor, x as Tensor), mul(y as Tensor, y as Tensor)))),
    (dx, [y, x]) =>
      neg(mul(dx, div(y as Tensor, add(mul(x as Tensor, x as Tensor), mul(y as Tensor, y as Tensor))))),
  ],
});
const remPrimitive = binaryPrimitive('rem', {
  differentials: [(dx) => dx, (dy, [x, y]) => neg(mul(dy, elementary.trunc(div(x as Tensor, y as Tensor))))],
});

export const max: Binary = (x, y) => bind1(maxPrimitive, [x, y]);
export const min: Binary = (x, y) => bind1(minPrimitive, [x, y]);
export const pow: Binary = (x, y) => bind1(powPrimitive, [x, y]);
export const atan2: Binary = (x, y) => bind1(atan2Primitive, [x, y]);
export const rem: Binary = (x, y) => bind1(remPrimitive, [x, y]);

/* ---- Bits ---- */

const bitwise = (op: BinaryOp): Primitive => binaryPrimitive(op, { differentials: [null, null] });
const andPrimitive = bitwise('and');
const orPrimitive = bitwise('or');
const xorPrimitive = bitwise('xor');
const shlPrimitive = bitwise('shl');
const shrPrimitive = bitwise('shr');

export const and: Binary = (x, y) => bind1(andPrimitive, [x, y]);
export const or: Binary = (x, y) => bind1(orPrimitive, [x, y]);
export const xor: Binary = (x, y) => bind1(xorPrimitive, [x, y]);
export const shl: Binary = (x, y) => bind1(shlPrimitive, [x, y]);
export const shr: Binary = (x, y) => bind1(shrPrimitive, [x, y]);
