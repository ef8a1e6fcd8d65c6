/** Blocks of the transformer, with normalisation before each part ("pre-norm"), which trains without a warm-up. */
import { type Aval, add, random, type Tensor } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { gelu } from './activations.ts';
import { type Attended, multiHeadAttention } from './attention.ts';
import { residual } from './beside.ts';
import { dense } from './dense.ts';
import { dropout } from './dropout.ts';
import type { Layer, ParamsOf } from './layer.ts';
import { layerNorm } from './norms.ts';
import { applyPlace, placesOf } from './places.ts';
import { serial } from './serial.ts';
import { shaped } from './shaped.ts';

/** Options of {@link encoderBlock} and {@link decoderBlock}. */
export interface TransformerOptions {
  readonly heads: number;
  /** Features within the feed-forward part; four times those of the input by default. */
  readonly hidden?: number;
  /** Dropout after each part; 0 by default. */
  readonly rate?: number;
}

/** Options of {@link encoderBlock}. */
export interface EncoderOptions extends TransformerOptions {
  /** Whether positions see only what came before them; `false` by default. */
  readonly causal?: boolean;
}

type Attention = ReturnType<typeof multiHeadAttention>;

/** Attention of a tensor to itself. */
const selfAttention = (heads: number, causal: boolean): Layer<ParamsOf<Attention>, null> =>
  multiHeadAttention({ heads, causal });

const attentionPart = (heads: number, rate: number, causal: boolean) =>
  residual({
    body: serial({
      norm: layerNorm(),
      attention: selfAttention(heads, causal),
      dropout: dropout({ rate }),
    }),
  });

const feedForwardPart = (features: number, hidden: number, rate: number) =>
  residual({
    body: serial({
      norm: layerNorm(),
      up: dense({ features: hidden }),
      gelu,
      down: dense({ features }),
      dropout: dropout({ rate }),
    }),
  });

/**
 * `x + attention(norm(x))`, then `x + feedForward(norm(x))`: `[N, T, C] -> [N, T, C]`. With `causal`, the block of GPT.
 *
 * @throws {OptionError} for bad options. {ShapeError} unless x has three axes.
 * @example
 * const block = encoderBlock({ heads: 4, causal: true });
 * const { params } = block.init(random.key(0), new ShapeDtype([1, 10, 32]));
 * block.apply(params, null, ones([2, 10, 32]))[0]   // f32[2,10,32]
 */
export function encoderBlock(options: EncoderOptions) {
  checkOptions('encoderBlock', options, ['heads', 'hidden', 'rate', 'causal']);
  const { heads, hidden, rate = 0, causal = false } = options;
  return shaped((x: Aval) => {
    const features = x.shape.at(-1) as number;
    return serial({
      attention: attentionPart(heads, rate, causal),
      feedForward: feedForwardPart(features, hidden ?? 4 * features, rate),
    });
  });
}

/** What {@link decoderBlock} is applied to. */
export type DecoderInput = Required<Pick<Attended, 'x' | 'memory'>> & Pick<Attended, 'mask'>;

/** The parameters of {@link decoderBlock}. */
export interface DecoderParams {
  readonly attention: ParamsOf<ReturnType<typeof attentionPart>>;
  readonly norm: ParamsOf<ReturnType<typeof layerNorm>>;
  readonly memory: ParamsOf<ReturnType<typeof multiHeadAttention>>;
  readonly feedForward: ParamsOf<ReturnType<typeof feedForwardPart>>;
}

/**
 * Causal attention of x to itself, attention to a memory, and the feed-forward part:
 * `{ x: [N, T, C], memory: [N, S, C'] }` to `[N, T, C]`.
 *
 * @throws {OptionError} for bad options. {ShapeError} unless x and the memory have three axes.
 * @example
 * const block = decoderBlock({ heads: 4 });
 * const { params } = block.init(random.key(0), { x: ones([1, 10, 32]), memory: ones([1, 6, 16]) });
 * block.apply(params, null, { x: ones([2, 10, 32]), memory: ones([2, 6, 16]) })[0]   // f32[2,10,32]
 */
export function decoderBlock(options: TransformerOptions): Layer<DecoderParams, null, DecoderInput> {
  checkOptions('decoderBlock', options, ['heads', 'hidden', 'rate']);
  const { heads, hidden, rate = 0 } = options;
  const placesFor = (x: Aval) => {
    const features = x.shape.at(-1) as number;
    return placesOf('decoderBlock', {
      attention: attentionPart(heads, rate, true),
      norm: layerNorm(),
      memory: multiHeadAttention({ heads }) as Layer,
      feedForward: feedForwardPart(features, hidden ?? 4 * features, rate),
      dropout: dropout({ rate }),
    });
  };
  return {
    init(key, { x, memory }) {
      const places = placesFor(x);
      const inputs = [x, x, { x, memory } as unknown as Aval, x, x];
      const made = places.list.map(({ layer }, i) => layer.init(random.foldIn(key, i), inputs[i] as Aval));
      return { params: places.join(made.map((m) => m.params)) as DecoderParams, state: null };
    },
    apply(params, state, { x, memory, mask }, context) {
      const places = placesFor(x.aval);
      const run = (i: number, t: Tensor): Tensor => applyPlace(places, i, { params, state }, t, context)[0];
      const y = run(0, x);
      const attended: Attended = { x: run(1, y), memory, ...(mask ? { mask } : {}) };
      const z = add(y, run(4, run(2, attended as unknown as Tensor)));
      return [run(3, z), state];
    },
  };
}
