import { less, multiply, OptionError, type Tensor, where } from '@neumann/core';
import { checkOptions, finite, required } from '../options.ts';
import type { Scalar, Schedule } from '../protocol.ts';
import { scalarOf } from '../trees.ts';
import { schedule } from './schedule.ts';

/** Options of {@link piecewiseConstantSchedule}. */
export interface PiecewiseConstantScheduleOptions {
  readonly initValue: Scalar;
  /** Step to factor: from that step on the value is multiplied by the factor. */
  readonly boundariesAndScales?: Readonly<Record<number, number>>;
}

/**
 * Jumps: the value is multiplied by a factor at each of the given steps.
 *
 * @example
 * const rate = piecewiseConstantSchedule({ initValue: 1, boundariesAndScales: { 100: 0.1, 200: 0.1 } });
 * rate(tensor(150)).item()   // 0.1
 */
export function piecewiseConstantSchedule(options: PiecewiseConstantScheduleOptions): Schedule {
  checkOptions('piecewiseConstantSchedule', options, {
    initValue: required(finite),
    boundariesAndScales: { allows: (x) => typeof x === 'object', range: 'an object of steps and factors' },
  });
  const { initValue, boundariesAndScales = {} } = options;
  const jumps = Object.entries(boundariesAndScales).map(([step, factor]) => ({ step: Number(step), factor }));
  for (const { step, factor } of jumps)
    if (!(Number.isInteger(step) && step >= 0 && factor >= 0))
      throw new OptionError(
        `piecewiseConstantSchedule: boundariesAndScales has ${step}: ${factor}, but takes integer steps and ` +
          `factors of at least 0.`,
      );
  return schedule((count) =>
    jumps.reduce<Tensor>(
      (value, { step, factor }) => where(less(count, step), value, multiply(factor, value)),
      scalarOf(initValue, count.dtype),
    ),
  );
}
