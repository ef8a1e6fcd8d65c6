import { sign } from '@neumann/core';
import { type GradientTransformation, statelessWithTreeMap } from '../protocol.ts';

/**
 * The sign of each element of the updates (signSGD; Bernstein et al. 2018, https://arxiv.org/abs/1802.04434).
 *
 * @example
 * scaleBySign().update(tensor([-3, 0, 2]), null, null)[0]   // [-1, 0, 1]
 */
export function scaleBySign(): GradientTransformation<null> {
  return statelessWithTreeMap('scaleBySign', (u) => sign(u));
}
