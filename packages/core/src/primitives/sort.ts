/** The order of elements, as plain JavaScript: a stable radix sort, so O(n) for every dtype. */
import type { TypedArray } from '../dtype.ts';
import { noTangent, type Primitive } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind, bind1 } from '../trace.ts';
import { hostPrimitive } from './host.ts';

type SortParams = { descending: boolean };

const argsortPrimitive: Primitive<SortParams> = /* @__PURE__ */ hostPrimitive<SortParams>({
  name: 'argsort',
  ranks: [1],
  shape: ([x]) => [{ shape: x?.shape ?? [], dtype: 'int32' }],
  run: ([x], [order], { params }) =>
    sortInto(order as Int32Array, keysOf(x as TypedArray, params.descending)),
  jvp: noTangent((inputs, params: SortParams) => bind(argsortPrimitive, inputs, params)),
});

/** int32 positions of the elements along the last axis in ascending order; equal ones stay, -0 equals 0, NaN is last. */
export const argsort = (x: Tensor, descending: boolean): Tensor =>
  bind1(argsortPrimitive, [x], { descending });

/** Words whose order as unsigned integers, the last word first, is that of the elements. */
function keysOf(x: TypedArray, descending: boolean): Uint32Array[] {
  const keys = x instanceof Float64Array ? keysOfDoubles(x) : [keysOfWords(x)];
  if (descending)
    for (const words of keys) for (let i = 0; i < words.length; i++) words[i] = ~(words[i] as number);
  return keys;
}

const signBit = 0x80000000;

function keysOfWords(x: TypedArray): Uint32Array {
  const keys = new Uint32Array(x.length);
  if (x instanceof Float32Array) {
    const bits = new Uint32Array(x.buffer, x.byteOffset, x.length);
    for (let i = 0; i < keys.length; i++) {
      const [value, word] = [x[i] as number, bits[i] as number];
      keys[i] =
        value === 0 ? signBit : Number.isNaN(value) ? 0xffffffff : word & signBit ? ~word : word | signBit;
    }
  } else if (x instanceof Int32Array)
    for (let i = 0; i < keys.length; i++) keys[i] = (x[i] as number) ^ signBit;
  else keys.set(x);
  return keys;
}

function keysOfDoubles(x: Float64Array): Uint32Array[] {
  const [low, high] = [new Uint32Array(x.length), new Uint32Array(x.length)];
  const bits = new DataView(x.buffer, x.byteOffset, x.byteLength);
  for (let i = 0; i < x.length; i++) {
    const value = x[i] as number;
    if (Number.isNaN(value)) low[i] = high[i] = 0xffffffff;
    else if (value === 0) high[i] = signBit;
    else {
      const [l, h] = [bits.getUint32(8 * i, true), bits.getUint32(8 * i + 4, true)];
      const negative = (h & signBit) !== 0;
      low[i] = negative ? ~l : l;
      high[i] = negative ? ~h : h | signBit;
    }
  }
  return [low, high];
}

/** Elements up to which insertion is quicker than counting. */
const fewElements = 32;
/** Elements from which longer digits are quicker. */
const manyElements = 8192;

function sortInto(order: Int32Array, keys: readonly Uint32Array[]): void {
  for (let i = 0; i < order.length; i++) order[i] = i;
  if (order.length <= fewElements) insertInto(order, keys);
  else for (const words of keys) countInto(order, words, order.length < manyElements ? 8 : 11);
}

function insertInto(order: Int32Array, keys: readonly Uint32Array[]): void {
  for (let i = 1; i < order.length; i++) {
    let j = i;
    while (j > 0 && isBefore(i, order[j - 1] as number, keys)) {
      order[j] = order[j - 1] as number;
      j--;
    }
    order[j] = i;
  }
}

function isBefore(a: number, b: number, keys: readonly Uint32Array[]): boolean {
  for (let k = keys.length - 1; k >= 0; k--) {
    const words = keys[k] as Uint32Array;
    if (words[a] !== words[b]) return (words[a] as number) < (words[b] as number);
  }
  return false;
}

/** Sorts by one word, digit by digit from the lowest; each pass keeps the order of equal digits. */
function countInto(order: Int32Array, words: Uint32Array, digitBits: number): void {
  const n = order.length;
  const mask = 2 ** digitBits - 1;
  const start = new Int32Array(mask + 2);
  let [from, to]: [Int32Array, Int32Array] = [order, new Int32Array(n)];
  for (let shift = 0; shift < 32; shift += digitBits) {
    start.fill(0);
    for (let i = 0; i < n; i++) {
      const after = (((words[i] as number) >>> shift) & mask) + 1;
      start[after] = (start[after] as number) + 1;
    }
    if (start.includes(n)) continue; // all have the same digit
    for (let d = 1; d <= mask; d++) start[d] = (start[d] as number) + (start[d - 1] as number);
    for (let i = 0; i < n; i++) {
      const place = from[i] as number;
      const digit = ((words[place] as number) >>> shift) & mask;
      const next = start[digit] as number;
      to[next] = place;
      start[digit] = next + 1;
    }
    [from, to] = [to, from];
  }
  if (from !== order) order.set(from);
}
