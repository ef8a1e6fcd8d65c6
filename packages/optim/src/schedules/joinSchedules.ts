import { less, OptionError, subtract, type Tensor, where } from '@neumann/core';
import { checkValue } from '../options.ts';
import type { Schedule } from '../protocol.ts';
import { schedule } from './schedule.ts';

/**
 * Schedules one after the other. Each but the first counts from its own boundary.
 *
 * @param boundaries The steps at which the second, third, … schedule begins: ascending, one fewer than schedules.
 * @example
 * const up = linearSchedule({ initValue: 0, endValue: 0.1, transitionSteps: 100 });
 * const down = cosineDecaySchedule({ initValue: 0.1, decaySteps: 900 });
 * const rate = joinSchedules([up, down], [100]);
 */
export function joinSchedules(schedules: readonly Schedule[], boundaries: readonly number[]): Schedule {
  for (const [name, value] of Object.entries({ schedules, boundaries }))
    checkValue('joinSchedules', name, value, { allows: Array.isArray, range: 'an array' });
  const [first, ...others] = schedules;
  if (!first || others.length !== boundaries.length)
    throw new OptionError(
      `joinSchedules: ${schedules.length} schedules need ${Math.max(0, schedules.length - 1)} boundaries, ` +
        `but got ${boundaries.length}.`,
    );
  if (boundaries.some((b, i) => !Number.isInteger(b) || b <= (boundaries[i - 1] ?? -1)))
    throw new OptionError(
      `joinSchedules: boundaries are ascending steps, but are [${boundaries.join(', ')}].`,
    );
  return schedule((count) =>
    others.reduce<Tensor>((value, next, i) => {
      const boundary = boundaries[i] as number;
      return where(less(count, boundary), value, next(subtract(count, boundary)));
    }, first(count)),
  );
}
