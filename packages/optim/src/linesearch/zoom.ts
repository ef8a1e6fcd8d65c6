import {
  abs,
  add,
  divide,
  greater,
  greaterEqual,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  minimum,
  multiply,
  OptionError,
  subtract,
  type Tensor,
  valueAndGrad,
  where,
  whileLoop,
  zeros,
} from '@neumann/core';
import {
  checkOptions,
  fraction,
  knownInteger,
  nonNegative,
  oneOf,
  positive,
  type RulesOf,
  required,
} from '../options.ts';
import type { GradientTransformation, Scalar, TensorTree } from '../protocol.ts';
import { vdot } from '../tree/arithmetic.ts';
import { beside, floatDType, leavesOf, scalarOf, selected, zerosOf, zipTrees } from '../trees.ts';
import { type LinesearchState, type Ray, rayOf } from './state.ts';

/** Options of {@link scaleByZoomLinesearch}. */
export interface ZoomOptions {
  /** The greatest number of points that are looked at. */
  readonly maxLinesearchSteps: number;
  /** The greatest step; 1e10. */
  readonly maxLearningRate?: Scalar;
  /** c₁: how much of the decrease that the slope promises is enough; 1e-4. */
  readonly slopeRtol?: Scalar;
  /** c₂: the slope must have fallen to this part of the first; 0.9. */
  readonly curvRtol?: Scalar;
  /** Where losses differ by less than this part of the loss, slopes decide (Hager and Zhang 2006); 1e-6. */
  readonly approxDecRtol?: Scalar;
  /** What a step is multiplied by while it is too short; 2. */
  readonly increaseFactor?: Scalar;
  /** The first guess: 1 (`'one'`), or the last step (`'keep'`, default). */
  readonly initialGuessStrategy?: 'one' | 'keep';
}

const rules: RulesOf<ZoomOptions> = {
  maxLinesearchSteps: required(knownInteger(1)),
  maxLearningRate: positive,
  slopeRtol: fraction,
  curvRtol: fraction,
  approxDecRtol: nonNegative,
  increaseFactor: positive,
  initialGuessStrategy: oneOf('one', 'keep'),
};

/** A point of the ray. */
interface Point {
  readonly t: Tensor;
  readonly value: Tensor;
  readonly slope: Tensor;
}

/** What the search remembers: see {@link scaleByZoomLinesearch}. */
interface Search {
  /** The point to look at next. */
  readonly t: Tensor;
  /** Points looked at. */
  readonly steps: Tensor;
  readonly isDone: Tensor;
  /** Whether a good step is known to be between `low` and `high`. */
  readonly isZoom: Tensor;
  /** The best point so far, which decreases the loss enough, or the start. */
  readonly low: Point;
  readonly high: Point;
  /** The gradient at `low`. */
  readonly grad: TensorTree;
}

/**
 * Multiplies updates by a step that makes the loss fall enough and its slope flat enough (the strong Wolfe conditions):
 *
 *     f(w + t u) ≤ f(w) + c₁ t ⟨u, g⟩,   |⟨u, ∇f(w + t u)⟩| ≤ c₂ |⟨u, g⟩|
 *
 * Steps grow until a good one is between two that are known, then the interval shrinks around it (Nocedal and Wright 2006,
 * Algorithms 3.5 and 3.6). If no point of `maxLinesearchSteps` is good, the best one with enough decrease is taken, and 0
 * if there is none. The updates must descend: put `scale(-1)` before. Needs `extra.value`, `extra.grad` and
 * `extra.valueFn`; the state has loss and gradient at the new point for {@link valueAndGradFromState}.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range, and without the extra arguments.
 * @example
 * const tx = chain(sgd({ learningRate: 1 }), scaleByZoomLinesearch({ maxLinesearchSteps: 20 }));
 */
export function scaleByZoomLinesearch(options: ZoomOptions): GradientTransformation<LinesearchState> {
  const op = 'scaleByZoomLinesearch';
  checkOptions(op, options, rules);
  const { initialGuessStrategy = 'keep' } = options;
  if (typeof options.increaseFactor === 'number' && options.increaseFactor <= 1)
    throw new OptionError(`${op}: increaseFactor must be above 1, but is ${options.increaseFactor}.`);
  return {
    init: (params) => {
      const dtype = floatDType(leavesOf(params));
      return {
        learningRate: scalarOf(1, dtype),
        value: scalarOf(Infinity, dtype),
        grad: zerosOf(op, params),
        steps: zeros([], 'int32'),
      };
    },
    update: (updates, state, params, extra) => {
      const ray = rayOf(op, params, updates, extra);
      // A step of 0, after a search that failed, is no guess.
      const kept = where(greater(state.learningRate, 0), state.learningRate, 1);
      const guess = initialGuessStrategy === 'one' ? scalarOf(1, ray.dtype) : kept;
      const gradient = zipTrees(op, { params }, { 'extra.grad': extra?.['grad'] }, (p, g) => beside(p, g));
      const found = searchOn(
        ray,
        guess,
        gradient,
        zipTrees(op, { params }, { updates }, (p, u) => beside(p, u)),
        options,
      );
      const step = found.low.t;
      const result = zipTrees(op, { updates }, {}, (u) => multiply(beside(u, step), u));
      const next = { learningRate: step, value: found.low.value, grad: found.grad, steps: found.steps };
      return [result, next];
    },
  };
}

function searchOn(
  ray: Ray,
  guess: Tensor,
  gradient: TensorTree,
  direction: TensorTree,
  options: ZoomOptions,
): Search {
  const { maxLinesearchSteps, maxLearningRate = 1e10, slopeRtol = 1e-4, curvRtol = 0.9 } = options;
  const { approxDecRtol = 1e-6, increaseFactor = 2 } = options;
  const scalar = (x: Scalar) => scalarOf(x, ray.dtype);
  const most = scalar(maxLearningRate);
  const start: Point = { t: scalar(0), value: ray.value, slope: ray.slope };
  const no = scalarOf(0, 'bool');

  const decreases = ({ t, value, slope }: Point): Tensor => {
    const isEnough = lessEqual(value, add(ray.value, multiply(multiply(scalar(slopeRtol), t), ray.slope)));
    const isLevel = lessEqual(value, add(ray.value, multiply(scalar(approxDecRtol), abs(ray.value))));
    const isFlatter = lessEqual(slope, multiply(subtract(multiply(2, scalar(slopeRtol)), 1), ray.slope));
    return logicalOr(isEnough, logicalAnd(isLevel, isFlatter));
  };
  const isFlat = ({ slope }: Point): Tensor =>
    lessEqual(abs(slope), multiply(scalar(curvRtol), abs(ray.slope)));

  const step = (s: Search): Search => {
    const [value, grad] = valueAndGrad(ray.valueFn as never)(ray.at(s.t)) as unknown as [Tensor, TensorTree];
    const here: Point = { t: s.t, value, slope: beside(value, vdot(direction, grad)) };
    const isWorse = logicalOr(logicalNot(decreases(here)), greaterEqual(value, s.low.value));
    const isTooFar = logicalAnd(
      isWorse,
      logicalOr(s.isZoom, logicalOr(greater(s.steps, 0), logicalNot(decreases(here)))),
    );
    const isBetter = logicalNot(isTooFar);
    const isDone = logicalAnd(
      isBetter,
      logicalOr(isFlat(here), logicalAnd(logicalNot(s.isZoom), greaterEqual(s.t, most))),
    );
    // The minimum is on the other side of `here`: between it and the old `low`.
    const width = subtract(s.high.t, s.low.t);
    const turns = where(s.isZoom, greaterEqual(multiply(here.slope, width), 0), greaterEqual(here.slope, 0));
    const high = selected(isTooFar, here, selected(turns, s.low, s.high));
    const low = selected(isBetter, here, s.low);
    const isZoom = logicalOr(s.isZoom, logicalOr(isTooFar, turns));
    const longer = minimum(multiply(scalar(increaseFactor), s.t), most);
    return {
      t: where(isZoom, between(low, high), longer),
      steps: add(s.steps, 1),
      isDone,
      isZoom,
      low,
      high,
      grad: selected(isBetter, grad, s.grad),
    };
  };
  const first: Search = {
    t: minimum(guess, most),
    steps: zeros([], 'int32'),
    isDone: no,
    isZoom: no,
    low: start,
    high: start,
    grad: gradient,
  };
  return whileLoop(
    (s) => logicalAnd(logicalNot(s.isDone), less(s.steps, maxLinesearchSteps)),
    (s) => step(s),
    first,
  );
}

/** The minimum of the parabola through two points with the slope of the first, or their middle if that is near an end. */
function between(low: Point, high: Point): Tensor {
  const width = subtract(high.t, low.t);
  const rise = subtract(subtract(high.value, low.value), multiply(low.slope, width));
  const isCurved = greater(rise, 0);
  const part = divide(multiply(-0.5, multiply(low.slope, width)), where(isCurved, rise, 1));
  const isInside = logicalAnd(isCurved, logicalAnd(greater(part, 0.1), less(part, 0.9)));
  return add(low.t, multiply(where(isInside, part, 0.5), width));
}
