import { add, clip, divide, multiply, power, subtract } from '@neumann/core';
import { checkOptions, finite, knownInteger, required } from '../options.ts';
import type { Scalar, Schedule } from '../protocol.ts';
import { beside } from '../trees.ts';
import { schedule } from './schedule.ts';

/** Options of {@link linearSchedule}. */
export interface LinearScheduleOptions {
  readonly initValue: Scalar;
  readonly endValue: Scalar;
  /** Steps from the first value to the last. */
  readonly transitionSteps: number;
  /** Steps before that, at `initValue`; 0. */
  readonly transitionBegin?: number;
}

/** Options of {@link polynomialSchedule}. */
export interface PolynomialScheduleOptions extends LinearScheduleOptions {
  readonly power: Scalar;
}

const linearRules = {
  initValue: required(finite),
  endValue: required(finite),
  transitionSteps: required(knownInteger(1)),
  transitionBegin: knownInteger(0),
};

/**
 * `endValue + (initValue - endValue) (1 - s)^power`, where `s` goes from 0 to 1 during the transition.
 *
 * @example
 * polynomialSchedule({ initValue: 1, endValue: 0.01, power: 2, transitionSteps: 100 })(tensor(50)).item()   // 0.2575
 */
export function polynomialSchedule(options: PolynomialScheduleOptions): Schedule {
  checkOptions('polynomialSchedule', options, { ...linearRules, power: required(finite) });
  return interpolate(options, options.power);
}

/**
 * A straight line from `initValue` to `endValue`.
 *
 * @example
 * linearSchedule({ initValue: 0, endValue: 1, transitionSteps: 4 })(tensor(1)).item()   // 0.25
 */
export function linearSchedule(options: LinearScheduleOptions): Schedule {
  checkOptions('linearSchedule', options, linearRules);
  return interpolate(options, 1);
}

/**
 * A line from `initValue` up to `peakValue`, which is kept.
 *
 * @example
 * warmupConstantSchedule({ initValue: 0, peakValue: 0.1, warmupSteps: 100 })
 */
export function warmupConstantSchedule(options: {
  readonly initValue: Scalar;
  readonly peakValue: Scalar;
  readonly warmupSteps: number;
}): Schedule {
  checkOptions('warmupConstantSchedule', options, {
    initValue: required(finite),
    peakValue: required(finite),
    warmupSteps: required(knownInteger(1)),
  });
  const { initValue, peakValue, warmupSteps } = options;
  return interpolate({ initValue, endValue: peakValue, transitionSteps: warmupSteps }, 1);
}

function interpolate(
  { initValue, endValue, transitionSteps, transitionBegin = 0 }: LinearScheduleOptions,
  exponent: Scalar,
): Schedule {
  return schedule((count) => {
    const done = divide(
      clip(subtract(count, transitionBegin), { min: 0, max: transitionSteps }),
      transitionSteps,
    );
    const left = subtract(1, done);
    const weight = exponent === 1 ? left : power(left, beside(count, exponent));
    const end = beside(count, endValue);
    return add(multiply(subtract(beside(count, initValue), end), weight), end);
  });
}
