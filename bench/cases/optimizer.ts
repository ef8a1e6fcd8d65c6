import { jit, ones } from '@neumann/core';
import { adam, applyUpdates, neumannInit, neumannStep, sgd } from '@neumann/optim';
import { alternate, table } from '../measure.ts';

/** One update of 4 million parameters in four tensors, jitted, the state donated: the paper claims Adam's cost. */
export function optimizer(): string {
  const make = () => ({
    a: ones([1024, 1024]),
    b: ones([1024, 1024]),
    c: ones([1024, 1024]),
    d: ones([1024, 1024]),
  });
  type Params = ReturnType<typeof make>;
  const grads = make();
  const transformed = [
    { name: 'sgd, momentum', tx: sgd({ learningRate: 1e-3, momentum: 0.9 }) },
    { name: 'adam', tx: adam({ learningRate: 1e-3 }) },
  ].map(({ name, tx }) => {
    let [params, memory] = [make(), tx.init(make()) as never];
    const step = jit(
      (p: Params, m: never, g: Params) => {
        const [updates, next] = tx.update(g, m, p);
        return [applyUpdates(p, updates), next] as const;
      },
      { donate: [0, 1] },
    );
    return {
      name,
      run: () => {
        [params, memory] = step(params, memory, grads) as unknown as [Params, never];
      },
    };
  });
  let state = neumannInit(make(), { learningRate: 1e-3, burnInSteps: 1, resetSteps: 1e6 });
  const neumann = jit((s: typeof state, g: Params) => neumannStep(s, g), { donate: [0] });
  const run = () => {
    state = neumann(state, grads);
  };
  return table('update of 4 M parameters', alternate([...transformed, { name: 'neumannStep', run }]));
}
