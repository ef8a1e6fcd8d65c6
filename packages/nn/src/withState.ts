import type { Tensor } from '@neumann/core';
import type { Context, Layer } from './layer.ts';

/**
 * A layer without parameters that carries state from call to call.
 *
 * @param initial The state at first: a tree of tensors.
 * @param f The output and the next state.
 * @example
 * const counter = withState(zeros([]), (count, x) => [x, add(count, 1)]);
 * const { state } = counter.init(random.key(0), new ShapeDtype([1]));
 * counter.apply(null, state, ones([1]))[1].item()   // 1
 */
export function withState<S>(
  initial: S,
  f: (state: S, x: Tensor, context?: Context) => [Tensor, S],
): Layer<null, S> {
  return {
    init: () => ({ params: null, state: initial }),
    apply: (_, state, x, context) => f(state, x, context),
  };
}
