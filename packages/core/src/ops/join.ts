/** Several tensors into one, and one into several. */
import { showAval } from '../aval.ts';
import { OptionError, ShapeError } from '../errors.ts';
import * as m from '../primitives/movement.ts';
import { resolveAxis, sameShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { checkOptions, show } from './check.ts';
import { operand, operandList, promoteOperands, type TensorLike } from './convert.ts';

/** Options of {@link concatenate}, {@link stack} and {@link split}. */
export interface JoinOptions {
  /** The axis along which they lie behind one another; the first by default. */
  readonly axis?: number | undefined;
}

/**
 * Tensors laid behind one another along an axis that they have.
 *
 * @param xs At least one, with equal extents along all other axes; dtypes are promoted.
 * @throws {ShapeError} if other extents differ, or there is none to join.
 * @example concatenate([ones([2, 3]), zeros([1, 3])])   // [3,3]
 */
export function concatenate(xs: readonly TensorLike[], options: JoinOptions = {}): Tensor {
  const parts = joined('concatenate', xs, options);
  const first = parts[0] as Tensor;
  const axis = resolveAxis('concatenate', options.axis ?? 0, first.ndim);
  const others = ({ shape }: Tensor): number[] => shape.filter((_, i) => i !== axis);
  const odd = parts.findIndex((x) => x.ndim !== first.ndim || !sameShape(others(x), others(first)));
  if (odd >= 0)
    throw new ShapeError(
      `concatenate: extents must be equal but along axis ${axis}, ` +
        `but operand 0 is ${showAval(first.aval)} and operand ${odd} is ${showAval((parts[odd] as Tensor).aval)}.`,
    );
  return m.concatenate(parts, axis);
}

/**
 * Tensors of one shape laid behind one another along a new axis.
 *
 * @param xs At least one; dtypes are promoted.
 * @throws {ShapeError} if the shapes differ, or there is none to join.
 * @example stack([tensor([1, 2]), tensor([3, 4])], { axis: 1 })   // [[1, 3], [2, 4]]
 */
export function stack(xs: readonly TensorLike[], options: JoinOptions = {}): Tensor {
  const parts = joined('stack', xs, options);
  const first = parts[0] as Tensor;
  const axis = resolveAxis('stack', options.axis ?? 0, first.ndim + 1);
  const odd = parts.findIndex((x) => !sameShape(x.shape, first.shape));
  if (odd >= 0)
    throw new ShapeError(
      `stack: shapes must be equal, but operand 0 is ${showAval(first.aval)} ` +
        `and operand ${odd} is ${showAval((parts[odd] as Tensor).aval)}.`,
    );
  const shape = [...first.shape.slice(0, axis), 1, ...first.shape.slice(axis)];
  return m.concatenate(
    parts.map((x) => m.reshape(x, shape)),
    axis,
  );
}

function joined(op: string, xs: readonly TensorLike[], options: JoinOptions): Tensor[] {
  checkOptions(op, options, ['axis']);
  const ts = operandList(op, xs);
  if (ts.length === 0) throw new ShapeError(`${op}: takes an array of at least one tensor, but got [].`);
  return promoteOperands(op, ...xs);
}

/**
 * A tensor cut into parts along an axis.
 *
 * @param parts How many parts of equal size, or the positions where to cut.
 * @throws {ShapeError} if the axis is out of range or does not divide into equal parts.
 * @throws {OptionError} if positions are not ascending integers within the axis.
 * @example
 * split(arange(6), 3)                                   // three of i32[2]
 * split(arange(6), [1, 4])                              // i32[1], i32[3], i32[2]
 */
export function split(x: TensorLike, parts: number | readonly number[], options: JoinOptions = {}): Tensor[] {
  checkOptions('split', options, ['axis']);
  const t = operand('split', x);
  const axis = resolveAxis('split', options.axis ?? 0, t.ndim);
  const extent = t.shape[axis] as number;
  const cuts = Array.isArray(parts) ? [0, ...parts, extent] : equalCuts(parts as number, extent, t, axis);
  if (!cuts.every((cut, i) => Number.isInteger(cut) && cut >= (cuts[i - 1] ?? 0) && cut <= extent))
    throw new OptionError(`split: positions ascend from 0 to ${extent}, but got ${show(parts)}.`);
  return cuts.slice(1).map((end, i) => {
    const begin = cuts[i] as number;
    return m.slice(
      t,
      t.shape.map((_, d) => (d === axis ? begin : 0)),
      t.shape.map((n, d) => (d === axis ? end : n)),
      t.shape.map(() => 1),
    );
  });
}

function equalCuts(parts: number, extent: number, x: Tensor, axis: number): number[] {
  if (!Number.isInteger(parts) || parts < 1)
    throw new OptionError(
      `split: needs an integer of at least 1, or an array of positions, but got ${show(parts)}.`,
    );
  if (extent % parts !== 0)
    throw new ShapeError(
      `split: axis ${axis} of ${showAval(x.aval)} does not divide into ${parts} equal parts; give the positions where to cut.`,
    );
  return Array.from({ length: parts + 1 }, (_, i) => (i * extent) / parts);
}
