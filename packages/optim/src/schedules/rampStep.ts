import { add, divide, floor, less, multiply, power, where } from '@neumann/core';
import { checkOptions, finite, knownInteger, knownPositive, required } from '../options.ts';
import type { Scalar, Schedule } from '../protocol.ts';
import { beside } from '../trees.ts';
import { schedule } from './schedule.ts';

/** Options of {@link rampStep}. */
export interface RampStepOptions {
  /** The rate at the end of the ramp. */
  readonly value: Scalar;
  /** Steps of the ramp. */
  readonly ramp: number;
  /** What the rate is multiplied by; 0.3. */
  readonly factor?: number;
  /** After how many steps each time, counted from step 0. */
  readonly every: number;
}

/**
 * The learning rate of the Neumann paper (Section 4.1, https://arxiv.org/abs/1712.03298): up from `value / ramp` in
 * `ramp` equal steps (5 epochs), then `value`, times 0.3 every 40 epochs.
 *
 * @example
 * const data = { examples: 60000, batch: 128 };
 * const rate = rampStep({ value: 0.1, ramp: epochs(5, data), every: epochs(40, data) });
 */
export function rampStep(options: RampStepOptions): Schedule {
  checkOptions('rampStep', options, {
    value: required(finite),
    ramp: required(knownInteger(0)),
    factor: knownPositive,
    every: required(knownInteger(1)),
  });
  const { value, ramp, factor = 0.3, every } = options;
  return schedule((count) => {
    const full = beside(count, value);
    const steps = multiply(full, power(factor, floor(divide(count, every))));
    return ramp === 0 ? steps : where(less(count, ramp), divide(multiply(full, add(count, 1)), ramp), steps);
  });
}
