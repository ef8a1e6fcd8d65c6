/** Moving elements around within their axes. */
import { ShapeError } from '../errors.ts';
import * as m from '../primitives/movement.ts';
import { resolveAxes, resolveAxis, resolveEach } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { checkInteger, checkOptions } from './check.ts';
import { operand, type TensorLike } from './convert.ts';

/**
 * Elements moved along axes; what falls off the end comes in at the start.
 *
 * @param shift By how many places: one number for all axes, or one for each.
 * @param options.axis Along which axis or axes; by default along all as if flattened.
 * @throws {ShapeError} if an axis is out of range. {OptionError} if a shift is no integer.
 * @example roll(tensor([1, 2, 3]), 1)                   // [3, 1, 2]
 */
export function roll(
  x: TensorLike,
  shift: number | readonly number[],
  options: { readonly axis?: number | readonly number[] | undefined } = {},
): Tensor {
  checkOptions('roll', options, ['axis']);
  const t = operand('roll', x);
  const given: readonly unknown[] = Array.isArray(shift) ? shift : [shift];
  for (const by of given) checkInteger('roll', 'shift', by as number);
  if (options.axis === undefined) {
    const total = (given as readonly number[]).reduce((a, b) => a + b, 0);
    return m.reshape(rollAxis(m.reshape(t, [t.size]), total, 0), t.shape);
  }
  const axes = resolveEach('roll', options.axis, t.ndim);
  const shifts = typeof shift === 'number' ? axes.map(() => shift) : shift;
  if (shifts.length !== axes.length)
    throw new ShapeError(
      `roll: needs one shift for each axis, but got ${shifts.length} for ${axes.length} axes.`,
    );
  return axes.reduce((y, axis, i) => rollAxis(y, shifts[i] as number, axis), t);
}

function rollAxis(x: Tensor, shift: number, axis: number): Tensor {
  const n = x.shape[axis] as number;
  const cut = n === 0 ? 0 : ((-shift % n) + n) % n;
  if (cut === 0) return x;
  const part = (from: number, to: number): Tensor =>
    m.slice(
      x,
      x.shape.map((_, i) => (i === axis ? from : 0)),
      x.shape.map((extent, i) => (i === axis ? to : extent)),
      x.shape.map(() => 1),
    );
  return m.concatenate([part(cut, n), part(0, cut)], axis);
}

/**
 * A quarter turn of the plane of two axes, from the first towards the second.
 *
 * @param times How many quarter turns; 1 by default.
 * @param options.axes The two axes, `[0, 1]` by default.
 * @throws {ShapeError} if the axes are out of range or the same. {OptionError} if `times` is no integer.
 * @example rot90(tensor([[1, 2], [3, 4]]))              // [[2, 4], [1, 3]]
 */
export function rot90(
  x: TensorLike,
  times = 1,
  options: { readonly axes?: readonly [number, number] | undefined } = {},
): Tensor {
  checkOptions('rot90', options, ['axes']);
  checkInteger('rot90', 'times', times);
  const t = operand('rot90', x);
  const [first, second] = options.axes ?? [0, 1];
  resolveAxes('rot90', [first, second], t.ndim);
  const [a, b] = [resolveAxis('rot90', first, t.ndim), resolveAxis('rot90', second, t.ndim)];
  const swapped = t.shape.map((_, i) => (i === a ? b : i === b ? a : i));
  const turns = ((times % 4) + 4) % 4;
  if (turns === 0) return t;
  if (turns === 2)
    return m.reverse(
      t,
      [a, b].sort((i, j) => i - j),
    );
  return turns === 1 ? m.transpose(m.reverse(t, [b]), swapped) : m.reverse(m.transpose(t, swapped), [b]);
}
