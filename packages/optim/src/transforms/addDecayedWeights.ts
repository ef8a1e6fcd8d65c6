import { add, astype, multiply, type Tensor } from '@neumann/core';
import { chosen, type Mask } from '../masks.ts';
import { checkOptions, checkValue, finite, type Rule } from '../options.ts';
import { type GradientTransformation, type Scalar, stateless } from '../protocol.ts';
import { beside, zipTrees } from '../trees.ts';

/** Options of {@link addDecayedWeights}. */
export interface AddDecayedWeightsOptions {
  /** Which parameters decay; all by default. */
  readonly mask?: Mask;
}

/** Anything that {@link Mask} may be; its form is checked beside the parameters. */
export const maskRule: Rule = {
  allows: (x) => ['function', 'boolean', 'object'].includes(typeof x) && x !== null,
  range: 'a function of path and tensor, or a tree of booleans',
};

/**
 * Adds `weightDecay * params` to updates.
 *
 * Before an adaptive scaling or momentum this is L2 regularisation, after it decoupled weight decay (AdamW; Loshchilov and
 * Hutter 2019, https://arxiv.org/abs/1711.05101).
 *
 * @throws {TreeError} where the mask does not fit the updates.
 * @example
 * chain(scaleByAdam(), addDecayedWeights(1e-4), scaleByLearningRate(1e-3))
 * chain(scaleByAdam(), addDecayedWeights(1e-4, { mask: (_, w) => w.ndim > 1 }), scaleByLearningRate(1e-3))
 */
export function addDecayedWeights(
  weightDecay: Scalar,
  options: AddDecayedWeightsOptions = {},
): GradientTransformation<null> {
  const op = 'addDecayedWeights';
  checkValue(op, 'weightDecay', weightDecay, finite);
  checkOptions(op, options, { mask: maskRule });
  const { mask = true } = options;
  return stateless((updates, params) => {
    const decays = chosen(op, 'mask', mask, updates, 'boolean');
    let next = 0;
    return zipTrees(op, { updates }, { params }, (u: Tensor, p: Tensor) =>
      decays[next++] ? astype(add(u, multiply(beside(p, weightDecay), p)), u.dtype) : u,
    );
  });
}
