import { add, divide, maximum, multiply, subtract } from '@neumann/core';
import { checkOptions, finite, knownInteger, nonNegative, required } from '../options.ts';
import type { Scalar, Schedule } from '../protocol.ts';
import { beside } from '../trees.ts';
import { schedule } from './schedule.ts';

/** Options of {@link inverseTimeDecay}. */
export interface InverseTimeDecayOptions {
  readonly initValue: Scalar;
  /** Unit of time, in steps; 1. */
  readonly transitionSteps?: number;
  /** 1. */
  readonly decayRate?: Scalar;
  /** Steps before the decay, at `initValue`; 0. */
  readonly transitionBegin?: number;
}

/**
 * `initValue / (1 + decayRate * steps / transitionSteps)`.
 *
 * @example
 * inverseTimeDecay({ initValue: 0.5 })(tensor(4)).item()   // 0.1
 */
export function inverseTimeDecay(options: InverseTimeDecayOptions): Schedule {
  checkOptions('inverseTimeDecay', options, {
    initValue: required(finite),
    transitionSteps: knownInteger(1),
    decayRate: nonNegative,
    transitionBegin: knownInteger(0),
  });
  const { initValue, transitionSteps = 1, decayRate = 1, transitionBegin = 0 } = options;
  return schedule((count) => {
    const time = divide(maximum(subtract(count, transitionBegin), 0), transitionSteps);
    return divide(beside(count, initValue), add(1, multiply(beside(count, decayRate), time)));
  });
}
