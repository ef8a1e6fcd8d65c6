import { matmul, swapaxes, type Tensor } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { type EmbeddingParams, embedding } from '../embedding.ts';
import type { Layer, ParamsOf } from '../layer.ts';
import { layerNorm } from '../norms.ts';
import { positiveInteger } from '../options.ts';
import { applyPlace, initPlace, placesOf } from '../places.ts';
import { learnedPositions, type PositionParams } from '../positions.ts';
import { repeat } from '../repeat.ts';
import { encoderBlock } from '../transformer.ts';

/** Options of {@link gpt}. */
export interface GptOptions {
  /** How many different tokens there are. */
  readonly vocabulary: number;
  /** The longest sequence. */
  readonly maxLength: number;
  readonly layers: number;
  readonly heads: number;
  /** Features of a token. */
  readonly features: number;
  /** Dropout; 0 by default. */
  readonly rate?: number;
}

/** The parameters of {@link gpt}; those of the blocks have a first axis for the layers. */
export interface GptParams {
  readonly tokens: EmbeddingParams;
  readonly positions: PositionParams;
  readonly blocks: ParamsOf<ReturnType<typeof encoderBlock>>;
  readonly norm: ParamsOf<ReturnType<typeof layerNorm>>;
}

/**
 * A causal transformer: tokens `[N, T]` to the logits `[N, T, vocabulary]` of the token after each. The last layer is the
 * table of the first ("tied"). The blocks are one loop, so that the program is as short for 48 layers as for one.
 *
 * Radford et al. 2019 (GPT-2).
 *
 * @throws {OptionError} for bad options. {ShapeError} for sequences longer than `maxLength`.
 * @example
 * const model = gpt({ vocabulary: 50, maxLength: 16, layers: 2, heads: 2, features: 8 });
 * const { params } = model.init(random.key(0), new ShapeDtype([1, 16], 'int32'));
 * model.apply(params, null, zeros([3, 16], 'int32'))[0]   // f32[3,16,50]
 */
export function gpt(options: GptOptions): Layer<GptParams, null> {
  checkOptions('gpt', options, ['vocabulary', 'maxLength', 'layers', 'heads', 'features', 'rate']);
  const { vocabulary, maxLength, heads, rate = 0 } = options;
  const features = positiveInteger('gpt', 'features', options.features);
  const layers = positiveInteger('gpt', 'layers', options.layers);
  const places = placesOf('gpt', {
    tokens: embedding({ vocabulary, features }),
    positions: learnedPositions({ maxLength }),
    blocks: repeat(encoderBlock({ heads, rate, causal: true }) as Layer, layers),
    norm: layerNorm(),
  });
  return {
    init(key, x) {
      let aval = x;
      const made = places.list.map((_, i) => {
        const { params, y } = initPlace(places, i, key, aval);
        aval = y;
        return params;
      });
      return { params: places.join(made) as GptParams, state: null };
    },
    apply(params, state, x, context) {
      const trees = { params, state: null };
      const y = places.list.reduce((t: Tensor, _, i) => applyPlace(places, i, trees, t, context)[0], x);
      return [matmul(y, swapaxes(params.tokens.table, 0, 1)), state];
    },
  };
}
