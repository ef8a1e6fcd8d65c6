import type { GradientTransformation, TensorTree } from '../protocol.ts';
import { stateLike, tensorsOf } from '../trees.ts';
import { advance } from './advance.ts';
import { checkNeumannOptions, type NeumannOptions } from './options.ts';
import { type NeumannMemory, stateOf } from './state.ts';
import { undisplaced } from './step.ts';

/** The Neumann optimizer as a gradient transformation. */
export interface NeumannTransformation extends GradientTransformation<NeumannMemory> {
  /** The weights to evaluate, w - μ(t) m (Algorithm 2 line 13), from the displaced weights that training uses. */
  evalParams<P>(state: NeumannMemory, params: P): P;
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
 * const tx = neumann({ learningRate: 0.1, ...neumannEpochs({ examples: 60000, batch: 128 }) });
 * let state = tx.init(params);
 * for (const x of batches) {
 *   const [updates, next] = tx.update(grad(loss)(params, x), state, params);
 *   [params, state] = [applyUpdates(params, updates), next];
 * }
 * const error = evaluate(tx.evalParams(state, params));
 */
export function neumann(options: NeumannOptions): NeumannTransformation {
  checkNeumannOptions('neumann', options);
  return {
    init: (params) => {
      const { params: _, ...memory } = stateOf<TensorTree>(
        'neumann',
        stateLike(params, (x) => x),
        options,
      );
      return memory;
    },
    update: (updates, state, params) => {
      const next = advance('neumann', state, tensorsOf(params) as TensorTree, updates);
      return [next.updates as never, next.memory];
    },
    evalParams: (state, params) => undisplaced('neumann', state, params),
  };
}
