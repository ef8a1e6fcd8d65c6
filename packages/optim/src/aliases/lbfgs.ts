import type { LinesearchState } from '../linesearch/state.ts';
import { scaleByZoomLinesearch } from '../linesearch/zoom.ts';
import { checkOptions, nonNegative, scheduled } from '../options.ts';
import { chain, type GradientTransformation, type Scalar, type Schedule } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import {
  lbfgsRules,
  type ScaleByLbfgsOptions,
  type ScaleByLbfgsState,
  scaleByLbfgs,
} from '../transforms/scaleByLbfgs.ts';

/** Options of {@link lbfgs}. */
export interface LbfgsOptions extends ScaleByLbfgsOptions {
  /** A factor of the direction; 1. */
  readonly learningRate?: Scalar | Schedule;
  /** What finds the step along the direction: by default {@link scaleByZoomLinesearch}, from a guess of 1. */
  readonly linesearch?: GradientTransformation<LinesearchState>;
}

/**
 * L-BFGS (Liu and Nocedal 1989, https://doi.org/10.1007/BF01589116): Newton's method with an estimate H of the inverse
 * Hessian from the last 10 steps, `w = w - t H g`, and a line search for t. For deterministic losses; needs `extra.value`,
 * `extra.grad` and `extra.valueFn`. See {@link scaleByLbfgs}.
 *
 * @throws {OptionError} for options that are unknown or out of range, and without the extra arguments.
 * @example
 * const f = (w: Tensor) => sum(square(subtract(w, tensor([1, 2]))));
 * const tx = lbfgs();
 * let w: Tensor = zeros([2]);
 * let state = tx.init(w);
 * for (let i = 0; i < 3; i++) {
 *   const [value, g] = valueAndGrad(f)(w);
 *   const [updates, next] = tx.update(g, state, w, { value, grad: g, valueFn: f });
 *   [w, state] = [applyUpdates(w, updates), next];
 * }
 * add(w, 0)   // [1, 2]
 */
export function lbfgs(
  options: LbfgsOptions = {},
): GradientTransformation<readonly [ScaleByLbfgsState, ScaleByScheduleState, LinesearchState]> {
  checkOptions('lbfgs', options, {
    ...lbfgsRules,
    learningRate: scheduled(nonNegative),
    linesearch: {
      allows: (x) => typeof x === 'object' && x !== null && 'update' in x,
      range: 'a gradient transformation such as scaleByZoomLinesearch()',
    },
  });
  const { learningRate = 1, linesearch, ...rest } = options;
  const search = linesearch ?? scaleByZoomLinesearch({ maxLinesearchSteps: 20, initialGuessStrategy: 'one' });
  return chain(scaleByLbfgs(rest), scaleByLearningRate(learningRate), search);
}
