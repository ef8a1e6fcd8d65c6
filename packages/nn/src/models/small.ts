/** Small networks. */
import { OptionError, tanh } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { conv2d } from '../conv.ts';
import { dense } from '../dense.ts';
import { flatten, relu } from '../functions.ts';
import type { LayerLike } from '../layer.ts';
import { avgPool, maxPool } from '../pool.ts';
import { serial } from '../serial.ts';
import type { Model } from './resnet.ts';

/**
 * A perceptron with hidden layers: `[N, ...] -> [N, classes]`.
 *
 * @throws {OptionError} for sizes that are no integers of at least 1.
 * @example
 * const model = mlp({ hidden: [32, 16], classes: 10 });
 * const { params } = model.init(random.key(0), new ShapeDtype([1, 28, 28, 1]));
 */
export function mlp(options: { readonly hidden: readonly number[]; readonly classes: number }): Model {
  checkOptions('mlp', options, ['hidden', 'classes']);
  const { hidden, classes } = options;
  if (!Array.isArray(hidden))
    throw new OptionError(`mlp: hidden must be an array of widths, but is ${String(hidden)}.`);
  const layers = hidden.flatMap((features, i): [string, LayerLike][] => [
    [`hidden${i}`, dense({ features })],
    [`relu${i}`, relu],
  ]);
  return serial({
    flatten,
    ...Object.fromEntries(layers),
    logits: dense({ features: classes }),
  }) as unknown as Model;
}

/**
 * LeNet-5 (LeCun et al. 1998) with a plain last layer: `[N, 28, 28, 1] -> [N, classes]`, 61,706 parameters for 10
 * classes.
 *
 * @example
 * const model = lenet();
 * const { params } = model.init(random.key(0), new ShapeDtype([1, 28, 28, 1]));
 */
export function lenet(options: { readonly classes?: number } = {}): Model {
  checkOptions('lenet', options, ['classes']);
  return serial({
    conv1: conv2d({ features: 6, kernel: 5 }),
    tanh1: tanh,
    pool1: avgPool({ window: 2 }),
    conv2: conv2d({ features: 16, kernel: 5, padding: 'valid' }),
    tanh2: tanh,
    pool2: avgPool({ window: 2 }),
    flatten,
    fc1: dense({ features: 120 }),
    tanh3: tanh,
    fc2: dense({ features: 84 }),
    tanh4: tanh,
    fc3: dense({ features: options.classes ?? 10 }),
  }) as unknown as Model;
}

/**
 * Two convolutions with pooling, and a dense layer: `[N, H, W, C] -> [N, classes]`.
 *
 * @example
 * const model = smallCnn({ classes: 10 });
 * const { params } = model.init(random.key(0), new ShapeDtype([1, 28, 28, 1]));
 */
export function smallCnn(options: { readonly classes: number; readonly width?: number }): Model {
  checkOptions('smallCnn', options, ['classes', 'width']);
  const { classes, width = 16 } = options;
  return serial({
    conv1: conv2d({ features: width, kernel: 3 }),
    relu1: relu,
    pool1: maxPool({ window: 2 }),
    conv2: conv2d({ features: 2 * width, kernel: 3 }),
    relu2: relu,
    pool2: maxPool({ window: 2 }),
    flatten,
    logits: dense({ features: classes }),
  }) as unknown as Model;
}
