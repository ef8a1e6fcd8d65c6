import {
  acc,
  type BinaryOp,
  binary,
  bitcast,
  type CompareOp,
  cast,
  compare,
  constant,
  coord,
  type DType,
  type Expr,
  interpret,
  load,
  select,
  type TypedArray,
  unary,
} from '@neumann/core/backend';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inHalves } from '../src/emit/halves.ts';
import { gpu } from '../src/index.ts';
import { rangeKernel } from '../src/range.ts';
import { kernel, onDeviceSource, run } from './run.ts';

const word = fc.oneof(
  fc.constantFrom(0, 1, 31, 32, 255, 65535, 65536, 2 ** 24 + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1),
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
);
const words = fc
  .array(fc.tuple(word, word), { minLength: 20, maxLength: 20 })
  .map((pairs) => [0, 1].map((i) => Uint32Array.from(pairs, (pair) => pair[i] as number)));

const [x, y] = [0, 1].map((input) => load(input, 'uint32', [coord(0)])) as [Expr, Expr];
const u32 = (value: number): Expr => constant('uint32', value);
const results: Record<string, Expr> = {
  not: unary('not', x),
  neg: unary('neg', x),
  sign: unary('sign', x),
  select: select(compare('lt', x, y), x, u32(2 ** 32 - 1)),
  'div by 1000': binary('div', x, u32(1000)),
  'rem by 65535': binary('rem', x, u32(65535)),
  'rem by 0': binary('rem', x, u32(0)),
  'div by 0': binary('div', x, u32(0)),
  float32: cast('float32', x),
  bool: cast('bool', x),
  uint8: cast('uint8', x),
  bits: bitcast('float32', x),
  'rest as int32': cast('int32', binary('rem', x, u32(60000))),
};
for (const op of ['add', 'sub', 'mul', 'div', 'rem', 'and', 'or', 'xor', 'max', 'min'] as BinaryOp[])
  results[op] = binary(op, x, y);
for (const by of [0, 1, 2, 5, 1000]) results[`pow by ${by}`] = binary('pow', x, u32(by));
results['pow by any number'] = binary('pow', x, y);
for (const op of ['eq', 'ne', 'lt', 'le'] as CompareOp[]) results[op] = compare(op, x, y);
for (const op of ['shl', 'shr'] as BinaryOp[]) {
  for (const by of [0, 1, 9, 15, 16, 17, 31, 32, 40]) results[`${op} by ${by}`] = binary(op, x, u32(by));
  results[`${op} by any number`] = binary(op, x, binary('rem', y, u32(40)));
}

const of = (output: Expr, dtype: DType = 'uint32') =>
  kernel({
    inputs: [0, 1].map(() => ({ dtype, shape: [20] })),
    axes: [20],
    outputs: [output],
  });

/** The numbers of a kernel's only result; a NaN is one whatever its bits. */
const numbers = ([result]: readonly TypedArray[]): number[] => [...(result ?? [])];

describe.each([
  ['exact', await gpu({ mode: 'webasm' })],
  ['device', await onDeviceSource()],
] as const)('uint32 in halves, in the source %s', (_, backend) => {
  test.each(Object.entries(results))('%s', (__, output) => {
    fc.assert(
      fc.property(words, (inputs) => {
        expect(numbers(run(backend, of(output), inputs))).toEqual(numbers(interpret(of(output), inputs)));
      }),
      { numRuns: 5 },
    );
  });

  test.each(['add', 'mul', 'max', 'min', 'argmax', 'argmin'] as const)('%s along axes', (op) => {
    const value = binary('add', load(0, 'uint32', [coord(0), coord(2), coord(1), coord(3)]), u32(3));
    const result = acc(op.startsWith('arg') ? 'int32' : 'uint32', 0);
    const parts = {
      inputs: [{ dtype: 'uint32', shape: [2, 3, 1, 5] }] as const,
      axes: [2, 1],
      reduceAxes: [3, 5],
      reductions: [{ op, value }],
    };
    const both = [
      result,
      binary('add', binary('mul', cast('uint32', result), u32(3)), cast('uint32', coord(0))),
    ];
    fc.assert(
      fc.property(fc.array(word, { minLength: 30, maxLength: 30 }), (values) => {
        for (const output of both) {
          const whole = kernel({ ...parts, outputs: [output] });
          const inputs = [Uint32Array.from(values)];
          expect(numbers(run(backend, whole, inputs))).toEqual(numbers(interpret(whole, inputs)));
        }
      }),
      { numRuns: 5, examples: [[Array(30).fill(2 ** 32 - 4)], [Array(30).fill(2 ** 32 - 3)]] },
    );
  });

  test('folds over very many words, and over none', () => {
    const of = (op: 'add' | 'max' | 'mul' | 'min', size: number) =>
      kernel({
        inputs: [{ dtype: 'uint32', shape: [size] }],
        reduceAxes: [size],
        reductions: [{ op, value: x }],
        outputs: [acc('uint32', 0)],
      });
    const many = Uint32Array.from({ length: 70_001 }, (_, i) => Math.imul(i, 2654435761) >>> 0);
    for (const op of ['add', 'max', 'mul', 'min'] as const)
      for (const values of [many, many.subarray(0, 1000), many.subarray(0, 0)]) {
        const whole = of(op, values.length);
        expect(numbers(run(backend, whole, [values])), op).toEqual(numbers(interpret(whole, [values])));
      }
  });

  test('the bits of floats', () => {
    const x = load(0, 'float32', [coord(0)]);
    const special = [0, -0, 1, -1, 2 ** -126, -(2 ** 127), 3.4028234663852886e38, Infinity, -Infinity, NaN];
    const of = (output: Expr, dtype: DType, size: number) =>
      kernel({ inputs: [{ dtype, shape: [size] }], axes: [size], outputs: [output] });
    const words = of(bitcast('uint32', x), 'float32', 24);
    const value = fc.oneof(fc.float({ noNaN: true }), fc.double({ noNaN: true }).map(Math.fround));
    fc.assert(
      fc.property(fc.array(value, { minLength: 14, maxLength: 14 }), (values) => {
        const inputs = [Float32Array.of(...special, ...values)];
        expect(numbers(run(backend, words, inputs))).toEqual(numbers(interpret(words, inputs)));
      }),
      { numRuns: 20 },
    );
    const int = load(0, 'int32', [coord(0)]);
    const back = of(bitcast('float32', int), 'int32', 4);
    const ints = [Int32Array.of(0, 2 ** 23, 2 ** 24 - 1, -1)];
    expect(numbers(run(backend, back, ints))).toEqual(numbers(interpret(back, ints)));
    const small = of(bitcast('int32', x), 'float32', 2);
    expect(numbers(run(backend, small, [Float32Array.of(0, 2 ** -126)]))).toEqual([0, 2 ** 23]);
    expect(() => run(backend, small, [Float32Array.of(0, 1)])).toThrow(/int32 is exact only up to/);
  });

  test('from int32, and back within its range', () => {
    const value = fc.integer({ min: 1 - 2 ** 24, max: 2 ** 24 - 1 });
    const int = load(0, 'int32', [coord(0)]);
    const outputs = [cast('uint32', int), cast('int32', binary('add', cast('uint32', int), u32(0)))];
    fc.assert(
      fc.property(fc.array(value, { minLength: 20, maxLength: 20 }), (values) => {
        const inputs = [Int32Array.from(values), Int32Array.from(values)];
        for (const output of outputs)
          expect(numbers(run(backend, of(output, 'int32'), inputs))).toEqual(
            numbers(interpret(of(output, 'int32'), inputs)),
          );
      }),
      { numRuns: 5, examples: [[[...Array(18).fill(0), 2 ** 24 - 1, 1 - 2 ** 24]]] },
    );
    const beyond = [Uint32Array.of(2 ** 24, ...Array(19).fill(0)), new Uint32Array(20)];
    expect(() => run(backend, of(binary('add', cast('int32', x), constant('int32', -9))), beyond)).toThrow(
      /left the range/,
    );
  });

  test('from floats, truncated and saturated', () => {
    const values = [
      -1,
      -0.5,
      0,
      0.99,
      1.5,
      255.9,
      65535.5,
      65536,
      1e6,
      16777216,
      3e9,
      4294967040,
      4294967296,
      1e20,
      Infinity,
      NaN,
      7,
      8,
      9,
      10,
    ];
    const output = cast('uint32', load(0, 'float32', [coord(0)]));
    const inputs = [Float32Array.from(values), Float32Array.from(values)];
    expect(numbers(run(backend, of(output, 'float32'), inputs))).toEqual(
      numbers(interpret(of(output, 'float32'), inputs)),
    );
  });
});

test('words need no check of their range', () => {
  for (const output of Object.values(results)) expect(rangeKernel(of(output), 0)).toBeUndefined();
});

test('kernels without words stay as they are', () => {
  const sum = of(binary('add', load(0, 'int32', [coord(0)]), load(1, 'int32', [coord(0)])), 'int32');
  expect(inHalves(sum, 0)).toEqual(sum);
});
