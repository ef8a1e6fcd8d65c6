import { OptionError } from '@neumann/core';
import { checkOptions, knownInteger, knownPositive, type RulesOf, required } from '../options.ts';
import type { Schedule } from '../protocol.ts';
import { piecewiseInterpolateSchedule } from './piecewiseInterpolateSchedule.ts';

/** Options of {@link cosineOnecycleSchedule}. */
export interface OnecycleOptions {
  /** All steps. */
  readonly transitionSteps: number;
  /** The greatest value. */
  readonly peakValue: number;
  /** When that is reached, as a part of all steps; 0.3. */
  readonly pctStart?: number;
  /** The first value is `peakValue / divFactor`; 25. */
  readonly divFactor?: number;
  /** The last value is the first over this; 1e4. */
  readonly finalDivFactor?: number;
}

/** Options of {@link linearOnecycleSchedule}. */
export interface LinearOnecycleOptions extends OnecycleOptions {
  /** When the first value is reached again, as a part of all steps; 0.85. */
  readonly pctFinal?: number;
}

const part = {
  allows: (x: unknown) => typeof x === 'number' && x > 0 && x < 1,
  range: 'a number between 0 and 1',
};
const rules: RulesOf<OnecycleOptions> = {
  transitionSteps: required(knownInteger(2)),
  peakValue: required(knownPositive),
  pctStart: part,
  divFactor: knownPositive,
  finalDivFactor: knownPositive,
};

/**
 * Up to `peakValue` and down to nearly nothing by half cosines (1cycle; Smith and Topin 2018,
 * https://arxiv.org/abs/1708.07120).
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * cosineOnecycleSchedule({ transitionSteps: 100, peakValue: 1 })(tensor(30)).item()   // 1
 */
export function cosineOnecycleSchedule(options: OnecycleOptions): Schedule {
  checkOptions('cosineOnecycleSchedule', options, rules);
  const { transitionSteps, peakValue, pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4 } = options;
  return piecewiseInterpolateSchedule({
    interpolateType: 'cosine',
    initValue: peakValue / divFactor,
    boundariesAndScales: knots('cosineOnecycleSchedule', [
      [pctStart * transitionSteps, divFactor],
      [transitionSteps, 1 / (divFactor * finalDivFactor)],
    ]),
  });
}

/**
 * Up to `peakValue`, down to the first value, and down to nearly nothing, by lines (1cycle; Smith and Topin 2018,
 * https://arxiv.org/abs/1708.07120).
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * linearOnecycleSchedule({ transitionSteps: 100, peakValue: 1 })(tensor(85)).item()   // 0.04
 */
export function linearOnecycleSchedule(options: LinearOnecycleOptions): Schedule {
  checkOptions('linearOnecycleSchedule', options, { ...rules, pctFinal: part });
  const { transitionSteps, peakValue, pctStart = 0.3, pctFinal = 0.85 } = options;
  const { divFactor = 25, finalDivFactor = 1e4 } = options;
  return piecewiseInterpolateSchedule({
    interpolateType: 'linear',
    initValue: peakValue / divFactor,
    boundariesAndScales: knots('linearOnecycleSchedule', [
      [pctStart * transitionSteps, divFactor],
      [pctFinal * transitionSteps, 1 / divFactor],
      [transitionSteps, 1 / finalDivFactor],
    ]),
  });
}

/** Steps, rounded down, and the factors there. */
function knots(op: string, points: readonly (readonly [number, number])[]): Record<number, number> {
  const steps = points.map(([step]) => Math.floor(step));
  if (steps.some((step, i) => step <= (steps[i - 1] ?? 0)))
    throw new OptionError(
      `${op}: its phases end at steps ${steps.join(', ')}, which must ascend from 1; use more transitionSteps or other parts.`,
    );
  return Object.fromEntries(points.map(([, factor], i) => [steps[i], factor]));
}
