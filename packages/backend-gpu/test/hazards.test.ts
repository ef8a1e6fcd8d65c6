/** What gpu.js and shading languages get wrong without a word, as properties of kernels; on both sources, in Node. */
import {
  acc,
  addExpr,
  type BinaryOp,
  binary,
  cast,
  compare,
  constant,
  coord,
  type Expr,
  type Kernel,
  load,
  mulIndex,
  select,
  type TypedArray,
  unary,
} from '@neumann/core/backend';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emit } from '../src/emit/emit.ts';
import { gpu } from '../src/index.ts';
import { both, kernel, onDeviceSource } from './run.ts';

const special = [
  0,
  -0,
  1,
  -1,
  NaN,
  Infinity,
  -Infinity,
  2 ** -126,
  -(2 ** -126),
  3.4028234663852886e38,
  2 ** 24,
  0.1,
];
const float = fc.oneof(
  fc.constantFrom(...special),
  fc.float({ noNaN: true, noDefaultInfinity: true }).filter((x) => x === 0 || Math.abs(x) > 2 ** -60),
);
const floats = fc
  .array(fc.tuple(float, float), { minLength: 8, maxLength: 8 })
  .map((pairs) => [0, 1].map((i) => Float32Array.from(pairs, (pair) => pair[i] as number)));
const [x, y] = [0, 1].map((input) => load(input, 'float32', [coord(0)])) as [Expr, Expr];
const f32 = (value: number): Expr => constant('float32', value);
const of = (output: Expr, dtype: 'float32' | 'int32' = 'float32'): Kernel =>
  kernel({ inputs: [0, 1].map(() => ({ dtype, shape: [8] })), axes: [8], outputs: [output] });

describe.each([
  ['exact', await gpu({ mode: 'webasm' })],
  ['device', await onDeviceSource()],
] as const)('in the source %s', (_, backend) => {
  const same = (kernel: Kernel, inputs: readonly TypedArray[]): void => {
    const { got, want } = both(backend, kernel, inputs);
    expect(got).toEqual(want);
  };

  test('NaN, infinities and -0 go through max, min, comparisons, choices and signs as they should', () => {
    const outputs = [
      binary('max', x, y),
      binary('min', binary('max', x, f32(-0)), y),
      select(compare('ne', x, x), f32(7), x),
      select(compare('le', x, y), unary('neg', x), unary('abs', y)),
      unary('sign', x),
      cast('bool', x),
      select(cast('bool', y), x, f32(NaN)),
      binary('div', x, y),
      binary('mul', x, y),
    ];
    fc.assert(
      fc.property(floats, fc.constantFrom(...outputs), (inputs, output) => same(of(output), inputs)),
      { numRuns: 60 },
    );
  });

  test('quotients and rests of integers are exact, also where a device would divide to just below', () => {
    const most = 2 ** 24 - 1;
    const [a, b] = [0, 1].map((input) => load(input, 'int32', [coord(0)])) as [Expr, Expr];
    const pairs = fc
      .array(fc.tuple(fc.integer({ min: -most, max: most }), fc.integer({ min: 1, max: 5000 })), {
        minLength: 8,
        maxLength: 8,
      })
      .map((all) => [
        Int32Array.from(all, ([n, d]) => n - (n % d)), // multiples, whose quotients are whole
        Int32Array.from(all, ([, d]) => d),
      ]);
    const literal = fc.constantFrom(1, 2, 3, 7, 64, 100, 255, 4096, 65535);
    const ops = fc.constantFrom<BinaryOp>('div', 'rem');
    fc.assert(
      fc.property(pairs, literal, ops, (inputs, by, op) => {
        same(of(binary(op, a, b), 'int32'), inputs);
        same(of(binary(op, a, constant('int32', by)), 'int32'), inputs);
        same(of(binary(op, unary('abs', a), constant('int32', by)), 'int32'), inputs);
      }),
      { numRuns: 15 },
    );
  });

  test('positions are exact, of any shape and with axes of extent 1', () => {
    const extents = fc.array(fc.constantFrom(1, 2, 3, 5, 7, 13, 40), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(extents, (axes) => {
        const index = axes.reduce(
          (sum: Expr, n, axis) => addExpr(mulIndex(sum, n), coord(axis)),
          constant('int32', 0),
        );
        same(kernel({ axes, outputs: [cast('float32', index)] }), []);
      }),
      { numRuns: 15 },
    );
  });

  test('loops take every step, of any length', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 3 }), (n, m) => {
        const ones = kernel({
          reduceAxes: [m, n],
          reductions: [{ op: 'add', value: f32(1) }],
          outputs: [acc('float32', 0)],
        });
        same(ones, []);
      }),
      { numRuns: 12 },
    );
  });

  test('numbers in the source keep every digit, whatever stands beside them', () => {
    const literal = fc.oneof(
      fc.constantFrom(1e-7, 0.1, 1e-20, 3e20, 16777215, 1.5, -0.5, 2 ** -100, 123456.789, 1, 2, -3),
      fc.float({ noNaN: true, noDefaultInfinity: true }).filter((v) => Math.abs(v) > 2 ** -100),
    );
    const ops = fc.constantFrom<BinaryOp>('add', 'sub', 'mul', 'div', 'max', 'min');
    fc.assert(
      fc.property(floats, literal, literal, ops, (inputs, a, b, op) => {
        same(of(binary(op, f32(a), x)), inputs);
        same(of(binary(op, cast('float32', coord(0)), f32(a))), inputs);
        same(of(select(compare('lt', f32(a), x), f32(b), f32(a))), inputs);
      }),
      { numRuns: 25 },
    );
  });
});

test('no source asks whether something is not a number in a way that compilers answer without looking', () => {
  for (const op of ['exp', 'log', 'tanh', 'sin', 'erf', 'round'] as const) {
    const { source, functions } = emit(of(unary(op, x)), 0, 'device');
    expect(source + functions.map((f) => f.source).join('')).not.toMatch(/(\w+) !== \1\b|!\(/);
  }
});
