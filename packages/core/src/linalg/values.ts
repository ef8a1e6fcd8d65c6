/** Numbers that tell something of a matrix: determinants, norms, conditions. */
import { showAval } from '../aval.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { checkOptions, show } from '../ops/check.ts';
import { floatOperand, type TensorLike } from '../ops/convert.ts';
import { compare, convert, div, elementary, mul, pow, select } from '../primitives/arithmetic.ts';
import { det as detPrimitive, slogdet as slogdetPrimitive } from '../primitives/det.ts';
import { moveAxis, reshape } from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { reduceMax, reduceMin, reduceSum } from '../primitives/reduce.ts';
import { svd } from '../primitives/svd.ts';
import { resolveEach } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { matrices, squareMatrices } from './operands.ts';
import { inv } from './solve.ts';

/**
 * The determinant. Its gradient, the matrix of cofactors, is right also where the matrix is singular; second derivatives are
 * NaN or infinite there.
 *
 * @param a `[…, N, N]`
 * @returns `[…]`
 * @throws {ShapeError} unless the matrices are square.
 * @example linalg.det(tensor([[1, 2], [3, 4]]))                // -2
 */
export function det(a: TensorLike): Tensor {
  return detPrimitive(squareMatrices('det', a));
}

/**
 * Sign and natural logarithm of the absolute value of the determinant, which neither overflow nor underflow.
 *
 * @param a `[…, N, N]`
 * @returns `sign[…]`, -1, 0 or 1, and `logAbsDet[…]`, -inf for a singular matrix.
 * @throws {ShapeError} unless the matrices are square.
 * @example linalg.slogdet(tensor([[1, 2], [3, 4]])).sign       // -1
 */
export function slogdet(a: TensorLike): { sign: Tensor; logAbsDet: Tensor } {
  const [sign, logAbsDet] = slogdetPrimitive(squareMatrices('slogdet', a));
  return { sign, logAbsDet };
}

/** Which norm: of vectors any number, of matrices 1, -1, 2, -2, ±Infinity, `'fro'` or `'nuc'`. */
export type NormOrder = number | 'fro' | 'nuc';

/** Options of {@link norm}. */
export interface NormOptions {
  /**
   * For vectors the p of `(Σ|x|^p)^(1/p)`: `Infinity` is the greatest, `-Infinity` the least absolute value, 0 counts what is not
   * 0. For matrices: 1 and -1 the greatest and least sum of a column's absolute values, ±Infinity of a row's, 2 and -2 the
   * greatest and least singular value, `'nuc'` the sum of singular values, `'fro'` as if it were a vector. By default all
   * axes together are one vector with p = 2.
   */
  readonly ord?: NormOrder | undefined;
  /** One axis of vectors, or two of matrices. With `ord` it may be left out for a vector or a matrix. */
  readonly axis?: number | readonly [number, number] | undefined;
  readonly keepdims?: boolean | undefined;
}

/**
 * Norms of vectors and matrices: NumPy's `linalg.norm`. Derivatives of vector norms at 0 are 0.
 *
 * @returns `x` without the axes.
 * @throws {OptionError} for an unknown order. {ShapeError} if the axes do not fit.
 * @example
 * linalg.norm(tensor([3, -4]), { ord: 1 })                      // 7
 * linalg.norm(tensor([[0, 2], [3, 0]]), { ord: 'nuc' })         // 5
 */
export function norm(x: TensorLike, options: NormOptions = {}): Tensor {
  checkOptions('linalg.norm', options, ['ord', 'axis', 'keepdims']);
  const { ord, axis, keepdims = false } = options;
  const t = floatOperand('linalg.norm', x);
  const axes = resolveEach('linalg.norm', axis ?? [...t.shape.keys()], t.ndim);
  const kept = t.shape.map((n, i) => (axes.includes(i) ? 1 : n));
  const finish = (y: Tensor): Tensor => (keepdims ? reshape(y, kept) : y);
  const isTwice = new Set(axes).size !== axes.length;
  if (isTwice || (ord !== undefined && (axes.length < 1 || axes.length > 2)))
    throw new ShapeError(
      `linalg.norm: axes are different, and with ord one of vectors or two of matrices, but x is ${showAval(t.aval)} and axis ${show(axis ?? axes)}.`,
    );
  if (ord === undefined) return finish(vectorNorm(t, axes, 2));
  if (axes.length === 1) {
    if (typeof ord !== 'number' || Number.isNaN(ord)) throw noOrder('vectors', 'a number', ord);
    return finish(vectorNorm(t, axes, ord));
  }
  return finish(matrixNorm(lastAxes(t, axes as [number, number]), ord));
}

const noOrder = (of: string, orders: string, ord: unknown): OptionError =>
  new OptionError(`linalg.norm: the order for ${of} is ${orders}, but got ${show(ord)}.`);

/** Rows and columns as the last two axes. */
function lastAxes(x: Tensor, [row, column]: readonly [number, number]): Tensor {
  const last = moveAxis(x, column, x.ndim - 1);
  return moveAxis(last, row < column ? row : row - 1, x.ndim - 2);
}

function vectorNorm(x: Tensor, axes: readonly number[], ord: number): Tensor {
  const size = elementary.abs(x);
  if (axes.length === 0) return size;
  const of = (value: number): Tensor => scalar(value, x.dtype);
  if (ord === Infinity) return reduceMax(size, axes);
  if (ord === -Infinity) return reduceMin(size, axes);
  if (ord === 0) return reduceSum(convert(compare('ne', x, of(0)), x.dtype), axes);
  if (ord === 1) return reduceSum(size, axes);
  const total = reduceSum(ord === 2 ? mul(x, x) : pow(size, of(ord)), axes);
  // The root has an infinite derivative at 0; that of the norm is 0, the middle of its subgradients.
  const isZero = compare('eq', total, of(0));
  const safe = select(isZero, of(1), total);
  const root = ord === 2 ? elementary.sqrt(safe) : pow(safe, of(1 / ord));
  return select(isZero, of(0), root);
}

function matrixNorm(x: Tensor, ord: NormOrder): Tensor {
  const [row, column] = [x.ndim - 2, x.ndim - 1];
  const sums = (axis: number): Tensor => reduceSum(elementary.abs(x), [axis]);
  const singular = (): Tensor => svd(x, false)[1];
  switch (ord) {
    case 'fro':
      return vectorNorm(x, [row, column], 2);
    case 'nuc':
      return reduceSum(singular(), [row]);
    case 2:
      return reduceMax(singular(), [row]);
    case -2:
      return reduceMin(singular(), [row]);
    case 1:
      return reduceMax(sums(row), [row]);
    case -1:
      return reduceMin(sums(row), [row]);
    case Infinity:
      return reduceMax(sums(column), [row]);
    case -Infinity:
      return reduceMin(sums(column), [row]);
    default:
      throw noOrder('matrices', "1, -1, 2, -2, Infinity, -Infinity, 'fro' or 'nuc'", ord);
  }
}

/**
 * The condition number: `‖a‖ ‖a⁻¹‖`.
 *
 * @param a `[…, M, N]`; square unless `ord` is 2 or -2.
 * @param options.ord Any order of matrices in {@link norm}; 2 by default: the greatest singular value divided by the least.
 * @returns `[…]`; infinite for a singular matrix.
 * @throws {ShapeError} unless the matrices are square where they have to be. {OptionError} for an unknown order.
 * @example linalg.cond(tensor([[3, 0], [0, 2]]))               // 1.5
 */
export function cond(a: TensorLike, options: { readonly ord?: NormOrder | undefined } = {}): Tensor {
  checkOptions('linalg.cond', options, ['ord']);
  const { ord = 2 } = options;
  if (ord === 2 || ord === -2) {
    const s = svd(matrices('cond', a), false)[1];
    const last = [s.ndim - 1];
    const [most, least] = [reduceMax(s, last), reduceMin(s, last)];
    return ord === 2 ? div(most, least) : div(least, most);
  }
  const x = squareMatrices('cond', a);
  return mul(matrixNorm(x, ord), matrixNorm(inv(x), ord));
}
