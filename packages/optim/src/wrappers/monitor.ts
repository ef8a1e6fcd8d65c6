import { add, astype, type Tensor, type Tensors, treeMap, zeros, zerosLike } from '@neumann/core';
import { belowOne, checkValue, record } from '../options.ts';
import type { ExtraArgs, GradientTransformation, Scalar } from '../protocol.ts';
import { mixed } from '../transforms/mixed.ts';
import { debiased, weightSum } from '../transforms/weightSum.ts';
import { tensorsOf, zipTrees } from '../trees.ts';

/** What a measurement may see. */
export interface MeasureArgs {
  readonly updates: unknown;
  readonly params: unknown;
  readonly extra: ExtraArgs;
}

/** A tree of tensors computed from the updates that pass. */
export type Measure<M> = (args: MeasureArgs) => M;

/**
 * Remembers a measurement of the updates that pass, under a name that {@link tree.get} finds. Updates stay as they are.
 *
 * @example
 * const tx = chain(scaleByAdam(), snapshot('force', ({ updates }) => globalNorm(updates)), scaleByLearningRate(1e-3));
 * const w = tensor([1, 1]);
 * const [, state] = tx.update(tensor([3, 4]), tx.init(w), w);
 * state[1].force   // 1.41421
 */
export function snapshot<N extends string, M>(
  name: N,
  measure: Measure<M>,
): GradientTransformation<{ readonly [K in N]: Tensors<M> }> {
  return monitor<{ readonly [K in N]: M }>({ [name]: measure } as never);
}

/**
 * Remembers several measurements of the updates that pass, each under its name.
 *
 * The first state measures zeros in the form of the parameters, which gives it the structure of the others; `extra` is empty
 * then, so give measurements of it a default.
 *
 * @example
 * const tx = chain(
 *   monitor({ gradient: ({ updates }) => globalNorm(updates), weights: ({ params }) => globalNorm(params) }),
 *   sgd({ learningRate: 0.1 }),
 * );
 */
export function monitor<M extends object>(
  measures: {
    readonly [K in keyof M]: Measure<M[K]>;
  },
): GradientTransformation<{ readonly [K in keyof M]: Tensors<M[K]> }> {
  checkValue('monitor', 'measures', measures, record);
  const parts = Object.entries<Measure<unknown>>(measures);
  type State = { readonly [K in keyof M]: Tensors<M[K]> };
  const measured = (args: MeasureArgs): State =>
    Object.fromEntries(parts.map(([name, measure]) => [name, tensorsOf(measure(args))])) as State;
  return {
    init: (params) =>
      treeMap(
        (x) => zerosLike(x),
        measured({ updates: treeMap(zerosLike, params as object), params, extra: {} }),
      ) as State,
    update: (updates, _, params, extra = {}) => [
      zipTrees('monitor', { updates }, {}, (u) => u),
      measured({ updates, params, extra }),
    ],
  };
}

/** State of {@link monitorEma}. */
export interface MonitorEmaState<M> {
  /** `i32[]`, updates made. */
  readonly count: Tensor;
  /** The averages, corrected for starting at zero. */
  readonly averages: M;
  /** The averages before that correction. */
  readonly sums: M;
}

/**
 * {@link monitor} with exponential moving averages of the measurements.
 *
 * @param decay How much of an average remains in a step.
 * @throws {OptionError} unless `decay` is from 0 to below 1.
 * @example
 * const tx = chain(monitorEma({ gradient: ({ updates }) => globalNorm(updates) }, 0.99), sgd({ learningRate: 0.1 }));
 */
export function monitorEma<M extends object>(
  measures: { readonly [K in keyof M]: Measure<M[K]> },
  decay: Scalar,
): GradientTransformation<MonitorEmaState<{ readonly [K in keyof M]: Tensors<M[K]> }>> {
  checkValue('monitorEma', 'decay', decay, belowOne);
  const plain = monitor<M>(measures);
  return {
    init: (params) => {
      const first = plain.init(params);
      return { count: zeros([], 'int32'), averages: first, sums: first };
    },
    update: (updates, state, params, extra) => {
      const [same, now] = plain.update(updates, state.sums, params, extra);
      const count = add(state.count, 1);
      const sums = treeMap((a, x) => mixed(decay, a, astype(x, a.dtype)), state.sums, now);
      const averages = treeMap((a) => debiased(a, weightSum(decay, astype(count, a.dtype))), sums);
      return [same, { count, averages, sums } as typeof state];
    },
  };
}
