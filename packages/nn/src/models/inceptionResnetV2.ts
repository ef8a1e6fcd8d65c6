/** Inception-ResNet-V2 (Szegedy et al. 2017), as in timm and in the authors' later program. */
import { multiply, type Tensor } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { branch, residual } from '../beside.ts';
import { conv2d } from '../conv.ts';
import { dense } from '../dense.ts';
import { dropout } from '../dropout.ts';
import { relu } from '../functions.ts';
import { globalAvgPool } from '../globalPool.ts';
import type { LayerLike } from '../layer.ts';
import { avgPool } from '../pool.ts';
import { serial } from '../serial.ts';
import { halved, inceptionStem, unit } from './inceptionStem.ts';
import type { InceptionOptions } from './inceptionV3.ts';
import type { Model } from './resnet.ts';

const chain = (...units: readonly LayerLike[]): LayerLike =>
  serial(Object.fromEntries(units.map((layer, i) => [`unit${i}`, layer]))) as LayerLike;

const mixed = (...branches: readonly LayerLike[]): LayerLike =>
  branch(Object.fromEntries(branches.map((layer, i) => [`branch${i}`, layer]))) as LayerLike;

/** `relu(x + scale · conv(branches(x)))`; the scale keeps the training of very wide networks stable. */
function block(branches: LayerLike, channels: number, scale: number, activate = true): LayerLike {
  const body = serial({
    branches,
    conv: conv2d({ features: channels, kernel: 1 }),
    scaled: (x: Tensor) => multiply(x, scale),
  }) as LayerLike;
  const sum = residual({ body });
  return activate ? (serial({ sum, relu }) as LayerLike) : sum;
}

const repeated = (count: number, make: () => LayerLike): LayerLike =>
  serial(Object.fromEntries(Array.from({ length: count }, (_, i) => [`block${i}`, make()]))) as LayerLike;

const block35 = (): LayerLike =>
  block(
    mixed(unit(32, 1), chain(unit(32, 1), unit(32, 3)), chain(unit(32, 1), unit(48, 3), unit(64, 3))),
    320,
    0.17,
  );

const block17 = (): LayerLike =>
  block(mixed(unit(192, 1), chain(unit(128, 1), unit(160, [1, 7]), unit(192, [7, 1]))), 1088, 0.1);

const block8 = (scale: number, activate = true): LayerLike =>
  block(
    mixed(unit(192, 1), chain(unit(192, 1), unit(224, [1, 3]), unit(256, [3, 1]))),
    2080,
    scale,
    activate,
  );

/**
 * Inception-ResNet-V2: `[N, 299, 299, 3] -> [N, classes]`; 55,843,464 parameters, the number of timm's
 * `inception_resnet_v2`.
 *
 * @throws {OptionError} for bad options.
 * @example
 * summary(inceptionResnetV2(), new ShapeDtype([1, 299, 299, 3])).parameters   // 55843464
 */
export function inceptionResnetV2(options: InceptionOptions = {}): Model {
  checkOptions('inceptionResnetV2', options, ['classes', 'rate']);
  const { classes = 1000, rate = 0.2 } = options;
  return serial({
    ...inceptionStem,
    mixed5b: mixed(
      unit(96, 1),
      chain(unit(48, 1), unit(64, 5)),
      chain(unit(64, 1), unit(96, 3), unit(96, 3)),
      chain(avgPool({ window: 3, stride: 1, padding: 'same' }), unit(64, 1)),
    ),
    blocks35: repeated(10, block35),
    mixed6a: mixed(unit(384, 3, 2), chain(unit(256, 1), unit(256, 3), unit(384, 3, 2)), halved),
    blocks17: repeated(20, block17),
    mixed7a: mixed(
      chain(unit(256, 1), unit(384, 3, 2)),
      chain(unit(256, 1), unit(288, 3, 2)),
      chain(unit(256, 1), unit(288, 3), unit(320, 3, 2)),
      halved,
    ),
    blocks8: repeated(9, () => block8(0.2)),
    block8: block8(1, false),
    conv7: unit(1536, 1),
    mean: globalAvgPool,
    dropout: dropout({ rate }),
    fc: dense({ features: classes }),
  });
}
