/**
 * Euclidean projections: the nearest point of a set. All elements of a tree together are the point. After each step they
 * keep parameters in a set: `params = projections.simplex(applyUpdates(params, updates))`.
 */
import {
  abs,
  arange,
  clip,
  concatenate,
  cumsum,
  divide,
  greater,
  lessEqual,
  maximum,
  multiply,
  negative,
  ravel,
  sign,
  sort,
  subtract,
  sum,
  type Tensor,
  type Tensors,
  where,
} from '@neumann/core';
import { nonNegative as atLeastZero, checkValue, positive } from './options.ts';
import type { Scalar } from './protocol.ts';
import { vdot } from './tree/arithmetic.ts';
import { beside, floatDType, globalNorm, leavesOf, scalarOf, zipTrees } from './trees.ts';

/**
 * Onto `lower ≤ x ≤ upper`, element by element.
 *
 * @example projections.box(tensor([-1, 0.5, 9]), 0, 1)   // [0, 0.5, 1]
 */
export function box<T>(tree: T, lower: Scalar, upper: Scalar): Tensors<T> {
  return each('box', tree, (x) => clip(x, { min: beside(x, lower), max: beside(x, upper) }));
}

/**
 * Onto `[0, 1]`, element by element.
 *
 * @example projections.hypercube(tensor([-1, 0.5, 9]))   // [0, 0.5, 1]
 */
export const hypercube = <T>(tree: T): Tensors<T> => box(tree, 0, 1);

/**
 * Onto `x ≥ 0`, element by element.
 *
 * @example projections.nonNegative(tensor([-1, 2]))   // [0, 2]
 */
export function nonNegative<T>(tree: T): Tensors<T> {
  return each('nonNegative', tree, (x) => maximum(x, 0));
}

/**
 * Onto `x ≥ 0, Σ x = scale`: elements are lowered by a common threshold, and cut at 0 (Duchi et al. 2008).
 *
 * @throws {OptionError} unless `scale` is above 0.
 * @example projections.simplex(tensor([2, 1, -1]))   // [1, 0, 0]
 */
export function simplex<T>(tree: T, scale: Scalar = 1): Tensors<T> {
  checkValue('projections.simplex', 'scale', scale, positive);
  const threshold = simplexThreshold(vectorOf(tree), scale);
  return each('simplex', tree, (x) => maximum(subtract(x, beside(x, threshold)), 0));
}

/** The τ for which Σ max(x - τ, 0) = scale. */
function simplexThreshold(x: Tensor, scale: Scalar): Tensor {
  const descending = sort(x, { descending: true });
  const excess = subtract(cumsum(descending), beside(x, scale)); // of the k greatest
  const ranks = arange(1, x.size + 1, 1, x.dtype);
  const isKept = greater(multiply(descending, ranks), excess); // the k for which τ = excess/k is below all k
  const kept = sum(where(isKept, 1, beside(x, 0)));
  const last = sum(where(greater(ranks, subtract(kept, 0.5)), where(lessEqual(ranks, kept), excess, 0), 0));
  return divide(last, kept);
}

/**
 * Onto `‖x‖₁ ≤ scale` (Duchi et al. 2008).
 *
 * @throws {OptionError} unless `scale` is above 0.
 * @example projections.l1Ball(tensor([2, -1]), 1)   // [1, 0]
 */
export function l1Ball<T>(tree: T, scale: Scalar = 1): Tensors<T> {
  checkValue('projections.l1Ball', 'scale', scale, positive);
  const magnitudes = abs(vectorOf(tree));
  const isInside = lessEqual(sum(magnitudes), beside(magnitudes, scale));
  const threshold = where(isInside, 0, simplexThreshold(magnitudes, scale));
  return each('l1Ball', tree, (x) => multiply(sign(x), maximum(subtract(abs(x), beside(x, threshold)), 0)));
}

/**
 * Onto `‖x‖₁ = scale`. Zeros count as positive.
 *
 * @throws {OptionError} unless `scale` is above 0.
 * @example projections.l1Sphere(tensor([0.5, -0.25]), 1)   // [0.625, -0.375]
 */
export function l1Sphere<T>(tree: T, scale: Scalar = 1): Tensors<T> {
  checkValue('projections.l1Sphere', 'scale', scale, positive);
  const threshold = simplexThreshold(abs(vectorOf(tree)), scale);
  return each('l1Sphere', tree, (x) => {
    const magnitude = maximum(subtract(abs(x), beside(x, threshold)), 0);
    return where(greater(0, x), negative(magnitude), magnitude);
  });
}

/**
 * Onto `‖x‖₂ ≤ scale`.
 *
 * @throws {OptionError} unless `scale` is at least 0.
 * @example projections.l2Ball(tensor([3, 4]), 1)   // [0.6, 0.8]
 */
export function l2Ball<T>(tree: T, scale: Scalar = 1): Tensors<T> {
  checkValue('projections.l2Ball', 'scale', scale, atLeastZero);
  const norm = globalNorm(tree);
  const factor = where(lessEqual(norm, beside(norm, scale)), 1, divide(beside(norm, scale), norm));
  return each('l2Ball', tree, (x) => multiply(beside(x, factor), x));
}

/**
 * Onto `‖x‖₂ = scale`; 0 gives NaN, as all points are equally near.
 *
 * @throws {OptionError} unless `scale` is above 0.
 * @example projections.l2Sphere(tensor([3, 4]), 10)   // [6, 8]
 */
export function l2Sphere<T>(tree: T, scale: Scalar = 1): Tensors<T> {
  checkValue('projections.l2Sphere', 'scale', scale, positive);
  const norm = globalNorm(tree);
  const factor = divide(beside(norm, scale), norm);
  return each('l2Sphere', tree, (x) => multiply(beside(x, factor), x));
}

/**
 * Onto `|x| ≤ scale`, element by element.
 *
 * @throws {OptionError} unless `scale` is at least 0.
 * @example projections.linfBall(tensor([3, -0.5]), 1)   // [1, -0.5]
 */
export function linfBall<T>(tree: T, scale: Scalar = 1): Tensors<T> {
  checkValue('projections.linfBall', 'scale', scale, atLeastZero);
  return each('linfBall', tree, (x) => {
    const most = beside(x, scale);
    return clip(x, { min: negative(most), max: most });
  });
}

/**
 * Onto `⟨a, x⟩ = b`.
 *
 * @param a A tree like `tree`, not zero.
 * @throws {TreeError} {ShapeError} naming the leaf where the trees differ.
 * @example projections.hyperplane(tensor([3, 0]), tensor([1, 1]), 1)   // [2, -1]
 */
export function hyperplane<T>(tree: T, a: unknown, b: Scalar): Tensors<T> {
  return alongNormal('hyperplane', tree, a, b, (excess) => excess);
}

/**
 * Onto `⟨a, x⟩ ≤ b`.
 *
 * @param a A tree like `tree`, not zero.
 * @throws {TreeError} {ShapeError} naming the leaf where the trees differ.
 * @example projections.halfspace(tensor([3, 0]), tensor([1, 1]), 5)   // [3, 0]
 */
export function halfspace<T>(tree: T, a: unknown, b: Scalar): Tensors<T> {
  return alongNormal('halfspace', tree, a, b, (excess) => maximum(excess, 0));
}

function alongNormal<T>(
  op: string,
  tree: T,
  a: unknown,
  b: Scalar,
  f: (excess: Tensor) => Tensor,
): Tensors<T> {
  const inner = vdot(tree, a);
  const length = divide(f(subtract(inner, beside(inner, b))), vdot(a, a));
  return zipTrees(`projections.${op}`, { tree }, { a }, (x, n) =>
    subtract(x, multiply(beside(x, length), beside(x, n))),
  );
}

const each = <T>(op: string, tree: T, f: (x: Tensor) => Tensor): Tensors<T> =>
  zipTrees(`projections.${op}`, { tree }, {}, f);

/** All elements, in the widest dtype. */
function vectorOf(tree: unknown): Tensor {
  const leaves = leavesOf(tree);
  const dtype = floatDType(leaves);
  return concatenate(leaves.map((x) => ravel(scalarOf(x, dtype))));
}
