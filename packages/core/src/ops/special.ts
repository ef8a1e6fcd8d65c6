/** Special functions of floats, by the names of mathematics and SciPy. Integers become `float32`. */
import * as p from '../primitives/arithmetic.ts';
import { logAddExp } from '../primitives/logAddExp.ts';
import { scalar } from '../primitives/pointwise.ts';
import * as s from '../primitives/special.ts';
import type { Tensor } from '../tensor.ts';
import { checkInteger } from './check.ts';
import { floatOperand, floatPair, type TensorLike } from './convert.ts';

const like = (value: number, x: Tensor): Tensor => scalar(value, x.dtype);
const log = p.elementary.log;

/* ---- logarithms that stay finite ---- */

/**
 * `log(sigmoid(x))`, without underflow.
 * @example logSigmoid(tensor([-1000, 0]))       // [-1000, -0.6931472]
 */
export function logSigmoid(x: TensorLike): Tensor {
  const t = floatOperand('logSigmoid', x);
  return p.neg(logAddExp(p.neg(t), like(0, t)));
}

/**
 * `log(1 - e ** -x)` for `x > 0`, without cancellation at either end; NaN below 0.
 * @example log1mExp(tensor([1e-10, 100]))       // [-23.02585, -3.783506e-44]
 */
export function log1mExp(x: TensorLike): Tensor {
  const t = floatOperand('log1mExp', x);
  const small = p.compare('lt', t, like(Math.LN2, t));
  const near = log(p.neg(p.elementary.expm1(p.neg(p.select(small, t, like(Math.LN2, t))))));
  const far = p.elementary.log1p(p.neg(p.elementary.exp(p.neg(p.select(small, like(Math.LN2, t), t)))));
  return p.select(small, near, far);
}

/**
 * `log(x / (1 - x))`, the inverse of `sigmoid`: ±inf at the ends of `[0, 1]`, NaN beyond.
 * @example logit(tensor([0.5, 0.75]))           // [0, 1.098612]
 */
export function logit(x: TensorLike): Tensor {
  const t = floatOperand('logit', x);
  return p.sub(log(t), p.elementary.log1p(p.neg(t)));
}

/**
 * `x log(y)`, and 0 where `x` is 0.
 * @throws {ShapeError} if the shapes do not broadcast.
 * @example xlogy(tensor([0, 2]), 0)             // [0, -Infinity]
 */
export function xlogy(x: TensorLike, y: TensorLike): Tensor {
  return timesLog(...floatPair('xlogy', x, y));
}

function timesLog(x: Tensor, y: Tensor): Tensor {
  return p.mul(x, log(p.select(p.and(isZero(x), p.or(notAbove(y, 0), isInfinite(y))), like(1, y), y)));
}

/**
 * `x log(1 + y)`, and 0 where `x` is 0.
 * @throws {ShapeError} if the shapes do not broadcast.
 * @example xlog1py(tensor([0, 2]), tensor([-1, 0]))   // [0, 0]
 */
export function xlog1py(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = floatPair('xlog1py', x, y);
  const safe = p.select(p.and(isZero(a), p.or(notAbove(b, -1), isInfinite(b))), like(0, b), b);
  return p.mul(a, p.elementary.log1p(safe));
}

const isZero = (x: Tensor): Tensor => p.compare('eq', x, like(0, x));
const notAbove = (x: Tensor, bound: number): Tensor => p.compare('le', x, like(bound, x));
const isInfinite = (x: Tensor): Tensor => p.compare('eq', x, like(Infinity, x));

/** `-x log(x)`, the entropy's term: 0 at 0, -inf below. @example entr(tensor([0, 1]))   // [0, 0] */
export function entr(x: TensorLike): Tensor {
  const t = floatOperand('entr', x);
  const below = p.compare('lt', t, like(0, t));
  const safe = p.select(below, like(1, t), t);
  return p.select(below, like(-Infinity, t), p.neg(timesLog(safe, safe)));
}

/**
 * `x log(x / y)`, the relative entropy's term: 0 where `x` is 0 and `y >= 0`, inf outside of the domain.
 * @throws {ShapeError} if the shapes do not broadcast.
 * @example relEntr(tensor([0, 1]), tensor([1, 1]))    // [0, 0]
 */
export function relEntr(x: TensorLike, y: TensorLike): Tensor {
  return relativeEntropy(...floatPair('relEntr', x, y));
}

function relativeEntropy(x: Tensor, y: Tensor): Tensor {
  const positive = p.and(p.compare('lt', like(0, x), x), p.compare('lt', like(0, y), y));
  const known = p.or(p.compare('ne', x, x), p.compare('ne', y, y));
  const none = p.and(isZero(x), p.compare('le', like(0, y), y));
  const [a, b] = [p.select(positive, x, like(1, x)), p.select(positive, y, like(1, y))];
  const outside = p.select(none, like(0, x), p.select(known, p.add(x, y), like(Infinity, x)));
  return p.select(positive, p.mul(a, p.sub(log(a), log(b))), outside);
}

/**
 * `x log(x / y) - x + y`, the Kullback-Leibler divergence's term: never negative.
 * @throws {ShapeError} if the shapes do not broadcast.
 * @example klDiv(tensor([0, 1]), tensor([1, 1]))      // [1, 0]
 */
export function klDiv(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = floatPair('klDiv', x, y);
  const entropy = relativeEntropy(a, b);
  const infinite = isInfinite(entropy);
  return p.select(infinite, entropy, p.add(p.sub(entropy, p.select(infinite, like(0, a), a)), b));
}

/* ---- the gamma function and its relatives ---- */

/**
 * `log |Γ(x)|`: SciPy's `gammaln`. inf at 0 and the negative integers.
 * @example logGamma(tensor([1, 5]))              // [0, 3.178054]
 */
export function logGamma(x: TensorLike): Tensor {
  return s.logGamma(floatOperand('logGamma', x));
}

/**
 * `Γ(x)`, which is `(x - 1)!` at positive integers; NaN at negative ones, ±inf at ±0.
 * @example gamma(tensor([0.5, 5]))               // [1.772454, 24]
 */
export function gamma(x: TensorLike): Tensor {
  return gammaOf(floatOperand('gamma', x));
}

function gammaOf(t: Tensor): Tensor {
  const floor = p.elementary.floor(t);
  const below = p.compare('lt', t, like(0, t));
  const half = p.mul(floor, like(0.5, t));
  const odd = p.compare('ne', p.elementary.floor(half), half); // Γ is negative on (-1, 0), (-3, -2), …
  const size = p.elementary.exp(s.logGamma(t));
  const signed = p.select(p.and(below, odd), p.neg(size), size);
  const pole = p.and(below, p.compare('eq', t, floor));
  const value = p.select(pole, like(Number.NaN, t), signed);
  return p.select(isZero(t), p.div(like(1, t), p.select(isZero(t), t, like(1, t))), value);
}

/** `x!`, which is `Γ(x + 1)`. @example factorial(tensor([0, 5]))   // [1, 120] */
export function factorial(x: TensorLike): Tensor {
  const t = floatOperand('factorial', x);
  return gammaOf(p.add(t, like(1, t)));
}

/**
 * The derivative of {@link logGamma}; NaN at 0 and the negative integers.
 * @example digamma(tensor(1))                    // -0.5772157
 */
export function digamma(x: TensorLike): Tensor {
  return s.digamma(floatOperand('digamma', x));
}

/**
 * The derivative of {@link digamma} of order `n`, for `x > 0`; NaN below (but for `n` = 0).
 * @throws {OptionError} if `n` is no integer of at least 0.
 * @example polygamma(1, tensor(1))               // 1.644934
 */
export function polygamma(n: number, x: TensorLike): Tensor {
  checkInteger('polygamma', 'n', n, 0);
  const t = floatOperand('polygamma', x);
  if (n === 0) return s.digamma(t);
  let factorialN = 1;
  for (let i = 2; i <= n; i++) factorialN *= i;
  return p.mul(like(n % 2 === 1 ? factorialN : -factorialN, t), s.zeta(like(n + 1, t), t));
}

/**
 * Hurwitz' zeta function `Σ (q + k) ** -s` over k = 0, 1, …, for `s > 1` and `q > 0`; NaN outside. Its derivative by `s`
 * is NaN.
 * @throws {ShapeError} if the shapes do not broadcast.
 * @example zeta(tensor(2), 1)                    // 1.644934
 */
export function zeta(x: TensorLike, q: TensorLike): Tensor {
  return s.zeta(...floatPair('zeta', x, q));
}

/**
 * `log |B(x, y)|` of the {@link beta} function: SciPy's `betaln`.
 * @throws {ShapeError} if the shapes do not broadcast.
 * @example logBeta(tensor(2), 3)                 // -2.484907
 */
export function logBeta(x: TensorLike, y: TensorLike): Tensor {
  return logBetaOf(...floatPair('logBeta', x, y));
}

const logBetaOf = (x: Tensor, y: Tensor): Tensor =>
  p.sub(p.add(s.logGamma(x), s.logGamma(y)), s.logGamma(p.add(x, y)));

/**
 * The beta function `Γ(x) Γ(y) / Γ(x + y)`.
 * @throws {ShapeError} if the shapes do not broadcast.
 * @example beta(tensor(2), 3)                    // 0.083333
 */
export function beta(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = floatPair('beta', x, y);
  const size = p.elementary.exp(logBetaOf(a, b));
  const signOf = (t: Tensor): Tensor => p.elementary.sign(gammaOf(t));
  return p.mul(p.mul(signOf(a), p.mul(signOf(b), signOf(p.add(a, b)))), size);
}

/**
 * `log Γ_d(x)`, the multivariate gamma function's logarithm, for `x > (d - 1)/2`.
 * @throws {OptionError} if `d` is no integer of at least 1.
 * @example multiLogGamma(tensor(3), 2)           // 1.550195
 */
export function multiLogGamma(x: TensorLike, d: number): Tensor {
  checkInteger('multiLogGamma', 'd', d, 1);
  const t = floatOperand('multiLogGamma', x);
  const terms = Array.from({ length: d }, (_, j) => s.logGamma(p.sub(t, like(j / 2, t))));
  return p.add(terms.reduce(p.add), like((d * (d - 1) * Math.log(Math.PI)) / 4, t));
}

/* ---- Bessel functions ---- */

/** `I₀(x)`, the modified Bessel function. @example i0(tensor([0, 1]))   // [1, 1.266066] */
export function i0(x: TensorLike): Tensor {
  return bessel(floatOperand('i0', x), s.i0e, p.elementary.abs);
}

/** `e ** -|x| I₀(x)`, which does not overflow. @example i0e(tensor(100))   // 0.0399443 */
export function i0e(x: TensorLike): Tensor {
  return s.i0e(floatOperand('i0e', x));
}

/** `I₁(x)`, the modified Bessel function. @example i1(tensor([0, 1]))   // [0, 0.5651591] */
export function i1(x: TensorLike): Tensor {
  return bessel(floatOperand('i1', x), s.i1e, (t) => t);
}

/** The function from its scaled form; `limit` is its value at the infinities. */
function bessel(t: Tensor, scaled: typeof s.i0e, limit: (t: Tensor) => Tensor): Tensor {
  const infinite = isInfinite(p.elementary.abs(t));
  const safe = p.select(infinite, like(0, t), t);
  return p.select(infinite, limit(t), p.mul(p.elementary.exp(p.elementary.abs(safe)), scaled(safe)));
}

/** `e ** -|x| I₁(x)`, which does not overflow. @example i1e(tensor(100))   // 0.0397443 */
export function i1e(x: TensorLike): Tensor {
  return s.i1e(floatOperand('i1e', x));
}

/* ---- the normal distribution ---- */

/**
 * The standard normal distribution function: the probability of values below `x`.
 * @example ndtr(tensor([0, 1.96]))               // [0.5, 0.9750021]
 */
export function ndtr(x: TensorLike): Tensor {
  return normal(floatOperand('ndtr', x));
}

const normal = (t: Tensor): Tensor =>
  p.mul(like(0.5, t), p.elementary.erfc(p.mul(like(-Math.SQRT1_2, t), t)));

/**
 * The logarithm of {@link ndtr}, without underflow.
 * @example logNdtr(tensor([-30, 0]))             // [-454.3212, -0.6931472]
 */
export function logNdtr(x: TensorLike): Tensor {
  const t = floatOperand('logNdtr', x);
  const edge = t.dtype === 'float32' ? -10 : -20;
  const [low, high] = [p.compare('lt', t, like(edge, t)), p.compare('lt', like(0, t), t)];
  const middle = log(normal(p.select(p.or(low, high), like(0, t), t)));
  const above = p.elementary.log1p(p.neg(normal(p.neg(p.select(high, t, like(0, t))))));
  const far = p.select(low, t, like(edge, t));
  // log of the density over |x|, and the asymptotic series 1 - 1/x² + 3/x⁴ - 15/x⁶ …
  const z = p.div(like(1, t), p.mul(far, far));
  const series = p.mul(
    z,
    tailTerms.reduceRight((y, c) => p.add(p.mul(y, z), like(c, t)), like(0, t)),
  );
  const density = p.sub(p.mul(like(-0.5, t), p.mul(far, far)), like(0.5 * Math.log(2 * Math.PI), t));
  const below = p.add(p.sub(density, log(p.neg(far))), p.elementary.log1p(series));
  return p.select(low, below, p.select(high, above, middle));
}

/** `(-1)^k (2k - 1)!!` for k = 1, 2, … */
const tailTerms = Array.from({ length: 10 }, (_, i) => {
  let term = 1;
  for (let odd = 1; odd <= 2 * i + 1; odd += 2) term *= -odd;
  return term;
});

/**
 * The inverse of {@link ndtr}: the standard normal quantile; ±inf at the ends of `[0, 1]`, NaN beyond.
 * @example ndtri(tensor([0.5, 0.975]))           // [0, 1.959964]
 */
export function ndtri(x: TensorLike): Tensor {
  return s.ndtri(floatOperand('ndtri', x));
}
