/** Joining and cutting along the first axes, by NumPy's short names. */
import { showAval } from '../aval.ts';
import { ShapeError } from '../errors.ts';
import { reshape, slice } from '../primitives/movement.ts';
import { resolveAxis } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { checkInteger, checkOptions } from './check.ts';
import { operand, operandList, type TensorLike } from './convert.ts';
import { concatenate, type JoinOptions } from './join.ts';

/** At least one axis: a scalar gets one. @example atLeast1d(3)   // [3] */
export function atLeast1d(x: TensorLike): Tensor {
  const t = operand('atLeast1d', x);
  return t.ndim > 0 ? t : reshape(t, [1]);
}

/** At least two axes: a vector becomes a row. @example atLeast2d(tensor([1, 2]))   // [[1, 2]] */
export function atLeast2d(x: TensorLike): Tensor {
  const t = operand('atLeast2d', x);
  return t.ndim > 1 ? t : reshape(t, [1, t.size]);
}

/** At least three axes: `[N]` becomes `[1, N, 1]`, `[M, N]` becomes `[M, N, 1]`. @example atLeast3d(ones([2, 3]))   // [2,3,1] */
export function atLeast3d(x: TensorLike): Tensor {
  const t = operand('atLeast3d', x);
  if (t.ndim > 2) return t;
  return reshape(t, t.ndim === 2 ? [...t.shape, 1] : [1, t.size, 1]);
}

/**
 * Tensors on top of one another: along the first axis; a vector is a row.
 * @throws {ShapeError} if the other extents differ, or there is none to join.
 * @example vstack([tensor([1, 2]), tensor([3, 4])])     // [[1, 2], [3, 4]]
 */
export function vstack(xs: readonly TensorLike[]): Tensor {
  return concatenate(operandList('vstack', xs).map(atLeast2d), { axis: 0 });
}

/**
 * Tensors beside one another: along the second axis; vectors along their only one.
 * @throws {ShapeError} if the other extents differ, or there is none to join.
 * @example hstack([tensor([1, 2]), tensor([3, 4])])     // [1, 2, 3, 4]
 */
export function hstack(xs: readonly TensorLike[]): Tensor {
  const parts = operandList('hstack', xs).map(atLeast1d);
  return concatenate(parts, { axis: parts[0]?.ndim === 1 ? 0 : 1 });
}

/**
 * Tensors behind one another: along the third axis.
 * @throws {ShapeError} if the other extents differ, or there is none to join.
 * @example dstack([tensor([1, 2]), tensor([3, 4])])     // [[[1, 3], [2, 4]]]
 */
export function dstack(xs: readonly TensorLike[]): Tensor {
  return concatenate(operandList('dstack', xs).map(atLeast3d), { axis: 2 });
}

/**
 * Vectors as the columns of a matrix; matrices stay as they are.
 * @throws {ShapeError} if the numbers of rows differ, or there is none to join.
 * @example columnStack([tensor([1, 2]), tensor([3, 4])])   // [[1, 3], [2, 4]]
 */
export function columnStack(xs: readonly TensorLike[]): Tensor {
  const columns = operandList('columnStack', xs).map((t) => (t.ndim > 1 ? t : reshape(t, [t.size, 1])));
  return concatenate(columns, { axis: 1 });
}

/**
 * The parts of a tensor along an axis, which goes: undoes `stack`.
 * @throws {ShapeError} if the axis is out of range.
 * @example unstack(tensor([[1, 2], [3, 4]]))            // [[1, 2], [3, 4]]
 */
export function unstack(x: TensorLike, options: JoinOptions = {}): Tensor[] {
  checkOptions('unstack', options, ['axis']);
  const t = operand('unstack', x);
  const axis = resolveAxis('unstack', options.axis ?? 0, t.ndim);
  const rest = t.shape.filter((_, i) => i !== axis);
  return Array.from({ length: t.shape[axis] as number }, (_, i) => reshape(between(t, axis, i, i + 1), rest));
}

/**
 * A tensor cut into parts of almost equal extent: the first ones may be longer by one.
 * @throws {OptionError} if `parts` is no integer of at least 1. {ShapeError} if the axis is out of range.
 * @example arraySplit(tensor([1, 2, 3]), 2)             // [[1, 2], [3]]
 */
export function arraySplit(x: TensorLike, parts: number, options: JoinOptions = {}): Tensor[] {
  checkOptions('arraySplit', options, ['axis']);
  checkInteger('arraySplit', 'parts', parts, 1);
  const t = operand('arraySplit', x);
  const axis = resolveAxis('arraySplit', options.axis ?? 0, t.ndim);
  const extent = t.shape[axis] as number;
  const [least, longer] = [Math.floor(extent / parts), extent % parts];
  const start = (i: number): number => i * least + Math.min(i, longer);
  return Array.from({ length: parts }, (_, i) => between(t, axis, start(i), start(i + 1)));
}

function between(x: Tensor, axis: number, from: number, to: number): Tensor {
  return slice(
    x,
    x.shape.map((_, i) => (i === axis ? from : 0)),
    x.shape.map((n, i) => (i === axis ? to : n)),
    x.shape.map(() => 1),
  );
}

/**
 * Blocks joined to one tensor: the innermost arrays along the last axis, the next ones along the one before.
 *
 * @param blocks Tensors in nested arrays, as they lie in the result.
 * @throws {ShapeError} if blocks do not fit beside one another.
 * @example block([[ones([1, 1]), zeros([1, 2])], [zeros([2, 1]), ones([2, 2])]])   // [3,3]
 */
export function block(blocks: Blocks): Tensor {
  const depthOf = (b: Blocks): number => (Array.isArray(b) ? 1 + Math.max(0, ...b.map(depthOf)) : 0);
  const leaves = (b: Blocks): Tensor[] =>
    Array.isArray(b) ? b.flatMap(leaves) : [operand('block', b as TensorLike)];
  const depth = depthOf(blocks);
  const rank = Math.max(depth, ...leaves(blocks).map((t) => t.ndim));
  const join = (b: Blocks, level: number): Tensor => {
    if (Array.isArray(b)) {
      if (b.length === 0) throw new ShapeError('block: an array of blocks is empty.');
      return concatenate(
        b.map((inner) => join(inner, level - 1)),
        { axis: -level },
      );
    }
    if (level > 0)
      throw new ShapeError(
        `block: blocks are nested to one depth, but ${showAval(operand('block', b as TensorLike).aval)} lies ${level} levels too high.`,
      );
    const t = operand('block', b as TensorLike);
    return reshape(t, [...new Array<number>(rank - t.ndim).fill(1), ...t.shape]);
  };
  return join(blocks, depth);
}

/** What {@link block} takes. */
export type Blocks = TensorLike | readonly Blocks[];
