/** Arithmetic on whole trees of tensors, leaf by leaf, in the dtypes of the first tree. */
import * as core from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import type { Scalar } from '../protocol.ts';
import { beside, floatDType, globalNorm, leavesOf, zipTrees } from '../trees.ts';

type Tensor = core.Tensor;
type Tensors<T> = core.Tensors<T>;

const zip = <T>(op: string, a: T, b: unknown, f: (x: Tensor, y: Tensor) => Tensor): Tensors<T> =>
  zipTrees(`tree.${op}`, { a }, { b }, (x, y) => core.astype(f(x, y), x.dtype));
const map = <T>(op: string, tree: T, f: (x: Tensor) => Tensor): Tensors<T> =>
  zipTrees(`tree.${op}`, { tree }, {}, f);

/**
 * `a + b`.
 * @throws {TreeError} {ShapeError} naming the leaf where the trees differ.
 * @example tree.add([tensor([1]), tensor([2])], [tensor([3]), tensor([4])])   // [[4], [6]]
 */
export const add = <T>(a: T, b: unknown): Tensors<T> => zip('add', a, b, core.add);

/**
 * `a - b`.
 * @throws {TreeError} {ShapeError} naming the leaf where the trees differ.
 * @example tree.sub([tensor([1])], [tensor([3])])   // [[-2]]
 */
export const sub = <T>(a: T, b: unknown): Tensors<T> => zip('sub', a, b, core.subtract);

/**
 * `a * b`, element by element.
 * @throws {TreeError} {ShapeError} naming the leaf where the trees differ.
 * @example tree.mul([tensor([2])], [tensor([3])])   // [[6]]
 */
export const mul = <T>(a: T, b: unknown): Tensors<T> => zip('mul', a, b, core.multiply);

/**
 * `a / b`, element by element.
 * @throws {TreeError} {ShapeError} naming the leaf where the trees differ.
 * @example tree.div([tensor([6])], [tensor([3])])   // [[2]]
 */
export const div = <T>(a: T, b: unknown): Tensors<T> => zip('div', a, b, core.divide);

/**
 * `factor * tree`.
 * @example tree.scale(2, [tensor([3])])   // [[6]]
 */
export const scale = <T>(factor: Scalar, tree: T): Tensors<T> =>
  map('scale', tree, (x) => core.multiply(beside(x, factor), x));

/**
 * `a + factor * b`.
 * @throws {TreeError} {ShapeError} naming the leaf where the trees differ.
 * @example tree.addScale([tensor([1])], 2, [tensor([3])])   // [[7]]
 */
export const addScale = <T>(a: T, factor: Scalar, b: unknown): Tensors<T> =>
  zip('addScale', a, b, (x, y) => core.add(x, core.multiply(beside(y, factor), y)));

/**
 * The inner product ⟨a, b⟩ over all elements of all leaves: a scalar in the widest dtype of `a`.
 * @throws {TreeError} {ShapeError} naming the leaf where the trees differ.
 * @example tree.vdot([tensor([1, 2])], [tensor([3, 4])])   // 11
 */
export function vdot(a: unknown, b: unknown): Tensor {
  return sum(zip('vdot', a, b, core.multiply));
}

/**
 * The sum of all elements, a scalar in the widest float dtype of the leaves.
 * @example tree.sum({ a: tensor([1, 2]), b: tensor(3) })   // 6
 */
export function sum(tree: unknown): Tensor {
  const leaves = leavesOf(tree);
  const dtype = floatDType(leaves);
  return leaves.map((x) => core.astype(core.sum(x), dtype)).reduce(core.add, core.zeros([], dtype));
}

/**
 * The greatest of all elements; minus infinity of no leaves.
 * @example tree.max({ a: tensor([1, 2]), b: tensor(3) })   // 3
 */
export const max = (tree: unknown): Tensor => extreme(tree, core.max, core.maximum, -Infinity);

/**
 * The least of all elements; infinity of no leaves.
 * @example tree.min({ a: tensor([1, 2]), b: tensor(3) })   // 1
 */
export const min = (tree: unknown): Tensor => extreme(tree, core.min, core.minimum, Infinity);

function extreme(
  tree: unknown,
  ofLeaf: (x: Tensor) => Tensor,
  ofTwo: (x: Tensor, y: Tensor) => Tensor,
  none: number,
): Tensor {
  const leaves = leavesOf(tree);
  const dtype = floatDType(leaves);
  const extremes = leaves.filter((x) => x.size > 0).map((x) => core.astype(ofLeaf(x), dtype));
  return extremes.reduce(ofTwo, core.full([], none, dtype));
}

/**
 * The number of elements in all leaves.
 * @example tree.size({ a: zeros([2, 3]), b: zeros([]) })   // 7
 */
export const size = (tree: unknown): number => leavesOf(tree).reduce((n, x) => n + x.size, 0);

/** Options of {@link norm}. */
export interface NormOptions {
  /** 1, 2 (default) or infinity. */
  readonly ord?: number;
  /** Whether to square the result; false. */
  readonly squared?: boolean;
}

/**
 * The norm of all elements together, a scalar in the widest float dtype of the leaves. The derivative of the Euclidean norm
 * at zero is zero.
 *
 * @throws {OptionError} for another `ord`.
 * @example tree.norm({ a: tensor([3]), b: tensor([4]) })   // 5
 */
export function norm(tree: unknown, options: NormOptions = {}): Tensor {
  checkOptions('tree.norm', options, ['ord', 'squared']);
  const { ord = 2, squared = false } = options;
  const plain = normOf(tree, ord);
  return squared ? core.square(plain) : plain;
}

function normOf(tree: unknown, ord: number): Tensor {
  if (ord === 2) return globalNorm(tree);
  const magnitudes = map('norm', tree, core.abs);
  if (ord === 1) return sum(magnitudes);
  if (ord === Infinity) return core.maximum(max(magnitudes), 0);
  throw new core.OptionError(`tree.norm: ord must be 1, 2 or Infinity, but is ${String(ord)}.`);
}

/**
 * Every element brought into `[min, max]`.
 * @example tree.clip([tensor([-5, 0.5])], { min: 0 })   // [[0, 0.5]]
 */
export const clip = <T>(tree: T, bounds: { readonly min?: Scalar; readonly max?: Scalar }): Tensors<T> =>
  map('clip', tree, (x) =>
    core.clip(x, {
      ...(bounds.min === undefined ? {} : { min: beside(x, bounds.min) }),
      ...(bounds.max === undefined ? {} : { max: beside(x, bounds.max) }),
    }),
  );

/**
 * The leaves of `a` where a scalar condition is true, otherwise those of `b`.
 * @throws {TreeError} {ShapeError} naming the leaf where the trees differ.
 * @example tree.where(tensor(true), [tensor([1])], [tensor([2])])   // [[1]]
 */
export const where = <T>(condition: Tensor, a: T, b: unknown): Tensors<T> =>
  zip('where', a, b, (x, y) => core.where(condition, x, y));

/**
 * Zeros in the form of a tree.
 * @example tree.zerosLike([tensor([1, 2])])   // [[0, 0]]
 */
export const zerosLike = <T>(tree: T): Tensors<T> => map('zerosLike', tree, (x) => core.zerosLike(x));

/**
 * Ones in the form of a tree.
 * @example tree.onesLike([tensor([3, 2])])   // [[1, 1]]
 */
export const onesLike = <T>(tree: T): Tensors<T> => map('onesLike', tree, (x) => core.onesLike(x));

/**
 * A number in the form of a tree.
 * @example tree.fullLike([tensor([3, 2])], 7)   // [[7, 7]]
 */
export const fullLike = <T>(tree: T, value: Scalar): Tensors<T> =>
  map('fullLike', tree, (x) => core.fullLike(x, beside(x, value)));

/**
 * Every leaf in another dtype.
 * @example tree.cast({ a: tensor([1]) }, 'float64').a   // f64[1]
 */
export const cast = <T>(tree: T, dtype: core.DType): Tensors<T> =>
  map('cast', tree, (x) => core.astype(x, dtype));

/**
 * The one dtype of all leaves.
 * @throws {DTypeError} if leaves differ, or there are none.
 * @example tree.dtype({ a: tensor([1]) })   // the string float32
 */
export function dtype(tree: unknown): core.DType {
  const found = new Set(leavesOf(tree).map((x) => x.dtype));
  const [only] = found;
  if (only === undefined || found.size > 1)
    throw new core.DTypeError(
      `tree.dtype: leaves must have one dtype, but have ${[...found].join(', ') || 'none'}.`,
    );
  return only;
}

/**
 * Whether `|a - b| ≤ atol + rtol |b|` for all elements: a `bool[]`.
 *
 * @throws {TreeError} {ShapeError} naming the leaf where the trees differ.
 * @example tree.allclose([tensor([1])], [tensor([1.000001])])   // true
 */
export function allclose(
  a: unknown,
  b: unknown,
  options: { readonly rtol?: number; readonly atol?: number } = {},
): Tensor {
  checkOptions('tree.allclose', options, ['rtol', 'atol']);
  const { rtol = 1e-5, atol = 1e-8 } = options;
  const close = zipTrees('tree.allclose', { a }, { b }, (x, y) =>
    core.all(core.lessEqual(core.abs(core.subtract(x, y)), core.add(atol, core.multiply(rtol, core.abs(y))))),
  );
  return leavesOf(close).reduce(core.logicalAnd, core.full([], true, 'bool'));
}
