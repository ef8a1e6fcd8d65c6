/** Translation by recurrent networks with attention, on which the paper found its optimizer no better than others. */
import { concatenate, random, type Tensor, tanh } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { attention } from '../attention.ts';
import { dense } from '../dense.ts';
import { type EmbeddingParams, embedding } from '../embedding.ts';
import type { Layer } from '../layer.ts';
import { type GruParams, gruCell, runCell } from '../recurrent.ts';
import type { Weights } from '../weights.ts';

/** Options of {@link seq2seq}. */
export interface Seq2seqOptions {
  /** How many different tokens the source has. */
  readonly sourceVocabulary: number;
  /** How many different tokens the target has. */
  readonly targetVocabulary: number;
  /** Features of tokens and of the recurrent cells. */
  readonly features: number;
}

/** The parameters of {@link seq2seq}. */
export interface Seq2seqParams {
  readonly source: EmbeddingParams;
  readonly encoder: GruParams;
  readonly target: EmbeddingParams;
  readonly decoder: GruParams;
  readonly mix: Weights;
  readonly out: Weights;
}

/** Tokens `i32[N, S]` of the source, and those `i32[N, T]` of the target before the ones that are predicted. */
export interface Translation {
  readonly source: Tensor;
  readonly target: Tensor;
}

/**
 * An encoder and a decoder of gated recurrent units, with attention of each decoder output to those of the encoder
 * (Luong, Pham, Manning 2015): `{ source: [N, S], target: [N, T] }` to logits `[N, T, targetVocabulary]`. In training the
 * target is the right translation, shifted by one.
 *
 * @throws {OptionError} for bad options. {DTypeError} if tokens are no integers.
 * @example
 * const model = seq2seq({ sourceVocabulary: 20, targetVocabulary: 30, features: 8 });
 * const tokens = { source: zeros([2, 5], 'int32'), target: zeros([2, 7], 'int32') };
 * const { params } = model.init(random.key(0), tokens);
 * model.apply(params, null, tokens)[0]   // f32[2,7,30]
 */
export function seq2seq(options: Seq2seqOptions): Layer<Seq2seqParams, null, Translation> {
  checkOptions('seq2seq', options, ['sourceVocabulary', 'targetVocabulary', 'features']);
  const { sourceVocabulary, targetVocabulary, features } = options;
  const source = embedding({ vocabulary: sourceVocabulary, features });
  const target = embedding({ vocabulary: targetVocabulary, features });
  const cell = gruCell({ features });
  const mix = dense({ features });
  const out = dense({ features: targetVocabulary });
  return {
    init(key, { source: tokens }) {
      const keys = Array.from({ length: 6 }, (_, i) => random.foldIn(key, i)) as [
        Tensor,
        Tensor,
        Tensor,
        Tensor,
        Tensor,
        Tensor,
      ];
      const both = { shape: [1, 2 * features], dtype: 'float32' } as const;
      const one = { shape: [1, features], dtype: 'float32' } as const;
      const params = {
        source: source.init(keys[0], tokens).params,
        encoder: cell.init(keys[1], features, 'float32'),
        target: target.init(keys[2], tokens).params,
        decoder: cell.init(keys[3], features, 'float32'),
        mix: mix.init(keys[4], both).params,
        out: out.init(keys[5], one).params,
      };
      return { params, state: null };
    },
    apply(params, state, tokens, context) {
      const [from] = source.apply(params.source, null, tokens.source, context);
      const [carry, memory] = runCell(
        cell,
        params.encoder,
        cell.start(from.shape[0] as number, from.dtype),
        from,
      );
      const [to] = target.apply(params.target, null, tokens.target, context);
      const [, hidden] = runCell(cell, params.decoder, carry, to); // [N, T, features]
      const seen = attention(hidden, memory, memory);
      const [mixed] = mix.apply(params.mix, null, concatenate([hidden, seen], { axis: -1 }), context);
      return [out.apply(params.out, null, tanh(mixed), context)[0], state];
    },
  };
}
