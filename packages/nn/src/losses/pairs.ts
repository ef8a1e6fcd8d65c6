import { DTypeError, ShapeError, showAval, type Tensor } from '@neumann/core';
import { isFloat, sameShape } from '@neumann/core/extend';
import { checkTensors } from '../options.ts';

/** @throws {ShapeError} {DTypeError} unless both are floats of one shape. */
export function checkPair(op: string, nameA: string, a: Tensor, nameB: string, b: Tensor): void {
  checkTensors(op, { [nameA]: a, [nameB]: b });
  for (const [name, x] of [
    [nameA, a],
    [nameB, b],
  ] as const)
    if (!isFloat(x.dtype))
      throw new DTypeError(
        `${op}: ${name} must be floats, but are ${showAval(x.aval)}; convert them with astype().`,
      );
  if (!sameShape(a.shape, b.shape))
    throw new ShapeError(
      `${op}: ${nameA} ${showAval(a.aval)} and ${nameB} ${showAval(b.aval)} must have the same shape; ` +
        `losses do not broadcast, use broadcastTo().`,
    );
}

/** @throws {ShapeError} {DTypeError} unless both are floats of one shape `[..., K]`. */
export function checkRows(op: string, nameA: string, a: Tensor, nameB: string, b: Tensor): void {
  checkPair(op, nameA, a, nameB, b);
  if (a.ndim === 0) throw new ShapeError(`${op}: ${nameA} and ${nameB} are [..., K], but are scalars.`);
}
