import { astype, maximum, multiply } from '@neumann/core';
import { type GradientTransformation, stateless } from '../protocol.ts';
import { zipTrees } from '../trees.ts';

/**
 * Changes updates that would make parameters negative so that these become 0. Parameters must not be negative already.
 *
 * @example
 * keepParamsNonnegative().update(tensor([-3, -1]), null, tensor([2, 2]))[0]   // [-2, -1]
 */
export function keepParamsNonnegative(): GradientTransformation<null> {
  return stateless((updates, params) =>
    zipTrees('keepParamsNonnegative', { updates }, { params }, (u, p) =>
      astype(maximum(u, multiply(-1, p)), u.dtype),
    ),
  );
}
