/** Distributions that are functions of uniform or normal numbers, by the formulas of JAX. */
import type { DType } from '../dtype.ts';
import { checkOptions, type ShapeLike, toShape } from '../ops/check.ts';
import type { TensorLike } from '../ops/convert.ts';
import { add, compare, div, elementary, mul, neg, pow, select, sub } from '../primitives/arithmetic.ts';
import { scalar } from '../primitives/pointwise.ts';
import { reduceSum } from '../primitives/reduce.ts';
import type { Tensor } from '../tensor.ts';
import { bernoulli, normal, type SampleOptions, split, uniformOf } from './base.ts';
import { epsilon, like, parameters } from './parameters.ts';

const { exp, log, log1p, sqrt, tan } = elementary;

/** A uniform number of each element, from `[low(dtype), 1)`. */
function draw(
  op: string,
  key: Tensor,
  shape: ShapeLike,
  options: SampleOptions,
  low: (dtype: DType) => number = () => 0,
): Tensor {
  checkOptions(`random.${op}`, options, ['dtype']);
  const { dtype = 'float32' } = options;
  return uniformOf(op, key, shape, dtype, low(dtype), 1);
}

/**
 * Numbers of the exponential distribution of rate 1: `-log(1 - u)`.
 * @throws {DTypeError} unless the dtype is a float.
 * @example random.exponential(key, [2, 3])                     // [2,3]
 */
export function exponential(key: Tensor, shape: ShapeLike = [], options: SampleOptions = {}): Tensor {
  return neg(log1p(neg(draw('exponential', key, shape, options))));
}

/**
 * Numbers of the standard Gumbel distribution: `-log(-log(u))`.
 * @throws {DTypeError} unless the dtype is a float.
 * @example random.gumbel(key, [2, 3])                          // [2,3]
 */
export function gumbel(key: Tensor, shape: ShapeLike = [], options: SampleOptions = {}): Tensor {
  const least = (dtype: DType): number => (dtype === 'float32' ? 2 ** -126 : 2 ** -1022);
  return neg(log(neg(log(draw('gumbel', key, shape, options, least)))));
}

/**
 * Numbers of the Laplace distribution, of density `e^(-|x|) / 2`.
 * @throws {DTypeError} unless the dtype is a float.
 * @example random.laplace(key, [2, 3])                         // [2,3]
 */
export function laplace(key: Tensor, shape: ShapeLike = [], options: SampleOptions = {}): Tensor {
  const u = draw('laplace', key, shape, options, (dtype) => epsilon(dtype) / 2 - 1);
  return mul(elementary.sign(u), log1p(neg(elementary.abs(u))));
}

/**
 * Numbers of the logistic distribution, whose distribution function is the sigmoid: `log(u / (1 - u))`.
 * @throws {DTypeError} unless the dtype is a float.
 * @example random.logistic(key, [2, 3])                        // [2,3]
 */
export function logistic(key: Tensor, shape: ShapeLike = [], options: SampleOptions = {}): Tensor {
  const u = draw('logistic', key, shape, options, epsilon);
  return log(div(u, sub(like(u, 1), u)));
}

/**
 * Numbers of the Cauchy distribution, which has no mean: `tan(π (u - 1/2))`.
 * @throws {DTypeError} unless the dtype is a float.
 * @example random.cauchy(key, [2, 3])                          // [2,3]
 */
export function cauchy(key: Tensor, shape: ShapeLike = [], options: SampleOptions = {}): Tensor {
  const u = draw('cauchy', key, shape, options, epsilon);
  return tan(mul(like(u, Math.PI), sub(u, like(u, 0.5))));
}

/**
 * 1 or -1, each with probability one half.
 * @param options.dtype `int32` by default.
 * @example random.rademacher(key, [2, 3])                      // [2,3]
 */
export function rademacher(
  key: Tensor,
  shape: ShapeLike = [],
  options: { readonly dtype?: DType | undefined } = {},
): Tensor {
  checkOptions('random.rademacher', options, ['dtype']);
  const { dtype = 'int32' } = options;
  return select(bernoulli(key, 0.5, shape), scalar(1, dtype), scalar(-1, dtype));
}

/**
 * Lengths of vectors of three standard normal numbers.
 * @throws {DTypeError} unless the dtype is a float.
 * @example random.maxwell(key, [2, 3])                         // [2,3]
 */
export function maxwell(key: Tensor, shape: ShapeLike = [], options: SampleOptions = {}): Tensor {
  checkOptions('random.maxwell', options, ['dtype']);
  const target = toShape('random.maxwell', shape);
  const x = normal(key, [...target, 3], options);
  return sqrt(reduceSum(mul(x, x), [target.length]));
}

/**
 * {@link maxwell} with a random sign, times `scale`, plus `loc`.
 * @throws {ShapeError} if a parameter does not broadcast to `shape`. {OptionError} for a scale that is not positive.
 * @example random.doubleSidedMaxwell(key, 0, 1, [2, 3])        // [2,3]
 */
export function doubleSidedMaxwell(
  key: Tensor,
  loc: TensorLike,
  scale: TensorLike,
  shape?: ShapeLike,
  options: SampleOptions = {},
): Tensor {
  const drawn = parameters('doubleSidedMaxwell', { loc, scale }, shape, options, ['scale']);
  const [centre, width] = drawn.values as [Tensor, Tensor];
  const [sizeKey, signKey] = split(key) as [Tensor, Tensor];
  const size = maxwell(sizeKey, drawn.shape, { dtype: drawn.dtype });
  const signed = mul(rademacher(signKey, drawn.shape, { dtype: drawn.dtype }), size);
  return add(mul(signed, width), centre);
}

/**
 * Numbers of the Weibull distribution: `scale (-log(1 - u))^(1 / concentration)`.
 * @throws {ShapeError} if a parameter does not broadcast to `shape`. {OptionError} for one that is not positive.
 * @example random.weibullMin(key, 1, 2, [3])                   // [3]
 */
export function weibullMin(
  key: Tensor,
  scale: TensorLike,
  concentration: TensorLike,
  shape?: ShapeLike,
  options: SampleOptions = {},
): Tensor {
  const drawn = parameters('weibullMin', { scale, concentration }, shape, options);
  const [width, power] = drawn.values as [Tensor, Tensor];
  const e = exponential(key, drawn.shape, { dtype: drawn.dtype });
  return mul(pow(e, div(like(e, 1), power)), width);
}

/**
 * Numbers of the Pareto distribution, of density `b / x^(b + 1)` from 1 on: `e^(exponential / b)`.
 * @throws {ShapeError} if `b` does not broadcast to `shape`. {OptionError} if it is not positive.
 * @example random.pareto(key, 3, [2])                          // [2]
 */
export function pareto(key: Tensor, b: TensorLike, shape?: ShapeLike, options: SampleOptions = {}): Tensor {
  const { values, shape: target, dtype } = parameters('pareto', { b }, shape, options);
  return exp(div(exponential(key, target, { dtype }), values[0] as Tensor));
}

/**
 * Numbers of the Rayleigh distribution: `scale √(-2 log u)`.
 * @throws {ShapeError} if `scale` does not broadcast to `shape`. {OptionError} if it is not positive.
 * @example random.rayleigh(key, 1, [2])                        // [2]
 */
export function rayleigh(
  key: Tensor,
  scale: TensorLike,
  shape?: ShapeLike,
  options: SampleOptions = {},
): Tensor {
  const { values, shape: target, dtype } = parameters('rayleigh', { scale }, shape, options);
  const u = uniformOf('rayleigh', key, target, dtype, 0, 1);
  return mul(values[0] as Tensor, sqrt(mul(like(u, -2), log(u))));
}

/**
 * Numbers of Wald's (the inverse Gaussian) distribution of shape 1.
 * @throws {ShapeError} if `mean` does not broadcast to `shape`. {OptionError} if it is not positive.
 * @example random.wald(key, 2, [2])                            // [2]
 */
export function wald(key: Tensor, mean: TensorLike, shape?: ShapeLike, options: SampleOptions = {}): Tensor {
  const { values, shape: target, dtype } = parameters('wald', { mean }, shape, options);
  const [normalKey, uniformKey] = split(key) as [Tensor, Tensor];
  const m = values[0] as Tensor;
  const v = normal(normalKey, target, { dtype });
  const y = mul(v, v);
  const root = sqrt(add(mul(like(m, 4), mul(m, y)), mul(mul(m, m), mul(y, y))));
  const half = div(m, like(m, 2));
  const x = sub(add(m, mul(half, mul(m, y))), mul(half, root));
  const z = uniformOf('wald', uniformKey, target, dtype, 0, 1);
  return select(compare('le', z, div(m, add(m, x))), x, div(mul(m, m), x));
}

/**
 * Numbers whose logarithm is normal with deviation `sigma`.
 * @throws {ShapeError} if `sigma` does not broadcast to `shape`. {OptionError} if it is not positive.
 * @example random.lognormal(key, 1, [2])                       // [2]
 */
export function lognormal(
  key: Tensor,
  sigma: TensorLike = 1,
  shape?: ShapeLike,
  options: SampleOptions = {},
): Tensor {
  const { values, shape: target, dtype } = parameters('lognormal', { sigma }, shape, options);
  return exp(mul(normal(key, target, { dtype }), values[0] as Tensor));
}

/**
 * Numbers of the triangular distribution between `left` and `right`, most often near `mode`.
 * @throws {ShapeError} if a parameter does not broadcast to `shape`.
 * @example random.triangular(key, 0, 1, 3, [2])                // [2]
 */
export function triangular(
  key: Tensor,
  left: TensorLike,
  mode: TensorLike,
  right: TensorLike,
  shape?: ShapeLike,
  options: SampleOptions = {},
): Tensor {
  const drawn = parameters('triangular', { left, mode, right }, shape, options, []);
  const [a, c, b] = drawn.values as [Tensor, Tensor, Tensor];
  const u = uniformOf('triangular', key, drawn.shape, drawn.dtype, 0, 1);
  const width = sub(b, a);
  const rising = add(a, sqrt(mul(mul(u, width), sub(c, a))));
  const falling = sub(b, sqrt(mul(mul(sub(like(u, 1), u), width), sub(b, c))));
  return select(compare('lt', u, div(sub(c, a), width)), rising, falling);
}

/**
 * How many trials of probability `p` until the first success, as whole floats of at least 1.
 * @throws {ShapeError} if `p` does not broadcast to `shape`. {OptionError} if it is not positive.
 * @example random.geometric(key, 0.3, [2])                     // [2]
 */
export function geometric(
  key: Tensor,
  p: TensorLike,
  shape?: ShapeLike,
  options: SampleOptions = {},
): Tensor {
  const { values, shape: target, dtype } = parameters('geometric', { p }, shape, options);
  const least = dtype === 'float32' ? 2 ** -126 : 2 ** -1022; // log(0) is no count
  const u = uniformOf('geometric', key, target, dtype, least, 1);
  return add(elementary.floor(div(log(u), log1p(neg(values[0] as Tensor)))), like(u, 1));
}
