import { belowOne, checkOptions, flag, nonNegative, positive, scheduled } from '../options.ts';
import { chain, type GradientTransformation, identity, type Scalar, type Schedule } from '../protocol.ts';
import { clipByBlockRms } from '../transforms/clipping.ts';
import { type EmaState, ema } from '../transforms/ema.ts';
import { type ScaleByScheduleState, scale, scaleByLearningRate } from '../transforms/scale.ts';
import {
  factoredRules,
  type ScaleByFactoredRmsOptions,
  type ScaleByFactoredRmsState,
  scaleByFactoredRms,
} from '../transforms/scaleByFactoredRms.ts';
import { scaleByParamBlockRms } from '../transforms/scaleByParamBlock.ts';
import { type DecayOptions, decay, decayRules } from './rate.ts';

/** Options of {@link adafactor}. */
export interface AdafactorOptions extends ScaleByFactoredRmsOptions, DecayOptions {
  /** Without one, steps have the size of the parameters. */
  readonly learningRate?: Scalar | Schedule;
  /** The greatest root mean square of a tensor's update; 1. */
  readonly clippingThreshold?: Scalar;
  /** Decay of the average of updates; without it there is none, and no state for it. */
  readonly momentum?: Scalar;
  /** Whether steps are multiplied by the root mean square of their tensor; true. */
  readonly multiplyByParameterScale?: boolean;
}

/** State of {@link adafactor}. */
export type AdafactorState = readonly [
  ScaleByFactoredRmsState,
  null,
  ScaleByScheduleState | null,
  null,
  EmaState | null,
  null,
  null,
];

/**
 * Adafactor (Shazeer and Stern 2018, https://arxiv.org/abs/1804.04235): Adam without momentum whose average of squares is
 * remembered by rows and columns, so that its state is much smaller than the parameters:
 * `u = g/√(R C/mean(R))`, clipped by its root mean square, `w = w - η rms(w) u`. See {@link scaleByFactoredRms}.
 *
 * @throws {OptionError} for options that are unknown or out of range.
 * @example
 * const tx = adafactor({ learningRate: 0.01 });
 */
export function adafactor(options: AdafactorOptions = {}): GradientTransformation<AdafactorState> {
  checkOptions('adafactor', options, {
    ...factoredRules,
    ...decayRules,
    learningRate: scheduled(nonNegative),
    clippingThreshold: positive,
    momentum: belowOne,
    multiplyByParameterScale: flag,
  });
  const { learningRate, clippingThreshold = 1, momentum, multiplyByParameterScale = true } = options;
  const { weightDecay = 0, mask, factored, decayRate, stepOffset, minDimSizeToFactor, eps } = options;
  const given = Object.entries({ factored, decayRate, stepOffset, minDimSizeToFactor, eps });
  return chain<AdafactorState>(
    scaleByFactoredRms(Object.fromEntries(given.filter(([, value]) => value !== undefined))),
    clipByBlockRms(clippingThreshold),
    learningRate === undefined ? identity() : scaleByLearningRate(learningRate, { flipSign: false }),
    multiplyByParameterScale ? scaleByParamBlockRms() : identity(),
    momentum === undefined ? identity() : ema({ decay: momentum, debias: false }),
    decay(weightDecay, mask),
    scale(-1),
  );
}
