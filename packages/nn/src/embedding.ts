import { type DType, DTypeError, multiply, random, showAval, type Tensor, take } from '@neumann/core';
import { checkOptions, isInteger } from '@neumann/core/extend';
import type { Initializer } from './initializers.ts';
import type { Layer } from './layer.ts';
import { positiveInteger } from './options.ts';

/** Options of {@link embedding}. */
export interface EmbeddingOptions {
  /** How many different tokens there are. */
  readonly vocabulary: number;
  /** Numbers for each token. */
  readonly features: number;
  /** Normal with standard deviation `1 / √features` by default. */
  readonly init?: Initializer;
  /** Of the vectors, as tokens are integers; `float32` by default. */
  readonly dtype?: DType;
}

/** The parameters of {@link embedding}. */
export interface EmbeddingParams {
  /** `[vocabulary, features]` */
  readonly table: Tensor;
}

/**
 * A learned vector for each token: `[...] -> [..., features]`. A token out of range gives NaN, which cannot be missed.
 *
 * @throws {OptionError} for bad options; {DTypeError} if tokens are no integers.
 * @example
 * const layer = embedding({ vocabulary: 100, features: 16 });
 * const { params } = layer.init(random.key(0), new ShapeDtype([1, 8], 'int32'));
 * layer.apply(params, null, zeros([4, 8], 'int32'))[0]   // f32[4,8,16]
 */
export function embedding(options: EmbeddingOptions): Layer<EmbeddingParams, null> {
  checkOptions('embedding', options, ['vocabulary', 'features', 'init', 'dtype']);
  const vocabulary = positiveInteger('embedding', 'vocabulary', options.vocabulary);
  const features = positiveInteger('embedding', 'features', options.features);
  const { dtype = 'float32' } = options;
  const {
    init = (key, shape, type) =>
      multiply(random.normal(key, shape, { dtype: type }), 1 / Math.sqrt(features)),
  } = options;
  return {
    init: (key) => ({ params: { table: init(key, [vocabulary, features], dtype) }, state: null }),
    apply({ table }, state, x) {
      if (!isInteger(x.dtype))
        throw new DTypeError(
          `embedding: tokens must be integers, but are ${showAval(x.aval)}; use astype(x, 'int32').`,
        );
      return [take(table, x, { axis: 0 }), state];
    },
  };
}
