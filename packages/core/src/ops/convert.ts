import { ShapeDtype } from '../aval.ts';
import { type ConcreteTensor, LiteralTensor } from '../concrete.ts';
import {
  type DType,
  dtypeInfo,
  dtypeOfArray,
  hostArray,
  isFloat,
  isInteger,
  promote,
  type TypedArray,
} from '../dtype.ts';
import { DTypeError, OptionError } from '../errors.ts';
import { getBackend, place } from '../ir/device.ts';
import { convert } from '../primitives/arithmetic.ts';
import { isNumberOf, rangeOf } from '../reference/scalar.ts';
import { broadcastShapes } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import type { Leaf } from '../tree.ts';

/** What operations take: a tensor, or a JavaScript number or boolean, which adapts to the tensors beside it. */
export type TensorLike = Tensor | number | boolean;

/**
 * A leaf of a tree as a tensor: a tensor as it is, a number as a scalar (`float32` unless `dtype` says otherwise), a
 * boolean as a `bool` scalar, a typed array as a 1-D tensor on the current backend.
 * @throws {DTypeError} if the value is no number of the dtype.
 */
export function toTensor(x: Leaf, dtype?: DType): Tensor {
  if (x instanceof Tensor) return x;
  if (typeof x === 'number') return literal('tensor', x, dtype ?? 'float32');
  if (typeof x === 'boolean') return literal('tensor', Number(x), dtype ?? 'bool');
  if (!ArrayBuffer.isView(x)) refuse('tensor', x);
  return placed(dtype ?? dtypeOfArray(x), [x.length], x);
}

/** A new tensor on the current backend from values in row-major order, each checked to be a number of the dtype. */
export function placed(dtype: DType, shape: readonly number[], values: ArrayLike<number>): ConcreteTensor {
  return place(getBackend(), dtype, shape, hostValues(dtype, values));
}

/** A scalar constant. */
export function literal(op: string, value: number, dtype: DType): Tensor {
  return new LiteralTensor({ shape: [], dtype }, numberOf(op, value, dtype));
}

/**
 * Operands of one operation as tensors of one dtype: tensors meet in the narrowest dtype that holds them all, and
 * numbers and booleans adapt to them, as in JAX. A number takes the tensors' float dtype; an integer takes their
 * integer dtype; other numbers make integers `float32`. An integer makes bools `int32`.
 *
 * @throws {DTypeError} if an integer does not fit the tensors' dtype, or int32 meets uint32.
 */
export function promoteOperands(op: string, ...xs: readonly TensorLike[]): Tensor[] {
  const dtype = commonDType(op, xs);
  return xs.map((x) =>
    x instanceof Tensor
      ? convert(x, dtype)
      : typeof x === 'boolean'
        ? new LiteralTensor({ shape: [], dtype }, Number(x))
        : literal(op, x, dtype),
  );
}

/** Two operands of a pointwise operation: of one dtype, and of shapes that broadcast. */
export function promotePair(op: string, x: TensorLike, y: TensorLike): [Tensor, Tensor] {
  const same = x instanceof Tensor && y instanceof Tensor && x.dtype === y.dtype;
  const pair = same ? [x, y] : promoteOperands(op, x, y);
  return broadcasting(op, pair) as [Tensor, Tensor];
}

/** {@link promotePair} for arithmetic, where bools count as the int32 numbers 0 and 1. */
export function numericPair(op: string, x: TensorLike, y: TensorLike): [Tensor, Tensor] {
  return promotePair(op, x, y).map((t) => (t.dtype === 'bool' ? convert(t, 'int32') : t)) as [Tensor, Tensor];
}

/** {@link promotePair} for float functions, where integers and bools become `float32`. */
export function floatPair(op: string, x: TensorLike, y: TensorLike): [Tensor, Tensor] {
  return promotePair(op, x, y).map((t) => (isFloat(t.dtype) ? t : convert(t, 'float32'))) as [Tensor, Tensor];
}

/** @throws {ShapeError} unless the shapes broadcast. */
export function broadcasting(op: string, xs: Tensor[]): Tensor[] {
  broadcastShapes(op, ...xs.map((x) => x.shape));
  return xs;
}

/** One operand of arithmetic: bools count as the int32 numbers 0 and 1. */
export function numericOperand(op: string, x: TensorLike): Tensor {
  const t = operand(op, x);
  return t.dtype === 'bool' ? convert(t, 'int32') : t;
}

/** One operand as a tensor of a float dtype: integers and bools become `float32`. */
export function floatOperand(op: string, x: TensorLike): Tensor {
  const t = operand(op, x);
  return isFloat(t.dtype) ? t : convert(t, 'float32');
}

/** An array of operands as tensors. @throws {OptionError} unless it is an array of them. */
export function operandList(op: string, xs: readonly TensorLike[]): Tensor[] {
  if (!Array.isArray(xs))
    throw new OptionError(`${op}: takes an array of tensors, but got ${described(xs)}.`);
  return xs.map((x) => operand(op, x));
}

/** One operand as a tensor: a number is `float32`, a boolean `bool`. */
export function operand(op: string, x: TensorLike): Tensor {
  if (x instanceof Tensor) return x;
  if (typeof x === 'number') return literal(op, x, 'float32');
  if (typeof x === 'boolean') return literal(op, Number(x), 'bool');
  return refuse(op, x);
}

function commonDType(op: string, xs: readonly TensorLike[]): DType {
  let dtype: DType | undefined;
  for (const x of xs) {
    if (x instanceof Tensor) dtype = dtype ? meet(op, dtype, x.dtype) : x.dtype;
    else if (typeof x !== 'number' && typeof x !== 'boolean') refuse(op, x);
  }
  const numbers = xs.filter((x) => typeof x === 'number');
  if (numbers.length === 0) return dtype ?? 'bool';
  if (dtype === undefined) return 'float32';
  if (isFloat(dtype)) return dtype;
  if (!numbers.every(Number.isInteger)) return 'float32';
  return isInteger(dtype) ? dtype : 'int32';
}

function meet(op: string, a: DType, b: DType): DType {
  try {
    return promote(a, b);
  } catch (error) {
    if (!(error instanceof DTypeError)) throw error;
    throw new DTypeError(error.message.replace(/^dtype:/, `${op}:`));
  }
}

/** The number that an element of `dtype` holds for `value`. */
function numberOf(op: string, value: number, dtype: DType): number {
  if (dtype === 'float32') return Math.fround(value);
  if (dtype === 'float64') return value;
  const number = value + 0; // -0 is 0
  const { kind } = dtypeInfo(dtype);
  if (isNumberOf(dtype, number)) return number;
  const [least, greatest] = rangeOf[dtype];
  throw new DTypeError(
    kind === 'bool'
      ? `${op}: ${value} is no bool; use true and false, or 1 and 0.`
      : `${op}: ${value} is no ${dtype}, which holds the integers from ${least} to ${greatest}; ` +
          `round or clip it, or use another dtype.`,
  );
}

function hostValues(dtype: DType, values: ArrayLike<number>): TypedArray {
  const { array, kind } = dtypeInfo(dtype);
  const isView = ArrayBuffer.isView(values);
  if (isView && dtypeOfArray(values as TypedArray) === dtype) return values as TypedArray;
  if (kind === 'float') return new array(values);
  const host = hostArray(dtype, values.length);
  for (let i = 0; i < host.length; i++) host[i] = numberOf('tensor', values[i] as number, dtype);
  return host;
}

function refuse(op: string, x: unknown): never {
  if (x instanceof ShapeDtype)
    throw new OptionError(
      `${op}: needs a value, but got only the shape ${x}; shapes without values are for evalShape().`,
    );
  throw new OptionError(
    `${op}: needs tensors, numbers or booleans, but got ${described(x)}; tensor() makes tensors of arrays.`,
  );
}

function described(x: unknown): string {
  if (x === undefined || x === null || x instanceof Tensor) return String(x);
  return typeof x === 'object' ? `a ${x.constructor.name}` : `a ${typeof x}`;
}
