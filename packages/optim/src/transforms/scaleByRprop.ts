import {
  astype,
  clip,
  equal,
  fullLike,
  greater,
  less,
  multiply,
  sign,
  type Tensor,
  where,
} from '@neumann/core';
import { belowOne, checkOptions, positive, type RulesOf, required } from '../options.ts';
import type { GradientTransformation, Scalar, TensorTree } from '../protocol.ts';
import { beside, scalarOf, stateLike, zerosOf, zipTrees } from '../trees.ts';

/** Options of {@link scaleByRprop}. */
export interface ScaleByRpropOptions {
  /** The first step of each parameter. */
  readonly learningRate: Scalar;
  /** What a step is multiplied by when the sign of the gradient changes; 0.5. */
  readonly etaMinus?: Scalar;
  /** What a step is multiplied by when it does not; 1.2. */
  readonly etaPlus?: Scalar;
  /** 1e-6. */
  readonly minStepSize?: Scalar;
  /** 50. */
  readonly maxStepSize?: Scalar;
}

/** State of {@link scaleByRprop}. */
export interface ScaleByRpropState {
  /** The step of each parameter. */
  readonly stepSizes: TensorTree;
  /** The last gradient, 0 where its sign had changed. */
  readonly previous: TensorTree;
}

const rpropRules: RulesOf<ScaleByRpropOptions> = {
  learningRate: required(positive),
  etaMinus: belowOne,
  etaPlus: positive,
  minStepSize: positive,
  maxStepSize: positive,
};

/**
 * A step of its own for each parameter, which grows while the sign of the gradient stays and shrinks when it changes; then
 * the parameter also waits for a step (Rprop; Riedmiller and Braun 1993, the variant iRprop⁻ of Igel and Hüsken 2000). For
 * full batches: it sees only signs.
 *
 *     s = clip(s (etaPlus if g g_previous > 0, etaMinus if < 0, else 1), minStepSize, maxStepSize)
 *     u = 0 if g g_previous < 0, else s sign(g)
 *
 * @example
 * const tx = chain(scaleByRprop({ learningRate: 0.01 }), scale(-1));
 */
export function scaleByRprop(options: ScaleByRpropOptions): GradientTransformation<ScaleByRpropState> {
  const op = 'scaleByRprop';
  checkOptions(op, options, rpropRules);
  const { learningRate, etaMinus = 0.5, etaPlus = 1.2, minStepSize = 1e-6, maxStepSize = 50 } = options;
  const first = (x: Tensor): Tensor => fullLike(x, scalarOf(learningRate, x.dtype));
  return {
    init: (params) => ({ stepSizes: stateLike(op, params, first), previous: zerosOf(op, params) }),
    update: (updates, state) => {
      const agreement = zipTrees(op, { 'the state': state.previous }, { updates }, (before, u) =>
        multiply(sign(before), sign(astype(u, before.dtype))),
      );
      const stepSizes = zipTrees(op, { stepSizes: state.stepSizes }, { agreement }, (s, a) => {
        const factor = where(greater(a, 0), beside(s, etaPlus), beside(s, etaMinus));
        const changed = clip(multiply(s, factor), {
          min: beside(s, minStepSize),
          max: beside(s, maxStepSize),
        });
        return where(equal(a, 0), s, changed);
      });
      const previous = zipTrees(op, { previous: state.previous }, { updates, agreement }, (p, u, a) =>
        where(less(a, 0), 0, astype(u, p.dtype)),
      );
      const steps = zipTrees(op, { updates }, { previous, stepSizes }, (u, g, s) =>
        astype(multiply(s, sign(g)), u.dtype),
      );
      return [steps, { stepSizes, previous }];
    },
  };
}
