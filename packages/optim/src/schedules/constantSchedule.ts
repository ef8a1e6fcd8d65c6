import { checkValue, finite } from '../options.ts';
import type { Scalar, Schedule } from '../protocol.ts';
import { schedule } from './schedule.ts';

/** The same value for ever. */
export function constantSchedule(value: Scalar): Schedule {
  checkValue('constantSchedule', 'value', value, finite);
  return schedule(() => value);
}
