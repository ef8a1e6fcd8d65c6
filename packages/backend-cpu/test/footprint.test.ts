import * as nm from '@neumann/core';
import { conv, type Tensor, windowMax } from '@neumann/core';
import { runFootprint } from '@neumann/testing';
import { expect, test } from 'vitest';
import { cpu } from '../src/index.ts';

const small = await cpu({ memoryMB: 4 });
runFootprint(small, {
  elements: 1024,
  held: () => {
    const { residentBytes, regionBytes, heapBytes } = small.memory(); // what is spilled is JavaScript's memory
    return residentBytes + regionBytes + heapBytes;
  },
});

interface Weights {
  readonly k1: Tensor;
  readonly b1: Tensor;
  readonly k2: Tensor;
  readonly b2: Tensor;
  readonly w: Tensor;
  readonly b: Tensor;
}

test('a donated training step of a convolutional network allocates nothing after the first call', async () => {
  const backend = await cpu({ threads: 2 }); // each thread has scratch memory of its own
  nm.setBackend(backend);
  const layer = (x: Tensor, k: Tensor, b: Tensor): Tensor =>
    windowMax(nm.maximum(nm.add(conv(x, k, { padding: 'same' }), b), 0), { window: 2 });
  const loss = (p: Weights, x: Tensor, y: Tensor): Tensor => {
    const features = layer(layer(x, p.k1, p.b1), p.k2, p.b2);
    const logits = nm.add(nm.matmul(nm.reshape(features, [128, -1]), p.w), p.b);
    const chosen = nm.sum(nm.multiply(logits, nm.oneHot(y, 10)), { axis: 1 });
    return nm.mean(nm.subtract(nm.logSumExp(logits, { axis: 1 }), chosen));
  };
  const step = nm.jit(
    ({ weights }: { weights: Weights; loss: Tensor }, x: Tensor, y: Tensor) => {
      const [value, gradient] = nm.valueAndGrad(loss)(weights, x, y);
      return {
        weights: nm.treeMap((w, g) => nm.subtract(w, nm.multiply(0.1, g)), weights, gradient),
        loss: value,
      };
    },
    { donate: [0] },
  );
  const keys = nm.random.split(nm.random.key(1), 3);
  const normal = (i: number, shape: number[]): Tensor =>
    nm.multiply(0.1, nm.random.normal(keys[i] as Tensor, shape));
  let state = {
    weights: {
      k1: normal(0, [3, 3, 1, 16]),
      b1: nm.zeros([16]),
      k2: normal(1, [3, 3, 16, 32]),
      b2: nm.zeros([32]),
      w: normal(2, [1568, 10]),
      b: nm.zeros([10]),
    },
    loss: nm.zeros([]),
  };
  const x = nm.ones([128, 28, 28, 1]);
  const y = nm.zeros([128], 'int32');
  state = step(state, x, y);
  // What the backward pass needs: both activations and pooled images, and where the maxima were; then what is given.
  const [image, half, quarter] = [128 * 28 * 28, 128 * 14 * 14, 128 * 7 * 7];
  const kept = 16 * (image + 2 * half) + 32 * (half + 2 * quarter);
  const given =
    image + 128 + nm.treeFlatten(state).leaves.reduce<number>((n, t) => n + (t as Tensor).size, 0);
  const used = backend.memory().regionBytes + 4 * given;
  expect(used).toBeLessThan(1.3 * 4 * (kept + given));
  const first = state.loss.item();
  const before = backend.memory();
  for (let i = 0; i < 5; i++) {
    state = step(state, x, y);
    expect(backend.memory()).toEqual(before);
  }
  expect(state.loss.item()).toBeLessThan(first);
  expect(step.stats).toEqual({ hits: 5, misses: 1, compilations: 1, size: 1 });
});
