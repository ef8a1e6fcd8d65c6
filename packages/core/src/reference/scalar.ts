/**
 * What every scalar word of the kernel language means for every dtype, as functions of JavaScript numbers.
 *
 * int32, uint32 and uint8 are numbers in their range, bool is 0 or 1, float32 is a number that `Math.fround` keeps.
 * A word without a function is not defined for that dtype.
 */
import { type DType, isFloat } from '../dtype.ts';
import type { BinaryOp, CompareOp, UnaryOp } from '../ir/kernel.ts';
import { scalarFunctions } from './special.ts';

export type Unary = (x: number) => number;
export type Binary = (x: number, y: number) => number;

/** `unaryFunctions[dtype][op]`, where it is defined. */
export const unaryFunctions: Readonly<Record<DType, Readonly<Partial<Record<UnaryOp, Unary>>>>> = {
  float64: unaryOfFloat((x) => x),
  float32: unaryOfFloat(Math.fround),
  int32: { neg: (x) => -x | 0, abs: (x) => Math.abs(x) | 0, sign: Math.sign, not: (x) => ~x },
  uint32: { neg: (x) => -x >>> 0, abs: (x) => x, sign: Math.sign, not: (x) => ~x >>> 0 },
  uint8: { neg: (x) => -x & 255, abs: (x) => x, sign: Math.sign, not: (x) => ~x & 255 },
  bool: { not: (x) => x ^ 1 },
};

/** `binaryFunctions[dtype][op]`, where it is defined. */
export const binaryFunctions: Readonly<Record<DType, Readonly<Partial<Record<BinaryOp, Binary>>>>> = {
  float64: binaryOfFloat((x) => x),
  float32: binaryOfFloat(Math.fround),
  int32: {
    ...binaryOfInteger((x) => x | 0, -1),
    ...shiftsOf(
      (x) => x | 0,
      (x, n) => x >> Math.min(n, 31),
    ),
  },
  uint32: {
    ...binaryOfInteger((x) => x >>> 0, 2 ** 32 - 1),
    ...shiftsOf(
      (x) => x >>> 0,
      (x, n) => (n < 32 ? x >>> n : 0),
    ),
  },
  uint8: binaryOfInteger((x) => x & 255, 255),
  bool: bitwise((x) => x),
};

/** Comparisons, as 0 or 1: the same for every dtype. */
export const compareFunctions: Readonly<Record<CompareOp, Binary>> = {
  eq: (x, y) => Number(x === y),
  ne: (x, y) => Number(x !== y),
  lt: (x, y) => Number(x < y),
  le: (x, y) => Number(x <= y),
};

/** The conversion of a number of `from` to `to`. */
export function castFunction(from: DType, to: DType): Unary {
  return isFloat(from) ? castOfFloat[to] : castOfInteger[to];
}

/** A number of `from` with the same bits as one of `to`; both of float32, int32, uint32. */
export function bitcastFunction(from: DType, to: DType): Unary {
  const bits = new DataView(new ArrayBuffer(4));
  const [write, read] = [bitsOf[from]?.write, bitsOf[to]?.read];
  if (!write || !read)
    throw new RangeError(`bitcast: no ${from} -> ${to}; use two of float32, int32, uint32.`);
  return (x) => {
    write(bits, x);
    return read(bits);
  };
}

/** Whether {@link bitcastFunction} knows the dtype. */
export function isBitcastable(dtype: DType): boolean {
  return bitsOf[dtype] !== undefined;
}

/** The least and the greatest number of each dtype. */
export const rangeOf: Readonly<Record<DType, readonly [least: number, greatest: number]>> = {
  float64: [-Infinity, Infinity],
  float32: [-Infinity, Infinity],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  uint8: [0, 255],
  bool: [0, 1],
};

/** Whether `x` is a number that an element of the dtype can hold. */
export function isNumberOf(dtype: DType, x: number): boolean {
  if (isFloat(dtype)) return dtype === 'float64' || Object.is(Math.fround(x), x);
  const [least, greatest] = rangeOf[dtype];
  return Number.isInteger(x) && !Object.is(x, -0) && least <= x && x <= greatest;
}

function unaryOfFloat(round: Unary): Partial<Record<UnaryOp, Unary>> {
  const { pow: _pow, atan2: _atan2, ...functions } = scalarFunctions;
  return Object.fromEntries(Object.entries(functions).map(([op, f]) => [op, (x: number) => round(f(x))]));
}

function binaryOfFloat(round: Unary): Partial<Record<BinaryOp, Binary>> {
  const { pow, atan2 } = scalarFunctions;
  return {
    add: (x, y) => round(x + y),
    sub: (x, y) => round(x - y),
    mul: (x, y) => round(x * y),
    div: (x, y) => round(x / y),
    rem: (x, y) => round(x % y),
    pow: (x, y) => round(pow(x, y)),
    atan2: (y, x) => round(atan2(y, x)),
    max: Math.max,
    min: Math.min,
  };
}

/** `wrap` brings the low 32 bits of an integer into the dtype's range. */
function binaryOfInteger(wrap: Unary, allBits: number): Partial<Record<BinaryOp, Binary>> {
  return {
    add: (x, y) => wrap(x + y),
    sub: (x, y) => wrap(x - y),
    mul: (x, y) => wrap(Math.imul(x, y)),
    div: (x, y) => (y === 0 ? allBits : wrap(x / y)),
    rem: (x, y) => (y === 0 ? x : wrap(x % y)),
    pow: (x, y) => wrap(integerPower(x, y)),
    max: Math.max,
    min: Math.min,
    ...bitwise(wrap),
  };
}

function bitwise(wrap: Unary): Partial<Record<BinaryOp, Binary>> {
  return {
    and: (x, y) => wrap(x & y),
    or: (x, y) => wrap(x | y),
    xor: (x, y) => wrap(x ^ y),
  };
}

/** Shift counts are read as unsigned, so a negative one is beyond 32. */
function shiftsOf(wrap: Unary, right: Binary): Partial<Record<BinaryOp, Binary>> {
  return {
    shl: (x, n) => (n >>> 0 < 32 ? wrap(x << n) : 0),
    shr: (x, n) => right(x, n >>> 0),
  };
}

/** `x ** n` modulo 2^32 by squaring; `x ** -n` is 0 unless x is ±1. */
function integerPower(x: number, n: number): number {
  if (n < 0) return x === 1 ? 1 : x === -1 ? (n % 2 === 0 ? 1 : -1) : 0;
  let power = 1;
  for (let [square, rest] = [x, n]; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = Math.imul(power, square);
    square = Math.imul(square, square);
  }
  return power;
}

const castOfInteger: Record<DType, Unary> = {
  float64: (x) => x,
  float32: Math.fround,
  int32: (x) => x | 0,
  uint32: (x) => x >>> 0,
  uint8: (x) => x & 255,
  bool: (x) => Number(x !== 0),
};

const castOfFloat: Record<DType, Unary> = {
  float64: (x) => x,
  float32: Math.fround,
  int32: saturate('int32'),
  uint32: saturate('uint32'),
  uint8: saturate('uint8'),
  bool: (x) => Number(x !== 0),
};

/** Truncates and saturates; NaN and -0 give 0. */
function saturate(dtype: DType): Unary {
  const [least, greatest] = rangeOf[dtype];
  return (x) => Math.min(Math.max(Math.trunc(x), least), greatest) || 0;
}

const bitsOf: Partial<
  Record<DType, { write: (bits: DataView, x: number) => void; read: (bits: DataView) => number }>
> = {
  float32: { write: (bits, x) => bits.setFloat32(0, x), read: (bits) => bits.getFloat32(0) },
  int32: { write: (bits, x) => bits.setInt32(0, x), read: (bits) => bits.getInt32(0) },
  uint32: { write: (bits, x) => bits.setUint32(0, x), read: (bits) => bits.getUint32(0) },
};
