import { add, cos, minimum, multiply, power, subtract } from '@neumann/core';
import { checkOptions, finite, knownInteger, required } from '../options.ts';
import type { Scalar, Schedule } from '../protocol.ts';
import { beside } from '../trees.ts';
import { schedule } from './schedule.ts';

/** Options of {@link cosineDecaySchedule}. */
export interface CosineDecayScheduleOptions {
  readonly initValue: Scalar;
  readonly decaySteps: number;
  /** What is left at the end, as a multiple of `initValue`; 0. */
  readonly alpha?: Scalar;
  /** Power of the cosine; 1. */
  readonly exponent?: Scalar;
}

/**
 * Half a cosine from `initValue` to `alpha * initValue` (Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983).
 *
 * @example
 * cosineDecaySchedule({ initValue: 1, decaySteps: 100 })(tensor(50)).item()   // 0.5
 */
export function cosineDecaySchedule(options: CosineDecayScheduleOptions): Schedule {
  checkOptions('cosineDecaySchedule', options, {
    initValue: required(finite),
    decaySteps: required(knownInteger(1)),
    alpha: finite,
    exponent: finite,
  });
  const { initValue, decaySteps, alpha = 0, exponent = 1 } = options;
  return schedule((count) => {
    const wave = multiply(0.5, add(1, cos(multiply(minimum(count, decaySteps), Math.PI / decaySteps))));
    const decay = exponent === 1 ? wave : power(wave, beside(count, exponent));
    const rest = beside(count, alpha);
    return multiply(beside(count, initValue), add(multiply(subtract(1, rest), decay), rest));
  });
}
