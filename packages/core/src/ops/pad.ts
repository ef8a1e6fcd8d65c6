import { showAval } from '../aval.ts';
import { isFloat } from '../dtype.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { add, mul, select } from '../primitives/arithmetic.ts';
import * as m from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { sameShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { round } from './arithmetic.ts';
import { checkOptions, show } from './check.ts';
import { literal, operand, placed, type TensorLike } from './convert.ts';
import { take } from './indexing.ts';
import { astype } from './logic.ts';
import { max, mean, min } from './reduce.ts';

/** What {@link pad} puts around the elements. */
export type PadMode =
  /** One value. */
  | 'constant'
  /** The element at the edge. */
  | 'edge'
  /** The elements mirrored at the one at the edge, which is not repeated. */
  | 'reflect'
  /** The elements mirrored at the edge, so that the one there is repeated. */
  | 'symmetric'
  /** The elements from the other end. */
  | 'wrap'
  /** An even descent from the element at the edge to a value. */
  | 'linearRamp'
  /** The greatest, the smallest, the mean element along the axis. */
  | 'maximum'
  | 'minimum'
  | 'mean';

/** How many elements around: for all axes, or for each. */
export type PadWidths = number | readonly [number, number] | readonly (readonly [number, number])[];

const modes = [
  'constant',
  'edge',
  'reflect',
  'symmetric',
  'wrap',
  'linearRamp',
  'maximum',
  'minimum',
  'mean',
];

/**
 * `x` with elements around it.
 *
 * @param widths How many: one number for both ends of all axes, `[before, after]` for all axes, or an array of these
 *   pairs, one for each axis.
 * @param options.mode What they are; `constant` by default.
 * @param options.value Of `constant`, and the end of `linearRamp`: 0 by default; a number of the dtype of `x`.
 * @throws {OptionError} if a width is negative (see {@link slice}) or they do not fit the axes.
 * @throws {DTypeError} if the value is no number of the dtype.
 * @throws {ShapeError} if there is no element along an axis from which the mode could take one.
 * @example pad(tensor([1, 2]), [[1, 2]], { value: 9 })   // [9, 1, 2, 9, 9]
 */
export function pad(
  x: TensorLike,
  widths: PadWidths,
  options: { readonly mode?: PadMode | undefined; readonly value?: number | boolean | undefined } = {},
): Tensor {
  checkOptions('pad', options, ['mode', 'value']);
  const t = operand('pad', x);
  const pairs = pairsOf(widths, t.ndim);
  const { mode = 'constant' } = options;
  if (!modes.includes(mode))
    throw new OptionError(`pad: mode is one of ${modes.join(', ')}, but got ${show(mode)}.`);
  if (options.value !== undefined && mode !== 'constant' && mode !== 'linearRamp')
    throw new OptionError(`pad: mode ${mode} takes no value.`);
  const value = literal('pad', Number(options.value ?? 0), t.dtype);
  if (mode === 'constant') return constantPad(t, pairs, value);
  return pairs.reduce((y, pair, axis) => padAxis(y, axis, pair, mode, value), t);
}

function constantPad(x: Tensor, pairs: readonly [number, number][], value: Tensor): Tensor {
  const [low, high] = [pairs.map(([before]) => before), pairs.map(([, after]) => after)];
  const interior = low.map(() => 0);
  const padded = m.pad(x, low, high, interior);
  if (Object.is(value.item(), 0) || sameShape(padded.shape, x.shape)) return padded;
  const inside = m.pad(m.broadcastTo(scalar(1, 'bool'), x.shape), low, high, interior);
  return select(inside, padded, value);
}

function padAxis(
  x: Tensor,
  axis: number,
  [before, after]: [number, number],
  mode: Exclude<PadMode, 'constant'>,
  value: Tensor,
): Tensor {
  if (before === 0 && after === 0) return x;
  const n = x.shape[axis] as number;
  if (n === 0)
    throw new ShapeError(`pad: mode ${mode} needs an element along axis ${axis} of ${showAval(x.aval)}.`);
  const place = places[mode];
  if (place) {
    const positions = Array.from({ length: before + n + after }, (_, i) => place(i - before, n));
    return take(x, placed('int32', [positions.length], positions), { axis });
  }
  const parts = [
    ...(before > 0 ? [side(x, axis, before, mode, value, true)] : []),
    x,
    ...(after > 0 ? [side(x, axis, after, mode, value, false)] : []),
  ];
  return m.concatenate(parts, axis);
}

const modulo = (i: number, n: number): number => ((i % n) + n) % n;

/** Where the element at position `i`, counted from the first of `n`, is taken from. */
const places: Partial<Record<PadMode, (i: number, n: number) => number>> = {
  edge: (i, n) => Math.min(Math.max(i, 0), n - 1),
  wrap: modulo,
  symmetric: (i, n) => {
    const at = modulo(i, 2 * n);
    return at < n ? at : 2 * n - 1 - at;
  },
  reflect: (i, n) => {
    const period = Math.max(1, 2 * (n - 1));
    const at = modulo(i, period);
    return at < n ? at : period - at;
  },
};

/** `count` elements before or after those of `x`. */
function side(
  x: Tensor,
  axis: number,
  count: number,
  mode: PadMode,
  value: Tensor,
  isBefore: boolean,
): Tensor {
  const shape = x.shape.map((n, i) => (i === axis ? count : n));
  const along = { axis, keepdims: true };
  if (mode === 'maximum') return m.broadcastTo(max(x, along), shape);
  if (mode === 'minimum') return m.broadcastTo(min(x, along), shape);
  if (mode === 'mean') {
    const average = mean(x, along);
    return m.broadcastTo(isFloat(x.dtype) ? average : astype(round(average), x.dtype), shape);
  }
  const edge = take(x, [isBefore ? 0 : (x.shape[axis] as number) - 1], { axis });
  const steps = Array.from({ length: count }, (_, i) => (isBefore ? i : count - 1 - i) / count);
  const dtype = isFloat(x.dtype) ? x.dtype : 'float32';
  const weight = m.reshape(
    placed(dtype, [count], steps),
    x.shape.map((_, i) => (i === axis ? count : 1)),
  );
  const one = scalar(1, dtype);
  const ramp = add(
    mul(astype(edge, dtype), weight),
    mul(astype(value, dtype), add(one, mul(scalar(-1, dtype), weight))),
  );
  return astype(ramp, x.dtype);
}

function pairsOf(widths: unknown, rank: number): [number, number][] {
  const isWidth = (n: unknown): n is number => Number.isInteger(n) && (n as number) >= 0;
  const isPair = (p: unknown): p is [number, number] =>
    Array.isArray(p) && p.length === 2 && p.every(isWidth);
  if (isWidth(widths)) return Array.from({ length: rank }, () => [widths, widths]);
  if (isPair(widths)) return Array.from({ length: rank }, () => widths);
  if (Array.isArray(widths) && widths.length === rank && widths.every(isPair)) return widths;
  throw new OptionError(
    `pad: widths are an integer of at least 0, a pair [before, after], or ${rank} pairs, but got ${show(widths)}; ` +
      `slice() takes elements away.`,
  );
}
