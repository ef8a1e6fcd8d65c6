/** What tells attention where in a sequence a vector stands. */
import {
  add,
  concatenate,
  cos,
  multiply,
  negative,
  OptionError,
  random,
  reshape,
  ShapeError,
  showAval,
  sin,
  slice,
  type Tensor,
  tensor,
} from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import type { Layer } from './layer.ts';
import { checkTensors, positiveInteger } from './options.ts';
import { parameterDType } from './weights.ts';

/**
 * Adds sines and cosines of the position, of wavelengths from 2π to 20,000π: x `[N, T, C]` with even C. Vaswani et al.
 * 2017.
 *
 * @throws {ShapeError} unless x has three axes and an even number of features.
 * @example sinusoidalPositions(zeros([1, 2, 2])).toArray()   // [[[0, 1], [0.8415, 0.5403]]]
 */
export function sinusoidalPositions(x: Tensor): Tensor {
  const [t, c] = sequence('sinusoidalPositions', x);
  const angles = Array.from({ length: t }, (_, p) =>
    Array.from({ length: c / 2 }, (_, i) => p / 10_000 ** ((2 * i) / c)),
  );
  const table = angles.map((row) => row.flatMap((a) => [Math.sin(a), Math.cos(a)]));
  return add(x, reshape(tensor(table.flat(), x.dtype), [t, c]));
}

/**
 * Turns pairs of features by angles that grow with the position, so that products of two vectors depend on their
 * distance: for queries and keys, `[..., T, C]` with even C. Su et al. 2021 ("RoPE").
 *
 * @param options `base` is 10,000 by default: the slowest angle grows by about `1 / base` a step.
 * @throws {ShapeError} unless x has at least two axes and an even number of features. {OptionError} unless base > 1.
 * @example rotaryPositions(ones([1, 4, 8]))   // f32[1,4,8]
 */
export function rotaryPositions(x: Tensor, options: { readonly base?: number } = {}): Tensor {
  checkOptions('rotaryPositions', options, ['base']);
  const { base = 10_000 } = options;
  if (!(base > 1)) throw new OptionError(`rotaryPositions: base must be above 1, but is ${base}.`);
  const [t, c] = sequence('rotaryPositions', x);
  const half = c / 2;
  const values = Array.from(
    { length: t * half },
    (_, i) => Math.floor(i / half) / base ** ((i % half) / half),
  );
  const angle = reshape(tensor(values, x.dtype), [t, half]);
  const whole = x.shape.slice(0, -1).map(() => null);
  const [a, b] = [slice(x, [...whole, [0, half]]), slice(x, [...whole, [half, c]])];
  const [co, si] = [cos(angle), sin(angle)];
  return concatenate(
    [add(multiply(a, co), negative(multiply(b, si))), add(multiply(a, si), multiply(b, co))],
    { axis: -1 },
  );
}

/** The parameters of {@link learnedPositions}. */
export interface PositionParams {
  /** `[maxLength, C]` */
  readonly table: Tensor;
}

/**
 * Adds a learned vector for each position: x `[N, T, C]`, for T up to `maxLength`.
 *
 * @throws {OptionError} for bad options. {ShapeError} for longer sequences.
 * @example
 * const layer = learnedPositions({ maxLength: 64 });
 * const { params } = layer.init(random.key(0), new ShapeDtype([1, 10, 32]));
 * layer.apply(params, null, ones([2, 10, 32]))[0]   // f32[2,10,32]
 */
export function learnedPositions(options: { readonly maxLength: number }): Layer<PositionParams, null> {
  checkOptions('learnedPositions', options, ['maxLength']);
  const maxLength = positiveInteger('learnedPositions', 'maxLength', options.maxLength);
  return {
    init(key, x) {
      const c = x.shape.at(-1) as number;
      const table = multiply(random.normal(key, [maxLength, c], { dtype: parameterDType(x.dtype) }), 0.02);
      return { params: { table }, state: null };
    },
    apply({ table }, state, x) {
      const length = x.shape.at(-2);
      if (length === undefined || length > maxLength)
        throw new ShapeError(
          `learnedPositions: x ${showAval(x.aval)} must be [N, T, C] with T at most ${maxLength}.`,
        );
      return [add(x, slice(table, [[0, length]])), state];
    },
  };
}

function sequence(name: string, x: Tensor): [length: number, features: number] {
  checkTensors(name, { x });
  const [t, c] = x.shape.slice(-2);
  if (t === undefined || c === undefined || c % 2 !== 0)
    throw new ShapeError(`${name}: x must be [..., T, C] with even C, but is ${showAval(x.aval)}.`);
  return [t, c];
}
