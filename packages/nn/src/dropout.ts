/** Layers that set parts of their input to zero at random in training. Otherwise they change nothing. */
import { divide, OptionError, random, type Tensor, where } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import type { Layer } from './layer.ts';
import { fraction } from './options.ts';

/** Options of {@link dropout}, {@link spatialDropout} and {@link dropPath}. */
export interface DropoutOptions {
  /** The probability that something is dropped, in [0, 1). */
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
export const dropout = (options: DropoutOptions): Layer<null, null> =>
  dropper('dropout', options, (shape) => shape);

/**
 * In training drops whole channels of each example: `[N, ..., C]`. Tompson et al. 2015.
 *
 * @throws {OptionError} for a rate outside [0, 1), and in training without a key.
 * @example
 * const layer = spatialDropout({ rate: 0.2 });
 * layer.apply(null, null, ones([8, 14, 14, 32]), { training: true, key })[0]   // f32[8,14,14,32]
 */
export const spatialDropout = (options: DropoutOptions): Layer<null, null> =>
  dropper('spatialDropout', options, (shape) =>
    shape.map((n, i) => (i === 0 || i === shape.length - 1 ? n : 1)),
  );

/**
 * In training drops whole examples: at the end of the body of a `residual`, that block is skipped for them. Huang et al.
 * 2016 ("stochastic depth").
 *
 * @throws {OptionError} for a rate outside [0, 1), and in training without a key.
 * @example
 * const block = residual({ body: serial(dense({ features: 4 }), relu, dropPath({ rate: 0.1 })) });
 */
export const dropPath = (options: DropoutOptions): Layer<null, null> =>
  dropper('dropPath', options, (shape) => shape.map((n, i) => (i === 0 ? n : 1)));

/** `groups`: the shape of the random decisions, which are broadcast. */
function dropper(
  name: string,
  options: DropoutOptions,
  groups: (shape: readonly number[]) => readonly number[],
): Layer<null, null> {
  checkOptions(name, options, ['rate']);
  const rate = fraction(name, 'rate', options.rate);
  const drop = (x: Tensor, key: Tensor | undefined): Tensor => {
    if (!key)
      throw new OptionError(
        `${name}: needs a key in training; call apply(params, state, x, { training: true, key }).`,
      );
    return where(random.bernoulli(key, rate, groups(x.shape)), 0, divide(x, 1 - rate));
  };
  return {
    init: () => ({ params: null, state: null }),
    apply: (_, state, x, context) => [context?.training && rate > 0 ? drop(x, context.key) : x, state],
  };
}
