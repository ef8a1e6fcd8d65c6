import { add, astype, multiply, type Tensor, where, zeros } from '@neumann/core';
import { checkOptions, finite, flag, oneOf, predicate, required, scheduled } from '../options.ts';
import type { GradientTransformation, Predicate, Scalar, Schedule, TensorTree } from '../protocol.ts';
import { beside, countFor, zerosOf, zipTrees } from '../trees.ts';

/** Options of {@link trace}. */
export interface TraceOptions {
  /** What remains of the sum in a step: a number, or a schedule. */
  readonly decay: Scalar | Schedule;
  /** Whether updates look one step ahead; false. */
  readonly nesterov?: boolean;
  /** In which steps the sum is forgotten before the update is added: a restart. */
  readonly resetAt?: Predicate;
  /** What such a step updates: `'step'` (default), as with an empty sum; `'skip'`, nothing. */
  readonly resetMode?: 'step' | 'skip';
}

/** State of {@link trace}. */
export interface TraceState {
  /** The decaying sum of past updates, in the form of the parameters. */
  readonly trace: TensorTree;
  /** `i32[]`, updates made; `null` if neither `decay` nor `resetAt` is a function of them. */
  readonly count: Tensor | null;
}

/**
 * Momentum: `trace = u + decay * trace`, and the update is `trace`, or `u + decay * trace` again with `nesterov`
 * (the displaced form of Nesterov's method: parameters are where the next gradient is wanted).
 *
 * @throws {OptionError} for options that are unknown or out of range.
 * @example
 * chain(scaleByLearningRate(0.1), trace({ decay: 0.9, nesterov: true }))
 * chain(scaleByLearningRate(0.1), trace({ decay: 0.9, resetAt: neumannResets({ resetSteps: 100 }) }))   // restarts
 */
export function trace(options: TraceOptions): GradientTransformation<TraceState> {
  checkOptions('trace', options, {
    decay: required(scheduled(finite)),
    nesterov: flag,
    resetAt: predicate,
    resetMode: oneOf('step', 'skip'),
  });
  const { decay, nesterov = false, resetAt, resetMode = 'step' } = options;
  const counts = typeof decay === 'function' || resetAt !== undefined;
  return {
    init: (params) => ({ trace: zerosOf('trace', params), count: counts ? zeros([], 'int32') : null }),
    update: (updates, state) => {
      const { count } = state;
      const rate = typeof decay === 'function' && count ? decay(countFor(state.trace, count)) : decay;
      return advance(updates, state, rate as Scalar, count && resetAt ? resetAt(count) : null);
    },
  };

  function advance<U>(updates: U, state: TraceState, rate: Scalar, reset: Tensor | null) {
    const decayed = (t: Tensor) => multiply(beside(t, rate), t);
    const next = zipTrees('trace', { trace: state.trace }, { updates }, (t, u) =>
      astype(add(u, reset ? where(reset, 0, decayed(t)) : decayed(t)), t.dtype),
    );
    const result = zipTrees('trace', { updates }, { trace: next }, (u, t) => {
      const ahead = nesterov ? add(u, decayed(t)) : t;
      return astype(reset && resetMode === 'skip' ? where(reset, 0, ahead) : ahead, u.dtype);
    });
    const count = state.count && add(state.count, 1);
    return [result, { trace: next, count }] as [typeof result, TraceState];
  }
}
