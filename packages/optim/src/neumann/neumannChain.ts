import { astype, equal, logicalOr, maximum, multiply, subtract, type Tensor, where } from '@neumann/core';
import { chain, type GradientTransformation } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import { type TraceState, trace } from '../transforms/trace.ts';
import { type FloatDType, zipTrees } from '../trees.ts';
import { type AnchorState, addAnchorRegularizer } from './addAnchorRegularizer.ts';
import { checkNeumannOptions, type NeumannOptions } from './options.ts';
import { neumannPhase } from './phase.ts';
import { hyperOf, settingsOf } from './state.ts';
import { warnOfRepulsion } from './warn.ts';

type NeumannChainState = readonly [AnchorState, ScaleByScheduleState, TraceState];

/** {@link neumannChain}: a chain that also knows the weights to evaluate. */
export interface NeumannChain extends GradientTransformation<NeumannChainState> {
  /** The weights to evaluate, w - μ(t) m (Algorithm 2 line 13), from the displaced weights that training uses. */
  evalParams<P>(this: void, state: NeumannChainState, params: P): P;
}

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
 * {@link neumannStep}, which is one pass over the weights; this form is for changing a part.
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
export function neumannChain(options: NeumannOptions): NeumannChain {
  checkNeumannOptions('neumannChain', options);
  warnOfRepulsion('neumannChain', options);
  const settings = settingsOf(options);
  const phaseAt = (count: Tensor, dtype: FloatDType) =>
    neumannPhase({ count: astype(count, 'int32'), hyper: hyperOf(options, dtype), settings });
  const { alpha, beta, betaPerVariable, betaCount, gamma, norm, eps, burnInSteps, burnInAnchor } = options;
  const resets = settings.resetMode.value !== 'none' && settings.resetInterval.value !== 'never';
  const { resetMode } = options;
  const skips = resets && settings.resetMode.value === 'skip';
  const given = { alpha, beta, betaPerVariable, betaCount, gamma, norm, eps, burnInSteps, burnInAnchor };
  const parts = chain<NeumannChainState>(
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
      resetMode: skips ? 'skip' : 'step',
    }),
  );
  return {
    ...parts,
    evalParams: (state, params) => {
      const [{ count }, , { trace: momentum }] = state;
      return zipTrees('neumannChain', { params }, { momentum }, (w, m) => {
        const { mu, reset } = phaseAt(maximum(subtract(count, 1), 0), w.dtype as FloatDType);
        return subtract(w, multiply(skips ? where(reset, 0, mu) : mu, m));
      }) as typeof params;
    },
  };
}

/** Without the keys whose values are undefined. */
function defined<O extends object>(options: O): { [K in keyof O]: Exclude<O[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, x]) => x !== undefined)) as never;
}
