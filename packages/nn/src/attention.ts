/** Attention: weighted means of values, with weights from how well queries and keys agree. Vaswani et al. 2017. */
import {
  type Aval,
  arange,
  expandDims,
  greaterEqual,
  matmul,
  multiply,
  OptionError,
  reshape,
  ShapeError,
  showAval,
  swapaxes,
  type Tensor,
  transpose,
  where,
} from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { type DenseOptions, dense } from './dense.ts';
import { softmax } from './functions.ts';
import type { Layer } from './layer.ts';
import { checkTensors, positiveInteger } from './options.ts';
import { applyPlace, initPlace, type NamedParams, placesOf } from './places.ts';

/**
 * `softmax(q kᵀ / √D) v` over the last two axes; a query that may look at nothing gets zeros.
 *
 * @param q `[..., T, D]`
 * @param k `[..., S, D]`
 * @param v `[..., S, E]`
 * @param mask Bools that broadcast to `[..., T, S]`: whether query t may look at key s.
 * @returns `[..., T, E]`
 * @throws {ShapeError} if extents do not fit.
 * @example attention(ones([2, 5, 8]), ones([2, 7, 8]), ones([2, 7, 4]))   // f32[2,5,4]
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, mask?: Tensor): Tensor {
  checkTensors('attention', { q, k, v });
  if (q.shape.at(-1) !== k.shape.at(-1) || k.shape.at(-2) !== v.shape.at(-2))
    throw new ShapeError(
      `attention: q ${showAval(q.aval)}, k ${showAval(k.aval)} and v ${showAval(v.aval)} must be [..., T, D], [..., S, D] and [..., S, E].`,
    );
  const scale = 1 / Math.sqrt(q.shape.at(-1) as number);
  const agreement = matmul(multiply(q, scale), swapaxes(k, -1, -2)); // [..., T, S]
  if (!mask) return matmul(softmax(agreement), v);
  // The lowest finite number, not -inf: a row of nothing but -inf has no softmax.
  const weights = softmax(where(mask, agreement, agreement.dtype === 'float64' ? -1e300 : -1e38));
  return matmul(where(mask, weights, 0), v);
}

/**
 * Which positions a position may look at if it must not see what comes after it.
 *
 * @returns `bool[T, T]`
 * @example causalMask(2).toArray()   // [[true, false], [true, true]]
 */
export function causalMask(length: number): Tensor {
  const position = arange(positiveInteger('causalMask', 'length', length));
  return greaterEqual(expandDims(position, 1), position);
}

/** Options of {@link multiHeadAttention}. */
export interface AttentionOptions {
  /** How many heads share the features. */
  readonly heads: number;
  /** Features of the result; those of the input by default. */
  readonly features?: number;
  /** Features of queries, keys and values of all heads together; those of the input by default. */
  readonly inner?: number;
  /** Whether a position sees only itself and what came before it; `false` by default. */
  readonly causal?: boolean;
  /** Whether the four linear maps add a vector; `true` by default. */
  readonly bias?: boolean;
}

/** The input of attention that looks at something else than itself. */
export interface Attended {
  /** Who looks: `[N, T, C]`. */
  readonly x: Tensor;
  /** What is looked at, `[N, S, C']`; x itself by default. */
  readonly memory?: Tensor;
  /** Bools that broadcast to `[N, heads, T, S]`: what may be looked at. */
  readonly mask?: Tensor;
}

type Parts = {
  query: ReturnType<typeof dense>;
  key: ReturnType<typeof dense>;
  value: ReturnType<typeof dense>;
  out: ReturnType<typeof dense>;
};

/** What {@link multiHeadAttention} is applied to: x, looking at itself, or `{ x, memory, mask }`. */
type AttentionInput = Tensor | Attended;

/**
 * Attention in several subspaces at once: x `[N, T, C]` looks at itself, or `{ x, memory }` at a memory `[N, S, C']`.
 *
 * @throws {OptionError} for bad options, or heads that do not divide the inner features. {ShapeError} for other ranks.
 * @example
 * const layer = multiHeadAttention({ heads: 4, causal: true });
 * const { params } = layer.init(random.key(0), new ShapeDtype([1, 10, 32]));
 * layer.apply(params, null, ones([2, 10, 32]))[0]   // f32[2,10,32]
 */
export function multiHeadAttention(
  options: AttentionOptions,
): Layer<NamedParams<Parts>, null, AttentionInput> {
  checkOptions('multiHeadAttention', options, ['heads', 'features', 'inner', 'causal', 'bias']);
  const heads = positiveInteger('multiHeadAttention', 'heads', options.heads);
  const { causal = false, bias = true } = options;
  const placesFor = (channels: number) => {
    const inner = positiveInteger('multiHeadAttention', 'inner', options.inner ?? channels);
    if (inner % heads !== 0)
      throw new OptionError(`multiHeadAttention: ${inner} inner features do not divide into ${heads} heads.`);
    const linear = (features: number): ReturnType<typeof dense> =>
      dense({ features, bias } satisfies DenseOptions);
    const parts: Parts = {
      query: linear(inner),
      key: linear(inner),
      value: linear(inner),
      out: linear(options.features ?? channels),
    };
    return { places: placesOf('multiHeadAttention', parts), inner };
  };
  return {
    init(key, input) {
      const { x, memory = x } = avalsOf(input);
      const channels = channelsOf(x);
      const { places, inner } = placesFor(channels);
      const avals = [x, memory, memory, { shape: [...x.shape.slice(0, -1), inner], dtype: x.dtype }];
      const made = avals.map((aval, i) => initPlace(places, i, key, aval).params);
      return { params: places.join(made) as NamedParams<Parts>, state: null };
    },
    apply(params, state, input, context) {
      const { x, memory = x, mask } = 'aval' in input ? { x: input } : input;
      const { places, inner } = placesFor(channelsOf(x.aval));
      const run = (i: number, t: Tensor): Tensor =>
        applyPlace(places, i, { params, state: null }, t, context)[0];
      const split = (t: Tensor): Tensor =>
        transpose(reshape(t, [...t.shape.slice(0, 2), heads, inner / heads]), [0, 2, 1, 3]); // [N, heads, T, D]
      const seen = attention(
        split(run(0, x)),
        split(run(1, memory)),
        split(run(2, memory)),
        visible(x, memory, mask, causal),
      );
      const [n = 0, t = 0] = x.shape;
      return [run(3, reshape(transpose(seen, [0, 2, 1, 3]), [n, t, inner])), state];
    },
  };
}

function visible(x: Tensor, memory: Tensor, mask: Tensor | undefined, causal: boolean): Tensor | undefined {
  if (!causal) return mask;
  if (memory !== x)
    throw new OptionError(
      'multiHeadAttention: causal attention is that of a sequence to itself; give no memory, or a mask.',
    );
  const past = causalMask(x.shape[1] as number);
  return mask ? where(past, mask, false) : past;
}

function avalsOf(input: unknown): { x: Aval; memory?: Aval } {
  return (input as { shape?: unknown }).shape !== undefined
    ? { x: input as Aval }
    : (input as { x: Aval; memory?: Aval });
}

function channelsOf(x: Aval): number {
  const [, , channels] = x.shape;
  if (x.shape.length !== 3 || channels === undefined)
    throw new ShapeError(`multiHeadAttention: x must be [N, T, C], but is ${showAval(x)}.`);
  return channels;
}
