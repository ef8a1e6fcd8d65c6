import {
  add,
  astype,
  equal,
  multiply,
  remainder,
  subtract,
  type Tensor,
  type Tensors,
  where,
  zeros,
} from '@neumann/core';
import { checkOptions, checkState, flag, fraction, knownInteger, required } from '../options.ts';
import type { GradientTransformation, Scalar, TensorTree } from '../protocol.ts';
import { beside, copyOf, selected, zipTrees } from '../trees.ts';

/** Options of {@link lookahead}. */
export interface LookaheadOptions {
  /** k, the fast steps between two slow ones. */
  readonly syncPeriod: number;
  /** α, how much of the way to the fast parameters the slow ones go. */
  readonly slowStepSize: Scalar;
  /** Whether the fast optimizer forgets its state at slow steps; false. */
  readonly resetState?: boolean;
}

/** State of {@link lookahead}. */
export interface LookaheadState<S> {
  /** `i32[]`, fast steps made. */
  readonly count: Tensor;
  /** The slow parameters: those to evaluate. */
  readonly slow: TensorTree;
  readonly fastState: S;
}

/** {@link lookahead}: a transformation that also has slow parameters. */
export interface LookaheadTransformation<S> extends GradientTransformation<LookaheadState<S>> {
  /** The slow parameters, in the form of `params`. */
  evalParams<P>(this: void, state: LookaheadState<S>, params: P): Tensors<P>;
}

/**
 * Lookahead (Zhang et al. 2019, https://arxiv.org/abs/1907.08610): an optimizer makes k fast steps; then slow parameters go
 * a part α of the way to the fast ones, `s = s + α (w - s)`, and the fast ones start again from there, `w = s`.
 *
 * With plain gradient descent on a frozen batch inside, this is Algorithm 1 of the Neumann paper.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = lookahead(adam({ learningRate: 1e-3 }), { syncPeriod: 6, slowStepSize: 0.5 });
 */
export function lookahead<S>(
  fast: GradientTransformation<S>,
  options: LookaheadOptions,
): LookaheadTransformation<S> {
  const op = 'lookahead';
  checkOptions(op, options, {
    syncPeriod: required(knownInteger(1)),
    slowStepSize: required(fraction),
    resetState: flag,
  });
  const { syncPeriod, slowStepSize, resetState = false } = options;
  return {
    init: (params) => ({
      count: zeros([], 'int32'),
      slow: copyOf(op, params),
      fastState: fast.init(params),
    }),
    update: (updates, state, params, extra) => {
      checkState(op, state, ['count', 'slow', 'fastState']);
      const [steps, fastState] = fast.update(updates, state.fastState, params, extra);
      const count = add(state.count, 1);
      const isDue = equal(remainder(count, syncPeriod), 0);
      const slow = zipTrees(op, { 'the state': state.slow }, { params, steps }, (s, p, u) => {
        const ahead = add(astype(p, s.dtype), astype(u, s.dtype));
        return where(isDue, add(s, multiply(beside(s, slowStepSize), subtract(ahead, s))), s);
      });
      const result = zipTrees(op, { updates }, { steps, slow, params }, (u, step, s, p) =>
        where(isDue, astype(subtract(s, astype(p, s.dtype)), u.dtype), astype(step, u.dtype)),
      );
      const next = resetState ? selected(isDue, fast.init(params), fastState) : fastState;
      return [result, { count, slow, fastState: next }];
    },
    evalParams: (state, params) =>
      zipTrees(op, { params }, { 'the state': state.slow }, (p, s) => astype(s, p.dtype)),
  };
}
