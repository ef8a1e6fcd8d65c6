import { OptionError, pad, slice, type Tensor } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { residual } from '../beside.ts';
import { conv2d } from '../conv.ts';
import { dense } from '../dense.ts';
import { relu } from '../functions.ts';
import { globalAvgPool } from '../globalPool.ts';
import { heNormal } from '../initializers.ts';
import type { LayerLike } from '../layer.ts';
import { batchNorm } from '../norms.ts';
import { serial } from '../serial.ts';
import type { Model } from './resnet.ts';

const conv = (features: number, stride = 1) =>
  conv2d({
    features,
    kernel: 3,
    stride,
    padding: [
      [1, 1],
      [1, 1],
    ],
    bias: false,
    kernelInit: heNormal,
  });

/** Every other pixel, and zeros for the new channels: no parameters ("option A"). */
const narrowed =
  (features: number) =>
  (x: Tensor): Tensor => {
    const extra = (features - (x.shape[3] as number)) / 2;
    return pad(slice(x, [null, [null, null, 2], [null, null, 2]]), [
      [0, 0],
      [0, 0],
      [0, 0],
      [Math.floor(extra), Math.ceil(extra)],
    ]);
  };

const block = (features: number, halves: boolean): LayerLike => {
  const body = serial({
    conv1: conv(features, halves ? 2 : 1),
    bn1: batchNorm(),
    relu,
    conv2: conv(features),
    bn2: batchNorm(),
  }) as LayerLike;
  return serial({
    sum: residual(halves ? { body, shortcut: narrowed(features) } : { body }),
    relu,
  }) as LayerLike;
};

/** Options of {@link cifarResnet}. */
export interface CifarResnetOptions {
  /** Layers with weights, 6 n + 2: 20, 32, 44, 56, 110. */
  readonly depth: number;
  /** 10 by default. */
  readonly classes?: number;
}

/**
 * The residual networks for images of 32 × 32 of He et al. 2015, section 4.2: `[N, 32, 32, 3] -> [N, classes]`. ResNet-20
 * has 269,722 parameters, ResNet-56 853,018 (10 classes).
 *
 * @throws {OptionError} for another depth.
 * @example
 * const model = cifarResnet({ depth: 8, classes: 10 });
 * const { params, state } = model.init(random.key(0), new ShapeDtype([1, 32, 32, 3]));
 * model.apply(params, state, ones([2, 32, 32, 3]))[0]   // f32[2,10]
 */
export function cifarResnet(options: CifarResnetOptions): Model {
  checkOptions('cifarResnet', options, ['depth', 'classes']);
  const { depth, classes = 10 } = options;
  const n = (depth - 2) / 6;
  if (!Number.isInteger(n) || n < 1)
    throw new OptionError(`cifarResnet: depth must be 6 n + 2, such as 20 or 56, but is ${depth}.`);
  const stages = [16, 32, 64].map((features, stage): [string, LayerLike] => {
    const blocks = Array.from({ length: n }, (_, i): [string, LayerLike] => [
      `block${i}`,
      block(features, stage > 0 && i === 0),
    ]);
    return [`layer${stage + 1}`, serial(Object.fromEntries(blocks)) as LayerLike];
  });
  return serial({
    conv1: conv(16),
    bn1: batchNorm(),
    relu,
    ...Object.fromEntries(stages),
    mean: globalAvgPool,
    fc: dense({ features: classes }),
  });
}
