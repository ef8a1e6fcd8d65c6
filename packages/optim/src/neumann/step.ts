import { multiply, subtract, type Tensor, treeFlatten, treeUnflatten } from '@neumann/core';
import { beside, sameForm } from '../trees.ts';
import { advance } from './advance.ts';
import { checkMemory, type NeumannMemory, type NeumannState } from './state.ts';

/**
 * One step of the Neumann optimizer (Algorithm 2 of Krishnan, Xiao and Saurous 2017, https://arxiv.org/abs/1712.03298).
 *
 * Pure, and the same in structure, shapes and dtypes: `jit` it with the loss and `donate` the state, `vmap` it over seeds
 * or hyperparameters, differentiate through it. In the algorithm's terms, with w, v, m of the step before:
 *
 *     line 2   in the burn-in:  w = w - η g
 *     line 7   at a reset:      m = -η g, and nothing else                         (resetMode 'skip')
 *     line 9   otherwise:       d = g + (α r² - β/r²) (w - v)/r,  r = ‖w - v‖
 *     line 10                   m = μ m - η d
 *     line 11                   w = w + μ m - η d
 *     line 12                   v = w + γ (v - w)
 *
 * The state holds u = w - v instead of v, and ‖u‖², so that a step reads and writes as much memory as one of Adam.
 *
 * The gradient and the distance are those before the step, line 12 takes the new, displaced w, and the lost signs of lines
 * 10 and 11 are minus. With α = β = 0 and no resets this is gradient descent with Nesterov momentum.
 *
 * Weight decay belongs to the loss or its gradient. Clip gradients, if at all, before they come here, so that the
 * regulariser is not clipped. NaNs in gradients reach the weights.
 *
 * @param state From {@link neumannInit}, or the last step.
 * @param grads ∇f at `state.params` (the displaced weights), in their structure and shapes.
 * @throws {TreeError} {ShapeError} naming the leaf where `grads` has another form than the parameters.
 * @example
 * const loss = (w: Tensor) => sum(square(subtract(w, 3)));
 * const step = jit((s: NeumannState<Tensor>) => neumannStep(s, grad(loss)(s.params)), { donate: [0] });
 * let state = neumannInit(zeros([2]), { learningRate: 0.1, burnInSteps: 5, resetSteps: 10 });
 * for (let i = 0; i < 100; i++) state = step(state);
 * neumannEvalParams(state);   // [3, 3], nearly
 */
export function neumannStep<P>(state: NeumannState<P>, grads: unknown): NeumannState<P> {
  checkMemory('neumannStep', state);
  const { params, ...memory } = state;
  const next = advance('neumannStep', memory, params, grads);
  return { params: next.params, ...next.memory };
}

/**
 * The weights to evaluate: those of the state without their displacement, w - μ(t) m (Algorithm 2 line 13), which always
 * are w - η d of the last step. After a step of the burn-in, and after a reset that skips, they are the weights themselves.
 *
 * Statistics that a model gathered in training, such as those of batch normalisation, are those of displaced weights.
 */
export function neumannEvalParams<P>(state: NeumannState<P>): P {
  checkMemory('neumannEvalParams', state);
  return undisplaced('neumannEvalParams', state, state.params);
}

/** `params` without their displacement. */
export function undisplaced<P>(op: string, { momentum, displacement }: NeumannMemory<unknown>, params: P): P {
  const { leaves, structure } = treeFlatten(params);
  const ms = sameForm(op, 'params', params, 'momentum', momentum);
  const ws = leaves as Tensor[]; // weights that a step made
  return treeUnflatten<P>(
    structure,
    ws.map((w, i) => subtract(w, multiply(beside(w, displacement), ms[i] as Tensor))),
  );
}
