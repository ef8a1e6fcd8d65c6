import {
  acc,
  binary,
  type ConvGeometry,
  cast,
  compare,
  constant,
  coord,
  type DType,
  dtypeInfo,
  type Expr,
  type Kernel,
  load,
  select,
  sizeOf,
  type TypedArray,
} from '@neumann/core/backend';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cpu } from '../src/index.ts';
import { randomSource, runKernel, runReference } from './kernels.ts';
import { convKernel, matmulKernel } from './routine-kernels.ts';

const backend = await cpu({ winograd: false });
const withWinograd = await cpu();
const shared = await cpu({ threads: 2, winograd: false });

const dtype = 'float32';
const result = acc(dtype, 0);

/** Pointwise work on a result of some shape: further inputs and outputs. */
const epilogues = {
  biasRelu: (shape: readonly number[], at: readonly Expr[], first: number) => {
    const sum = binary('add', result, load(first, dtype, at.slice(-1)));
    const zero = constant(dtype, 0);
    const isNegative = compare('le', sum, zero);
    return { inputs: [shape.slice(-1)], outputs: [isNegative, select(isNegative, zero, sum)] };
  },
  residual: (shape: readonly number[], at: readonly Expr[], first: number) => ({
    inputs: [shape],
    outputs: [result, binary('add', binary('mul', result, constant(dtype, 0.5)), load(first, dtype, at))],
  }),
  signs: (_: readonly number[], at: readonly Expr[]) => ({
    inputs: [],
    outputs: [compare('lt', result, cast(dtype, at[0] ?? constant('int32', 0)))],
  }),
} satisfies Record<
  string,
  (
    shape: readonly number[],
    at: readonly Expr[],
    first: number,
  ) => { inputs: (readonly number[])[]; outputs: Expr[] }
>;

function withEpilogue(kernel: Kernel, name: keyof typeof epilogues): Kernel {
  const at = kernel.axes.map((_, axis) => coord(axis));
  const { inputs, outputs } = epilogues[name](kernel.axes, at, kernel.inputs.length);
  const views = inputs.map((shape) => ({ shape, dtype: dtype as DType }));
  return { ...kernel, inputs: [...kernel.inputs, ...views], outputs };
}

/** Small whole numbers: results are exact. */
function wholeNumbers({ inputs }: Kernel, seed: number): TypedArray[] {
  const random = randomSource(seed);
  return inputs.map(
    (view) =>
      new (dtypeInfo(view.dtype).array)(
        Array.from({ length: sizeOf(view.shape) }, () => Math.floor(random() * 9) - 4),
      ),
  );
}

const names = fc.constantFrom(...(Object.keys(epilogues) as (keyof typeof epilogues)[]));

function expectSame(kernel: Kernel): void {
  const inputs = wholeNumbers(kernel, sizeOf(kernel.axes));
  const expected = runReference(kernel, inputs);
  for (const each of [backend, shared])
    expect(runKernel(each, kernel, inputs), kernel.name).toEqual(expected);
}

describe('pointwise work on the result of a routine', () => {
  test('is done with matrix products of any size', () => {
    const sizes = fc.record({
      batch: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      m: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 46, max: 140 })),
      n: fc.integer({ min: 1, max: 21 }),
      k: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant(300)),
      transposeX: fc.boolean(),
      transposeY: fc.boolean(),
    });
    fc.assert(
      fc.property(sizes, names, (size, name) => expectSame(withEpilogue(matmulKernel(size as never), name))),
      { numRuns: 60 },
    );
  });

  const geometries = fc
    .record({
      n: fc.constantFrom(1, 2, 17),
      c: fc.integer({ min: 1, max: 6 }),
      f: fc.integer({ min: 1, max: 10 }),
      depthwise: fc.boolean(),
      x: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
      kernel: fc.integer({ min: 1, max: 3 }),
      stride: fc.integer({ min: 1, max: 2 }),
    })
    .map(({ n, c, f, depthwise, x, kernel, stride }): ConvGeometry => {
      const each = (value: number) => x.map(() => value);
      const y = x.map((extent) => Math.floor((extent + 2 - kernel) / stride) + 1);
      const channels = depthwise ? { c, f: c, groups: c } : { c, f, groups: 1 };
      const ones = each(1);
      const rest = { padLow: ones, dilateX: ones, dilateW: ones };
      return { n, ...channels, x, y, kernel: each(kernel), stride: each(stride), ...rest };
    });

  test.each(['y', 'x'] as const)('is done with convolutions of any geometry, target %s', (target) => {
    fc.assert(
      fc.property(geometries, names, (geometry, name) =>
        expectSame(withEpilogue(convKernel(target, geometry), name)),
      ),
      { numRuns: 60 },
    );
  });

  test('is done with convolutions of large weights', () => {
    const [twice, ones, zeros] = [
      [2, 2],
      [1, 1],
      [0, 0],
    ];
    const sizes = { n: 2, c: 1932, f: 136, groups: 1, x: [5, 4], y: [3, 2], kernel: ones };
    const geometry = { ...sizes, stride: twice, padLow: zeros, dilateX: ones, dilateW: ones };
    expectSame(withEpilogue(convKernel('y', geometry), 'residual'));
  });

  test("is done with Winograd's algorithm", () => {
    const ones = [1, 1];
    for (const [n, height, width] of [
      [1, 30, 33],
      [5, 7, 7],
      [3, 16, 12],
    ] as const) {
      const x = [height, width];
      const rest = { kernel: [3, 3], padLow: ones, stride: ones, dilateX: ones, dilateW: ones };
      const kernel = withEpilogue(
        convKernel('y', { n, c: 16, f: 20, groups: 1, x, y: x, ...rest }),
        'residual',
      );
      const inputs = wholeNumbers(kernel, 5);
      const expected = runReference(kernel, inputs);
      for (const [i, values] of runKernel(withWinograd, kernel, inputs).entries())
        for (const [j, value] of values.entries())
          expect(Math.abs(value - (expected[i]?.[j] ?? 0))).toBeLessThan(0.02); // of sums up to 144 * 16
    }
  });
});
