/** What runs in the browser: many steps, after which no more is held than before. */
import { type GpuMode, gpu } from '@neumann/backend-gpu';
import {
  jit,
  multiply,
  setBackend,
  square,
  subtract,
  sum,
  type Tensor,
  tensor,
  valueAndGrad,
} from '@neumann/core';

const gradient = valueAndGrad((w: Tensor) => sum(square(subtract(w, 1))));
/** A step of gradient descent: two kernels. */
const step = jit((w: Tensor) => {
  const [loss, g] = gradient(w);
  return [subtract(w, multiply(g, 0.01)), loss] as const;
});

let w: Tensor;

export async function startSteps(mode: GpuMode, elements: number, memoryMB: number): Promise<void> {
  setBackend(await gpu({ mode, memoryMB }));
  w = tensor(new Float32Array(elements));
}

/** Goes on with the steps, and looks at the loss after every so many, as a program would. Returns the last. */
export async function takeSteps(count: number, looks: number): Promise<number> {
  let last = NaN;
  for (let i = 1; i <= count; i++) {
    const [next, loss] = step(w);
    w = next;
    if (i % looks === 0) last = Number((await loss.data())[0]);
    if (i % 500 === 0) await new Promise((resolve) => setTimeout(resolve)); // what the collector found is given back
  }
  return last;
}
