import {
  add,
  divide,
  equal,
  exp,
  expandDims,
  isNan,
  linspace,
  max,
  min,
  multiply,
  random,
  ravel,
  scan,
  square,
  stack,
  subtract,
  sum,
  type Tensor,
  where,
} from '@neumann/core';
import { checkOptions, keyRule, knownInteger, knownPositive, required } from '../options.ts';
import { lanczos } from './lanczos.ts';
import { signs } from './probes.ts';
import { type Matvec, vectorSpace } from './vectors.ts';

/** Options of {@link spectralDensity}. */
export interface SpectralDensityOptions {
  /** Of the probes: see `random.key`. */
  readonly key: Tensor;
  /** Products for each probe: see {@link lanczos}. */
  readonly steps: number;
  /** Random vectors to average over; 1. */
  readonly probes?: number;
  /** Points of the grid; 200. */
  readonly points?: number;
  /** The standard deviation of the Gaussian that stands for an eigenvalue, as part of the spectrum's width; 0.02. */
  readonly width?: number;
}

/** An estimated distribution of eigenvalues. */
export interface SpectralDensity {
  /** `[points]`, equidistant. */
  readonly grid: Tensor;
  /** `[points]`, the density there. Its integral is 1. */
  readonly density: Tensor;
  /** `[probes k]`, the Ritz values of all probes. NaN, with weight 0, where there are fewer. */
  readonly nodes: Tensor;
  /** `[probes k]`, their weights. Σ weight f(node) estimates the trace of f(A), divided by n. */
  readonly weights: Tensor;
}

/**
 * How the eigenvalues of a symmetric A are distributed, by stochastic Lanczos quadrature: for random z = ±1, zᵀf(A)z/n is
 * Σ wᵢ f(θᵢ) with the Ritz values θᵢ and their weights wᵢ, exactly for polynomials of degree below 2k; and its mean is the
 * trace of f(A)/n (Ubaru, Chen and Saad 2017; Ghorbani, Krishnan and Xiao 2019, https://arxiv.org/abs/1901.10159).
 *
 * @param matvec x ↦ A x, on trees like `like`.
 * @param like A tree, for its form and dtypes.
 * @throws {OptionError} for options that are unknown or out of range. {TreeError} {ShapeError} naming the leaf where A x has
 *   another form.
 * @example
 * const a = tensor([1, 1, 1, 5]);
 * const { nodes, weights } = spectralDensity((x: Tensor) => multiply(a, x), zeros([4]), { key: random.key(0), steps: 2 });
 * nodes     // [1.0000, 5.0000]
 * weights   // [0.7500, 0.2500]
 */
export function spectralDensity<T>(
  matvec: Matvec<T>,
  like: T,
  options: SpectralDensityOptions,
): SpectralDensity {
  const op = 'spectralDensity';
  checkOptions(op, options, {
    key: required(keyRule),
    steps: required(knownInteger(1)),
    probes: knownInteger(1),
    points: knownInteger(2),
    width: knownPositive,
  });
  const { key, steps, probes = 1, points = 200, width = 0.02 } = options;
  const { size, dtype, tree } = vectorSpace(op, 'like', like);
  const run = (_: null, probeKey: Tensor) => {
    const start = tree(signs(probeKey, size, dtype)) as T;
    return [null, lanczos(matvec, start, { steps })] as const;
  };
  const [, runs] = scan(run, null, stack(random.split(key, probes)));
  const nodes = ravel(runs.ritz);
  const weights = divide(ravel(runs.weights), probes);

  const missing = isNan(nodes);
  const [low, high] = [min(where(missing, Infinity, nodes)), max(where(missing, -Infinity, nodes))];
  const range = subtract(high, low);
  const sigma = multiply(width, where(equal(range, 0), 1, range));
  const margin = multiply(4, sigma);
  const grid = add(
    subtract(low, margin),
    multiply(add(range, multiply(2, margin)), linspace(0, 1, points, { dtype })),
  );
  const offsets = divide(subtract(expandDims(grid, 1), where(missing, low, nodes)), sigma); // [points, probes k]
  const bells = divide(exp(multiply(-0.5, square(offsets))), multiply(Math.sqrt(2 * Math.PI), sigma));
  return { grid, density: sum(multiply(bells, weights), { axis: 1 }), nodes, weights };
}
