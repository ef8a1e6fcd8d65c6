/** Operations on the bits of integers and bools. */
import { type DType, isFloat } from '../dtype.ts';
import { DTypeError } from '../errors.ts';
import * as p from '../primitives/arithmetic.ts';
import { isBitcastable } from '../reference/scalar.ts';
import type { Tensor } from '../tensor.ts';
import { operand, promotePair, type TensorLike } from './convert.ts';

/**
 * The bits set in both.
 * @throws {DTypeError} for floats. {ShapeError} if the shapes do not broadcast.
 * @example bitwiseAnd(tensor([6], 'int32'), 3)   // [2]
 */
export function bitwiseAnd(x: TensorLike, y: TensorLike): Tensor {
  return p.and(...integers('bitwiseAnd', x, y));
}

/**
 * The bits set in one or both.
 * @throws {DTypeError} for floats. {ShapeError} if the shapes do not broadcast.
 * @example bitwiseOr(tensor([6], 'int32'), 3)    // [7]
 */
export function bitwiseOr(x: TensorLike, y: TensorLike): Tensor {
  return p.or(...integers('bitwiseOr', x, y));
}

/**
 * The bits set in exactly one.
 * @throws {DTypeError} for floats. {ShapeError} if the shapes do not broadcast.
 * @example bitwiseXor(tensor([6], 'int32'), 3)   // [5]
 */
export function bitwiseXor(x: TensorLike, y: TensorLike): Tensor {
  return p.xor(...integers('bitwiseXor', x, y));
}

/** All bits inverted. @throws {DTypeError} for floats. @example bitwiseNot(tensor([0], 'int32'))   // [-1] */
export function bitwiseNot(x: TensorLike): Tensor {
  const t = operand('bitwiseNot', x);
  refuseFloats('bitwiseNot', t);
  return p.elementary.not(t);
}

/**
 * The bits of `x` moved up by `by` places; 32 places and more give 0.
 * @throws {DTypeError} unless the operands are `int32` or `uint32`. {ShapeError} if the shapes do not broadcast.
 * @example leftShift(tensor([1], 'int32'), 4)    // [16]
 */
export function leftShift(x: TensorLike, by: TensorLike): Tensor {
  return p.shl(...words('leftShift', x, by));
}

/**
 * The bits of `x` moved down by `by` places; `int32` keeps its sign, `uint32` is filled with zeros.
 * @throws {DTypeError} unless the operands are `int32` or `uint32`. {ShapeError} if the shapes do not broadcast.
 * @example rightShift(tensor([-16], 'int32'), 2) // [-4]
 */
export function rightShift(x: TensorLike, by: TensorLike): Tensor {
  return p.shr(...words('rightShift', x, by));
}

/**
 * The same bits read as another dtype of 4 bytes: `float32`, `int32` or `uint32`.
 * @throws {DTypeError} for other dtypes.
 * @example bitcast(tensor(1), 'uint32')          // 1065353216
 */
export function bitcast(x: TensorLike, dtype: DType): Tensor {
  const t = operand('bitcast', x);
  if (!isBitcastable(t.dtype) || !isBitcastable(dtype))
    throw new DTypeError(
      `bitcast: needs dtypes of 4 bytes (float32, int32, uint32), but got ${t.dtype} to ${String(dtype)}; astype() converts values.`,
    );
  return t.dtype === dtype ? t : p.bitcast(t, dtype);
}

function integers(op: string, x: TensorLike, y: TensorLike): [Tensor, Tensor] {
  const pair = promotePair(op, x, y);
  refuseFloats(op, pair[0]);
  return pair;
}

function words(op: string, x: TensorLike, y: TensorLike): [Tensor, Tensor] {
  const pair = promotePair(op, x, y);
  const { dtype } = pair[0];
  if (dtype !== 'int32' && dtype !== 'uint32')
    throw new DTypeError(`${op}: needs int32 or uint32, but got ${dtype}; convert it with astype().`);
  return pair;
}

function refuseFloats(op: string, { dtype }: Tensor): void {
  if (isFloat(dtype))
    throw new DTypeError(
      `${op}: needs integers or bools, but got ${dtype}; convert it with astype(), or see bitcast().`,
    );
}
