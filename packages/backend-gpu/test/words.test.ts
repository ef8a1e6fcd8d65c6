import {
  type Backend,
  type BinaryOp,
  binary,
  type CompareOp,
  cast,
  compare,
  constant,
  coord,
  type DType,
  type Expr,
  hostArray,
  load,
  select,
  type TypedArray,
  type UnaryOp,
  unary,
} from '@neumann/core/backend';
import { describe, expect, test } from 'vitest';
import type { Dialect } from '../src/emit/dialect.ts';
import { gpu } from '../src/index.ts';
import { both, onDeviceSource, pointwise, type TypedArrayInput, ulpsApart } from './run.ts';

const dialects: [dialect: Dialect, backend: Backend][] = [
  ['exact', await gpu({ mode: 'webasm' })],
  ['device', await onDeviceSource()],
];

/** Numbers that have gone wrong before, both signs, and a sweep over all magnitudes. */
const positive = [
  0,
  2 ** -149,
  2 ** -126,
  1e-20,
  1e-6,
  0.25,
  0.49999997,
  0.5,
  0.84375,
  0.99999994,
  1,
  1.0000001,
  1.25,
  1.5,
  2,
  2.5,
  3,
  3.5,
  4,
  9.5,
  10.03,
  88.5,
  100,
  255.5,
  2 ** 23 - 0.5,
  2 ** 23,
  2 ** 24,
  2 ** 31,
  1e20,
  3.4028234663852886e38,
  Infinity,
  ...Array.from({ length: 120 }, (_, i) => 1.234567 * 1.17 ** (i - 60)),
];
const floats = Float32Array.from([...positive, ...positive.map((x) => -x), Number.NaN]);

const float = (values: TypedArray): TypedArrayInput => ({ dtype: 'float32', values });
const x = load(0, 'float32', [coord(0)]);
const y = load(1, 'float32', [coord(0)]);

/** Every pair of some numbers. */
function pairs(dtype: DType, values: TypedArray): [TypedArray, TypedArray] {
  const [a, b] = [0, 1].map(() => hostArray(dtype, values.length ** 2)) as [TypedArray, TypedArray];
  for (const [i, x] of values.entries()) {
    a.fill(x, i * values.length, (i + 1) * values.length);
    b.set(values, i * values.length);
  }
  return [a, b];
}

function worst(got: readonly number[], want: readonly number[], of: (i: number) => string): [number, string] {
  let [most, where] = [0, ''];
  for (const [i, wanted] of want.entries()) {
    const ulps = ulpsApart(got[i] as number, wanted);
    if (ulps > most) [most, where] = [ulps, `${of(i)} gives ${got[i]} instead of ${wanted}`];
  }
  return [most, where];
}

describe.each(dialects)('float32 words of the source %s agree with the reference', (dialect, backend) => {
  /** In units in the last place: 0 where one rounding decides; the others have the errors of their formulas. */
  const formulas: Partial<Record<UnaryOp, number>> =
    dialect === 'exact'
      ? {}
      : {
          exp: 1,
          expm1: 1,
          log: 1,
          log1p: 2,
          sin: 1,
          cos: 1,
          tan: 2,
          asin: 1,
          acos: 1,
          atan: 1,
          sinh: 1,
          cosh: 1,
          tanh: 1,
          asinh: 2,
          acosh: 1,
          atanh: 2,
        };
  const unaries: Partial<Record<UnaryOp, number>> = {
    sqrt: 0,
    rsqrt: 1,
    exp: 0,
    expm1: 0,
    log: 0,
    log1p: 0,
    sin: 0,
    cos: 0,
    tan: 0,
    asin: 0,
    acos: 0,
    atan: 0,
    sinh: 0,
    cosh: 0,
    tanh: 0,
    asinh: 0,
    acosh: 0,
    atanh: 0,
    erf: 2,
    erfc: 3,
    erfInv: 6,
    sigmoid: 2,
    floor: 0,
    ceil: 0,
    trunc: 0,
    round: 0,
    neg: 0,
    abs: 0,
    sign: 0,
    ...formulas,
  };
  test.each(Object.entries(unaries) as [UnaryOp, number][])('%s within %i ulp', (op, ulps) => {
    const { got, want } = both(backend, pointwise([float(floats)], unary(op, x)), [floats]);
    const [most, where] = worst(got, want, (i) => `${op}(${floats[i]})`);
    expect(most, where).toBeLessThanOrEqual(ulps);
  });

  const some = floats.filter(
    (_, i) => i % 5 === 0 || Math.abs(floats[i] as number) <= 4 || i === floats.length - 1,
  );
  const [a, b] = pairs('float32', some);
  const binaries: Partial<Record<BinaryOp, number>> = {
    add: 0,
    sub: 0,
    mul: 0,
    div: 0,
    rem: 0,
    pow: 0,
    atan2: 0,
    max: 0,
    min: 0,
    ...(dialect === 'device' ? { pow: 3, atan2: 2 } : {}),
  };
  test.each(Object.entries(binaries) as [BinaryOp, number][])('%s within %i ulp', (op, ulps) => {
    const { got, want } = both(backend, pointwise([float(a), float(b)], binary(op, x, y)), [a, b]);
    const [most, where] = worst(got, want, (i) => `${op}(${a[i]}, ${b[i]})`);
    expect(most, where).toBeLessThanOrEqual(ulps);
  });

  test.each(['eq', 'ne', 'lt', 'le'] as CompareOp[])('%s, and select by it', (op) => {
    const chosen = select(compare(op, x, y), binary('sub', x, y), y);
    for (const output of [compare(op, x, y), chosen]) {
      const { got, want } = both(backend, pointwise([float(a), float(b)], output), [a, b]);
      expect(got).toEqual(want);
    }
  });

  test('data passes unchanged: NaN, infinities, -0, denormal numbers', () => {
    const { got, want } = both(backend, pointwise([float(floats)], x), [floats]);
    expect(got).toEqual(want);
  });

  test('no length of array is special', () => {
    for (const size of [1, 2, 3, 4, 5, 7, 8, 9, 1001]) {
      const values = Float32Array.from({ length: size }, (_, i) => i);
      const { got, want } = both(backend, pointwise([float(values)], unary('sqrt', x)), [values]);
      expect(got).toEqual(want);
    }
  });
});

describe.each(dialects)(
  'integer words of the source %s are exact, also where they become floats',
  (_, backend) => {
    const ints = Int32Array.from([0, 1, -1, 2, 3, -3, 7, 10, -10, 255, 256, 1023, -1024, 2047]);
    const bytes = Uint8Array.from([0, 1, 2, 3, 7, 8, 127, 128, 200, 254, 255]);
    const operand = (dtype: 'int32' | 'uint8' | 'bool', input: number): Expr =>
      load(input, dtype, [coord(0)]);
    const check = (dtype: 'int32' | 'uint8' | 'bool', output: (x: Expr, y: Expr) => Expr): void => {
      const [a, b] = pairs(dtype, dtype === 'int32' ? ints : dtype === 'uint8' ? bytes : Uint8Array.of(0, 1));
      const inputs = [
        { dtype, values: a },
        { dtype, values: b },
      ];
      const result = output(operand(dtype, 0), operand(dtype, 1));
      for (const each of [result, cast('float32', result)]) {
        const { got, want } = both(backend, pointwise(inputs, each), [a, b]);
        expect(got).toEqual(want);
      }
    };

    test.each(['add', 'sub', 'mul', 'div', 'rem', 'max', 'min', 'and', 'or', 'xor'] as BinaryOp[])(
      '%s',
      (op) => {
        for (const dtype of ['int32', 'uint8'] as const) check(dtype, (x, y) => binary(op, x, y));
      },
    );
    test('shifts', () => {
      for (const by of [-1, 0, 1, 5, 12, 23, 31, 32, 40]) {
        check('int32', (x) => binary('shr', x, constant('int32', by)));
        check('int32', (x) =>
          binary('shl', binary('rem', x, constant('int32', by > 12 ? 1 : 4)), constant('int32', by)),
        );
      }
    });
    test.each(['div', 'rem'] as BinaryOp[])('%s by a constant', (op) => {
      for (const dtype of ['int32', 'uint8'] as const)
        for (const by of [0, 1, 3, 255]) check(dtype, (x) => binary(op, x, constant(dtype, by)));
      check('int32', (x) => binary(op, x, constant('int32', -3)));
    });
    test.each(['and', 'or', 'xor'] as BinaryOp[])('%s of bool', (op) =>
      check('bool', (x, y) => binary(op, x, y)),
    );
    test.each(['neg', 'abs', 'sign', 'not'] as UnaryOp[])('%s', (op) => {
      for (const dtype of ['int32', 'uint8'] as const) check(dtype, (x) => unary(op, x));
    });
    test('not of bool', () => check('bool', (x) => unary('not', x)));
    test.each(['eq', 'ne', 'lt', 'le'] as CompareOp[])('%s', (op) => {
      for (const dtype of ['int32', 'uint8', 'bool'] as const) check(dtype, (x, y) => compare(op, x, y));
    });
  },
);

describe.each(dialects)('casts of the source %s', (_, backend) => {
  const within = floats.filter((value) => !(Math.abs(value) >= 2 ** 24));
  test('float32 to integers truncates and saturates', () => {
    const cases = [
      ['int32', within],
      ['uint8', floats],
      ['bool', floats],
    ] as const;
    for (const [dtype, values] of cases) {
      const { got, want } = both(backend, pointwise([float(values)], cast(dtype, x)), [values]);
      expect(got).toEqual(want);
    }
  });
  test('integers to everything keeps the low bits', () => {
    const ints = Int32Array.from([0, 1, -1, 255, 256, 257, -255, -256, 2 ** 24 - 1, 1 - 2 ** 24]);
    const bytes = Uint8Array.from([0, 1, 2, 255]);
    for (const [from, values] of [
      ['int32', ints],
      ['uint8', bytes],
      ['bool', Uint8Array.of(0, 1)],
    ] as const)
      for (const to of ['float32', 'int32', 'uint8', 'bool'] as const) {
        const source = pointwise([{ dtype: from, values }], cast(to, load(0, from, [coord(0)])));
        const { got, want } = both(backend, source, [values]);
        expect(got).toEqual(want);
      }
  });
});
