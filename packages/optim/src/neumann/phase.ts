/** What a step does, decided from the counters: burn-in, reset or update, with which η and μ. */
import { add, astype, full, less, maximum, Static, subtract, type Tensor, where } from '@neumann/core';
import { checkState } from '../options.ts';
import { neumannMomentum } from './momentum.ts';
import { isReset, lastReset } from './resets.ts';
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

/** What of {@link NeumannMemory} decides it. */
export type NeumannClock = Pick<NeumannMemory, 'count' | 'hyper' | 'settings'>;

/**
 * What the next step with this state will do; to log, or to plot schedules.
 *
 * @example
 * const state = neumannInit(zeros([2]), { learningRate: 0.1, burnInSteps: 5, resetSteps: 10 });
 * const { burnIn, learningRate } = neumannPhase(state);   // true, 0.1
 */
export function neumannPhase(state: NeumannClock): NeumannPhase {
  checkState('neumannPhase', state, ['count', 'hyper', 'settings']);
  const { count, hyper, settings } = state;
  const { learningRate, resetSteps } = hyper;
  const dtype = hyper.alpha.dtype;
  const since = subtract(count, hyper.burnInSteps);
  const t = add(since, 1);
  const burnIn = less(t, 1);
  const interval = settings.resetInterval.value;
  const resets = settings.resetMode.value !== 'none' && interval !== 'never';
  const reset = resets ? isReset(since, resetSteps, interval) : full([], false);
  const restart = settings.muRestart.value && resets;
  const muTime = restart ? subtract(t, lastReset(since, resetSteps, interval)) : t;
  return {
    t,
    burnIn,
    reset,
    learningRate:
      learningRate instanceof Static ? astype(learningRate.value(astype(count, dtype)), dtype) : learningRate,
    // The formula of μ has a pole at t = -tau, which would reach derivatives through the branch not taken.
    mu: where(burnIn, 0, astype(momentumAt(hyper.mu, astype(maximum(muTime, 1), dtype)), dtype)),
  };
}

function momentumAt(mu: NeumannHyper['mu'], t: Tensor): Tensor {
  if (mu instanceof Static) return mu.value(t);
  if ('value' in mu) return mu.value;
  const { kind, tau, min, max } = mu;
  return neumannMomentum({ kind: kind.value, tau, min, max })(t);
}
