import { add, astype, divide, equal, logicalOr, maximum, multiply, type Tensor, where } from '@neumann/core';
import { checkOptions, nonNegative, type RulesOf } from '../options.ts';
import { type GradientTransformation, type Scalar, stateless } from '../protocol.ts';
import { beside, normOf, zipTrees } from '../trees.ts';

/** Options of {@link scaleByTrustRatio}. */
export interface ScaleByTrustRatioOptions {
  /** Norms below this count as this; 0. */
  readonly minNorm?: Scalar;
  /** What the ratio is multiplied by; 1. */
  readonly trustCoefficient?: Scalar;
  /** Added to the norm of the update; 0. */
  readonly eps?: Scalar;
}

const trustRules: RulesOf<ScaleByTrustRatioOptions> = {
  minNorm: nonNegative,
  trustCoefficient: nonNegative,
  eps: nonNegative,
};

/**
 * Gives the update of each tensor the norm of the tensor (LARS and LAMB; You et al. 2017 and 2020,
 * https://arxiv.org/abs/1708.03888, https://arxiv.org/abs/1904.00962): `u = g * trustCoefficient ‖w‖ / (‖g‖ + eps)`. Where a
 * norm is 0, the update stays as it is.
 *
 * @example
 * const tx = chain(scaleByAdam(), scaleByTrustRatio(), scaleByLearningRate(1e-2));
 */
export function scaleByTrustRatio(options: ScaleByTrustRatioOptions = {}): GradientTransformation<null> {
  checkOptions('scaleByTrustRatio', options, trustRules);
  const { minNorm = 0, trustCoefficient = 1, eps = 0 } = options;
  const atLeast = (x: Tensor) => maximum(normOf(x), beside(x, minNorm));
  return stateless((updates, params) =>
    zipTrees('scaleByTrustRatio', { updates }, { params }, (u, p) => {
      const [mine, its] = [astype(atLeast(p), u.dtype), atLeast(u)];
      const isZero = logicalOr(equal(mine, 0), equal(its, 0));
      const ratio = divide(multiply(beside(u, trustCoefficient), mine), add(its, beside(u, eps)));
      return multiply(u, where(isZero, 1, ratio));
    }),
  );
}
