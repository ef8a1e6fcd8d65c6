import type { Tensors } from '@neumann/core';
import type { GradientTransformation, TensorTree } from '../protocol.ts';
import { tensorsOf } from '../trees.ts';
import { advance } from './advance.ts';
import { checkNeumannOptions, type NeumannOptions } from './options.ts';
import { checkMemory, type NeumannMemory, stateOf } from './state.ts';
import { undisplaced } from './step.ts';

/** The Neumann optimizer as a gradient transformation. */
export interface NeumannTransformation extends GradientTransformation<NeumannMemory> {
  /** The weights to evaluate, w - μ(t) m (Algorithm 2 line 13), from the displaced weights that training uses. */
  evalParams<P>(this: void, state: NeumannMemory, params: P): P;
}

/**
 * The Neumann optimizer (Krishnan, Xiao and Saurous 2017, https://arxiv.org/abs/1712.03298) as a gradient transformation:
 * the arithmetic of {@link neumannStep}, with the weights outside the state.
 *
 * Its updates already contain the learning rate. They assume that the weights are those it made: put transformations of
 * gradients (clipping, weight decay) before it in a `chain`, and none after it.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const loss = (w: Tensor) => sum(square(subtract(w, 3)));
 * const tx = neumann({ learningRate: 0.1, burnInSteps: 5, resetSteps: 10 });
 * let w: Tensor = zeros([2]);
 * let state = tx.init(w);
 * for (let i = 0; i < 100; i++) {
 *   const [updates, next] = tx.update(grad(loss)(w), state, w);
 *   [w, state] = [applyUpdates(w, updates), next];
 * }
 * tx.evalParams(state, w);   // [3, 3], nearly
 */
export function neumann(options: NeumannOptions): NeumannTransformation {
  checkNeumannOptions('neumann', options);
  return {
    init: (params) => {
      const { params: _, ...memory } = stateOf('neumann', params as TensorTree, options);
      return memory;
    },
    update: (updates, state, params) => {
      checkMemory('neumann', state);
      const next = advance('neumann', state, tensorsOf(params as TensorTree), updates);
      return [next.updates as Tensors<typeof updates>, next.memory]; // advance has checked that they have one form
    },
    evalParams: (state, params) => undisplaced('neumann', state, params),
  };
}
