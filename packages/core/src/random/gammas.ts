/** The gamma distribution, what is made of it, and the Poisson distribution. */
import type { DType } from '../dtype.ts';
import { DTypeError, ShapeError } from '../errors.ts';
import { checkOptions, type ShapeLike, show, toShape } from '../ops/check.ts';
import { operand, type TensorLike } from '../ops/convert.ts';
import { add, convert, div, elementary, max, mul, pow, sub } from '../primitives/arithmetic.ts';
import { concatenate, iota, reshape, stop } from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { reduceMax, reduceSum } from '../primitives/reduce.ts';
import { threefry2x32 } from '../primitives/threefry.ts';
import { logGammaVariates, poissonVariates } from '../primitives/variates.ts';
import { sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { normal, type SampleOptions, split, words } from './base.ts';
import { rademacher } from './continuous.ts';
import { like, parameters } from './parameters.ts';

const { exp, sqrt } = elementary;

/** Logarithms of gamma variates of shapes `a`, of the shape of `a`; element i has key i of as many. */
function logGammas(op: string, key: Tensor, a: Tensor): Tensor {
  const n = sizeOf(a.shape);
  const [k0, k1] = words(op, key);
  const parts = threefry2x32(k0, k1, scalar(0, 'uint32'), iota(n, 'uint32'));
  const keys = concatenate(
    parts.map((w) => reshape(w, [n, 1])),
    1,
  );
  return reshape(logGammaVariates(keys, reshape(a, [n])), a.shape);
}

/**
 * Logarithms of numbers of the gamma distribution: like `log(gamma(key, a))`, but accurate also where those
 * are so small that they would be 0.
 *
 * @param a The shape parameter, positive.
 * @param shape That of `a` by default.
 * @throws {ShapeError} if `a` does not broadcast to `shape`. {OptionError} if it is a number that is not positive.
 * @example random.logGamma(key, 0.01, [3])                     // [3]
 */
export function logGamma(key: Tensor, a: TensorLike, shape?: ShapeLike, options: SampleOptions = {}): Tensor {
  return logGammas('logGamma', key, parameters('logGamma', { a }, shape, options).values[0] as Tensor);
}

/**
 * Numbers of the gamma distribution, of density `x^(a-1) e^-x / Γ(a)`: Marsaglia's and Tsang's method with JAX's keys.
 *
 * Differentiable by `a`, once: the derivative of the quantile, as in JAX.
 *
 * @param a The shape parameter, positive; NaN gives NaN.
 * @param shape That of `a` by default.
 * @throws {ShapeError} if `a` does not broadcast to `shape`. {OptionError} if it is a number that is not positive.
 * @example random.gamma(key, 2.5, [3])                         // [3]
 */
export function gamma(key: Tensor, a: TensorLike, shape?: ShapeLike, options: SampleOptions = {}): Tensor {
  return exp(logGammas('gamma', key, parameters('gamma', { a }, shape, options).values[0] as Tensor));
}

/**
 * Numbers of the beta distribution, of density proportional to `x^(a-1) (1-x)^(b-1)` on `[0, 1]`.
 * @throws {ShapeError} if a parameter does not broadcast to `shape`. {OptionError} for a number that is not positive.
 * @example random.beta(key, 2, 3, [4])                         // [4]
 */
export function beta(
  key: Tensor,
  a: TensorLike,
  b: TensorLike,
  shape?: ShapeLike,
  options: SampleOptions = {},
): Tensor {
  const drawn = parameters('beta', { a, b }, shape, options);
  const keys = split(key);
  const [x, y] = drawn.values.map((p, i) => logGammas('beta', keys[i] as Tensor, p)) as [Tensor, Tensor];
  const greatest = max(x, y);
  const [p, q] = [exp(sub(x, greatest)), exp(sub(y, greatest))];
  return div(p, add(p, q));
}

/**
 * Vectors of the Dirichlet distribution: positive, with sum 1.
 *
 * @param alpha Positive, `[…, N]`.
 * @param shape Of the result without its last axis; that of `alpha` by default.
 * @returns `[…shape, N]`
 * @throws {ShapeError} if `alpha` is a scalar or does not broadcast.
 * @example random.dirichlet(key, ones([3]), [5])               // [5,3]
 */
export function dirichlet(
  key: Tensor,
  alpha: Tensor,
  shape?: ShapeLike,
  options: SampleOptions = {},
): Tensor {
  const n = operand('random.dirichlet', alpha).shape.at(-1);
  if (n === undefined) throw new ShapeError('random.dirichlet: alpha is a vector […,N], but got a scalar.');
  const target = shape === undefined ? undefined : [...toShape('random.dirichlet', shape), n];
  const drawn = parameters('dirichlet', { alpha }, target, options);
  const logs = logGammas('dirichlet', key, drawn.values[0] as Tensor);
  const last = logs.ndim - 1;
  const kept = logs.shape.with(-1, 1);
  const weights = exp(sub(logs, reshape(reduceMax(stop(logs), [last]), kept)));
  return div(weights, reshape(reduceSum(weights, [last]), kept));
}

/**
 * Numbers of the χ² distribution: sums of `df` squares of standard normal numbers.
 * @throws {ShapeError} if `df` does not broadcast to `shape`. {OptionError} if it is a number that is not positive.
 * @example random.chisquare(key, 3, [4])                       // [4]
 */
export function chisquare(
  key: Tensor,
  df: TensorLike,
  shape?: ShapeLike,
  options: SampleOptions = {},
): Tensor {
  const df2 = parameters('chisquare', { df }, shape, options).values[0] as Tensor;
  const g = exp(logGammas('chisquare', key, div(df2, like(df2, 2))));
  return mul(g, like(g, 2));
}

/**
 * Numbers of the F distribution: quotients of two {@link chisquare} numbers, each by its degrees of freedom.
 * @throws {ShapeError} if a parameter does not broadcast to `shape`. {OptionError} for a number that is not positive.
 * @example random.f(key, 3, 5, [4])                            // [4]
 */
export function f(
  key: Tensor,
  dfnum: TensorLike,
  dfden: TensorLike,
  shape?: ShapeLike,
  options: SampleOptions = {},
): Tensor {
  const drawn = parameters('f', { dfnum, dfden }, shape, options);
  const [n, d] = drawn.values as [Tensor, Tensor];
  const [denKey, numKey] = split(key) as [Tensor, Tensor];
  return div(div(chisquare(numKey, n), n), div(chisquare(denKey, d), d));
}

/**
 * Numbers of Student's t distribution.
 * @param df Degrees of freedom, positive.
 * @throws {ShapeError} if `df` does not broadcast to `shape`. {OptionError} if it is a number that is not positive.
 * @example random.t(key, 4, [3])                               // [3]
 */
export function t(key: Tensor, df: TensorLike, shape?: ShapeLike, options: SampleOptions = {}): Tensor {
  const { values, shape: target, dtype } = parameters('t', { df }, shape, options);
  const [normalKey, gammaKey] = split(key) as [Tensor, Tensor];
  const half = div(values[0] as Tensor, scalar(2, dtype));
  const g = exp(logGammas('t', gammaKey, half));
  return mul(normal(normalKey, target, { dtype }), sqrt(div(half, g)));
}

/**
 * Numbers of density proportional to `e^(-|x|^p)`.
 * @throws {ShapeError} if `p` does not broadcast to `shape`. {OptionError} if it is a number that is not positive.
 * @example random.generalizedNormal(key, 2, [3])               // [3]
 */
export function generalizedNormal(
  key: Tensor,
  p: TensorLike,
  shape?: ShapeLike,
  options: SampleOptions = {},
): Tensor {
  const { values, shape: target, dtype } = parameters('generalizedNormal', { p }, shape, options);
  const [gammaKey, signKey] = split(key) as [Tensor, Tensor];
  const inverse = div(scalar(1, dtype), values[0] as Tensor);
  const size = pow(exp(logGammas('generalizedNormal', gammaKey, inverse)), inverse);
  return mul(rademacher(signKey, target, { dtype }), size);
}

/**
 * Counts of the Poisson distribution.
 *
 * @param lam The rate, at least 0; a negative one, NaN, or one beyond int32 gives -1.
 * @param shape That of `lam` by default.
 * @param options.dtype `int32` by default, or `uint32`, `float32`, `float64`.
 * @throws {ShapeError} if `lam` does not broadcast to `shape`. {DTypeError} for other dtypes.
 * @example random.poisson(key, 4, [3])                         // i32[3]
 */
export function poisson(
  key: Tensor,
  lam: TensorLike,
  shape?: ShapeLike,
  options: { readonly dtype?: DType | undefined } = {},
): Tensor {
  checkOptions('random.poisson', options, ['dtype']);
  const { dtype = 'int32' } = options;
  if (dtype === 'bool' || dtype === 'uint8')
    throw new DTypeError(`random.poisson: counts are int32, uint32 or floats, but got ${show(dtype)}.`);
  words('poisson', key);
  const drawn = parameters('poisson', { lam }, shape, { dtype: 'float32' }, []);
  const rates = reshape(drawn.values[0] as Tensor, [sizeOf(drawn.shape)]);
  return convert(reshape(poissonVariates(key, stop(rates)), drawn.shape), dtype);
}
