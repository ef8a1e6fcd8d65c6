/** What goes on while values are waited for. */
import { gpu } from '@neumann/backend-gpu';
import { add, jit, matmul, multiply, setBackend, type Tensor, tensor } from '@neumann/core';
import { expect, test } from 'vitest';
import { mode } from './mode.ts';
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

test('the page goes on while a long computation is waited for', async () => {
  setBackend(await gpu({ mode }));
  const size = 256;
  const x = tensor(
    Array.from({ length: size }, (_, i) => Array.from({ length: size }, (__, j) => +(i === j))),
  );
  const square = jit((y: Tensor) => multiply(matmul(y, y), 1));
  let turns = 0;
  for (let times = 16; turns < 10; times *= 2) {
    if (times > 4096) expect.fail(`the page had ${turns} turns during ${times / 2} products of matrices`);
    let y = x;
    for (let i = 0; i < times; i++) y = square(y);
    turns = await turnsUntil(y.data());
  }
  expect(turns).toBeGreaterThanOrEqual(10);
});

test('a program that never waits takes no more memory than it may', async () => {
  setBackend(await gpu({ mode, memoryMB: 4 })); // 64 values
  mostHeld();
  const before = held();
  const all = [tensor(new Float32Array(2 ** 14))];
  for (let i = 0; i < 500; i++) all.push(add(all[i] as Tensor, 1));
  for (const i of [500, 0, 499, 63, 64, 250]) {
    const values = await (all[i] as Tensor).data();
    expect(values.find((x) => x !== i)).toBeUndefined();
  }
  expect(mostHeld() - before).toBeLessThanOrEqual(120);
});
