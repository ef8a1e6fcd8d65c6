import { type Aval, multiply, reshape, sigmoid, type Tensor } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { dense } from './dense.ts';
import { relu } from './functions.ts';
import { globalAvgPool } from './globalPool.ts';
import type { Layer, ParamsOf } from './layer.ts';
import { positiveInteger } from './options.ts';
import { serial } from './serial.ts';
import { shaped } from './shaped.ts';

const gate = (channels: number, squeezed: number) =>
  serial({
    pool: globalAvgPool,
    squeeze: dense({ features: squeezed }),
    relu,
    excite: dense({ features: channels }),
    sigmoid,
  });

/** The parameters of {@link squeezeExcite}. */
export type SqueezeExciteParams = ParamsOf<ReturnType<typeof gate>>;

/**
 * Weighs the channels of images by what is in all of the image: `[N, ..., C] -> [N, ..., C]`. Hu, Shen, Sun 2018.
 *
 * @param options.ratio How much narrower the layer between is; 16 by default.
 * @throws {OptionError} unless the ratio is an integer of at least 1. {ShapeError} for fewer than three axes.
 * @example
 * const layer = squeezeExcite({ ratio: 4 });
 * const { params } = layer.init(random.key(0), new ShapeDtype([1, 14, 14, 32]));
 * layer.apply(params, null, ones([8, 14, 14, 32]))[0]   // f32[8,14,14,32]
 */
export function squeezeExcite(options: { readonly ratio?: number } = {}): Layer<SqueezeExciteParams, null> {
  checkOptions('squeezeExcite', options, ['ratio']);
  const ratio = positiveInteger('squeezeExcite', 'ratio', options.ratio ?? 16);
  return shaped((x: Aval): Layer<SqueezeExciteParams, null> => {
    const channels = x.shape.at(-1) as number;
    const weigh = gate(channels, Math.max(1, Math.floor(channels / ratio)));
    return {
      init: (key, aval) => weigh.init(key, aval),
      apply: (params, state, t: Tensor, context) => {
        const [weights] = weigh.apply(params, state, t, context);
        const [n = 0] = t.shape;
        return [multiply(t, reshape(weights, [n, ...t.shape.slice(1, -1).map(() => 1), channels])), state];
      },
    };
  });
}
