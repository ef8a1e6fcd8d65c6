/** What runs in the browser: what goes on while values are waited for. */
import { type GpuMode, gpu } from '@neumann/backend-gpu';
import { add, jit, matmul, multiply, setBackend, type Tensor, tensor } from '@neumann/core';
import { held, mostHeld } from './spy.ts';

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
  'a program that never waits takes no more memory than it may': async (mode) => {
    setBackend(await gpu({ mode, memoryMB: 4 })); // 64 values
    mostHeld();
    const before = held();
    const all = [tensor(new Float32Array(2 ** 14))];
    for (let i = 0; i < 500; i++) all.push(add(all[i] as Tensor, 1));
    for (const i of [500, 0, 499, 63, 64, 250]) {
      const values = await (all[i] as Tensor).data();
      const wrong = values.findIndex((x) => x !== i);
      if (wrong >= 0) throw new Error(`element ${wrong} of tensor ${i} is ${values[wrong]}`);
    }
    const more = mostHeld() - before;
    if (more > 120) throw new Error(`${more} textures or buffers were held at a time`);
  },
};
