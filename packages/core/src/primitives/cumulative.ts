/**
 * Running folds along the second axis from the end, of `[…, n, inner]`, as plain JavaScript: one pass.
 *
 * The linear recurrence `y[i] = a[i] y[i-1] + b[i]` is closed under all derivatives: its tangent by `a` is a recurrence
 * again, and its transpose runs backwards. Running products are one, exact also where elements are 0.
 */
import type { Aval } from '../aval.ts';
import { isFloat, type TypedArray } from '../dtype.ts';
import type { HostRoutine } from '../ir/host.ts';
import { Linear, noTangent, type Primitive } from '../primitive.ts';
import { sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { bind, bind1 } from '../trace.ts';
import { add, mul } from './arithmetic.ts';
import { hostPrimitive } from './host.ts';
import { pad } from './movement.ts';

type Direction = { reverse: boolean };

const sameAs = ([x]: readonly Aval[]): Aval[] => [x as Aval];

/** Where row `k` of `n` in the order of the fold begins. */
const rowAt = (k: number, n: number, inner: number, reverse: boolean): number =>
  (reverse ? n - 1 - k : k) * inner;

const sumPrimitive: Primitive<Direction> = /* @__PURE__ */ hostPrimitive<Direction>({
  name: 'cumsum',
  ranks: [2],
  shape: sameAs,
  run: ([x], [y], { inputs, params }) => {
    const [{ dtype, shape }] = inputs as [Aval];
    const [n, inner] = shape as [number, number];
    const [from, to] = [x as TypedArray, y as TypedArray];
    const step = params.reverse ? -inner : inner;
    const isInteger = !isFloat(dtype);
    for (let j = 0; j < inner; j++) {
      let sum = 0;
      for (let k = 0, at = rowAt(0, n, inner, params.reverse) + j; k < n; k++, at += step) {
        sum += from[at] as number;
        if (isInteger) sum |= 0; // wraps
        to[at] = sum;
      }
    }
  },
  jvp: (primals, [dx], params) => [
    bind(sumPrimitive, primals, params),
    bind(sumPrimitive, [dx as Tensor], params),
  ],
  transpose: ([ct], _, { reverse }) => [cumsum(ct as Tensor, !reverse)],
});

/** Running sums of x[…, n, inner]. */
export const cumsum = (x: Tensor, reverse: boolean): Tensor => bind1(sumPrimitive, [x], { reverse });

const recurrencePrimitive: Primitive<Direction> = /* @__PURE__ */ hostPrimitive<Direction>({
  name: 'recurrence',
  ranks: [2, 2],
  shape: sameAs,
  run: ([a, b], [y], { inputs, params }) => {
    const [{ dtype, shape }] = inputs as [Aval];
    const [n, inner] = shape as [number, number];
    const state = isFloat(dtype) ? new Float64Array(inner) : new Int32Array(inner);
    const times = isFloat(dtype) ? (p: number, q: number) => p * q : Math.imul;
    for (let k = 0; k < n; k++) {
      const row = rowAt(k, n, inner, params.reverse);
      for (let j = 0; j < inner; j++) {
        const kept = k === 0 ? 0 : times((a as TypedArray)[row + j] as number, state[j] as number);
        state[j] = kept + ((b as TypedArray)[row + j] as number);
        (y as TypedArray)[row + j] = state[j] as number;
      }
    }
  },
  jvp: ([a, b], [da, db], params) => {
    const y = bind1(recurrencePrimitive, [a as Tensor, b as Tensor], params);
    const terms = [...(da ? [mul(da, previous(y, params.reverse))] : []), ...(db ? [db] : [])];
    return [[y], [bind1(recurrencePrimitive, [a as Tensor, terms.reduce(add)], params)]];
  },
  transpose: ([ct], [a, b], { reverse }) => {
    if (!(b instanceof Linear)) return [null, null];
    return [null, recurrence(previous(a as Tensor, !reverse), ct as Tensor, !reverse)];
  },
});

/** `y[i] = a[i] y[i-1] + b[i]` from `y[0] = b[0]`, along the second axis from the end. */
export const recurrence = (a: Tensor, b: Tensor, reverse: boolean): Tensor =>
  bind1(recurrencePrimitive, [a, b], { reverse });

/** Row i holds row i - 1 of `x`, in the order of the fold; the first one holds zeros. */
function previous(x: Tensor, reverse: boolean): Tensor {
  const at = (n: number): number[] => x.shape.map((_, i) => (i === x.ndim - 2 ? n : 0));
  return reverse ? pad(x, at(-1), at(1), at(0)) : pad(x, at(1), at(-1), at(0));
}

type Extreme = Direction & { op: 'max' | 'min' };

const extremePrimitive: Primitive<Extreme> = /* @__PURE__ */ hostPrimitive<Extreme>({
  name: 'cumulativeArg',
  ranks: [2],
  shape: ([x]) => [{ shape: (x as Aval).shape, dtype: 'int32' }],
  run: ([x], [at], { inputs, params }) => {
    const [{ shape }] = inputs as [Aval];
    const [n, inner] = shape as [number, number];
    const values = x as TypedArray;
    const { op, reverse } = params;
    for (let j = 0; j < inner; j++) {
      let best = 0;
      for (let k = 0; k < n; k++) {
        const place = rowAt(k, n, inner, reverse) + j;
        const [value, found] = [values[place] as number, values[best] as number];
        const wins =
          (op === 'max' ? value > found : value < found) || (Number.isNaN(value) && !Number.isNaN(found));
        if (k === 0 || wins) best = place;
        (at as TypedArray)[place] = (best - j) / inner;
      }
    }
  },
  jvp: noTangent((inputs, params: Extreme) => bind(extremePrimitive, inputs, params)),
});

/** int32 positions along the second axis from the end of the first greatest (smallest) element so far, or of the first NaN. */
export const cumulativeArg = (op: 'max' | 'min', x: Tensor, reverse: boolean): Tensor =>
  bind1(extremePrimitive, [x], { op, reverse });

/** A fold of `[outer, n, inner]` along its second axis, of which every step is a result. */
export interface RunningFold {
  /** `recurrence` has two operands; `max` and `min` give the positions of the extremes. */
  readonly op: 'sum' | 'recurrence' | 'max' | 'min';
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  readonly reverse: boolean;
}

/** The running fold that a host routine is, if it is one: a backend may compute it by itself, to the same bits. */
export function runningFoldOf({ run, inputs, params }: HostRoutine): RunningFold | undefined {
  const op =
    run === sumPrimitive.host
      ? 'sum'
      : run === recurrencePrimitive.host
        ? 'recurrence'
        : run === extremePrimitive.host
          ? (params as Extreme).op
          : undefined;
  const shape = inputs[0]?.shape ?? [];
  const [n, inner] = shape.slice(-2);
  if (!op || n === undefined || inner === undefined) return undefined;
  return { op, outer: sizeOf(shape.slice(0, -2)), n, inner, reverse: (params as Direction).reverse };
}
