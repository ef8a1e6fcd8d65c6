import { checkOptions, finite, flag, nonNegative, required, scheduled } from '../options.ts';
import { chain, type GradientTransformation, type Scalar, type Schedule } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import {
  rmsRules,
  type ScaleByRmsOptions,
  type ScaleByRmsState,
  type ScaleByStddevState,
  scaleByRms,
  scaleByStddev,
} from '../transforms/scaleByRms.ts';
import type { TraceState } from '../transforms/trace.ts';
import { momentumOf } from './sgd.ts';

/** Options of {@link rmsprop}. */
export interface RmspropOptions extends ScaleByRmsOptions {
  readonly learningRate: Scalar | Schedule;
  /** Decay of past updates; without it there is no momentum, and no state for it. */
  readonly momentum?: Scalar;
  readonly nesterov?: boolean;
  /** Whether to divide by the standard deviation and not the root of the mean square. */
  readonly centered?: boolean;
}

/**
 * RMSProp (Hinton 2012; Graves 2013 for `centered`): gradients over the root of their moving mean square, the learning rate,
 * then momentum, in this order: `v = decay v + (1 - decay) g²`, `w = w - η g/√(v + eps)`.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = rmsprop({ learningRate: 0.045, decay: 0.9, eps: 1, momentum: 0.9 });   // Inception-V3's
 */
export function rmsprop(
  options: RmspropOptions,
): GradientTransformation<
  readonly [ScaleByRmsState | ScaleByStddevState, ScaleByScheduleState, TraceState | null]
> {
  checkOptions('rmsprop', options, {
    learningRate: required(scheduled(nonNegative)),
    ...rmsRules,
    momentum: finite,
    nesterov: flag,
    centered: flag,
  });
  const { learningRate, momentum, nesterov = false, centered = false, ...rest } = options;
  return chain<readonly [ScaleByRmsState | ScaleByStddevState, ScaleByScheduleState, TraceState | null]>(
    centered ? scaleByStddev(rest) : scaleByRms(rest),
    scaleByLearningRate(learningRate),
    momentumOf(momentum, nesterov),
  );
}
