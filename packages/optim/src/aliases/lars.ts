import type { Mask } from '../masks.ts';
import { checkOptions, finite, flag, nonNegative } from '../options.ts';
import { chain, type GradientTransformation, type Scalar } from '../protocol.ts';
import { maskRule } from '../transforms/addDecayedWeights.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import { scaleByTrustRatio } from '../transforms/scaleByTrustRatio.ts';
import { type TraceState, trace } from '../transforms/trace.ts';
import { masked } from '../wrappers/masked.ts';
import { type DecayOptions, decay, decayRules, type RateOptions, rateRules } from './rate.ts';

/** Options of {@link lars}. */
export interface LarsOptions extends RateOptions, DecayOptions {
  /** What the ratio of norms is multiplied by; 1e-3. */
  readonly trustCoefficient?: Scalar;
  /** Added to the norm of gradients; 0. */
  readonly eps?: Scalar;
  /** Which parameters have their gradients scaled; all by default. */
  readonly trustRatioMask?: Mask;
  /** Decay of past updates; 0.9. */
  readonly momentum?: Scalar;
  /** Whether momentum looks ahead; false. */
  readonly nesterov?: boolean;
}

/**
 * LARS (You, Gitman and Ginsburg 2017, https://arxiv.org/abs/1708.03888): gradients, with weight decay (0 by default), given the
 * norm of their tensor, then the learning rate, then momentum:
 * `m = momentum m + η trustCoefficient ‖w‖/‖g + weightDecay w‖ (g + weightDecay w)`, `w = w - m`. For large batches;
 * the baseline of the Neumann paper's references 41 and 42.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const matrices = (_: string, w: Tensor) => w.ndim > 1;
 * const tx = lars({ learningRate: 1, weightDecay: 1e-4, mask: matrices, trustRatioMask: matrices });
 */
export function lars(
  options: LarsOptions,
): GradientTransformation<readonly [null, null, ScaleByScheduleState, TraceState]> {
  checkOptions('lars', options, {
    ...rateRules,
    ...decayRules,
    trustCoefficient: nonNegative,
    eps: nonNegative,
    trustRatioMask: maskRule,
    momentum: finite,
    nesterov: flag,
  });
  const { learningRate, weightDecay = 0, mask, trustRatioMask = true } = options;
  const { trustCoefficient = 1e-3, eps = 0, momentum = 0.9, nesterov = false } = options;
  return chain(
    decay(weightDecay, mask),
    masked(scaleByTrustRatio({ trustCoefficient, eps }), trustRatioMask),
    scaleByLearningRate(learningRate),
    trace({ decay: momentum, nesterov }),
  );
}
