import {
  add,
  astype,
  divide,
  equal,
  maximum,
  multiply,
  power,
  subtract,
  type Tensor,
  type Tensors,
  where,
  zeros,
} from '@neumann/core';
import { type DecayOptions, decay, decayRules } from '../aliases/rate.ts';
import {
  checkOptions,
  checkState,
  fraction,
  nonNegative,
  type RulesOf,
  required,
  scheduled,
} from '../options.ts';
import {
  chain,
  type GradientTransformation,
  type Scalar,
  type Schedule,
  type TensorTree,
} from '../protocol.ts';
import { scaleByLearningRate } from '../transforms/scale.ts';
import {
  type MomentOptions,
  momentRules,
  type ScaleByAdamState,
  scaleByAdam,
} from '../transforms/scaleByAdam.ts';
import { beside, copyOf, countFor, floatDType, leavesOf, zipTrees } from '../trees.ts';

/** Options of {@link scheduleFree}. */
export interface ScheduleFreeOptions {
  /** That of the wrapped optimizer, by which steps are weighted. */
  readonly learningRate: Scalar | Schedule;
  /** β, how far gradients are taken from z towards x; 0.9. */
  readonly b1?: Scalar;
  /** p: a step of rate η counts η^p; 2. */
  readonly weightLrPower?: Scalar;
}

/** State of {@link scheduleFree}. */
export interface ScheduleFreeState<S> {
  /** `i32[]`, updates made. */
  readonly count: Tensor;
  /** The sum of weights. */
  readonly weightSum: Tensor;
  /** The greatest learning rate so far. */
  readonly maxRate: Tensor;
  /** z, what the wrapped optimizer moves. */
  readonly z: TensorTree;
  readonly baseState: S;
}

/** {@link scheduleFree}: a transformation that also has averaged parameters. */
export interface ScheduleFreeTransformation<S> extends GradientTransformation<ScheduleFreeState<S>> {
  /** x, the parameters to evaluate, from y, those that training has. */
  evalParams<P>(this: void, state: ScheduleFreeState<S>, params: P): Tensors<P>;
}

/**
 * Averaging in place of a schedule (Defazio et al. 2024, https://arxiv.org/abs/2405.15682): the optimizer moves z; x is the
 * average of all z, each weighted by `w = (greatest η so far)^p`; gradients are taken at y between them, which training has
 * as its parameters:
 *
 *     z = z + step,   c = w / Σ w,   x = (1 - c) x + c z,   y = (1 - β) z + β x
 *
 * Evaluate `tx.evalParams(state, params)`, which is x. The wrapped optimizer must have no momentum of its own.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = scheduleFree(sgd({ learningRate: 0.5 }), { learningRate: 0.5 });
 * const w = tensor([1, 2]);
 * tx.evalParams(tx.init(w), w)   // [1, 2]
 */
export function scheduleFree<S>(
  base: GradientTransformation<S>,
  options: ScheduleFreeOptions,
): ScheduleFreeTransformation<S> {
  const op = 'scheduleFree';
  checkOptions(op, options, freeRules);
  const { learningRate, b1 = 0.9, weightLrPower = 2 } = options;
  /** x from y and z. */
  const averageOf = (y: Tensor, z: Tensor): Tensor =>
    divide(subtract(y, multiply(subtract(1, beside(z, b1)), z)), beside(z, b1));
  return {
    init: (params) => {
      const dtype = floatDType(leavesOf(params));
      return {
        count: zeros([], 'int32'),
        weightSum: zeros([], dtype),
        maxRate: zeros([], dtype),
        z: copyOf(op, params),
        baseState: base.init(params),
      };
    },
    update: (updates, state, params, extra) => {
      checkState('scheduleFree', state, ['baseState', 'count', 'weightSum', 'z']);
      const [steps, baseState] = base.update(updates, state.baseState, params, extra);
      const time = countFor(state.z, state.count);
      const rate = typeof learningRate === 'function' ? learningRate(time) : learningRate;
      const maxRate = maximum(state.maxRate, beside(state.maxRate, rate));
      const weight = power(maxRate, beside(maxRate, weightLrPower));
      const weightSum = add(state.weightSum, weight);
      const isZero = equal(weightSum, 0);
      const part = where(isZero, 0, divide(weight, where(isZero, 1, weightSum)));
      const z = zipTrees(op, { 'the state': state.z }, { steps }, (x, u) => add(x, astype(u, x.dtype)));
      const before = zipTrees(op, { 'the state': state.z }, { params }, (old, y) =>
        averageOf(astype(y, old.dtype), old),
      );
      const result = zipTrees(op, { updates }, { params, before, z }, (u, y, x, next) => {
        const average = add(x, multiply(beside(x, part), subtract(next, x)));
        const moved = add(next, multiply(beside(next, b1), subtract(average, next)));
        return astype(subtract(moved, astype(y, moved.dtype)), u.dtype);
      });
      return [result, { count: add(state.count, 1), weightSum, maxRate, z, baseState }];
    },
    evalParams: (state, params) =>
      zipTrees(op, { params }, { 'the state': state.z }, (y, z) =>
        astype(averageOf(astype(y, z.dtype), z), y.dtype),
      ),
  };
}

const aboveZero = {
  ...fraction,
  allows: (x: unknown) => x !== 0 && fraction.allows(x),
  range: 'a number above 0, to 1, or a scalar tensor',
};

const freeRules: RulesOf<ScheduleFreeOptions> = {
  learningRate: required(scheduled(nonNegative)),
  b1: aboveZero,
  weightLrPower: nonNegative,
};

/** Options of {@link scheduleFreeSgd}. */
export interface ScheduleFreeSgdOptions extends ScheduleFreeOptions, DecayOptions {}

/** Options of {@link scheduleFreeAdamw}. */
export interface ScheduleFreeAdamwOptions extends ScheduleFreeSgdOptions, Pick<MomentOptions, 'b2' | 'eps'> {}

/**
 * {@link scheduleFree} of gradient descent, with weight decay at y, 0 by default (Defazio et al. 2024,
 * https://arxiv.org/abs/2405.15682): `z = z - η (g + weightDecay y)`.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = scheduleFreeSgd({ learningRate: 1 });
 */
export function scheduleFreeSgd(
  options: ScheduleFreeSgdOptions,
): ScheduleFreeTransformation<readonly [null, { readonly count: Tensor }]> {
  checkOptions('scheduleFreeSgd', options, { ...freeRules, ...decayRules });
  const { weightDecay = 0, mask, ...rest } = options;
  return scheduleFree(chain(decay(weightDecay, mask), scaleByLearningRate(options.learningRate)), rest);
}

/**
 * {@link scheduleFree} of AdamW without its first average, with weight decay at y, 0 by default (Defazio et al. 2024,
 * https://arxiv.org/abs/2405.15682): `z = z - η (g/(√v̂ + eps) + weightDecay y)`.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = scheduleFreeAdamw({ learningRate: warmupConstantSchedule({ initValue: 0, peakValue: 0.0025, warmupSteps: 100 }) });
 */
export function scheduleFreeAdamw(
  options: ScheduleFreeAdamwOptions,
): ScheduleFreeTransformation<readonly [ScaleByAdamState, null, { readonly count: Tensor }]> {
  checkOptions('scheduleFreeAdamw', options, {
    ...freeRules,
    ...decayRules,
    b2: momentRules.b2,
    eps: momentRules.eps,
  });
  const { b2 = 0.999, eps = 1e-8, weightDecay = 0, mask, ...rest } = options;
  const direction = scaleByAdam({ b1: 0, b2, eps });
  return scheduleFree(
    chain(direction, decay(weightDecay, mask), scaleByLearningRate(options.learningRate)),
    rest,
  );
}
