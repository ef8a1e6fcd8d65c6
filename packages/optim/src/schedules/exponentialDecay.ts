import { divide, floor, lessEqual, maximum, minimum, multiply, power, subtract, where } from '@neumann/core';
import { checkOptions, finite, flag, knownInteger, knownPositive, required } from '../options.ts';
import type { Scalar, Schedule } from '../protocol.ts';
import { beside } from '../trees.ts';
import { schedule } from './schedule.ts';

/** Options of {@link exponentialDecay}. */
export interface ExponentialDecayOptions {
  readonly initValue: Scalar;
  /** Steps in which the value is multiplied by `decayRate` once. */
  readonly transitionSteps: number;
  readonly decayRate: number;
  /** Steps before the decay, at `initValue`; 0. */
  readonly transitionBegin?: number;
  /** Whether the value changes in jumps, every `transitionSteps`, and not in every step. */
  readonly staircase?: boolean;
  /** Where the decay stops: the least value for rates below 1, otherwise the greatest. */
  readonly endValue?: Scalar;
}

/**
 * `initValue * decayRate^(steps / transitionSteps)`, with the quotient rounded down for a staircase.
 *
 * @example
 * // 0.045, times 0.94 every 2 epochs (Section 4.1 of the Neumann paper, asynchronous training)
 * const rate = exponentialDecay({
 *   initValue: 0.045, decayRate: 0.94, transitionSteps: epochs(2, { examples: 1281167, batch: 32 }), staircase: true,
 * });
 */
export function exponentialDecay(options: ExponentialDecayOptions): Schedule {
  checkOptions('exponentialDecay', options, {
    initValue: required(finite),
    transitionSteps: required(knownInteger(1)),
    decayRate: required(knownPositive),
    transitionBegin: knownInteger(0),
    staircase: flag,
    endValue: finite,
  });
  const { initValue, transitionSteps, decayRate, transitionBegin = 0, staircase = false, endValue } = options;
  return schedule((count) => {
    const steps = subtract(count, transitionBegin);
    const periods = divide(maximum(steps, 0), transitionSteps);
    const factor = power(decayRate, staircase ? floor(periods) : periods);
    const initial = beside(count, initValue);
    const value = where(lessEqual(steps, 0), initial, multiply(initial, factor));
    if (endValue === undefined) return value;
    return decayRate < 1 ? maximum(value, beside(count, endValue)) : minimum(value, beside(count, endValue));
  });
}
