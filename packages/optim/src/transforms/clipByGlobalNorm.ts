import { divide, maximum, multiply } from '@neumann/core';
import { checkValue, positive } from '../options.ts';
import { type GradientTransformation, type Scalar, stateless } from '../protocol.ts';
import { beside, globalNorm, zipTrees } from '../trees.ts';

/**
 * Shortens updates whose norm, over all leaves together, is above `maxNorm` to that norm (Pascanu et al. 2012,
 * https://arxiv.org/abs/1211.5063). A NaN anywhere makes all updates NaN.
 *
 * @example
 * chain(clipByGlobalNorm(1), sgd({ learningRate: 0.1 }))
 */
export function clipByGlobalNorm(maxNorm: Scalar): GradientTransformation<null> {
  checkValue('clipByGlobalNorm', 'maxNorm', maxNorm, positive);
  return stateless((updates) => {
    const norm = globalNorm(updates);
    const most = beside(norm, maxNorm);
    const factor = divide(most, maximum(norm, most)); // exactly 1 for short updates
    return zipTrees('clipByGlobalNorm', { updates }, {}, (u) => multiply(u, beside(u, factor)));
  });
}
