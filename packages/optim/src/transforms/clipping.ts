import {
  astype,
  clip,
  divide,
  less,
  maximum,
  multiply,
  square,
  sum,
  type Tensor,
  where,
} from '@neumann/core';
import { checkOptions, checkValue, nonNegative, positive } from '../options.ts';
import { type GradientTransformation, type Scalar, stateless, statelessWithTreeMap } from '../protocol.ts';
import { beside, rmsOf, safeRoot, zipTrees } from '../trees.ts';

/**
 * Brings each element of the updates into `[-maxDelta, maxDelta]`. (optax calls this `clip`, which here is core's.)
 *
 * @example
 * clipByValue(1).update(tensor([-3, 0.5, 2]), null, null)[0]   // [-1, 0.5, 1]
 */
export function clipByValue(maxDelta: Scalar): GradientTransformation<null> {
  checkValue('clipByValue', 'maxDelta', maxDelta, positive);
  return statelessWithTreeMap('clipByValue', (u) => {
    const most = beside(u, maxDelta);
    return clip(u, { min: multiply(-1, most), max: most });
  });
}

/**
 * Shortens the update of each tensor whose root mean square is above `threshold` to that (Shazeer and Stern 2018,
 * https://arxiv.org/abs/1804.04235): `u = g / max(1, rms(g) / threshold)`.
 *
 * @example
 * clipByBlockRms(1).update(tensor([2, 2]), null, null)[0]   // [1, 1]
 */
export function clipByBlockRms(threshold: Scalar): GradientTransformation<null> {
  checkValue('clipByBlockRms', 'threshold', threshold, positive);
  return statelessWithTreeMap('clipByBlockRms', (u) =>
    divide(u, maximum(1, divide(rmsOf(u), beside(u, threshold)))),
  );
}

/**
 * Shortens the update of each unit to `clipping` times the norm of its weights, or of `eps` where that is greater (AGC;
 * Brock et al. 2021, https://arxiv.org/abs/2102.06171). The weights of a unit are those with one last coordinate; vectors
 * and scalars are one unit.
 *
 * @example
 * adaptiveGradClip(0.5).update(tensor([3, 4]), null, tensor([0, 2]))[0]   // [0.6, 0.8]
 */
export function adaptiveGradClip(
  clipping: Scalar,
  options: { readonly eps?: Scalar } = {},
): GradientTransformation<null> {
  const op = 'adaptiveGradClip';
  checkValue(op, 'clipping', clipping, positive);
  checkOptions(op, options, { eps: nonNegative });
  const { eps = 1e-3 } = options;
  return stateless((updates, params) =>
    zipTrees(op, { updates }, { params }, (u, p) => {
      const [its, own] = [unitNorm(u), astype(unitNorm(p), u.dtype)];
      const most = multiply(beside(u, clipping), maximum(own, beside(u, eps)));
      return multiply(u, where(less(its, most), 1, divide(most, maximum(its, 1e-6))));
    }),
  );
}

/** Norms over all axes but the last, or over all elements of vectors and scalars: to broadcast. */
function unitNorm(x: Tensor): Tensor {
  const axes = x.ndim < 2 ? x.shape.map((_, i) => i) : x.shape.map((_, i) => i).slice(0, -1);
  return safeRoot(sum(square(x), { axis: axes, keepdims: true }));
}
