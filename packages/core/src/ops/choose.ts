/** Elements from one of several tensors, and by place along an axis. */
import { showAval } from '../aval.ts';
import { isInteger } from '../dtype.ts';
import { DTypeError, OptionError, ShapeError } from '../errors.ts';
import * as p from '../primitives/arithmetic.ts';
import { scatterAdd } from '../primitives/gather.ts';
import { iota, reshape } from '../primitives/movement.ts';
import { resolveAxis, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { at } from './at.ts';
import { checkInteger, show } from './check.ts';
import { numericOperand, operand, operandList, promoteOperands, type TensorLike } from './convert.ts';
import { broadcastArrays } from './grids.ts';
import { takeAlong } from './indexing.ts';
import { stack } from './join.ts';
import { where } from './logic.ts';
import { expandDims } from './shape.ts';

/**
 * The elements of the first of several tensors whose condition holds.
 *
 * @param conditions bools. @param choices As many tensors; all broadcast.
 * @param otherwise Where no condition holds; 0 by default.
 * @throws {ShapeError} if there are more of the one than of the other, or none, or shapes do not broadcast.
 * @example select([tensor([true, false]), tensor([true, true])], [1, 2])   // [1, 2]
 */
export function select(
  conditions: readonly TensorLike[],
  choices: readonly TensorLike[],
  otherwise: TensorLike = 0,
): Tensor {
  const [tests, values] = [operandList('select', conditions), operandList('select', choices)];
  if (tests.length !== values.length || tests.length === 0)
    throw new ShapeError(
      `select: needs a choice for each condition, but got ${tests.length} conditions and ${values.length} choices.`,
    );
  const options = promoteOperands('select', ...choices, otherwise);
  return options
    .slice(0, -1)
    .reduceRight(
      (rest, choice, i) => where(conditions[i] as TensorLike, choice, rest),
      options.at(-1) as Tensor,
    );
}

/**
 * For each place, the element of the tensor that an index names.
 *
 * @param index Integers in `[0, choices)`; those out of range as in {@link take}.
 * @param choices Tensors; they broadcast against one another and the index.
 * @throws {DTypeError} unless the index holds integers. {ShapeError} if shapes do not broadcast, or there is no choice.
 * @example choose(tensor([1, 0], 'int32'), [tensor([1, 2]), tensor([3, 4])])   // [3, 2]
 */
export function choose(index: Tensor, choices: readonly TensorLike[]): Tensor {
  if (operandList('choose', choices).length === 0)
    throw new ShapeError('choose: needs at least one tensor to choose from.');
  const [places, ...options] = broadcastArrays(index, ...promoteOperands('choose', ...choices)) as [
    Tensor,
    ...Tensor[],
  ];
  const picked = takeAlong(stack(options), expandDims(places, 0), 0);
  return reshape(picked, places.shape);
}

/**
 * One of several functions of `x` at each place: that of the last condition that holds.
 *
 * @param functions As many as conditions, and perhaps one more, for where none holds (0 by default); numbers are constant.
 * @throws {ShapeError} if the counts do not fit.
 * @example piecewise(tensor([-2, 3]), [tensor([true, false])], [-1, (x) => x])   // [-1, 3]
 */
export function piecewise(
  x: TensorLike,
  conditions: readonly TensorLike[],
  functions: readonly (number | ((x: Tensor) => TensorLike))[],
): Tensor {
  const t = operand('piecewise', x);
  const tests = operandList('piecewise', conditions);
  if (!Array.isArray(functions))
    throw new OptionError(`piecewise: takes an array of functions and numbers, but got ${show(functions)}.`);
  const extra = functions.length - tests.length;
  if (extra !== 0 && extra !== 1)
    throw new ShapeError(
      `piecewise: needs a function for each of ${tests.length} conditions and perhaps one more, but got ${functions.length}.`,
    );
  const values = functions.map((f) => (typeof f === 'number' ? f : f(t)));
  const start = promoteOperands('piecewise', extra === 1 ? (values.at(-1) as TensorLike) : 0, t)[0] as Tensor;
  return tests.reduce<Tensor>((rest, condition, i) => where(condition, values[i] as TensorLike, rest), start);
}

/**
 * `x` with other elements at a position for each place along one axis: NumPy's `put_along_axis`, as a new tensor.
 *
 * @param indices As many axes as `x`, with its extents elsewhere. @param values Broadcast to `indices`.
 * @throws {DTypeError} unless `indices` are integers. {ShapeError} if shapes, a position or the axis do not fit.
 * @example putAlong(tensor([[1, 2], [3, 4]]), tensor([[1], [0]], 'int32'), 9, 1)   // [[1, 9], [9, 4]]
 */
export function putAlong(x: TensorLike, indices: Tensor, values: TensorLike, axis: number): Tensor {
  const [t, places] = [operand('putAlong', x), operand('putAlong', indices)];
  const along = resolveAxis('putAlong', axis, t.ndim);
  if (places.ndim !== t.ndim)
    throw new ShapeError(
      `putAlong: x and indices have the same number of axes, but are ${showAval(t.aval)} and ${showAval(places.aval)}.`,
    );
  const entries = t.shape.map((n, i) =>
    i === along
      ? places
      : reshape(
          iota(n, 'int32'),
          t.shape.map((_, j) => (j === i ? n : 1)),
        ),
  );
  return at(t, entries).set(values);
}

/**
 * Sums of the slices along the first axis that have the same number: `jax.ops.segment_sum`.
 *
 * @param segments A vector of integers in `[0, count)`, one for each slice; slices with other numbers are left out.
 * @param count How many segments.
 * @returns `[count, …]`; 0 for a segment without a slice; bool and `uint8` are counted in `int32`.
 * @throws {DTypeError} unless `segments` are integers. {ShapeError} if there is not one for each slice.
 * @example segmentSum(tensor([1, 2, 3]), tensor([0, 0, 1], 'int32'), 2)   // [3, 3]
 */
export function segmentSum(x: TensorLike, segments: Tensor, count: number): Tensor {
  checkInteger('segmentSum', 'count', count, 0);
  const [given, places] = [numericOperand('segmentSum', x), operand('segmentSum', segments)];
  const t = given.dtype === 'uint8' ? p.convert(given, 'int32') : given;
  const [n, ...rest] = t.shape;
  if (n === undefined || places.ndim !== 1 || places.size !== n)
    throw new ShapeError(
      `segmentSum: needs a segment for each slice of ${showAval(t.aval)}, but got ${showAval(places.aval)}.`,
    );
  if (!isInteger(places.dtype))
    throw new DTypeError(`segmentSum: segments must be integers, but are ${showAval(places.aval)}.`);
  const index = p.convert(places, 'int32');
  const inner = sizeOf(rest);
  const sums = scatterAdd(reshape(t, [1, n, inner]), index, { outer: 1, rows: count, count: n, inner });
  return reshape(sums, [count, ...rest]);
}
