import { type Aval, sameAval, showAval } from '../aval.ts';
import { ShapeError } from '../errors.ts';
import { checkOptions } from '../ops/check.ts';
import { toTensor } from '../ops/convert.ts';
import { concatenate, reshape, reverse as reversed, slice } from '../primitives/movement.ts';
import { resolveAxis } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { refusePromise } from '../trace.ts';
import { checkSameStructure, type Leaves, type Tensors, treeFlatten } from '../tree.ts';
import { checkFunction, mismatch, type Operands, operandsOf, unflatten } from './body.ts';

/** Options of {@link associativeScan}. */
export interface AssociativeScanOptions {
  /** The axis to go along; the first by default. */
  readonly axis?: number | undefined;
  /** From the last element to the first. */
  readonly reverse?: boolean | undefined;
}

/**
 * All partial results of an associative function: `x0`, `f(x0, x1)`, `f(f(x0, x1), x2)`, …, computed in a tree whose depth
 * is the logarithm of the length: `f` is applied about `2 log2(n)` times, to many elements at once.
 *
 * @param f Associative: `f(a, f(b, c))` is `f(f(a, b), c)`. It gets slices along the axis, of any length, and combines
 *   them element by element, keeping structure, shapes and dtypes.
 * @param xs A tree of tensors of the same extent along the axis.
 * @returns A tree like `xs`; with `reverse` the partial results from the end: `xn`, `f(xn, xn-1)`, ….
 * @throws {ShapeError} if extents differ; {ShapeError} {DTypeError} {TreeError} if `f` changes them, naming the leaf.
 * @example
 * associativeScan((a, b) => multiply(a, b), tensor([1, 2, 3, 4])).toArray()   // [1, 2, 6, 24]
 */
export function associativeScan<X>(
  f: (a: Tensors<NoInfer<X>>, b: Tensors<NoInfer<X>>) => Leaves<Tensors<NoInfer<X>>>,
  xs: X,
  options: AssociativeScanOptions = {},
): Tensors<X> {
  checkFunction('associativeScan', 'the function', f);
  checkOptions('associativeScan', options, ['axis', 'reverse']);
  const operands = operandsOf('xs', xs);
  const axes = operands.tensors.map((x) => resolveAxis('associativeScan', options.axis ?? 0, x.ndim));
  const [length = 0] = operands.tensors.map(({ shape }, i) => shape[axes[i] as number] as number);
  for (const [i, { shape, aval }] of operands.tensors.entries())
    if (shape[axes[i] as number] !== length)
      throw new ShapeError(
        `associativeScan: all xs must have the extent of ${operands.paths[0]} along the axis, ${length}, ` +
          `but ${operands.paths[i]} is ${showAval(aval)}.`,
      );
  const combine = (a: readonly Tensor[], b: readonly Tensor[]): Tensor[] =>
    combined(operands, f(unflatten(operands, a), unflatten(operands, b)), b);
  const flip = (list: readonly Tensor[]): Tensor[] =>
    options.reverse ? list.map((x, i) => reversed(x, [axes[i] as number])) : [...list];
  return unflatten(operands, flip(partials(combine, flip(operands.tensors), axes, length)));
}

type Combine = (a: readonly Tensor[], b: readonly Tensor[]) => Tensor[];

function partials(
  combine: Combine,
  xs: readonly Tensor[],
  axes: readonly number[],
  length: number,
): Tensor[] {
  if (length < 2) return [...xs];
  const every = (list: readonly Tensor[], start: number, end: number, step: number): Tensor[] =>
    list.map((x, i) => along(x, axes[i] as number, start, end, step));
  const pairs = Math.floor(length / 2);
  const odd = partials(combine, combine(every(xs, 0, 2 * pairs, 2), every(xs, 1, length, 2)), axes, pairs);
  const firsts = every(xs, 0, 1, 1);
  if (length === 2) return firsts.map((x, i) => concatenate([x, odd[i] as Tensor], axes[i] as number));
  const later = every(xs, 2, length, 2);
  const even = combine(length % 2 === 0 ? every(odd, 0, pairs - 1, 1) : odd, later);
  return firsts.map((first, i) => {
    const axis = axes[i] as number;
    const whole = concatenate([first, even[i] as Tensor], axis);
    const both = interleave(along(whole, axis, 0, pairs, 1), odd[i] as Tensor, axis);
    return length % 2 === 0 ? both : concatenate([both, along(whole, axis, pairs, pairs + 1, 1)], axis);
  });
}

/** x0, y0, x1, y1, … along an axis. */
function interleave(x: Tensor, y: Tensor, axis: number): Tensor {
  const behind = [...x.shape.slice(0, axis + 1), 1, ...x.shape.slice(axis + 1)];
  const pairs = concatenate([reshape(x, behind), reshape(y, behind)], axis + 1);
  return reshape(
    pairs,
    x.shape.map((n, i) => (i === axis ? 2 * n : n)),
  );
}

function along(x: Tensor, axis: number, start: number, end: number, step: number): Tensor {
  const at = <T>(value: T, others: readonly T[]): T[] =>
    others.map((other, i) => (i === axis ? value : other));
  const zeros = x.shape.map(() => 0);
  const ones = x.shape.map(() => 1);
  return slice(x, at(start, zeros), at(end, x.shape), at(step, ones));
}

/** What the function returned, of the structure, shapes and dtypes that it got. */
function combined(operands: Operands, returned: unknown, wanted: readonly Tensor[]): Tensor[] {
  refusePromise(returned);
  const flat = treeFlatten(returned ?? null);
  checkSameStructure(
    'associativeScan',
    'xs',
    operands.structure,
    'what the function returns',
    flat.structure,
  );
  return flat.leaves.map((leaf, i) => {
    const { aval } = toTensor(leaf);
    const want: Aval = (wanted[i] as Tensor).aval;
    if (sameAval(aval, want)) return toTensor(leaf);
    throw mismatch(
      aval.dtype === want.dtype,
      `associativeScan: the function must keep ${operands.paths[i]} ${showAval(want)}, but returned ${showAval(aval)}.`,
    );
  });
}
