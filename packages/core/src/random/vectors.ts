/** Random vectors and matrices. */
import { showAval } from '../aval.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { cholesky, eigh, qr, svd } from '../linalg/factor.ts';
import { checkInteger, checkOptions, type ShapeLike, show, toShape } from '../ops/check.ts';
import { promoteOperands, type TensorLike } from '../ops/convert.ts';
import { add, convert, div, elementary, mul, pow } from '../primitives/arithmetic.ts';
import { asColumn, asRow, diagonalOf } from '../primitives/matrices.ts';
import { broadcastTo } from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { reduceSum } from '../primitives/reduce.ts';
import { broadcastShapes } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { checkFloat, normal, type SampleOptions, split } from './base.ts';
import { exponential } from './continuous.ts';
import { generalizedNormal } from './gammas.ts';

/** Options of {@link multivariateNormal}. */
export interface MultivariateNormalOptions extends SampleOptions {
  /** How the covariance is factored: `cholesky` by default; `eigh` or `svd` where it may be singular. */
  readonly method?: 'cholesky' | 'eigh' | 'svd' | undefined;
}

/**
 * Vectors of the normal distribution with a mean and a covariance.
 *
 * @param mean `[…, N]`
 * @param cov Symmetric positive definite, `[…, N, N]`; NaN results where it is not.
 * @param shape Of the result without its last axis; that to which `mean` and `cov` broadcast by default.
 * @returns `[…shape, N]`
 * @throws {ShapeError} if the shapes do not fit. {OptionError} for an unknown method.
 * @example random.multivariateNormal(key, zeros([2]), tensor([[2, 1], [1, 2]]), [5])   // [5,2]
 */
export function multivariateNormal(
  key: Tensor,
  mean: Tensor,
  cov: Tensor,
  shape?: ShapeLike,
  options: MultivariateNormalOptions = {},
): Tensor {
  const op = 'random.multivariateNormal';
  checkOptions(op, options, ['dtype', 'method']);
  const { method = 'cholesky' } = options;
  if (!['cholesky', 'eigh', 'svd'].includes(method))
    throw new OptionError(`${op}: method is 'cholesky', 'eigh' or 'svd', but got ${show(method)}.`);
  const [m, c] = promoteOperands(op, mean, cov, 0.5) as [Tensor, Tensor, Tensor];
  const n = m.shape.at(-1);
  if (n === undefined || c.ndim < 2 || c.shape.at(-1) !== n || c.shape.at(-2) !== n)
    throw new ShapeError(
      `${op}: mean is […,N] and cov […,N,N], but they are ${showAval(m.aval)} and ${showAval(c.aval)}.`,
    );
  const { dtype = m.dtype } = options;
  checkFloat('multivariateNormal', dtype);
  const own = broadcastShapes(op, m.shape.slice(0, -1), c.shape.slice(0, -2));
  const target = shape === undefined ? own : toShape(op, shape);
  broadcastShapes(op, own, target);
  const z = normal(key, [...target, n], { dtype });
  const factor = convert(factorOf(c, method), dtype);
  const turned = reduceSum(mul(factor, asRow(z)), [Math.max(factor.ndim, z.ndim + 1) - 1]);
  return broadcastTo(add(convert(m, dtype), turned), [...target, n]);
}

function factorOf(cov: Tensor, method: 'cholesky' | 'eigh' | 'svd'): Tensor {
  if (method === 'cholesky') return cholesky(cov);
  const { sqrt } = elementary;
  if (method === 'eigh') {
    const { eigenvalues, eigenvectors } = eigh(cov);
    return mul(eigenvectors, asRow(sqrt(eigenvalues)));
  }
  const { u, s } = svd(cov);
  return mul(u, asRow(sqrt(s)));
}

/**
 * Matrices evenly distributed over the orthogonal group.
 *
 * @param n Rows and columns.
 * @param shape Of the batch; none by default.
 * @returns `[…shape, n, n]`
 * @throws {OptionError} unless `n` is an integer of at least 0. {DTypeError} unless the dtype is a float.
 * @example random.orthogonal(key, 3)                           // [3,3]
 */
export function orthogonal(
  key: Tensor,
  n: number,
  shape: ShapeLike = [],
  options: SampleOptions = {},
): Tensor {
  checkInteger('random.orthogonal', 'n', n, 0);
  const lead = toShape('random.orthogonal', shape);
  const { q, r } = qr(normal(key, [...lead, n, n], options));
  const d = diagonalOf(r);
  return mul(q, asRow(div(d, elementary.abs(d))));
}

/**
 * Points evenly distributed in the ball of the p-norm.
 *
 * @param d Dimensions.
 * @param p Of the norm, 2 by default.
 * @param shape Of the batch; none by default.
 * @returns `[…shape, d]`
 * @throws {OptionError} unless `d` is an integer of at least 0 and `p` positive. {DTypeError} unless the dtype is a float.
 * @example random.ball(key, 3, 2, [5])                         // [5,3]
 */
export function ball(
  key: Tensor,
  d: number,
  p: TensorLike = 2,
  shape: ShapeLike = [],
  options: SampleOptions = {},
): Tensor {
  checkInteger('random.ball', 'd', d, 0);
  const lead = toShape('random.ball', shape);
  const [pointKey, depthKey] = split(key) as [Tensor, Tensor];
  const g = generalizedNormal(pointKey, p, [...lead, d], options);
  const e = exponential(depthKey, lead, { dtype: g.dtype });
  const power = typeof p === 'number' ? scalar(p, g.dtype) : convert(p as Tensor, g.dtype);
  const total = add(reduceSum(pow(elementary.abs(g), power), [g.ndim - 1]), e);
  return div(g, asColumn(pow(total, div(scalar(1, g.dtype), power))));
}
