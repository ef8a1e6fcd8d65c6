/** Choosing and ordering. */
import { showAval } from '../aval.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { checkOptions, type ShapeLike, show, toShape } from '../ops/check.ts';
import { floatOperand, operand } from '../ops/convert.ts';
import { cumsum } from '../ops/cumulative.ts';
import { take, takeAlong } from '../ops/indexing.ts';
import { add, compare, convert, elementary, mul, neg, sub } from '../primitives/arithmetic.ts';
import { iota, moveAxis, reshape, slice } from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { argmax, reduceSum } from '../primitives/reduce.ts';
import { argsort } from '../primitives/sort.ts';
import { broadcastShapes, resolveAxis, sameShape, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { bits, randint, split, uniform } from './base.ts';
import { gumbel } from './continuous.ts';

/**
 * Indices drawn with probabilities `softmax(logits)`: the greatest of the logits plus {@link gumbel} numbers.
 *
 * @param options.axis The axis of the categories, the last by default.
 * @param options.shape Of the result; that of `logits` without the axis by default, to which more axes may be put in front.
 * @returns `i32[…shape]`
 * @throws {ShapeError} if the shape does not fit, or the axis is out of range or empty.
 * @example random.categorical(key, tensor([0, -Infinity]), { shape: [3] })   // [0, 0, 0]
 */
export function categorical(
  key: Tensor,
  logits: Tensor,
  options: { readonly axis?: number | undefined; readonly shape?: ShapeLike | undefined } = {},
): Tensor {
  const op = 'random.categorical';
  checkOptions(op, options, ['axis', 'shape']);
  const x = floatOperand(op, logits);
  const axis = resolveAxis(op, options.axis ?? -1, x.ndim);
  const n = x.shape[axis] as number;
  const own = x.shape.toSpliced(axis, 1);
  const shape = options.shape === undefined ? own : toShape(op, options.shape);
  if (n === 0 || !sameShape(broadcastShapes(op, own, shape), shape))
    throw new ShapeError(
      `${op}: logits ${showAval(x.aval)} with categories along axis ${axis} do not give a result of shape [${shape}].`,
    );
  const front = shape.length - own.length;
  const noise = gumbel(key, shape.toSpliced(front + axis, 0, n), { dtype: x.dtype });
  return argmax(add(noise, x), [front + axis]);
}

/**
 * The integers below `x`, or the elements of `x` along an axis, in random order: sorted by random bits, as often as it
 * takes for ties to be improbable.
 *
 * @param x An integer, or a tensor.
 * @param options.axis The first by default.
 * @param options.independent Whether each row along the axis has an order of its own; false by default.
 * @throws {ShapeError} for scalars, or if the axis is out of range. {OptionError} for a number that is no count.
 * @example random.permutation(key, 5)                          // i32[5]
 */
export function permutation(
  key: Tensor,
  x: number | Tensor,
  options: { readonly axis?: number | undefined; readonly independent?: boolean | undefined } = {},
): Tensor {
  const op = 'random.permutation';
  checkOptions(op, options, ['axis', 'independent']);
  if (typeof x === 'number') return shuffled(key, iota(count(op, x), 'int32'), 0);
  const given = operand(op, x);
  const axis = resolveAxis(op, options.axis ?? 0, given.ndim);
  if (options.independent || given.ndim === 1) return shuffled(key, given, axis);
  return take(given, shuffled(key, iota(given.shape[axis] as number, 'int32'), 0), { axis });
}

function count(op: string, n: number): number {
  if (!Number.isInteger(n) || n < 0 || n >= 2 ** 31)
    throw new OptionError(`${op}: a number stands for the integers below it, but got ${show(n)}.`);
  return n;
}

function shuffled(key: Tensor, x: Tensor, axis: number): Tensor {
  // Until strings of 32-bit keys are all different with a probability of about 1 - 1/size.
  const rounds = Math.ceil((3 * Math.log(Math.max(1, x.size))) / Math.log(2 ** 32 - 1));
  let [current, result] = [key, x];
  for (let i = 0; i < rounds; i++) {
    const [next, now] = split(current) as [Tensor, Tensor];
    const last = moveAxis(bits(now, result.shape), axis, result.ndim - 1);
    result = takeAlong(result, moveAxis(argsort(last, false), result.ndim - 1, axis), axis);
    current = next;
  }
  return result;
}

/** Options of {@link choice}. */
export interface ChoiceOptions {
  /** Whether an element may be drawn more than once; true by default. */
  readonly replace?: boolean | undefined;
  /** Probabilities, `[N]`, up to a factor; equal ones by default. */
  readonly p?: Tensor | undefined;
  /** The axis of the elements, the first by default. */
  readonly axis?: number | undefined;
}

/**
 * Elements drawn from the integers below `a`, or from `a` along an axis.
 *
 * @param shape Of the draws; one by default.
 * @returns The shape of `a` with `shape` in the place of the axis. Without replacement and with fewer elements of positive probability
 *   than draws, others follow.
 * @throws {OptionError} if there is nothing to draw, or fewer elements than draws without replacement. {ShapeError} if `p`
 *   does not fit.
 * @example random.choice(key, 10, [4], { replace: false })     // i32[4]
 */
export function choice(
  key: Tensor,
  a: number | Tensor,
  shape: ShapeLike = [],
  options: ChoiceOptions = {},
): Tensor {
  const op = 'random.choice';
  checkOptions(op, options, ['replace', 'p', 'axis']);
  const { replace = true, p } = options;
  const from = typeof a === 'number' ? iota(count(op, a), 'int32') : operand(op, a);
  const axis = resolveAxis(op, options.axis ?? 0, from.ndim);
  const n = from.shape[axis] as number;
  const target = toShape(op, shape);
  const draws = sizeOf(target);
  if (draws > 0 && (n === 0 || (!replace && draws > n)))
    throw new OptionError(
      `${op}: cannot draw ${draws} of ${n} elements${n > 0 ? ' without replacement; set replace' : ''}.`,
    );
  const indices = p
    ? weighted(key, floatOperand(op, p), n, target, replace)
    : replace
      ? draws === 0
        ? iota(0, 'int32')
        : randint(key, target, { max: n })
      : first(permutation(key, n), draws);
  return take(from, reshape(indices, target), { axis });
}

const first = (x: Tensor, n: number): Tensor => slice(x, [0], [n], [1]);

function weighted(key: Tensor, p: Tensor, n: number, shape: readonly number[], replace: boolean): Tensor {
  if (!sameShape(p.shape, [n]))
    throw new ShapeError(
      `random.choice: p has a probability for each of ${n} elements, but is ${showAval(p.aval)}.`,
    );
  if (!replace) {
    const order = sub(neg(gumbel(key, [n], { dtype: p.dtype })), elementary.log(p));
    return first(argsort(order, false), sizeOf(shape));
  }
  const sums = cumsum(p);
  const u = uniform(key, shape, { dtype: p.dtype });
  const r = mul(slice(sums, [n - 1], [n], [1]), sub(scalar(1, p.dtype), reshape(u, [sizeOf(shape), 1])));
  return reduceSum(convert(compare('lt', sums, r), 'int32'), [1]);
}
