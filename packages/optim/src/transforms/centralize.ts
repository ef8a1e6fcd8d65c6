import { mean, subtract } from '@neumann/core';
import { type GradientTransformation, statelessWithTreeMap } from '../protocol.ts';

/**
 * Takes the mean from the update of each unit, the weights with one last coordinate; vectors and scalars stay as they are
 * (gradient centralisation; Yong et al. 2020, https://arxiv.org/abs/2004.01461).
 *
 * @example
 * centralize().update(tensor([[1, 2], [3, 6]]), null, null)[0]   // [[-1, -2], [1, 2]]
 */
export function centralize(): GradientTransformation<null> {
  return statelessWithTreeMap('centralize', (u) => {
    if (u.ndim < 2) return u;
    const axis = u.shape.map((_, i) => i).slice(0, -1);
    return subtract(u, mean(u, { axis, keepdims: true }));
  });
}
