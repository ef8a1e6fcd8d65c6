import {
  checkOptions,
  finite,
  flag,
  knownInteger,
  knownPositive,
  type RulesOf,
  required,
} from '../options.ts';
import type { Scalar, Schedule } from '../protocol.ts';
import { cosineDecaySchedule } from './cosineDecaySchedule.ts';
import { exponentialDecay } from './exponentialDecay.ts';
import { joinSchedules } from './joinSchedules.ts';
import { linearSchedule } from './polynomialSchedule.ts';

/** Options of schedules that begin with a line up to `peakValue`. */
export interface WarmupOptions {
  /** The value at step 0. */
  readonly initValue: number;
  /** The value after the warm-up. */
  readonly peakValue: number;
  /** Steps of the line. */
  readonly warmupSteps: number;
}

/** Options of {@link warmupCosineDecaySchedule}. */
export interface WarmupCosineDecayOptions extends WarmupOptions {
  /** All steps, those of the warm-up included. */
  readonly decaySteps: number;
  /** The last value; 0. */
  readonly endValue?: number;
  /** Power of the cosine; 1. */
  readonly exponent?: Scalar;
}

/** Options of {@link warmupExponentialDecaySchedule}. */
export interface WarmupExponentialDecayOptions extends WarmupOptions {
  /** Steps in which the value is multiplied by `decayRate` once. */
  readonly transitionSteps: number;
  readonly decayRate: number;
  /** Steps at `peakValue` before the decay; 0. */
  readonly transitionBegin?: number;
  /** Whether the value changes in jumps; false. */
  readonly staircase?: boolean;
  /** Where the decay stops. */
  readonly endValue?: number;
}

const warmupRules: RulesOf<WarmupOptions> = {
  initValue: required(finite),
  peakValue: required(finite),
  warmupSteps: required(knownInteger(1)),
};

/**
 * A line up to `peakValue`, then half a cosine down to `endValue` at step `decaySteps` (Loshchilov and Hutter 2017,
 * https://arxiv.org/abs/1608.03983).
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * warmupCosineDecaySchedule({ initValue: 0, peakValue: 1, warmupSteps: 10, decaySteps: 110 })(tensor(60)).item()   // 0.5
 */
export function warmupCosineDecaySchedule(options: WarmupCosineDecayOptions): Schedule {
  const op = 'warmupCosineDecaySchedule';
  checkOptions(op, options, {
    ...warmupRules,
    peakValue: required(knownPositive),
    decaySteps: required(knownInteger((options?.warmupSteps ?? 0) + 1)),
    endValue: finite,
    exponent: finite,
  });
  const { peakValue, warmupSteps, decaySteps, endValue = 0, exponent = 1 } = options;
  const alpha = endValue / peakValue;
  const down = cosineDecaySchedule({
    initValue: peakValue,
    decaySteps: decaySteps - warmupSteps,
    alpha,
    exponent,
  });
  return joinSchedules([up(options), down], [warmupSteps]);
}

/**
 * A line up to `peakValue`, then {@link exponentialDecay}.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const rate = warmupExponentialDecaySchedule({
 *   initValue: 0, peakValue: 1, warmupSteps: 10, transitionSteps: 5, decayRate: 0.5,
 * });
 * rate(tensor(20)).item()   // 0.25
 */
export function warmupExponentialDecaySchedule(options: WarmupExponentialDecayOptions): Schedule {
  checkOptions('warmupExponentialDecaySchedule', options, {
    ...warmupRules,
    transitionSteps: required(knownInteger(1)),
    decayRate: required(knownPositive),
    transitionBegin: knownInteger(0),
    staircase: flag,
    endValue: finite,
  });
  const { initValue: _, peakValue, warmupSteps, ...rest } = options;
  return joinSchedules([up(options), exponentialDecay({ ...rest, initValue: peakValue })], [warmupSteps]);
}

const up = ({ initValue, peakValue, warmupSteps }: WarmupOptions): Schedule =>
  linearSchedule({ initValue, endValue: peakValue, transitionSteps: warmupSteps });
