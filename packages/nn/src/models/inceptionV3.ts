/** Inception-V3 (Szegedy et al. 2016), as in torchvision, whose names the layers have. */

import type { Tensor } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { branch } from '../beside.ts';
import { dense } from '../dense.ts';
import { dropout } from '../dropout.ts';
import { globalAvgPool } from '../globalPool.ts';
import type { Layer, LayerLike } from '../layer.ts';
import { applyPlace, initPlace, placesOf } from '../places.ts';
import { avgPool } from '../pool.ts';
import { serial } from '../serial.ts';
import { convBn } from './convBn.ts';
import { halved, inceptionStem, unit } from './inceptionStem.ts';
import type { Model } from './resnet.ts';

/** Layers one after the other, by name. */
type Chain = Readonly<Record<string, LayerLike>>;

/** Parts beside one another, each a chain or one layer. */
const mixed = (parts: Readonly<Record<string, LayerLike | Chain>>): LayerLike =>
  branch(
    Object.fromEntries(
      Object.entries(parts).map(([name, part]) => [
        name,
        isLayerLike(part) ? part : (serial(part) as LayerLike),
      ]),
    ),
  ) as LayerLike;

const isLayerLike = (part: LayerLike | Chain): part is LayerLike =>
  typeof part === 'function' || typeof (part as Layer).apply === 'function';

/** Means of 3 × 3 pixels, of those that there are. */
const smoothed = avgPool({ window: 3, stride: 1, padding: 'same' });
const a = (pooled: number): LayerLike =>
  mixed({
    branch1x1: unit(64, 1),
    branch5x5: { one: unit(48, 1), two: unit(64, 5) },
    branch3x3dbl: { one: unit(64, 1), two: unit(96, 3), three: unit(96, 3) },
    pool: { smoothed, unit: unit(pooled, 1) },
  });

const b = (): LayerLike =>
  mixed({
    branch3x3: unit(384, 3, 2),
    branch3x3dbl: { one: unit(64, 1), two: unit(96, 3), three: unit(96, 3, 2) },
    pool: halved,
  });

const c = (inner: number): LayerLike =>
  mixed({
    branch1x1: unit(192, 1),
    branch7x7: { one: unit(inner, 1), two: unit(inner, [1, 7]), three: unit(192, [7, 1]) },
    branch7x7dbl: {
      one: unit(inner, 1),
      two: unit(inner, [7, 1]),
      three: unit(inner, [1, 7]),
      four: unit(inner, [7, 1]),
      five: unit(192, [1, 7]),
    },
    pool: { smoothed, unit: unit(192, 1) },
  });

const d = (): LayerLike =>
  mixed({
    branch3x3: { one: unit(192, 1), two: unit(320, 3, 2) },
    branch7x7x3: {
      one: unit(192, 1),
      two: unit(192, [1, 7]),
      three: unit(192, [7, 1]),
      four: unit(192, 3, 2),
    },
    pool: halved,
  });

const e = (): LayerLike =>
  mixed({
    branch1x1: unit(320, 1),
    branch3x3: { one: unit(384, 1), two: mixed({ a: unit(384, [1, 3]), b: unit(384, [3, 1]) }) },
    branch3x3dbl: {
      one: unit(448, 1),
      two: unit(384, 3),
      three: mixed({ a: unit(384, [1, 3]), b: unit(384, [3, 1]) }),
    },
    pool: { smoothed, unit: unit(192, 1) },
  });

/** Options of {@link inceptionV3}. */
export interface InceptionOptions {
  /** 1,000 by default, as in ImageNet. */
  readonly classes?: number;
  /** The probability that a feature before the last layer is dropped in training; 0.5 by default. */
  readonly rate?: number;
}

/** Logits `[N, classes]` of the network, and of the head in its middle, which is for training only. */
export interface WithAuxiliary {
  readonly logits: Tensor;
  readonly auxiliary: Tensor;
}

const parts = (op: string, options: InceptionOptions) => {
  checkOptions(op, options, ['classes', 'rate']);
  const { classes = 1000, rate = 0.5 } = options;
  return {
    stem: serial(inceptionStem) as Layer,
    lower: serial({
      mixed5b: a(32),
      mixed5c: a(64),
      mixed5d: a(64),
      mixed6a: b(),
      mixed6b: c(128),
      mixed6c: c(160),
      mixed6d: c(160),
      mixed6e: c(192),
    }) as Layer,
    upper: serial({
      mixed7a: d(),
      mixed7b: e(),
      mixed7c: e(),
      mean: globalAvgPool,
      dropout: dropout({ rate }),
      fc: dense({ features: classes }),
    }) as Layer,
    auxiliary: serial({
      pool: avgPool({ window: 5, stride: 3 }),
      conv0: unit(128, 1),
      conv1: convBn({ features: 768, kernel: 5, padding: 'valid' }),
      mean: globalAvgPool,
      fc: dense({ features: classes }),
    }) as Layer,
  };
};

/**
 * Inception-V3 without its auxiliary head: `[N, 299, 299, 3] -> [N, classes]`; 23,834,568 parameters.
 *
 * Means at the edges are over the pixels that there are, as in the paper's own program; torchvision counts zeros.
 *
 * @throws {OptionError} for bad options.
 * @example
 * summary(inceptionV3(), new ShapeDtype([1, 299, 299, 3])).parameters   // 23834568
 */
export function inceptionV3(options: InceptionOptions = {}): Model {
  const { stem, lower, upper } = parts('inceptionV3', options);
  return serial({ stem, lower, upper });
}

/**
 * Inception-V3 with its auxiliary head: `[N, 299, 299, 3]` to `{ logits, auxiliary }`; 27,161,264 parameters.
 *
 * In training the loss of the head is added with a weight, 0.4 in the authors' program:
 * `add(crossEntropy(logits, labels), multiply(0.4, crossEntropy(auxiliary, labels)))`.
 *
 * @throws {OptionError} for bad options.
 * @example
 * const model = inceptionV3WithAuxiliary({ classes: 10 });
 * const shapes = evalShape((k: Tensor) => model.init(k, { shape: [1, 299, 299, 3], dtype: 'float32' }).params, key);
 */
export function inceptionV3WithAuxiliary(
  options: InceptionOptions = {},
): Layer<object, object, Tensor, WithAuxiliary> {
  const places = placesOf('inceptionV3', parts('inceptionV3WithAuxiliary', options));
  return {
    init(key, x) {
      const stem = initPlace(places, 0, key, x);
      const lower = initPlace(places, 1, key, stem.y);
      const made = [stem, lower, initPlace(places, 2, key, lower.y), initPlace(places, 3, key, lower.y)];
      return {
        params: places.join(made.map((m) => m.params)) as object,
        state: places.join(made.map((m) => m.state)) as object,
      };
    },
    apply(params, state, x, context) {
      const next: unknown[] = [];
      const run = (i: number, t: Tensor): Tensor => {
        const [y, after] = applyPlace(places, i, { params, state }, t, context);
        next[i] = after;
        return y;
      };
      const middle = run(1, run(0, x));
      const result = { logits: run(2, middle), auxiliary: run(3, middle) };
      return [result, places.join(next) as object];
    },
  };
}
