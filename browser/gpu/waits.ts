/** What runs in the browser: what goes on while values are waited for. */
import { type GpuMode, gpu } from '@neumann/backend-gpu';
import { jit, matmul, multiply, setBackend, type Tensor, tensor } from '@neumann/core';

/** Turns of the page until the promise is settled. */
async function turnsUntil(promise: Promise<unknown>): Promise<number> {
  let isSettled = false;
  let turns = 0;
  const settled = promise.finally(() => {
    isSettled = true;
  });
  while (!isSettled) {
    await new Promise((resolve) => setTimeout(resolve));
    turns++;
  }
  await settled;
  return turns;
}

export const waits: Readonly<Record<string, (mode: GpuMode) => Promise<void>>> = {
  'the page goes on while a long computation is waited for': async (mode) => {
    setBackend(await gpu({ mode }));
    const size = 256;
    const x = tensor(
      Array.from({ length: size }, (_, i) => Array.from({ length: size }, (__, j) => +(i === j))),
    );
    const square = jit((y: Tensor) => multiply(matmul(y, y), 1));
    let turns = 0;
    for (let times = 16; turns < 10; times *= 2) {
      if (times > 4096)
        throw new Error(`the page had ${turns} turns during ${times / 2} products of matrices`);
      let y = x;
      for (let i = 0; i < times; i++) y = square(y);
      turns = await turnsUntil(y.data());
    }
  },
};
