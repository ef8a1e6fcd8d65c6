/** Trees as vectors: the methods of this folder are linear algebra, and see one vector for all leaves of a tree. */
import {
  abs,
  astype,
  concatenate,
  DTypeError,
  divide,
  equal,
  max,
  multiply,
  OptionError,
  reshape,
  slice,
  sqrt,
  square,
  stopGradient,
  sum,
  type Tensor,
  type Tensors,
  treeFlatten,
  treePaths,
  treeUnflatten,
  where,
} from '@neumann/core';
import { isFloat } from '@neumann/core/extend';
import { type FloatDType, floatDType, leavesOf, sameForm } from '../trees.ts';

/** A linear map on trees of one form. Traced: call it with tensors only, as in `jit`. */
export type Matvec<T> = (x: Tensors<T>) => unknown;

/** The trees of one form as vectors `[n]`. */
export interface VectorSpace<T> {
  readonly size: number;
  /** The widest float dtype of the leaves. */
  readonly dtype: FloatDType;
  /**
   * @param name What the tree is, for messages.
   * @throws {TreeError} {ShapeError} naming the leaf where `tree` has another form.
   */
  vector(this: void, name: string, tree: unknown): Tensor;
  /** The tree, with its leaves' dtypes. */
  tree(this: void, vector: Tensor): Tensors<T>;
  /** The map on vectors. */
  map(this: void, matvec: Matvec<T>): (x: Tensor) => Tensor;
}

/** @throws {OptionError} if `like` has no elements. {DTypeError} naming a leaf that is no float. */
export function vectorSpace<T>(op: string, name: string, like: T): VectorSpace<T> {
  const { structure } = treeFlatten(like);
  const leaves = leavesOf(like);
  const odd = leaves.findIndex((x) => !isFloat(x.dtype));
  if (odd >= 0)
    throw new DTypeError(
      `${op}: ${name} must have float leaves, but ${treePaths(like)[odd]} is ${leaves[odd]?.dtype}; convert it with astype().`,
    );
  const dtype = floatDType(leaves);
  const size = leaves.reduce((n, x) => n + x.size, 0);
  if (size === 0) throw new OptionError(`${op}: ${name} must have elements, but is an empty tree.`);
  const vector = (other: string, tree: unknown): Tensor =>
    concatenate(sameForm(op, name, like, other, tree).map((x) => reshape(astype(x, dtype), [x.size])));
  const tree = (x: Tensor): Tensors<T> => {
    let end = 0;
    return treeUnflatten(
      structure,
      leaves.map((leaf) => {
        const start = end;
        end += leaf.size;
        return astype(reshape(slice(x, [[start, end]]), leaf.shape), leaf.dtype);
      }),
    );
  };
  return { size, dtype, vector, tree, map: (matvec) => (x) => vector('matvec(x)', matvec(tree(x))) };
}

/** xᵀ y */
export const inner = (x: Tensor, y: Tensor): Tensor => sum(multiply(x, y));

/** ‖x‖, whose squares neither overflow nor vanish where the norm does not; its derivative at zero is zero. */
export function length(x: Tensor): Tensor {
  const largest = stopGradient(max(abs(x)));
  const scale = where(equal(largest, 0), 1, largest);
  const squares = sum(square(divide(x, scale)));
  const isZero = equal(squares, 0);
  return where(isZero, 0, multiply(scale, sqrt(where(isZero, 1, squares))));
}

/** x/‖x‖ and ‖x‖; zero stays zero. */
export function unit(x: Tensor): [Tensor, Tensor] {
  const norm = length(x);
  return [divide(x, where(equal(norm, 0), 1, norm)), norm];
}
