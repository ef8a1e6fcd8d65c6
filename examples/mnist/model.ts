import { astype, divide, ShapeDtype, subtract, type Tensor } from '@neumann/core';
import { conv2d, dense, flatten, maxPool, type ParamsOf, relu, serial } from '@neumann/nn';
import { side } from './data.ts';

/** Grey levels 0..255 as floats with mean 0 and standard deviation 1 (over the images of MNIST). */
const normalize = (pixels: Tensor): Tensor => divide(subtract(astype(pixels, 'float32'), 33), 79);

/** Two convolutions and two dense layers, after LeNet-5. */
const lenet = serial({
  normalize,
  conv1: conv2d({ features: 16, kernel: 5 }), //  [N, 28, 28, 16]
  relu1: relu,
  pool1: maxPool({ window: 2 }), //               [N, 14, 14, 16]
  conv2: conv2d({ features: 32, kernel: 3 }), //  [N, 14, 14, 32]
  relu2: relu,
  pool2: maxPool({ window: 2 }), //               [N, 7, 7, 32]
  flatten, //                                     [N, 1568]
  hidden: dense({ features: 128 }),
  relu3: relu,
  logits: dense({ features: 10 }), //             [N, 10]
});

export type Params = ParamsOf<typeof lenet>;

/** Random parameters. */
export function newParams(key: Tensor): Params {
  return lenet.init(key, new ShapeDtype([1, side, side, 1], 'uint8')).params;
}

/** Logits `[N, 10]` of images `u8[N, 28, 28, 1]`. */
export function predict(params: Params, images: Tensor): Tensor {
  return lenet.apply(params, null, images)[0];
}
