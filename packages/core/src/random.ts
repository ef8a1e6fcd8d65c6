/**
 * Random numbers as functions of keys, with the bits of JAX: Threefry-2x32, each element from its own counter
 * (`jax_threefry_partitionable`, the default since JAX 0.5), the same on every backend that has uint32.
 *
 * A key gives the same numbers every time. Use each for one purpose, and make more with `split` or `foldIn`.
 */
export {
  bernoulli,
  bits,
  foldIn,
  key,
  normal,
  type RandintOptions,
  randint,
  type SampleOptions,
  split,
  truncatedNormal,
  type UniformOptions,
  uniform,
} from './random/base.ts';
export { type ChoiceOptions, categorical, choice, permutation } from './random/choices.ts';
export {
  cauchy,
  doubleSidedMaxwell,
  exponential,
  geometric,
  gumbel,
  laplace,
  logistic,
  lognormal,
  maxwell,
  pareto,
  rademacher,
  rayleigh,
  triangular,
  wald,
  weibullMin,
} from './random/continuous.ts';
export {
  beta,
  chisquare,
  dirichlet,
  f,
  gamma,
  generalizedNormal,
  logGamma,
  poisson,
  t,
} from './random/gammas.ts';
export { ball, type MultivariateNormalOptions, multivariateNormal, orthogonal } from './random/vectors.ts';
