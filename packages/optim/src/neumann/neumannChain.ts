import { astype, equal, logicalOr, type Tensor } from '@neumann/core';
import { chain, type GradientTransformation } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import { type TraceState, trace } from '../transforms/trace.ts';
import type { FloatDType } from '../trees.ts';
import { type AnchorState, addAnchorRegularizer } from './addAnchorRegularizer.ts';
import { checkNeumannOptions, type NeumannOptions } from './options.ts';
import { neumannPhase } from './phase.ts';
import { hyperOf, settingsOf } from './state.ts';
import { warnOfRepulsion } from './warn.ts';

/**
 * The Neumann optimizer taken apart (Algorithm 2 of https://arxiv.org/abs/1712.03298):
 *
 *     chain(
 *       addAnchorRegularizer({ alpha, beta, gamma, … }),            lines 9 and 12
 *       scaleByLearningRate(learningRate),                          η inside the momentum
 *       trace({ decay: mu, nesterov: true, resetAt, resetMode }),   lines 7, 10 and 11
 *     )
 *
 * So it is Nesterov's method with a regulariser about the moving average of the weights, and restarts. It makes the steps of
 * {@link neumannStep}, which is one pass over the weights and knows the weights to evaluate; this form is for changing a part.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const loss = (w: Tensor) => sum(square(subtract(w, 3)));
 * const tx = neumannChain({ learningRate: 0.1, burnInSteps: 5, resetSteps: 10 });
 * let w: Tensor = zeros([2]);
 * let state = tx.init(w);
 * for (let i = 0; i < 100; i++) {
 *   const [updates, next] = tx.update(grad(loss)(w), state, w);
 *   [w, state] = [applyUpdates(w, updates), next];
 * }
 */
export function neumannChain(
  options: NeumannOptions,
): GradientTransformation<readonly [AnchorState, ScaleByScheduleState, TraceState]> {
  checkNeumannOptions('neumannChain', options);
  warnOfRepulsion('neumannChain', options);
  const settings = settingsOf(options);
  const phaseAt = (count: Tensor, dtype: FloatDType) =>
    neumannPhase({ count: astype(count, 'int32'), hyper: hyperOf(options, dtype), settings });
  const { alpha, beta, betaPerVariable, betaCount, gamma, norm, eps, burnInSteps, burnInAnchor } = options;
  const resets = settings.resetMode.value !== 'none' && settings.resetInterval.value !== 'never';
  const { resetMode } = options;
  const given = { alpha, beta, betaPerVariable, betaCount, gamma, norm, eps, burnInSteps, burnInAnchor };
  return chain<readonly [AnchorState, ScaleByScheduleState, TraceState]>(
    addAnchorRegularizer({
      ...defined(given),
      ...(resets && { resetAt: (count) => phaseAt(count, 'float32').reset }),
      ...(resetMode && resetMode !== 'none' && { resetMode }),
    }),
    scaleByLearningRate(options.learningRate),
    trace({
      decay: (count) => phaseAt(count, count.dtype as FloatDType).mu,
      nesterov: true,
      // With decay 0 the burn-in is gradient descent, but its last update is in the trace: Algorithm 2 starts with m = 0.
      resetAt: (count) => {
        const { t, reset } = phaseAt(count, 'float32');
        return logicalOr(equal(t, 1), reset);
      },
      resetMode: resets && (resetMode ?? 'skip') === 'skip' ? 'skip' : 'step',
    }),
  );
}

/** Without the keys whose values are undefined. */
function defined<O extends object>(options: O): { [K in keyof O]: Exclude<O[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, x]) => x !== undefined)) as never;
}
