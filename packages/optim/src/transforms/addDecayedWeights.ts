import { add, astype, multiply } from '@neumann/core';
import { checkValue, finite } from '../options.ts';
import { type GradientTransformation, type Scalar, stateless } from '../protocol.ts';
import { beside, zipTrees } from '../trees.ts';

/**
 * Adds `weightDecay * params` to updates.
 *
 * Before an adaptive scaling or momentum this is L2 regularisation, after it decoupled weight decay (AdamW).
 *
 * @example
 * chain(scaleByAdam(), addDecayedWeights(1e-4), scaleByLearningRate(1e-3))
 */
export function addDecayedWeights(weightDecay: Scalar): GradientTransformation<null> {
  checkValue('addDecayedWeights', 'weightDecay', weightDecay, finite);
  return stateless((updates, params) =>
    zipTrees('addDecayedWeights', { updates }, { params }, (u, p) =>
      astype(add(u, multiply(beside(p, weightDecay), p)), u.dtype),
    ),
  );
}
