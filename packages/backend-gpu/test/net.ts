/** A small convolutional network, and a step of training it. */
import {
  add,
  conv,
  jit,
  logSumExp,
  matmul,
  maximum,
  mean,
  multiply,
  reshape,
  subtract,
  type Tensor,
  takeAlong,
  tensor,
  treeMap,
  valueAndGrad,
  windowMax,
} from '@neumann/core';

/** Pseudorandom numbers in [-scale, scale). */
export function noise(shape: number[], scale: number, seed: number): Tensor {
  let state = seed;
  const size = shape.reduce((n, extent) => n * extent, 1);
  const values = Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state / 2 ** 31) * scale;
  });
  return reshape(tensor(values), shape);
}

export const initial = () => ({
  conv1: { w: noise([3, 3, 1, 4], 0.6, 1), b: noise([4], 0.1, 2) },
  conv2: { w: noise([3, 3, 4, 8], 0.3, 3), b: noise([8], 0.1, 4) },
  dense: { w: noise([32, 5], 0.3, 5), b: noise([5], 0.1, 6) },
});
export type Params = ReturnType<typeof initial>;

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

/** Gradient descent with momentum: the loss, the next parameters and the next velocity. */
export const trainingStep = () =>
  jit(
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
