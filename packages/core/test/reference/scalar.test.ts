import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DType } from '../../src/dtype.ts';
import { dtypes, hostArray } from '../../src/dtype.ts';
import {
  binaryFunctions,
  bitcastFunction,
  castFunction,
  compareFunctions,
  isNumberOf,
  rangeOf,
  unaryFunctions,
} from '../../src/reference/scalar.ts';

const INT_MIN = -(2 ** 31);
const INT_MAX = 2 ** 31 - 1;
const UINT_MAX = 2 ** 32 - 1;
const INF = Infinity;

type BinaryRow = readonly [op: keyof (typeof binaryFunctions)['int32'], x: number, y: number, result: number];

const binaryTable: Partial<Record<DType, readonly BinaryRow[]>> = {
  int32: [
    ['add', INT_MAX, 1, INT_MIN],
    ['sub', INT_MIN, 1, INT_MAX],
    ['mul', 65536, 65536, 0],
    ['mul', 123456789, 987654321, -67153019],
    ['div', -7, 2, -3],
    ['div', 7, -2, -3],
    ['div', 5, 0, -1],
    ['div', 0, 0, -1],
    ['div', INT_MIN, -1, INT_MIN],
    ['div', 0, -5, 0],
    ['rem', -7, 2, -1],
    ['rem', 7, -2, 1],
    ['rem', -4, 2, 0],
    ['rem', 5, 0, 5],
    ['rem', INT_MIN, -1, 0],
    ['pow', 3, 4, 81],
    ['pow', -2, 31, INT_MIN],
    ['pow', 2, 32, 0],
    ['pow', 3, 40, 689956897],
    ['pow', 0, 0, 1],
    ['pow', 2, -1, 0],
    ['pow', 1, -5, 1],
    ['pow', -1, -5, -1],
    ['pow', -1, -4, 1],
    ['pow', 0, -1, 0],
    ['max', -3, 2, 2],
    ['min', -3, 2, -3],
    ['and', -1, 12, 12],
    ['or', 5, -8, -3],
    ['xor', -1, 1, -2],
    ['shl', 1, 31, INT_MIN],
    ['shl', 1, 32, 0],
    ['shl', 1, -1, 0],
    ['shr', -8, 1, -4],
    ['shr', -8, 32, -1],
    ['shr', 8, 40, 0],
    ['shr', INT_MIN, 31, -1],
  ],
  uint32: [
    ['add', UINT_MAX, 1, 0],
    ['sub', 0, 1, UINT_MAX],
    ['mul', UINT_MAX, UINT_MAX, 1],
    ['div', UINT_MAX, 2, INT_MAX],
    ['div', 5, 0, UINT_MAX],
    ['rem', UINT_MAX, 10, 5],
    ['rem', UINT_MAX, 0, UINT_MAX],
    ['pow', 3, 40, 689956897],
    ['pow', 3, UINT_MAX, 2863311531],
    ['max', UINT_MAX, 1, UINT_MAX],
    ['and', UINT_MAX, 2 ** 31, 2 ** 31],
    ['or', 2 ** 31, 1, 2 ** 31 + 1],
    ['xor', UINT_MAX, 1, UINT_MAX - 1],
    ['shl', 1, 31, 2 ** 31],
    ['shl', 1, 32, 0],
    ['shr', UINT_MAX, 31, 1],
    ['shr', UINT_MAX, 32, 0],
    ['shr', UINT_MAX, UINT_MAX, 0],
  ],
  uint8: [
    ['add', 255, 1, 0],
    ['sub', 0, 1, 255],
    ['mul', 16, 17, 16],
    ['div', 255, 2, 127],
    ['div', 1, 0, 255],
    ['rem', 7, 0, 7],
    ['pow', 3, 5, 243],
    ['pow', 3, 6, 217],
    ['max', 200, 100, 200],
    ['xor', 255, 1, 254],
  ],
  bool: [
    ['and', 1, 0, 0],
    ['or', 1, 0, 1],
    ['xor', 1, 1, 0],
  ],
  float64: [
    ['div', 1, 0, INF],
    ['div', 0, 0, NaN],
    ['rem', -7, 2, -1],
    ['rem', -4, 2, -0],
    ['rem', 5.5, 2, 1.5],
    ['rem', 1, 0, NaN],
    ['max', -0, 0, 0],
    ['max', NaN, 1, NaN],
    ['max', 1, NaN, NaN],
    ['min', 0, -0, -0],
    ['min', NaN, -INF, NaN],
    ['pow', 1, NaN, 1],
    ['pow', NaN, 0, 1],
    ['pow', 0, -1, INF],
    ['atan2', 0, -1, Math.PI],
    ['atan2', -0, -1, -Math.PI],
    ['add', 0.1, 0.2, 0.1 + 0.2],
  ],
  float32: [
    ['add', 2 ** 24, 1, 2 ** 24],
    ['mul', 3e38, 10, INF],
    ['mul', Math.fround(1e-30), Math.fround(1e-30), 0],
    ['div', 1, 3, Math.fround(1 / 3)],
    ['pow', 2, 0.5, Math.fround(Math.SQRT2)],
    ['max', -0, 0, 0],
  ],
};

describe('binary functions at the edges', () => {
  for (const [dtype, rows] of Object.entries(binaryTable))
    test.each(rows)(`${dtype} %s(%d, %d) is %d`, (op, x, y, result) => {
      expect(binaryFunctions[dtype as DType][op]?.(x, y)).toBe(result);
    });
});

describe('unary functions at the edges', () => {
  test.each([
    ['int32', 'neg', INT_MIN, INT_MIN],
    ['int32', 'neg', 0, 0],
    ['int32', 'abs', INT_MIN, INT_MIN],
    ['int32', 'abs', -5, 5],
    ['int32', 'sign', -5, -1],
    ['int32', 'not', 5, -6],
    ['uint32', 'neg', 1, UINT_MAX],
    ['uint32', 'not', 0, UINT_MAX],
    ['uint32', 'sign', UINT_MAX, 1],
    ['uint8', 'neg', 1, 255],
    ['uint8', 'not', 1, 254],
    ['bool', 'not', 1, 0],
    ['bool', 'not', 0, 1],
    ['float32', 'exp', 1, Math.fround(Math.E)],
    ['float32', 'exp', 100, INF],
    ['float64', 'neg', 0, -0],
    ['float64', 'sign', -0, -0],
  ] as const)('%s %s(%d) is %d', (dtype, op, x, result) => {
    expect(unaryFunctions[dtype][op]?.(x)).toBe(result);
  });

  test('words are defined only for the dtypes that the kernel language says', () => {
    expect(Object.keys(unaryFunctions.bool)).toEqual(['not']);
    expect(unaryFunctions.int32.exp).toBeUndefined();
    expect(unaryFunctions.float32.not).toBeUndefined();
    expect(binaryFunctions.float32.and).toBeUndefined();
    expect(binaryFunctions.int32.atan2).toBeUndefined();
    expect(binaryFunctions.uint8.shl).toBeUndefined();
    expect(binaryFunctions.bool.add).toBeUndefined();
  });
});

describe('results stay in the dtype', () => {
  for (const dtype of dtypes)
    test(`of ${dtype}`, () => {
      const element = elementOf(dtype);
      fc.assert(
        fc.property(element, element, (x, y) => {
          for (const [op, f] of Object.entries(binaryFunctions[dtype]))
            expect(isNumberOf(dtype, f(x, y)), `${op}(${x}, ${y}) = ${f(x, y)}`).toBe(true);
          for (const [op, f] of Object.entries(unaryFunctions[dtype]))
            expect(isNumberOf(dtype, f(x)), `${op}(${x}) = ${f(x)}`).toBe(true);
          for (const to of dtypes)
            expect(
              isNumberOf(to, castFunction(dtype, to)(x)),
              `${to}(${x}) = ${castFunction(dtype, to)(x)}`,
            ).toBe(true);
        }),
      );
    });
});

test('integer multiplication agrees with BigInt', () => {
  fc.assert(
    fc.property(elementOf('uint32'), elementOf('uint32'), (x, y) => {
      expect(binaryFunctions.uint32.mul?.(x, y)).toBe(Number(BigInt.asUintN(32, BigInt(x) * BigInt(y))));
      expect(binaryFunctions.int32.mul?.(x | 0, y | 0)).toBe(
        Number(BigInt.asIntN(32, BigInt(x) * BigInt(y))),
      );
    }),
  );
});

test('integer division and remainder give back the dividend', () => {
  const { add, mul, div, rem } = binaryFunctions.int32;
  fc.assert(
    fc.property(elementOf('int32'), elementOf('int32'), (x, y) => {
      expect(add?.(mul?.(div?.(x, y) ?? 0, y) ?? 0, rem?.(x, y) ?? 0)).toBe(x);
    }),
  );
});

test('comparisons with NaN are false, but for ne', () => {
  const { eq, ne, lt, le } = compareFunctions;
  for (const y of [NaN, 1]) expect([eq(NaN, y), ne(NaN, y), lt(NaN, y), le(NaN, y)]).toEqual([0, 1, 0, 0]);
  expect([eq(0, -0), ne(0, -0), lt(-0, 0), le(0, -0)]).toEqual([1, 0, 0, 1]);
  expect([lt(1, 2), le(2, 2), lt(2, 2)]).toEqual([1, 1, 0]);
});

describe('casts', () => {
  test.each([
    ['float32', 'int32', 2.9, 2],
    ['float32', 'int32', -2.9, -2],
    ['float32', 'int32', -0.5, 0],
    ['float32', 'int32', NaN, 0],
    ['float64', 'int32', 1e10, INT_MAX],
    ['float64', 'int32', -INF, INT_MIN],
    ['float64', 'uint32', -1, 0],
    ['float64', 'uint32', INF, UINT_MAX],
    ['float64', 'uint32', 4e9, 4e9],
    ['float32', 'uint8', 300, 255],
    ['float32', 'uint8', -3, 0],
    ['float64', 'float32', 0.1, Math.fround(0.1)],
    ['float64', 'float32', 1e39, INF],
    ['float64', 'bool', NaN, 1],
    ['float64', 'bool', -0, 0],
    ['float64', 'bool', 0.1, 1],
    ['int32', 'uint32', -1, UINT_MAX],
    ['uint32', 'int32', UINT_MAX, -1],
    ['int32', 'uint8', -1, 255],
    ['int32', 'uint8', 256, 0],
    ['int32', 'bool', 256, 1],
    ['int32', 'float32', 2 ** 24 + 1, 2 ** 24],
    ['uint32', 'float64', UINT_MAX, UINT_MAX],
    ['uint8', 'int32', 255, 255],
    ['bool', 'float32', 1, 1],
    ['bool', 'uint8', 1, 1],
  ] as const)('%s -> %s of %d is %d', (from, to, x, result) => {
    expect(castFunction(from, to)(x)).toBe(result);
  });

  test('bitcast keeps the bits', () => {
    expect(bitcastFunction('float32', 'uint32')(1)).toBe(0x3f800000);
    expect(bitcastFunction('float32', 'int32')(-0)).toBe(INT_MIN);
    expect(bitcastFunction('uint32', 'float32')(0x7f800000)).toBe(INF);
    expect(bitcastFunction('int32', 'uint32')(-1)).toBe(UINT_MAX);
    expect(() => bitcastFunction('float64', 'int32')).toThrow('bitcast: no float64 -> int32');
  });
});

/** Any element of a dtype, with the edges of its range often among them. */
function elementOf(dtype: DType): fc.Arbitrary<number> {
  const [least, greatest] = rangeOf[dtype];
  if (dtype === 'float64') return fc.double();
  if (dtype === 'float32') return fc.float();
  const array = hostArray(dtype, 1);
  const small = fc.integer({ min: Math.max(least, -3), max: Math.min(greatest, 40) });
  return fc.oneof(small, fc.integer({ min: least, max: greatest })).map((x) => {
    array[0] = x;
    return Number(array[0]);
  });
}
