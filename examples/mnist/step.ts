import { jit, type Tensor, valueAndGrad } from '@neumann/core';
import { accuracy, crossEntropy } from '@neumann/nn';
import { type Params, predict } from './model.ts';
import type { Optimizer } from './optimizers.ts';

/** One step of training, compiled: the state before is given away to the state after. */
export function makeStep<S>(optimizer: Optimizer<S>) {
  return jit(
    (state: S, images: Tensor, labels: Tensor) => {
      const objective = (params: Params): [Tensor, Tensor] => {
        const logits = predict(params, images);
        return [crossEntropy(logits, labels), accuracy(logits, labels)];
      };
      const [[loss, correct], grads] = valueAndGrad(objective, { hasAux: true })(optimizer.params(state));
      return { state: optimizer.step(state, grads), loss, accuracy: correct };
    },
    { donate: [0] },
  );
}
