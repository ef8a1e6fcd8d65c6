import { checkOptions, finite, flag, nonNegative, required, scheduled } from '../options.ts';
import { chain, type GradientTransformation, identity, type Scalar, type Schedule } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import { type TraceState, trace } from '../transforms/trace.ts';

/** Options of {@link sgd}. */
export interface SgdOptions {
  readonly learningRate: Scalar | Schedule;
  /** Decay of past gradients; without it there is no momentum, and no state for it. */
  readonly momentum?: Scalar;
  readonly nesterov?: boolean;
}

/**
 * Stochastic gradient descent, with momentum if asked: `chain(trace({ decay: momentum, nesterov }),
 * scaleByLearningRate(learningRate))`. The rate is applied after the momentum, as in optax and PyTorch.
 *
 * @example
 * const tx = sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true });
 */
export function sgd(
  options: SgdOptions,
): GradientTransformation<readonly [TraceState | null, ScaleByScheduleState]> {
  checkOptions('sgd', options, {
    learningRate: required(scheduled(nonNegative)),
    momentum: finite,
    nesterov: flag,
  });
  const { learningRate, momentum, nesterov = false } = options;
  return chain(momentumOf(momentum, nesterov), scaleByLearningRate(learningRate));
}

/** `trace`, or nothing where there is no momentum. */
export function momentumOf(
  momentum: Scalar | undefined,
  nesterov: boolean,
): GradientTransformation<TraceState | null> {
  return momentum === undefined ? identity() : trace({ decay: momentum, nesterov });
}
