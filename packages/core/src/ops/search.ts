/** Places in sorted tensors, counts by places, and interpolation between them. */
import { showAval } from '../aval.ts';
import { isFloat, isInteger } from '../dtype.ts';
import { DTypeError, OptionError, ShapeError } from '../errors.ts';
import * as p from '../primitives/arithmetic.ts';
import { scatterAdd } from '../primitives/gather.ts';
import * as m from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { reduceSum } from '../primitives/reduce.ts';
import type { Tensor } from '../tensor.ts';
import { checkInteger, checkOptions, show } from './check.ts';
import { floatOperand, floatPair, operand, placed, promoteOperands, type TensorLike } from './convert.ts';
import { knownValues, take } from './indexing.ts';
import { max, min, sum } from './reduce.ts';
import { diff } from './series.ts';

/** Up to so many elements, comparing with all is quicker than halving. */
const fewElements = 64;

/**
 * Where elements would be inserted into a sorted vector to keep it sorted: `left` before equal ones, `right` after them.
 * NaN goes behind all numbers.
 *
 * @param sorted A vector in ascending order.
 * @returns int32, the shape of `x`.
 * @throws {ShapeError} unless `sorted` is a vector. {OptionError} for another side.
 * @example searchsorted(tensor([1, 2, 3]), tensor([2, 2.5]))           // [1, 2]
 */
export function searchsorted(
  sorted: TensorLike,
  x: TensorLike,
  options: { readonly side?: 'left' | 'right' | undefined } = {},
): Tensor {
  checkOptions('searchsorted', options, ['side']);
  const { side = 'left' } = options;
  if (side !== 'left' && side !== 'right')
    throw new OptionError(`searchsorted: side is 'left' or 'right', but got ${show(side)}.`);
  return searched('searchsorted', sorted, x, side);
}

function searched(op: string, sorted: TensorLike, x: TensorLike, side: 'left' | 'right'): Tensor {
  const [edges, values] = promoteOperands(op, sorted, x).map((t) => m.stop(t)) as [Tensor, Tensor];
  if (edges.ndim !== 1)
    throw new ShapeError(`${op}: needs a sorted vector, but got ${showAval(edges.aval)}.`);
  const n = edges.size;
  if (n <= fewElements) {
    const wide = m.reshape(values, [...values.shape, 1]);
    return reduceSum(p.convert(isBefore(edges, wide, side), 'int32'), [values.ndim]);
  }
  // The greatest place before which everything belongs, bit by bit.
  let place = m.broadcastTo(scalar(0, 'int32'), values.shape);
  for (let step = 2 ** Math.floor(Math.log2(n)); step >= 1; step /= 2) {
    const next = p.add(place, scalar(step, 'int32'));
    const within = p.compare('le', next, scalar(n, 'int32'));
    const last = p.min(p.sub(next, scalar(1, 'int32')), scalar(n - 1, 'int32'));
    const moves = p.and(within, isBefore(take(edges, last), values, side));
    place = p.select(moves, next, place);
  }
  return place;
}

/** Whether an element of the sorted vector stays before a value that is inserted. */
function isBefore(edge: Tensor, value: Tensor, side: 'left' | 'right'): Tensor {
  const before = side === 'left' ? p.compare('lt', edge, value) : p.compare('le', edge, value);
  if (!isFloat(edge.dtype)) return before;
  const valueIsNan = p.compare('ne', value, value);
  return side === 'left'
    ? p.or(before, p.and(valueIsNan, p.compare('eq', edge, edge)))
    : p.or(before, valueIsNan);
}

/**
 * Which bin each element is in: the number of edges that are not above it (`right`: that are below it).
 *
 * @param bins The edges, ascending.
 * @param options.right Whether a bin has its right edge and not its left one.
 * @returns int32, the shape of `x`.
 * @throws {ShapeError} unless `bins` is a vector.
 * @example digitize(tensor([0.5, 1, 7]), tensor([0, 1, 2]))            // [1, 2, 3]
 */
export function digitize(
  x: TensorLike,
  bins: TensorLike,
  options: { readonly right?: boolean | undefined } = {},
): Tensor {
  checkOptions('digitize', options, ['right']);
  return searched('digitize', bins, x, options.right ? 'left' : 'right');
}

/** Options of {@link histogram}. */
export interface HistogramOptions {
  /** How many bins of equal width, or their edges; 10 by default. */
  readonly bins?: number | TensorLike | undefined;
  /** Where bins of equal width begin and end; from the smallest to the greatest element by default. */
  readonly range?: readonly [number, number] | undefined;
  /** How much each element counts; 1 by default. */
  readonly weights?: TensorLike | undefined;
  /** Whether the bars have an area of 1 together. */
  readonly density?: boolean | undefined;
}

/**
 * How many elements lie in each bin, and the edges of the bins. The last bin has its right edge; elements outside of all
 * bins do not count.
 *
 * @returns Counts as floats, and one edge more than bins.
 * @throws {ShapeError} if the weights do not fit. {OptionError} for no bins.
 * @example histogram(tensor([1, 2, 2, 3]), { bins: 2, range: [0, 4] })   // [[1, 3], [0, 2, 4]]
 */
export function histogram(x: TensorLike, options: HistogramOptions = {}): [counts: Tensor, edges: Tensor] {
  checkOptions('histogram', options, ['bins', 'range', 'weights', 'density']);
  const given = floatOperand('histogram', x);
  const t = m.reshape(given, [given.size]);
  const edges = edgesOf(t, options);
  const bins = edges.size - 1;
  const last = take(edges, -1);
  const place = p.sub(searched('histogram', edges, t, 'right'), scalar(1, 'int32'));
  const index = p.select(p.compare('eq', t, last), scalar(bins - 1, 'int32'), place);
  const weights = p.convert(operand('histogram', options.weights ?? 1), t.dtype);
  if (weights.ndim > 0 && weights.size !== t.size)
    throw new ShapeError(
      `histogram: needs a weight for each element, but got ${showAval(weights.aval)} for ${showAval(given.aval)}.`,
    );
  const each = weights.ndim === 0 ? m.broadcastTo(weights, [t.size]) : m.reshape(weights, [t.size]);
  const counts = counted(each, index, bins);
  if (!options.density) return [counts, edges];
  return [p.div(counts, p.mul(sum(counts), diff(edges))), edges];
}

function edgesOf(t: Tensor, { bins = 10, range }: HistogramOptions): Tensor {
  if (typeof bins !== 'number') {
    const edges = p.convert(operand('histogram', bins), t.dtype);
    if (edges.ndim !== 1 || edges.size < 2)
      throw new ShapeError(`histogram: edges are a vector of at least two, but are ${showAval(edges.aval)}.`);
    return edges;
  }
  checkInteger('histogram', 'bins', bins, 1);
  const parts = placed(
    t.dtype,
    [bins + 1],
    Array.from({ length: bins + 1 }, (_, i) => i / bins),
  );
  const one = scalar(1, t.dtype);
  if (range) {
    const [low, high] = range;
    return placed(
      t.dtype,
      [bins + 1],
      Array.from({ length: bins + 1 }, (_, i) => (i === bins ? high : low + ((high - low) * i) / bins)),
    );
  }
  const [least, most] = t.size === 0 ? [scalar(0, t.dtype), one] : [min(m.stop(t)), max(m.stop(t))];
  const flat = p.compare('eq', least, most); // all elements are the same: a bin around them
  const half = scalar(0.5, t.dtype);
  const [low, high] = [p.select(flat, p.sub(least, half), least), p.select(flat, p.add(most, half), most)];
  const inner = p.add(low, p.mul(p.sub(high, low), parts));
  return p.select(p.compare('eq', parts, one), high, inner);
}

/** Sums of what lies at each position in `[0, count)`. */
function counted(weights: Tensor, index: Tensor, count: number): Tensor {
  const n = index.size;
  const extents = { outer: 1, rows: count, count: n, inner: 1 };
  return m.reshape(scatterAdd(m.reshape(weights, [1, n, 1]), index, extents), [count]);
}

/**
 * How often each number from 0 on occurs, or the sum of the weights where it does.
 *
 * @param x A vector of integers that are not negative.
 * @param options.length Of the result; by default as much as the greatest number needs, which must be known. Numbers
 *   beyond it do not count.
 * @returns int32 counts, or sums of the dtype of the weights.
 * @throws {DTypeError} unless `x` holds integers. {ShapeError} if it is no vector, or the weights do not fit.
 * @throws {OptionError} if `x` is being traced and there is no length.
 * @example bincount(tensor([0, 2, 2], 'int32'))                        // [1, 0, 2]
 */
export function bincount(
  x: Tensor,
  options: { readonly weights?: Tensor | undefined; readonly length?: number | undefined } = {},
): Tensor {
  checkOptions('bincount', options, ['weights', 'length']);
  const t = operand('bincount', x);
  if (!isInteger(t.dtype)) throw new DTypeError(`bincount: needs integers, but got ${showAval(t.aval)}.`);
  if (t.ndim !== 1) throw new ShapeError(`bincount: needs a vector, but got ${showAval(t.aval)}.`);
  const { weights, length = countsNeeded(t) } = options;
  checkInteger('bincount', 'length', length, 0);
  if (weights && String(weights.shape) !== String(x.shape))
    throw new ShapeError(
      `bincount: needs a weight for each element, but got ${showAval(weights.aval)} for ${showAval(x.aval)}.`,
    );
  const each = weights ?? m.broadcastTo(scalar(1, 'int32'), [x.size]);
  return counted(each, p.convert(x, 'int32'), length);
}

function countsNeeded(x: Tensor): number {
  const values = knownValues(x);
  if (!values)
    throw new OptionError(`bincount: the greatest element of ${x} is not known here; give options.length.`);
  return Math.max(0, ...[...values].map((v) => v + 1));
}

/**
 * Piecewise linear interpolation between points.
 *
 * @param x Where. @param xp The points' abscissas, a vector in ascending order. @param fp Their values, as many.
 * @param options.left The value below all points, `fp[0]` by default. @param options.right Above, `fp[n-1]` by default.
 * @returns The shape of `x`; differentiable by `x`, `xp` and `fp`.
 * @throws {ShapeError} unless `xp` and `fp` are vectors of one length, of at least one point.
 * @example interp(tensor([0.5, 3]), tensor([0, 1]), tensor([10, 20]))  // [15, 20]
 */
export function interp(
  x: TensorLike,
  xp: TensorLike,
  fp: TensorLike,
  options: { readonly left?: TensorLike | undefined; readonly right?: TensorLike | undefined } = {},
): Tensor {
  checkOptions('interp', options, ['left', 'right']);
  const [known, values] = floatPair('interp', operand('interp', xp), operand('interp', fp));
  const t = p.convert(floatOperand('interp', x), known.dtype);
  const n = known.size;
  if (known.ndim !== 1 || values.ndim !== 1 || n !== values.size || n === 0)
    throw new ShapeError(
      `interp: xp and fp are vectors of one length, but are ${showAval(known.aval)} and ${showAval(values.aval)}.`,
    );
  const [first, last] = [take(values, 0), take(values, -1)];
  const isBelow = p.compare('lt', t, take(known, 0));
  const isAbove = p.compare('lt', take(known, -1), t);
  const ends = (y: Tensor): Tensor => {
    const left = p.select(isBelow, endValue(options.left, first), y);
    return p.select(isAbove, endValue(options.right, last), left);
  };
  if (n === 1) return ends(p.add(first, p.mul(t, scalar(0, t.dtype))));
  const place = searched('interp', known, t, 'right');
  const right = p.min(p.max(place, scalar(1, 'int32')), scalar(n - 1, 'int32'));
  const at = (v: Tensor, back: number): Tensor => take(v, p.sub(right, scalar(back, 'int32')));
  const [x0, x1, y0, y1] = [at(known, 1), at(known, 0), at(values, 1), at(values, 0)];
  const width = p.sub(x1, x0);
  const isFlat = p.compare('eq', width, scalar(0, t.dtype));
  const slope = p.div(p.sub(y1, y0), p.select(isFlat, scalar(1, t.dtype), width));
  return ends(p.add(y0, p.mul(p.sub(t, x0), slope)));
}

const endValue = (given: TensorLike | undefined, like: Tensor): Tensor =>
  given === undefined ? like : p.convert(operand('interp', given), like.dtype);
