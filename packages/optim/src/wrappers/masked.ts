import { OptionError } from '@neumann/core';
import { chosen, keepLeaves, type Mask, putLeaves } from '../masks.ts';
import { checkValue, transformation } from '../options.ts';
import { chain, type GradientTransformation, setToZero } from '../protocol.ts';
import { maskRule } from '../transforms/addDecayedWeights.ts';

/**
 * Applies a transformation to some of the leaves; other updates stay as they are. The transformation sees trees with `null`
 * in place of the others, and so has no state for them.
 *
 * @throws {TreeError} where the mask does not fit the parameters.
 * @example
 * const matrices = (_: string, w: Tensor) => w.ndim > 1;
 * const tx = chain(masked(addDecayedWeights(1e-4), matrices), sgd({ learningRate: 0.1 }));
 */
export function masked<S>(inner: GradientTransformation<S>, mask: Mask): GradientTransformation<S> {
  checkValue('masked', 'inner', inner, transformation);
  checkValue('masked', 'mask', mask, maskRule);
  return {
    init: (params) => inner.init(keepLeaves(params, chosen('masked', 'mask', mask, params, 'boolean'))),
    update: (updates, state, params, extra) => {
      const keep = chosen('masked', 'mask', mask, updates, 'boolean');
      const own = params === null || params === undefined ? params : keepLeaves(params, keep);
      const [changed, next] = inner.update(keepLeaves(updates, keep), state, own, extra);
      return [putLeaves(updates, keep, changed) as never, next];
    },
  };
}

/**
 * Keeps parameters as they are: their updates become 0.
 *
 * @param mask Which parameters.
 * @throws {TreeError} where the mask does not fit the parameters.
 * @example
 * const tx = chain(adam({ learningRate: 1e-3 }), freeze((path) => path.startsWith('backbone')));
 */
export function freeze(mask: Mask): GradientTransformation<null> {
  return masked(setToZero(), mask);
}

/**
 * A transformation of the parameters that are not frozen, with no state for the frozen ones, whose updates become 0.
 *
 * @param freezeMask Which parameters are frozen.
 * @throws {TreeError} where the mask does not fit the parameters.
 * @example
 * const tx = selectiveTransform(adam({ learningRate: 1e-3 }), { w: false, b: true });
 */
export function selectiveTransform<S>(
  inner: GradientTransformation<S>,
  freezeMask: Mask,
): GradientTransformation<readonly [S, null]> {
  checkValue('selectiveTransform', 'freezeMask', freezeMask, maskRule);
  return chain(masked(inner, not(freezeMask)), masked(setToZero(), freezeMask));
}

function not(mask: Mask): Mask {
  if (typeof mask === 'function') return (path, leaf) => !mask(path, leaf);
  if (typeof mask === 'boolean') return !mask;
  if (Array.isArray(mask)) return mask.map((m: Mask) => not(m)) as Mask;
  if (typeof mask !== 'object' || mask === null)
    throw new OptionError(`selectiveTransform: a mask is made of true and false, but has ${String(mask)}.`);
  return Object.fromEntries(Object.entries(mask).map(([key, m]) => [key, not(m as Mask)])) as Mask;
}
