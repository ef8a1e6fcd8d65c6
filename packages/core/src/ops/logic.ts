/** Comparisons, masks and conversions, elementwise. Operands broadcast and promote as in arithmetic. */
import { type DType, dtypeInfo, isFloat } from '../dtype.ts';
import * as p from '../primitives/arithmetic.ts';
import { broadcastTo } from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import type { Tensor } from '../tensor.ts';
import { broadcasting, operand, promoteOperands, promotePair, type TensorLike } from './convert.ts';

/** `x = y`; NaN equals nothing. @returns bool @example equal(tensor([1, 2]), 2)   // [false, true] */
export function equal(x: TensorLike, y: TensorLike): Tensor {
  return p.compare('eq', ...promotePair('equal', x, y));
}

/**
 * `x ≠ y`; NaN differs from everything.
 * @returns bool
 * @example notEqual(tensor([1, 2]), 2)   // [true, false]
 */
export function notEqual(x: TensorLike, y: TensorLike): Tensor {
  return p.compare('ne', ...promotePair('notEqual', x, y));
}

/** `x < y`. @returns bool @example less(tensor([1, 2]), 2)   // [true, false] */
export function less(x: TensorLike, y: TensorLike): Tensor {
  return p.compare('lt', ...promotePair('less', x, y));
}

/** `x ≤ y`. @returns bool @example lessEqual(tensor([1, 2]), 1)   // [true, false] */
export function lessEqual(x: TensorLike, y: TensorLike): Tensor {
  return p.compare('le', ...promotePair('lessEqual', x, y));
}

/** `x > y`. @returns bool @example greater(tensor([1, 2]), 1)   // [false, true] */
export function greater(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = promotePair('greater', x, y);
  return p.compare('lt', b, a);
}

/** `x ≥ y`. @returns bool @example greaterEqual(tensor([1, 2]), 2)   // [false, true] */
export function greaterEqual(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = promotePair('greaterEqual', x, y);
  return p.compare('le', b, a);
}

/**
 * Whether both hold; a number holds unless it is 0.
 * @returns bool
 * @example logicalAnd(tensor([true, false]), true)   // [true, false]
 */
export function logicalAnd(x: TensorLike, y: TensorLike): Tensor {
  return p.and(...masks('logicalAnd', x, y));
}

/**
 * Whether one or both hold.
 * @returns bool
 * @example logicalOr(tensor([true, false]), false)   // [true, false]
 */
export function logicalOr(x: TensorLike, y: TensorLike): Tensor {
  return p.or(...masks('logicalOr', x, y));
}

/**
 * Whether exactly one holds.
 * @returns bool
 * @example logicalXor(tensor([true, false]), true)   // [false, true]
 */
export function logicalXor(x: TensorLike, y: TensorLike): Tensor {
  return p.xor(...masks('logicalXor', x, y));
}

/** Whether it does not hold. @returns bool @example logicalNot(tensor([true, false]))   // [false, true] */
export function logicalNot(x: TensorLike): Tensor {
  return p.elementary.not(mask('logicalNot', x));
}

function masks(op: string, x: TensorLike, y: TensorLike): [Tensor, Tensor] {
  return broadcasting(op, [mask(op, x), mask(op, y)]) as [Tensor, Tensor];
}

const mask = (op: string, x: TensorLike): Tensor => p.convert(operand(op, x), 'bool');

/**
 * `x` where `condition` holds, else `y`: the way to write a condition on traced values.
 *
 * Both branches are computed. A derivative that is NaN or infinite in the branch not taken still spoils the gradient
 * (0 times NaN is NaN), so make the argument safe inside too: `where(x > 0, log(where(x > 0, x, 1)), 0)`.
 *
 * @param condition bool; numbers hold unless they are 0.
 * @returns The broadcast shape of all three, in the common dtype of `x` and `y`.
 * @throws {ShapeError} if the shapes do not broadcast. {DTypeError} if the dtypes have no common one.
 * @example where(greater(tensor([-1, 2]), 0), tensor([-1, 2]), 0)   // [0, 2]
 */
export function where(condition: TensorLike, x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = promoteOperands('where', x, y) as [Tensor, Tensor];
  return p.select(...(broadcasting('where', [mask('where', condition), a, b]) as [Tensor, Tensor, Tensor]));
}

/** Whether an element is NaN. @returns bool @example isNan(tensor([NaN, Infinity]))   // [true, false] */
export function isNan(x: TensorLike): Tensor {
  return testFloat('isNan', x, false, (t) => p.compare('ne', t, t));
}

/**
 * Whether an element is neither NaN nor infinite.
 * @returns bool
 * @example isFinite(tensor([NaN, Infinity, 1]))   // [false, false, true]
 */
// biome-ignore lint/suspicious/noShadowRestrictedNames: NumPy's name
export function isFinite(x: TensorLike): Tensor {
  return testFloat('isFinite', x, true, (t) =>
    p.compare('lt', p.elementary.abs(t), scalar(Infinity, t.dtype)),
  );
}

/**
 * Whether an element is an infinity of either sign.
 * @returns bool
 * @example isInf(tensor([NaN, -Infinity]))   // [false, true]
 */
export function isInf(x: TensorLike): Tensor {
  return testFloat('isInf', x, false, (t) => p.compare('eq', p.elementary.abs(t), scalar(Infinity, t.dtype)));
}

function testFloat(op: string, x: TensorLike, ofIntegers: boolean, test: (t: Tensor) => Tensor): Tensor {
  const t = operand(op, x);
  return isFloat(t.dtype) ? test(t) : broadcastTo(scalar(Number(ofIntegers), 'bool'), t.shape);
}

/**
 * `x` converted to another dtype.
 *
 * Floats become integers by truncation, saturating at the ends of the range (NaN becomes 0); wider integers keep their
 * low bits in narrower ones; `bool` is `x ≠ 0`. Between floats it is differentiable.
 *
 * @throws {DTypeError} if there is no such dtype.
 * @example astype(tensor([1.9, -1.9, 300]), 'int32')   // [1, -1, 300]
 */
export function astype(x: TensorLike, dtype: DType): Tensor {
  dtypeInfo(dtype);
  return p.convert(operand('astype', x), dtype);
}
