import { OptionError } from '@neumann/core';
import type { Schedule } from '../protocol.ts';
import { joinSchedules } from './joinSchedules.ts';
import { type WarmupCosineDecayOptions, warmupCosineDecaySchedule } from './warmups.ts';

/**
 * Cosine decays with restarts, each with its own warm-up (SGDR; Loshchilov and Hutter 2017,
 * https://arxiv.org/abs/1608.03983): `decaySteps` of each is its length.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range, and without a cycle.
 * @example
 * const cycle = { initValue: 0.1, peakValue: 1, warmupSteps: 1, decaySteps: 10 };
 * sgdrSchedule([cycle, { ...cycle, decaySteps: 20 }])(tensor(11)).item()   // 1
 */
export function sgdrSchedule(cycles: readonly WarmupCosineDecayOptions[]): Schedule {
  if (!Array.isArray(cycles) || cycles.length === 0)
    throw new OptionError('sgdrSchedule: takes an array of at least one cycle.');
  const ends = cycles.map((_, i) => cycles.slice(0, i + 1).reduce((n, { decaySteps }) => n + decaySteps, 0));
  return joinSchedules(cycles.map(warmupCosineDecaySchedule), ends.slice(0, -1));
}
