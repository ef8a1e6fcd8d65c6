import { add, multiply, OptionError, Tensor, zeros } from '@neumann/core';
import { isFloat } from '@neumann/core/extend';
import { checkOptions } from '../options.ts';
import type { ExtraArgs, GradientTransformation, Scalar, Schedule } from '../protocol.ts';
import { countFor, floatDType, leavesOf, scalarOf } from '../trees.ts';

/**
 * A hyperparameter with a state of its own: it may depend on the losses so far, or be learned.
 *
 * @example
 * const halvedOnRise: StatefulSchedule<{ best: Tensor; rate: Tensor }> = {
 *   init: () => ({ best: tensor(Infinity), rate: tensor(0.1) }),
 *   update: ({ best, rate }, { value }) => ({
 *     best: minimum(best, value as Tensor),
 *     rate: where(greater(value as Tensor, best), multiply(0.5, rate), rate),
 *   }),
 *   value: ({ rate }) => rate,
 * };
 */
export interface StatefulSchedule<S = unknown> {
  /** The state before the first step: a tree of tensors. */
  init(): S;
  /** The state that follows, from the extra arguments of the update: `value`, `grad`, … */
  update(state: S, extra: ExtraArgs): S;
  /** The hyperparameter in a state: a scalar. */
  value(state: S): Tensor;
}

/** State of {@link injectHyperparams}. */
export interface InjectHyperparamsState<S> {
  /** `i32[]`, updates made. */
  readonly count: Tensor;
  /** The hyperparameters of the last step, and of the next where they are numbers: another value here takes effect. */
  readonly hyperparams: Readonly<Record<string, Tensor>>;
  /** The states of those that have one. */
  readonly hyperparamsStates: Readonly<Record<string, unknown>>;
  readonly innerState: S;
}

/** What the options of an optimizer may be under {@link injectHyperparams}: a scalar may be a schedule, with or without state. */
export type Injected<O> = {
  readonly [K in keyof O]: Scalar extends O[K]
    ? O[K] | Schedule | StatefulSchedule<never> | StatefulSchedule
    : O[K];
};

/**
 * An optimizer whose numeric hyperparameters are in its state: they can be read (to log the rate), set without compiling
 * anew, batched over, and be schedules where the optimizer itself takes numbers only.
 *
 * Numbers, scalar tensors, schedules and {@link StatefulSchedule}s among the options become hyperparameters; other options,
 * and those named in `staticArgs`, are given as they are. The dtype is the widest float of the parameters. (optax has two
 * functions, `inject_hyperparams` and `inject_stateful_hyperparams`; this one is both.)
 *
 * @param factory From options to a transformation, such as `adam`.
 * @throws {OptionError} for names in `staticArgs` that are no options.
 * @example
 * const tx = injectHyperparams(adam)({ learningRate: 0.1, b1: linearSchedule({ initValue: 0.5, endValue: 0.9, transitionSteps: 100 }) });
 * const w = tensor([1, 2]);
 * const state = tx.init(w);
 * state.hyperparams['learningRate'].item()   // 0.1
 */
export function injectHyperparams<O extends object, S>(
  factory: (options: O) => GradientTransformation<S>,
  settings: { readonly staticArgs?: readonly Extract<keyof O, string>[] } = {},
): (options: Injected<O>) => GradientTransformation<InjectHyperparamsState<S>> {
  const op = 'injectHyperparams';
  checkOptions(op, settings, { staticArgs: { allows: Array.isArray, range: 'an array of names' } });
  const { staticArgs = [] } = settings;
  return (options) => {
    const given = Object.entries(options) as readonly (readonly [string, unknown])[];
    const odd = staticArgs.find((name) => !Object.hasOwn(options, name));
    if (odd !== undefined)
      throw new OptionError(
        `${op}: staticArgs has "${odd}", but the options are ${given.map(([n]) => n).join(', ')}.`,
      );
    const dynamic = given.filter(([name, x]) => !staticArgs.includes(name as never) && isHyperparameter(x));
    const made = (hyperparams: InjectHyperparamsState<S>['hyperparams']) =>
      factory({ ...options, ...hyperparams } as unknown as O);
    return {
      init: (params) => {
        const dtype = floatDType(leavesOf(params));
        const hyperparamsStates = Object.fromEntries(
          dynamic.flatMap(([name, x]) => (isStateful(x) ? [[name, x.init()]] : [])),
        );
        const hyperparams = Object.fromEntries(
          dynamic.map(([name, x]) => {
            if (isStateful(x)) return [name, scalarOf(x.value(hyperparamsStates[name]), dtype)];
            const first = typeof x === 'function' ? (x as Schedule)(zeros([], dtype)) : (x as Scalar);
            return [name, keepInteger(first, dtype)];
          }),
        );
        const innerState = made(hyperparams).init(params);
        return { count: zeros([], 'int32'), hyperparams, hyperparamsStates, innerState };
      },
      update: (updates, state, params, extra = {}) => {
        const count = countFor(updates, state.count);
        const hyperparamsStates = Object.fromEntries(
          dynamic.flatMap(([name, x]) =>
            isStateful(x) ? [[name, x.update(state.hyperparamsStates[name], extra)]] : [],
          ),
        );
        const hyperparams = Object.fromEntries(
          dynamic.map(([name, x]) => {
            const old = state.hyperparams[name] as Tensor;
            if (isStateful(x)) return [name, scalarOf(x.value(hyperparamsStates[name]), old.dtype)];
            return [name, typeof x === 'function' ? scalarOf((x as Schedule)(count), old.dtype) : old];
          }),
        );
        const [result, innerState] = made(hyperparams).update(updates, state.innerState, params, extra);
        return [result, { count: add(state.count, 1), hyperparams, hyperparamsStates, innerState }];
      },
    };
  };
}

const isStateful = (x: unknown): x is StatefulSchedule =>
  typeof x === 'object' && x !== null && 'init' in x && 'update' in x && 'value' in x;

/** Keys are data, not hyperparameters: a scalar is. */
const isHyperparameter = (x: unknown): boolean =>
  typeof x === 'number' || (x instanceof Tensor && x.ndim === 0) || isStateful(x) || isSchedule(x);

/** A schedule takes one argument, the count; functions of path and leaf (masks) take two. */
const isSchedule = (x: unknown): boolean => typeof x === 'function' && x.length === 1;

const keepInteger = (x: Scalar, dtype: 'float32' | 'float64'): Tensor =>
  x instanceof Tensor && !isFloat(x.dtype) ? add(x, 0) : multiply(scalarOf(x, dtype), 1); // copies, to be donated
