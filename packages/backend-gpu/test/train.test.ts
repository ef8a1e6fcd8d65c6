import {
  add,
  conv,
  getBackend,
  jit,
  logSumExp,
  matmul,
  maximum,
  mean,
  multiply,
  reference,
  reshape,
  setBackend,
  subtract,
  type Tensor,
  takeAlong,
  tensor,
  treeLeaves,
  treeMap,
  valueAndGrad,
  windowMax,
} from '@neumann/core';
import { afterAll, expect, test } from 'vitest';
import { gpu } from '../src/index.ts';

/** Pseudorandom numbers in [-scale, scale). */
function noise(shape: number[], scale: number, seed: number): Tensor {
  let state = seed;
  const size = shape.reduce((n, extent) => n * extent, 1);
  const values = Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state / 2 ** 31) * scale;
  });
  return reshape(tensor(values), shape);
}

const initial = () => ({
  conv1: { w: noise([3, 3, 1, 4], 0.6, 1), b: noise([4], 0.1, 2) },
  conv2: { w: noise([3, 3, 4, 8], 0.3, 3), b: noise([8], 0.1, 4) },
  dense: { w: noise([32, 5], 0.3, 5), b: noise([5], 0.1, 6) },
});
type Params = ReturnType<typeof initial>;

/** Mean cross-entropy of a small convolutional network. x is [N,10,10,1], labels i32[N,1]. */
function loss({ conv1, conv2, dense }: Params, x: Tensor, labels: Tensor): Tensor {
  const relu = (t: Tensor): Tensor => maximum(t, 0);
  const h1 = windowMax(relu(add(conv(x, conv1.w, { padding: 'same' }), conv1.b)), { window: 2 }); // [N,5,5,4]
  const h2 = relu(
    add(
      conv(h1, conv2.w, {
        stride: 2,
        padding: [
          [0, 0],
          [0, 0],
        ],
      }),
      conv2.b,
    ),
  ); // [N,2,2,8]
  const logits = add(matmul(reshape(h2, [x.shape[0] as number, 32]), dense.w), dense.b);
  return mean(subtract(logSumExp(logits, { axis: 1 }), reshape(takeAlong(logits, labels, 1), [-1])));
}

/** Some steps of gradient descent with momentum: the losses and the parameters. */
function train(steps: number, batch: number): { losses: number[]; params: Tensor[]; compilations: number } {
  const step = jit(
    (params: Params, velocity: Params, x: Tensor, labels: Tensor) => {
      const [value, gradient] = valueAndGrad(loss)(params, x, labels);
      const faster = treeMap((v, g) => add(multiply(v, 0.9), g), velocity, gradient);
      return {
        value,
        params: treeMap((p, v) => subtract(p, multiply(v, 0.05)), params, faster),
        velocity: faster,
      };
    },
    { donate: [0, 1] },
  );
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
