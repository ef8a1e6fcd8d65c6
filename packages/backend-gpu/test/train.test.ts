import {
  getBackend,
  multiply,
  reference,
  reshape,
  setBackend,
  type Tensor,
  tensor,
  treeLeaves,
  treeMap,
} from '@neumann/core';
import { afterAll, expect, test } from 'vitest';
import { gpu } from '../src/index.ts';
import { initial, noise, trainingStep } from './net.ts';

/** Some steps of gradient descent with momentum: the losses and the parameters. */
function train(steps: number, batch: number): { losses: number[]; params: Tensor[]; compilations: number } {
  const step = trainingStep();
  const x = noise([batch, 10, 10, 1], 1, 7);
  const labels = reshape(tensor(Int32Array.from({ length: batch }, (_, i) => i % 5)), [batch, 1]);
  let params = initial();
  let velocity = treeMap((p) => multiply(p, 0), params);
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    const next = step(params, velocity, x, labels);
    losses.push(next.value.item());
    [params, velocity] = [next.params, next.velocity];
  }
  return { losses, params: treeLeaves(params) as Tensor[], compilations: step.stats.compilations };
}

const before = getBackend();
afterAll(() => setBackend(before));

test('training a convolutional network agrees with the reference', async () => {
  setBackend(reference());
  const wanted = train(4, 8);
  const want = wanted.params.map((p) => p.dataSync());
  setBackend(await gpu({ mode: 'webasm' }));
  const got = train(4, 8);

  expect(got.compilations).toBe(1);
  expect(wanted.losses[3]).toBeLessThan(wanted.losses[0] as number);
  for (const [i, x] of wanted.losses.entries()) expect(got.losses[i]).toBeCloseTo(x, 5);
  for (const [i, p] of got.params.entries()) {
    const values = p.dataSync();
    // Some hundred roundings of numbers up to 1, for each of four steps.
    for (const [j, x] of (want[i] as Float32Array).entries())
      expect(Math.abs((values[j] as number) - x)).toBeLessThan(400 * 2 ** -24);
  }
});
