/** What a step does, decided from the counters: burn-in, reset or update, with which η and μ. */
import {
  add,
  astype,
  equal,
  full,
  less,
  maximum,
  multiply,
  Static,
  subtract,
  type Tensor,
  where,
} from '@neumann/core';
import { neumannMomentum } from './momentum.ts';
import type { ResetInterval } from './options.ts';
import type { NeumannHyper, NeumannMemory } from './state.ts';

/** Scalars that describe one step. */
export interface NeumannPhase {
  /** `i32[]`, steps counted from 1 after the burn-in; 0 and below within it. */
  readonly t: Tensor;
  /** `bool[]`: plain gradient descent (line 2). */
  readonly burnIn: Tensor;
  /** `bool[]`: a reset (line 6). */
  readonly reset: Tensor;
  /** η(t). */
  readonly learningRate: Tensor;
  /** μ(t); 0 in the burn-in. */
  readonly mu: Tensor;
}

/** The counters of {@link NeumannMemory}. */
export type NeumannClock = Pick<
  NeumannMemory,
  'count' | 'interval' | 'nextReset' | 'lastReset' | 'hyper' | 'settings'
>;

/**
 * What the next step with this state will do; to log, or to plot schedules.
 *
 * @example
 * const state = neumannInit(zeros([2]), { learningRate: 0.1, burnInSteps: 5, resetSteps: 10 });
 * const { burnIn, learningRate } = neumannPhase(state);   // true, 0.1
 */
export function neumannPhase({ count, nextReset, lastReset, hyper, settings }: NeumannClock): NeumannPhase {
  const dtype = hyper.alpha.dtype;
  const t = subtract(count, subtract(hyper.burnInSteps, 1));
  const burnIn = less(t, 1);
  const resets = settings.resetMode.value !== 'none' && settings.resetInterval.value !== 'never';
  const reset = resets ? equal(t, nextReset) : full([], false);
  const sinceReset = settings.muRestart.value ? where(reset, 1, add(subtract(t, lastReset), 1)) : t;
  const { learningRate } = hyper;
  return {
    t,
    burnIn,
    reset,
    learningRate:
      learningRate instanceof Static ? astype(learningRate.value(astype(count, dtype)), dtype) : learningRate,
    // The formula of μ has a pole at t = -tau, which would reach derivatives through the branch not taken.
    mu: where(burnIn, 0, astype(momentumAt(hyper.mu, astype(maximum(sinceReset, 1), dtype)), dtype)),
  };
}

/** The counters after the step. */
export function tick(
  { count, interval, nextReset, lastReset, settings }: NeumannClock,
  { t, reset }: NeumannPhase,
): Pick<NeumannMemory, 'count' | 'interval' | 'nextReset' | 'lastReset'> {
  const after = afterReset[settings.resetInterval.value](t, interval);
  return {
    count: add(count, 1),
    interval: where(reset, after.interval, interval),
    nextReset: where(reset, add(t, after.steps), nextReset),
    lastReset: where(reset, t, lastReset),
  };
}

/** Steps from a reset at t to the next, and the interval from then on. `nextReset` starts at 1. */
const afterReset: Record<ResetInterval, (t: Tensor, k: Tensor) => { steps: Tensor; interval: Tensor }> = {
  // 1, 1+K, 1+3K, 1+7K, …
  doubleInterval: (_, k) => ({ steps: k, interval: multiply(k, 2) }),
  // 1, 1+K, 1+2K, 1+4K, …: K is kept at the first, and doubled at 1+K, after which 1+2K is next
  doubleModulo: (t, k) => ({ steps: k, interval: where(equal(t, 1), k, multiply(k, 2)) }),
  // 1, 1+K, 1+2K, 1+3K, …
  constant: (_, k) => ({ steps: k, interval: k }),
  never: (_, k) => ({ steps: k, interval: k }),
};

function momentumAt(mu: NeumannHyper['mu'], t: Tensor): Tensor {
  if (mu instanceof Static) return mu.value(t);
  if ('value' in mu) return mu.value;
  const { kind, tau, min, max } = mu;
  return neumannMomentum({ kind: kind.value, tau, min, max })(t);
}
