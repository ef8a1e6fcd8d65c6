/** Shapes and values for samples. All shrink: to fewer elements, and to zeros. */
import fc from 'fast-check';
import { type DType, dtypeInfo, isFloat, rangeOf, type Shape, sizeOf, type TypedArray } from './core.ts';
import type { Operand } from './row.ts';

/** Elements that a sample's operand has at most: enough for the tails of vector loops, little enough to be quick. */
const maxElements = 300;

/** An extent: mostly small; sometimes 0 (if allowed), 1, or beyond one vector. */
function extent(empty: boolean): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 12, arbitrary: fc.integer({ min: 1, max: 5 }) },
    { weight: 2, arbitrary: fc.integer({ min: 6, max: 11 }) },
    { weight: 1, arbitrary: fc.integer({ min: 15, max: 37 }) },
    ...(empty ? [{ weight: 1, arbitrary: fc.constant(0) }] : []),
  );
}

export interface ShapeOptions {
  readonly minRank?: number;
  readonly maxRank?: number;
  /** Whether axes may have extent 0. */
  readonly empty?: boolean;
}

/** A shape; long axes are cut where there would be too many elements. */
export function shapes({ minRank = 0, maxRank = 4, empty = true }: ShapeOptions = {}): fc.Arbitrary<Shape> {
  return fc.array(extent(empty), { minLength: minRank, maxLength: maxRank }).map((drawn) => {
    let room = maxElements;
    return drawn.map((n) => {
      const kept = Math.min(n, Math.max(1, room));
      room = Math.floor(room / Math.max(1, kept));
      return kept;
    });
  });
}

/** Small shapes without empty axes, for laws that differentiate. */
export function smallShapes(options: ShapeOptions = {}): fc.Arbitrary<Shape> {
  const { minRank = 0, maxRank = 3 } = options;
  return fc.array(fc.integer({ min: 1, max: 3 }), { minLength: minRank, maxLength: maxRank });
}

/** Shapes of `count` operands that broadcast. */
export function broadcasting(count: number, result: fc.Arbitrary<Shape> = shapes()): fc.Arbitrary<Shape[]> {
  return result.chain((shape) => {
    const operand = fc
      .record({
        drop: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: shape.length })),
        stretched: fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
        any: fc.boolean(),
      })
      .map(({ drop, stretched, any }) => shape.map((n, i) => (any && stretched[i] ? 1 : n)).slice(drop));
    return fc.array(operand, { minLength: count, maxLength: count });
  });
}

/** Numbers that have gone wrong before. */
const edges: Readonly<Record<DType, readonly number[]>> = {
  float32: [
    0,
    -0,
    1,
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    0.5,
    -0.5,
    2 ** -149,
    -(2 ** -149),
    2 ** -126,
    -(2 ** -127),
    3.4028234663852886e38,
    -3.4028234663852886e38,
    16777217,
    -16777215,
    2147483648,
    4294967296,
    -2147483649,
    1e-20,
    -1e20,
    0.99999994,
    1.5,
    -2.5,
  ],
  float64: [
    0,
    -0,
    1,
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    0.5,
    -0.5,
    5e-324,
    -5e-324,
    2.2250738585072014e-308,
    Number.MAX_VALUE,
    -Number.MAX_VALUE,
    9007199254740994,
    2147483648,
    4294967296,
    -2147483649,
    1e-200,
    -1e200,
    1 - 2 ** -53,
    1.5,
    -2.5,
    1e39,
    1e-46,
  ],
  int32: [0, 1, -1, 2, -2, 31, 32, 33, 255, 256, 65535, 2 ** 24 + 1, 2 ** 31 - 1, -(2 ** 31), -(2 ** 31) + 1],
  uint32: [0, 1, 2, 31, 32, 33, 255, 256, 65535, 2 ** 24 + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1],
  uint8: [0, 1, 2, 7, 8, 127, 128, 254, 255],
  bool: [0, 1],
};

const bits = 20;
const fractions = 2 ** bits;

/** One number from `[low, high]`, on a grid of 2^20; shrinks to the point nearest zero. */
export function between(low: number, high: number): fc.Arbitrary<number> {
  const origin = Math.round(((Math.min(Math.max(0, low), high) - low) / (high - low)) * fractions);
  return fc
    .integer({ min: -origin, max: fractions - origin })
    .map((k) => low + ((k + origin) / fractions) * (high - low));
}

/** Everyday numbers of a dtype. */
function plain(dtype: DType): fc.Arbitrary<number> {
  if (isFloat(dtype)) return between(-10, 10);
  const [least, greatest] = rangeOf[dtype];
  return fc.integer({ min: Math.max(least, -100), max: Math.min(greatest, 100) });
}

/** Any numbers of a dtype: everyday ones, tiny and huge ones, and those at the edges. */
export function edgy(dtype: DType, keep: (x: number) => boolean = () => true): fc.Arbitrary<number> {
  const special = edges[dtype].filter(keep);
  const wide = isFloat(dtype)
    ? fc
        .tuple(between(-1, 1), fc.integer({ min: -30, max: 30 }))
        .map(([x, e]) => x * 2 ** e)
        .filter(keep)
    : fc.integer({ min: rangeOf[dtype][0], max: rangeOf[dtype][1] });
  const edge = special.length > 0 ? [fc.constantFrom(...special)] : [];
  return fc.oneof(plain(dtype).filter(keep), ...edge, wide);
}

/** `count` elements, as host memory of the dtype. */
export function arrays(dtype: DType, shape: Shape, element: fc.Arbitrary<number>): fc.Arbitrary<TypedArray> {
  const { array } = dtypeInfo(dtype);
  const size = sizeOf(shape);
  return fc.array(element, { minLength: size, maxLength: size, size: 'max' }).map((xs) => new array(xs));
}

/** An operand with any values: everyday ones in two samples of three. */
export function anyOperand(dtype: DType, shape: Shape, keep?: (x: number) => boolean): Operand {
  return {
    dtype,
    shape,
    values: fc.oneof(
      { weight: 2, arbitrary: arrays(dtype, shape, keep ? plain(dtype).filter(keep) : plain(dtype)) },
      { weight: 1, arbitrary: arrays(dtype, shape, edgy(dtype, keep)) },
    ),
  };
}

/** An operand whose sums stay finite. */
export function finiteOperand(dtype: DType, shape: Shape): Operand {
  return anyOperand(dtype, shape, (x) => !isFloat(dtype) || Math.abs(x) < 1e15);
}

/** An operand with elements from an interval. */
export function operandBetween(dtype: DType, shape: Shape, low: number, high: number): Operand {
  return { dtype, shape, values: arrays(dtype, shape, between(low, high)) };
}

/** An operand with integers from an interval. */
export function integersBetween(dtype: DType, shape: Shape, min: number, max: number): Operand {
  return { dtype, shape, values: arrays(dtype, shape, fc.integer({ min, max })) };
}

/** A float64 operand for derivatives: numbers of ordinary size, none of them zero in particular. */
export function smoothOperand(shape: Shape, low: number = -2, high: number = 2): Operand {
  return operandBetween('float64', shape, low, high);
}

/** A float64 operand whose elements differ by 0.37 or more: no ties for max. */
export function distinctOperand(shape: Shape): Operand {
  const size = sizeOf(shape);
  const order = Array.from({ length: size }, (_, i) => i);
  const values = fc
    .shuffledSubarray(order, { minLength: size, maxLength: size })
    .map((places) => Float64Array.from(places, (k) => 0.1 + 0.37 * (k - Math.floor(size / 2))));
  return { dtype: 'float64', shape, values };
}

/** Some of `0 … rank - 1`, ascending. */
export function someAxes(rank: number, minLength: number = 0): fc.Arbitrary<number[]> {
  return fc.subarray(
    Array.from({ length: rank }, (_, i) => i),
    { minLength },
  );
}

/** `0 … rank - 1` in any order. */
export function permutations(rank: number): fc.Arbitrary<number[]> {
  const axes = Array.from({ length: rank }, (_, i) => i);
  return fc.shuffledSubarray(axes, { minLength: rank, maxLength: rank });
}
