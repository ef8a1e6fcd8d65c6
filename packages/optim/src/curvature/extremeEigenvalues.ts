import { add, multiply, slice, subtract, type Tensor, take } from '@neumann/core';
import { checkOptions, flag, knownInteger, required } from '../options.ts';
import { beside, zipTrees } from '../trees.ts';
import { lanczos } from './lanczos.ts';
import type { Matvec } from './vectors.ts';

/** Options of {@link extremeEigenvalues}. */
export interface ExtremeEigenvaluesOptions {
  /** Products of one run of {@link lanczos}; the paper has 10. */
  readonly steps: number;
  /**
   * Whether λmin comes from a second run, on A - λmax I, as in the paper (true, the default), or from the same as λmax, at half
   * the cost. With full orthogonalisation, which this has, the shift changes nothing but rounding.
   */
  readonly shift?: boolean;
}

/** Both ends of a spectrum, estimated from within. */
export interface ExtremeEigenvalues {
  /** The least Ritz value: λmin or above. */
  readonly min: Tensor;
  /** The greatest Ritz value: λmax or below. */
  readonly max: Tensor;
  /** How far at most `min` is from an eigenvalue. */
  readonly minResidual: Tensor;
  /** How far at most `max` is from an eigenvalue. */
  readonly maxResidual: Tensor;
}

/**
 * The most negative and the most positive eigenvalue of a symmetric A, by the Lanczos algorithm (Appendix A of
 * https://arxiv.org/abs/1712.03298, where A is the Hessian of a mini-batch, and the two give μ and η: see {@link convexify}).
 *
 * Both are estimates from within. Where bounds are needed, add the residuals and some reserve.
 *
 * @param matvec x ↦ A x, on trees like `start`; with `hvp` the Hessian.
 * @param start Any vector but 0; usually a random one.
 * @throws {OptionError} for options that are unknown or out of range. {TreeError} {ShapeError} naming the leaf where A x has
 *   another form.
 * @example
 * const f = (w: Tensor) => sum(multiply(tensor([2, 0.5, -0.25]), square(w)));
 * const product = (v: Tensor) => hvp(f, [zeros([3])], v);
 * const { min, max } = extremeEigenvalues(product, ones([3]), { steps: 3 });
 * const { mu, eta } = convexify(min, max);   // min is -0.5, max 4
 */
export function extremeEigenvalues<T>(
  matvec: Matvec<T>,
  start: T,
  options: ExtremeEigenvaluesOptions,
): ExtremeEigenvalues {
  const op = 'extremeEigenvalues';
  checkOptions(op, options, { steps: required(knownInteger(1)), shift: flag });
  const { steps, shift = true } = options;
  const first = lanczos(matvec, start, { steps });
  const greatest = subtract(first.steps, 1);
  const top = take(first.ritz, greatest);
  const shifted: Matvec<T> = (x) =>
    zipTrees(op, { x }, { 'matvec(x)': matvec(x) }, (u, au) => subtract(au, multiply(beside(u, top), u)));
  const second = shift ? lanczos(shifted, start, { steps }) : first;
  const least = slice(second.ritz, [0]);
  return {
    min: shift ? add(least, top) : least,
    max: top,
    minResidual: slice(second.residuals, [0]),
    maxResidual: take(first.residuals, greatest),
  };
}
