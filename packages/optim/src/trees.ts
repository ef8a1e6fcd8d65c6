/** What optimizers need of trees beyond `treeMap`: messages with names and paths, and norms over all leaves. */
import {
  add,
  astype,
  type DType,
  DTypeError,
  divide,
  equal,
  full,
  multiply,
  ShapeError,
  sqrt,
  square,
  sum,
  Tensor,
  type Tensors,
  tensor,
  treeFlatten,
  treeLeaves,
  treeMap,
  treePaths,
  treeStructure,
  treeUnflatten,
  where,
  zerosLike,
} from '@neumann/core';
import { checkSameStructure } from '@neumann/core/extend';
import type { Scalar, TensorTree } from './protocol.ts';

/** The dtypes that parameters and hyperparameters may have. */
export type FloatDType = 'float32' | 'float64';

/** A leaf as a tensor: leaves of a user's tree may be numbers or typed arrays. */
const toTensor = (x: Tensor | number): Tensor => (x instanceof Tensor ? x : tensor(x));

/** A tree with tensors at its leaves. */
export function tensorsOf<T>(tree: T): Tensors<T> {
  return treeMap(toTensor, tree);
}

/** Its leaves, as tensors. */
export function leavesOf(tree: unknown): Tensor[] {
  return treeLeaves(tree).map((x) => toTensor(x as Tensor));
}

/**
 * A tree of the parameters' form for the state: `f` of each leaf.
 * @throws {DTypeError} naming a leaf that is no float.
 */
export function stateLike(op: string, params: unknown, f: (x: Tensor) => Tensor): TensorTree {
  checkFloats(op, params);
  return treeMap((x) => f(toTensor(x)), params as TensorTree);
}

/** Zeros in the form of the parameters, for the state. */
export function zerosOf(op: string, params: unknown): TensorTree {
  return stateLike(op, params, zerosLike);
}

/**
 * A copy of the parameters for the state, in memory of its own: who donates the state keeps the parameters.
 * @throws {DTypeError} naming a leaf that is no float.
 */
export function copyOf(op: string, params: unknown): TensorTree {
  return stateLike(op, params, (x) => multiply(x, 1));
}

/** @throws {DTypeError} naming a leaf that is no float. */
export function checkFloats(op: string, params: unknown): void {
  const leaves = leavesOf(params);
  const odd = leaves.findIndex((x) => x.dtype !== 'float32' && x.dtype !== 'float64');
  if (odd >= 0)
    throw new DTypeError(
      `${op}: parameters are floats, but ${treePaths(params)[odd]} is ${leaves[odd]?.dtype}; ` +
        `convert it with astype(), or keep it out of the optimizer with masked().`,
    );
}

/**
 * `f` of the leaves of several trees, which are named for messages.
 * @param first The one tree whose form the others must have.
 * @throws {TreeError} {ShapeError} naming the trees, and the leaf where one has another form.
 */
export function zipTrees<T>(
  op: string,
  first: Readonly<Record<string, T>>,
  others: Readonly<Record<string, unknown>>,
  f: (...leaves: [Tensor, Tensor, Tensor, Tensor, Tensor]) => Tensor,
): Tensors<T> {
  const [[name, tree]] = Object.entries(first) as [[string, T]];
  const rest = Object.entries(others).map(([other, t]) => sameForm(op, name, tree, other, t));
  return mapLeaves(tree, rest, f);
}

/** {@link zipTrees} of trees that need only have the same structure: a leaf may stand for another of any shape. */
export function zipStructures<T>(
  op: string,
  first: Readonly<Record<string, T>>,
  others: Readonly<Record<string, unknown>>,
  f: (...leaves: [Tensor, Tensor, Tensor, Tensor, Tensor]) => Tensor,
): Tensors<T> {
  const [[name, tree]] = Object.entries(first) as [[string, T]];
  const rest = Object.entries(others).map(([other, t]) => {
    checkSameStructure(op, name, treeStructure(tree), other, treeStructure(t));
    return leavesOf(t);
  });
  return mapLeaves(tree, rest, f);
}

function mapLeaves<T>(
  tree: T,
  rest: readonly (readonly Tensor[])[],
  f: (...leaves: [Tensor, Tensor, Tensor, Tensor, Tensor]) => Tensor,
): Tensors<T> {
  const { leaves, structure } = treeFlatten(tree);
  return treeUnflatten(
    structure,
    leaves.map((x, i) => f(...([toTensor(x as Tensor), ...rest.map((r) => r[i])] as Parameters<typeof f>))),
  );
}

/**
 * Leaves of `b`.
 * @throws {TreeError} {ShapeError} if the structure or a shape is not that of `a`.
 */
export function sameForm(op: string, nameA: string, a: unknown, nameB: string, b: unknown): Tensor[] {
  checkSameStructure(op, nameA, treeStructure(a), nameB, treeStructure(b));
  const [xs, ys] = [leavesOf(a), leavesOf(b)];
  const at = ys.findIndex((y, i) => String(y.shape) !== String(xs[i]?.shape));
  if (at >= 0)
    throw new ShapeError(
      `${op}: ${nameA} and ${nameB} must have the same shapes, but at ${treePaths(a)[at]} ${nameA} has ` +
        `[${xs[at]?.shape.join()}] and ${nameB} has [${ys[at]?.shape.join()}].`,
    );
  return ys;
}

/** The widest float dtype among leaves, and float32 if there is none: that of scalars which concern all of them. */
export function floatDType(leaves: readonly Tensor[]): FloatDType {
  return leaves.some((x) => x.dtype === 'float64') ? 'float64' : 'float32';
}

/** A scalar tensor of a dtype. */
export function scalarOf(x: Scalar, dtype: DType): Tensor {
  return typeof x === 'number' ? full([], x, dtype) : astype(x, dtype);
}

/** A scalar in the dtype of `x`, which so keeps its dtype in operations with it. */
export function beside(x: Tensor, scalar: Scalar): Tensor {
  return scalarOf(scalar, x.dtype);
}

/** The step count as schedules see it: a float of the updates' precision. */
export function countFor(updates: unknown, count: Tensor): Tensor {
  return astype(count, floatDType(leavesOf(updates)));
}

/** The sum of squares of all elements of all leaves: one reduction for each leaf. */
export function sumOfSquares(leaves: readonly Tensor[], dtype: DType): Tensor {
  return leaves.map((x) => astype(sum(square(x)), dtype)).reduce(add, full([], 0, dtype));
}

/**
 * The Euclidean norm of all elements of a tree together, a scalar in its widest float dtype. Its derivative at zero is
 * zero.
 *
 * @example
 * globalNorm({ a: tensor([3]), b: tensor([[4]]) })   // 5
 */
export function globalNorm(tree: unknown): Tensor {
  const leaves = leavesOf(tree);
  return safeRoot(sumOfSquares(leaves, floatDType(leaves)));
}

/** The square root, with a derivative of zero at zero. */
export function safeRoot(squares: Tensor): Tensor {
  const isZero = equal(squares, 0);
  return where(isZero, 0, sqrt(where(isZero, 1, squares)));
}

/** The Euclidean norm of one tensor, a scalar; its derivative at zero is zero. */
export function normOf(x: Tensor): Tensor {
  return safeRoot(sum(square(x)));
}

/** The root of the mean square of one tensor, a scalar; its derivative at zero, and its value for no elements, is zero. */
export function rmsOf(x: Tensor): Tensor {
  return safeRoot(divide(sum(square(x)), Math.max(1, x.size)));
}

/** A tree of the leaves of `yes` where a scalar condition holds, and otherwise of `no`, in the structure of both. */
export function selected<T>(condition: Tensor, yes: T, no: T): T {
  return treeMap((x, y) => (x === y ? x : where(condition, x, y)), yes, no) as T;
}
