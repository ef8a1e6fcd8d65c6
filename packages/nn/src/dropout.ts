import { divide, OptionError, random, type Tensor, where } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import type { Context, Layer } from './layer.ts';

/** Options of {@link dropout}. */
export interface DropoutOptions {
  /** The probability that an element is dropped, in [0, 1). */
  readonly rate: number;
}

/**
 * In training sets elements to zero at random, and divides the others by `1 - rate`, so that the mean stays; otherwise
 * changes nothing. Srivastava et al. 2014.
 *
 * @throws {OptionError} for a rate outside [0, 1), and in training without a key.
 * @example
 * const model = serial(dense({ features: 64 }), relu, dropout({ rate: 0.5 }), dense({ features: 10 }));
 * const { params, state } = model.init(key, x);
 * const [y] = model.apply(params, state, x, { training: true, key });
 */
export function dropout(options: DropoutOptions): Layer<null, null> {
  checkOptions('dropout', options, ['rate']);
  const { rate } = options;
  if (!(rate >= 0 && rate < 1)) throw new OptionError(`dropout: rate must be in [0, 1), but is ${rate}.`);
  return {
    init: () => ({ params: null, state: null }),
    apply: (_, state, x, context) => [context?.training && rate > 0 ? drop(x, rate, context) : x, state],
  };
}

function drop(x: Tensor, rate: number, { key }: Context): Tensor {
  if (!key)
    throw new OptionError(
      'dropout: needs a key in training; call apply(params, state, x, { training: true, key }).',
    );
  return where(random.bernoulli(key, rate, x.shape), 0, divide(x, 1 - rate));
}
