import { add, divide, equal, multiply, where } from '@neumann/core';
import { checkOptions, finite, nonNegative } from '../options.ts';
import { type GradientTransformation, type Scalar, stateless } from '../protocol.ts';
import { beside, globalNorm, zipTrees } from '../trees.ts';

/**
 * Gives updates the norm `scaleFactor`, over all leaves together: `u = scaleFactor g / (‖g‖ + eps)`.
 *
 * @example
 * normalizeByUpdateNorm({ eps: 0 }).update(tensor([3, 4]), null, null)[0]   // [0.6, 0.8]
 */
export function normalizeByUpdateNorm(
  options: { readonly scaleFactor?: Scalar; readonly eps?: Scalar } = {},
): GradientTransformation<null> {
  checkOptions('normalizeByUpdateNorm', options, { scaleFactor: finite, eps: nonNegative });
  const { scaleFactor = 1, eps = 1e-6 } = options;
  return stateless((updates) => {
    const norm = globalNorm(updates);
    const length = add(norm, beside(norm, eps));
    const isZero = equal(length, 0);
    const factor = where(isZero, 0, divide(beside(norm, scaleFactor), where(isZero, 1, length)));
    return zipTrees('normalizeByUpdateNorm', { updates }, {}, (u) => multiply(beside(u, factor), u));
  });
}
