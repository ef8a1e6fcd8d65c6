import { multiply, reference, reshape, setBackend, tensor, treeMap } from '@neumann/core';
import { afterAll, expect, test } from 'vitest';
import { lateBackend } from './late.ts';
import { initial, noise, trainingStep } from './net.ts';

afterAll(() => setBackend(reference()));

/**
 * Of these 44, 8 are sums of products and 12 make the next velocities and parameters, each of which is an output of its
 * own. More are fusions lost; fewer are a reason to lower the number.
 */
test('a step of training is so many programs, the second step as the first, and reads no tensor', async () => {
  const backend = lateBackend({ maxInputs: 15 });
  setBackend(backend);
  const step = trainingStep();
  const x = noise([8, 10, 10, 1], 1, 7);
  const labels = reshape(tensor(Int32Array.from({ length: 8 }, (_, i) => i % 5)), [8, 1]);
  let params = initial();
  let velocity = treeMap((p) => multiply(p, 0), params);
  const runs: number[] = [];
  for (let i = 0; i < 3; i++) {
    const before = backend.count.runs;
    const next = step(params, velocity, x, labels);
    [params, velocity] = [next.params, next.velocity];
    runs.push(backend.count.runs - before);
  }
  expect(runs).toEqual([44, 44, 44]);
  expect(backend.count.reads).toBe(3); // for each step the flag that tells whether its integers were exact
});
