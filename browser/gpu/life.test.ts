/** What a page holds: gpu.js when it is asked for, and after many steps no more than before. */

import { gpu } from '@neumann/backend-gpu';
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
import { expect, test } from 'vitest';
import { cdp } from 'vitest/browser';
import { mode } from './mode.ts';
import { held } from './spy.ts';

test('gpu.js is loaded when a backend is made', async () => {
  const scripts = (): string[] =>
    performance
      .getEntriesByType('resource')
      .map(({ name }) => name)
      .filter((name) => /gpu[._]+js/.test(name)); // of `deps/gpu__js.js`, but `src/gpujs.ts` is ours
  performance.setResourceTimingBufferSize(10_000);
  expect(scripts()).toEqual([]);
  await gpu({ mode });
  expect(scripts()).not.toEqual([]);
});

const gradient = valueAndGrad((w: Tensor) => sum(square(subtract(w, 1))));
/** A step of gradient descent: two kernels. */
const step = jit((w: Tensor) => {
  const [loss, g] = gradient(w);
  return [subtract(w, multiply(g, 0.01)), loss] as const;
});

/** Steps from zeros; `take` looks at the loss after every so many, as a program would, and returns the last. */
async function descent(elements: number, memoryMB: number) {
  setBackend(await gpu({ mode, memoryMB }));
  let w: Tensor = tensor(new Float32Array(elements));
  return async (count: number, looks: number): Promise<number> => {
    let last = NaN;
    for (let i = 1; i <= count; i++) {
      const [next, loss] = step(w);
      w = next;
      if (i % looks === 0) last = Number((await loss.data())[0]);
      if (i % 500 === 0) await turn(); // what the collector found is given back
    }
    return last;
  };
}

const turn = (milliseconds = 0): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });

/** Bytes of JavaScript, without what nothing refers to. */
async function usedHeap(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await session.send('HeapProfiler.collectGarbage');
    await turn(30);
  }
  const { usedSize } = (await session.send('Runtime.getHeapUsage')) as { readonly usedSize: number };
  return usedSize;
}

interface Session {
  send(method: string): Promise<unknown>;
}
const session = cdp() as unknown as Session;

test('textures, buffers and memory of JavaScript after 10,000 steps are what they were after 1,000', async () => {
  const take = await descent(4, 1024);
  await take(1000, 100);
  const before = { heap: await usedHeap(), held: held() };
  const loss = await take(9000, 100);
  const after = { heap: await usedHeap(), held: held() };
  expect(loss).toBeGreaterThanOrEqual(0);
  expect(loss).toBeLessThan(1e-6);
  // How much is kept to be used again depends on when garbage was collected: a leak of one in each step would be 9000.
  expect(after.held).toBeLessThanOrEqual(before.held + 900);
  expect(after.heap).toBeLessThanOrEqual(before.heap + 2 ** 20);
});

test('values of 64 KB leave the device where 4 MB are allowed, without the collector of JavaScript', async () => {
  const before = held();
  const take = await descent(2 ** 14, 4);
  await take(1000, 10);
  // 64 values, those of ten steps that nobody waits for, and as many to be used again.
  expect(held() - before).toBeLessThanOrEqual(200);
});
