import { add, multiply, negative, type Tensor, zeros } from '@neumann/core';
import { checkOptions, checkValue, finite, flag, nonNegative, scheduled } from '../options.ts';
import { type GradientTransformation, type Scalar, type Schedule, stateless } from '../protocol.ts';
import { beside, checkFloats, countFor, zipTrees } from '../trees.ts';

/**
 * Multiplies updates by a number.
 *
 * @example
 * scale(-0.5).update(tensor([2, 4]), null, null)[0]   // [-1, -2]
 */
export function scale(factor: Scalar): GradientTransformation<null> {
  checkValue('scale', 'factor', factor, finite);
  return stateless((updates) => zipTrees('scale', { updates }, {}, (u) => multiply(beside(u, factor), u)));
}

/** State of {@link scaleBySchedule}. */
export interface ScaleByScheduleState {
  /** `i32[]`, updates made. */
  readonly count: Tensor;
}

/**
 * Multiplies updates by the value of a schedule.
 *
 * @example
 * const tx = chain(scaleByAdam(), scaleBySchedule(linearSchedule({ initValue: -0.1, endValue: 0, transitionSteps: 100 })));
 */
export function scaleBySchedule(schedule: Schedule): GradientTransformation<ScaleByScheduleState> {
  checkValue('scaleBySchedule', 'schedule', schedule, {
    allows: (x) => typeof x === 'function',
    range: 'a schedule',
  });
  return scaleByCount('scaleBySchedule', schedule);
}

/**
 * Multiplies updates by `-learningRate`, so that adding them descends; by `learningRate` with `flipSign: false`.
 *
 * The state counts steps whether the rate is a schedule or not, so a saved state stays valid when one becomes the other.
 *
 * @example
 * const tx = chain(scaleByAdam(), scaleByLearningRate(cosineDecaySchedule({ initValue: 1e-3, decaySteps: 1000 })));
 */
export function scaleByLearningRate(
  learningRate: Scalar | Schedule,
  options: { readonly flipSign?: boolean } = {},
): GradientTransformation<ScaleByScheduleState> {
  checkValue('scaleByLearningRate', 'learningRate', learningRate, scheduled(nonNegative));
  checkOptions('scaleByLearningRate', options, { flipSign: flag });
  const { flipSign = true } = options;
  return scaleByCount('scaleByLearningRate', (count) => {
    const rate = typeof learningRate === 'function' ? learningRate(count) : learningRate;
    if (!flipSign) return rate;
    return typeof rate === 'number' ? -rate : negative(rate);
  });
}

function scaleByCount(
  op: string,
  factorAt: (count: Tensor) => Scalar,
): GradientTransformation<ScaleByScheduleState> {
  return {
    init: (params) => {
      checkFloats(op, params);
      return { count: zeros([], 'int32') };
    },
    update: (updates, { count }) => {
      const factor = factorAt(countFor(updates, count));
      const scaled = zipTrees(op, { updates }, {}, (u) => multiply(beside(u, factor), u));
      return [scaled, { count: add(count, 1) }];
    },
  };
}
