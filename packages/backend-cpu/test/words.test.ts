import {
  type BinaryOp,
  binary,
  bitcast,
  type CompareOp,
  cast,
  compare,
  constant,
  type DType,
  dtypeInfo,
  rangeOf,
  select,
  type UnaryOp,
  unary,
} from '@neumann/core/backend';
import { describe, expect, test } from 'vitest';
import { cpu } from '../src/index.ts';
import { elementwise, randomSource, runKernel, runReference, valuesOf, worstUlps } from './kernels.ts';

const fused = await cpu();
const unfused = await cpu({ relaxedSimd: false });
const backend = fused;
const sizes = [0, 1, 2, 3, 4, 5, 7, 8, 16, 37, 101];
const floats: readonly DType[] = ['float32', 'float64'];
const integers: readonly DType[] = ['int32', 'uint32', 'uint8'];
const all: readonly DType[] = [...floats, ...integers, 'bool'];

const floatUnary: readonly UnaryOp[] = [
  'sqrt',
  'rsqrt',
  'exp',
  'expm1',
  'log',
  'log1p',
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'tanh',
  'asinh',
  'acosh',
  'atanh',
  'erf',
  'erfc',
  'erfInv',
  'sigmoid',
  'floor',
  'ceil',
  'trunc',
  'round',
  'neg',
  'abs',
  'sign',
];
const integerUnary: readonly UnaryOp[] = ['neg', 'abs', 'sign', 'not'];
const floatBinary: readonly BinaryOp[] = ['add', 'sub', 'mul', 'div', 'rem', 'pow', 'atan2', 'max', 'min'];
const integerBinary: readonly BinaryOp[] = [
  'add',
  'sub',
  'mul',
  'div',
  'rem',
  'pow',
  'max',
  'min',
  'and',
  'or',
  'xor',
];
const shifts: readonly BinaryOp[] = ['shl', 'shr'];
const logic: readonly BinaryOp[] = ['and', 'or', 'xor'];

const unaries = [
  ...floats.flatMap((dtype) => floatUnary.map((op) => ({ dtype, op }))),
  ...integers.flatMap((dtype) => integerUnary.map((op) => ({ dtype, op }))),
  { dtype: 'bool', op: 'not' } as const,
];
const binaries = [
  ...floats.flatMap((dtype) => floatBinary.map((op) => ({ dtype, op }))),
  ...integers.flatMap((dtype) =>
    [...integerBinary, ...(dtype === 'uint8' ? [] : shifts)].map((op) => ({ dtype, op })),
  ),
  ...logic.map((op) => ({ dtype: 'bool' as const, op })),
];
const compares = all.flatMap((dtype) =>
  (['eq', 'ne', 'lt', 'le'] satisfies CompareOp[]).map((op) => ({ dtype, op })),
);
const pairs = all.flatMap((from) => all.map((to) => ({ from, to })));

/** What docs/accuracy.md measured for float32, and half a unit for the rounding of what we compare with. */
const vectorFunctions: Partial<Record<UnaryOp | BinaryOp, number>> = {
  exp: 1.5,
  expm1: 2,
  log: 1.5,
  log1p: 2,
  sin: 2.5,
  cos: 2.5,
  tanh: 3,
  erf: 2,
  erfInv: 4,
  sigmoid: 3,
  pow: 1.5,
};

/** rsqrt is a division by a rounded root; what is not listed is correctly rounded or the same function. */
const tolerance = (dtype: DType, op: UnaryOp | BinaryOp) =>
  op === 'rsqrt' ? 1.5 : dtype === 'float32' ? (vectorFunctions[op] ?? 0) : 0;

describe('every word means what the reference says', () => {
  test.each(unaries)('$op of $dtype', ({ dtype, op }) => {
    for (const size of sizes) {
      const kernel = elementwise([size], [dtype], (x) => [unary(op, x)]);
      const inputs = [valuesOf(dtype, size, randomSource(size + 1))];
      for (const backend of [fused, unfused])
        expect(
          worstUlps(runKernel(backend, kernel, inputs)[0] as never, runReference(kernel, inputs)[0] as never),
        ).toBeLessThanOrEqual(tolerance(dtype, op));
    }
  });

  test.each(binaries)('$op of two $dtype', ({ dtype, op }) => {
    for (const size of sizes) {
      const kernel = elementwise([size], [dtype, dtype], (x, y) => [binary(op, x, y)]);
      const random = randomSource(size + 2);
      const inputs = [valuesOf(dtype, size, random), valuesOf(dtype, size, random)];
      for (const backend of [fused, unfused])
        expect(
          worstUlps(runKernel(backend, kernel, inputs)[0] as never, runReference(kernel, inputs)[0] as never),
        ).toBeLessThanOrEqual(tolerance(dtype, op));
    }
  });

  test.each(integers.map((dtype) => ({ dtype })))('quotients of any numbers of $dtype', ({ dtype }) => {
    const random = randomSource(9);
    const { array } = dtypeInfo(dtype);
    const [low, high] = rangeOf[dtype];
    // Of any magnitude, also multiples of each other and their neighbours.
    const any = () => Math.trunc((random() < 0.5 ? low : high) * random() ** 8);
    const y = new array(Array.from({ length: 4000 }, any));
    const near = (i: number) => (y[i] ?? 1) * Math.trunc(any() / (y[i] || 1)) + Math.floor(3 * random()) - 1;
    const x = new array(
      Array.from(y, (_, i) => (i % 2 === 0 ? any() : Math.min(high, Math.max(low, near(i))))),
    );
    const kernel = elementwise([4000], [dtype, dtype], (a, b) => [
      binary('div', a, b),
      binary('rem', a, b),
      ...[0, 1, 3, 10, 255, ...(low < 0 ? [-1, -7, low] : [])].flatMap((n) => [
        binary('div', a, constant(dtype, n)),
        binary('rem', a, constant(dtype, n)),
      ]),
    ]);
    expect(runKernel(backend, kernel, [x, y])).toEqual(runReference(kernel, [x, y]));
  });

  test.each(floats.map((dtype) => ({ dtype })))(
    'greater and smaller than constants of $dtype',
    ({ dtype }) => {
      const bounds = [0, -0, 1, -3, Infinity, Number.NaN];
      const kernel = elementwise([11], [dtype], (x) =>
        bounds.flatMap((bound) =>
          (['max', 'min'] as const).flatMap((op) => {
            const y = constant(dtype, bound);
            return [binary(op, x, y), binary(op, y, x)];
          }),
        ),
      );
      const values = new (dtypeInfo(dtype).array)([
        0,
        -0,
        1,
        -1,
        -3,
        -4,
        2,
        Infinity,
        -Infinity,
        Number.NaN,
        1e-40,
      ]);
      expect(runKernel(backend, kernel, [values])).toEqual(runReference(kernel, [values]));
    },
  );

  test('an element has the same result wherever it stands, also as a scalar', () => {
    const ops = (Object.keys(vectorFunctions) as (UnaryOp | 'pow')[]).filter((op) => op !== 'pow');
    const kernel = elementwise([9], ['float32'], (x) => ops.map((op) => unary(op, x)));
    const single = { ...kernel, axes: [1], inputs: [{ shape: [1], dtype: 'float32' as const }] };
    for (const backend of [fused, unfused])
      for (const value of [0.3, -2.7, 86.9, -86.9, -100, 1e-40, 30000, Number.NaN]) {
        const one = runKernel(backend, single, [Float32Array.of(value)]);
        const nine = runKernel(backend, kernel, [new Float32Array(9).fill(value)]);
        expect(nine.map((values) => [...values])).toEqual(one.map(([y = 0]) => new Array(9).fill(y)));
        // Beside numbers that need more care.
        const mixed = runKernel(backend, kernel, [
          Float32Array.of(value, -90, value, Infinity, 0, NaN, 3, -1, value),
        ]);
        for (const at of [0, 2, 8]) expect(mixed.map((ys) => ys[at])).toEqual(one.map(([y]) => y));
      }
  });

  test.each(compares)('$op of $dtype', ({ dtype, op }) => {
    for (const size of sizes) {
      const kernel = elementwise([size], [dtype, dtype], (x, y) => [compare(op, x, y)]);
      const random = randomSource(size + 3);
      const inputs = [valuesOf(dtype, size, random), valuesOf(dtype, size, random)];
      expect(runKernel(backend, kernel, inputs)).toEqual(runReference(kernel, inputs));
    }
  });

  test.each(all.map((dtype) => ({ dtype })))('select of $dtype', ({ dtype }) => {
    for (const size of sizes) {
      const kernel = elementwise([size], ['bool', dtype, dtype], (c, x, y) => [select(c, x, y)]);
      const random = randomSource(size + 4);
      const inputs = [
        valuesOf('bool', size, random),
        valuesOf(dtype, size, random),
        valuesOf(dtype, size, random),
      ];
      expect(runKernel(backend, kernel, inputs)).toEqual(runReference(kernel, inputs));
    }
  });

  test.each(pairs)('cast of $from to $to', ({ from, to }) => {
    for (const size of sizes) {
      const kernel = elementwise([size], [from], (x) => [cast(to, x)]);
      const inputs = [valuesOf(from, size, randomSource(size + 5))];
      expect(runKernel(backend, kernel, inputs)).toEqual(runReference(kernel, inputs));
    }
  });

  const words: readonly DType[] = ['float32', 'int32', 'uint32'];
  test.each(words.flatMap((from) => words.map((to) => ({ from, to }))))(
    'bitcast of $from to $to',
    ({ from, to }) => {
      const kernel = elementwise([13], [from], (x) => [bitcast(to, x)]);
      const inputs = [valuesOf(from, 13, randomSource(6))];
      expect(runKernel(backend, kernel, inputs)).toEqual(runReference(kernel, inputs));
    },
  );

  test('words of several dtypes meet in one kernel', () => {
    const kernel = elementwise([23], ['float64', 'int32', 'bool', 'uint8', 'float32'], (a, b, c, d, e) => {
      const asDouble = binary('add', a, cast('float64', b));
      const bytes = binary('mul', d, cast('uint8', c));
      const positive = compare('lt', e, cast('float32', d));
      const chosen = select(binary('and', positive, c), cast('float32', asDouble), e);
      return [asDouble, bytes, binary('xor', positive, c), chosen, cast('int32', chosen)];
    });
    const random = randomSource(7);
    const inputs = kernel.inputs.map(({ dtype }) => valuesOf(dtype, 23, random));
    expect(runKernel(backend, kernel, inputs)).toEqual(runReference(kernel, inputs));
  });
});
