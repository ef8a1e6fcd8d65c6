/** Matrix products of every kind of shape, compared with the loop nest: for tests of one process each. */
import {
  acc,
  binary,
  coord,
  type DType,
  type Kernel,
  load,
  sizeOf,
  type TypedArray,
} from '@neumann/core/backend';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CpuBackend } from '../src/backend.ts';
import { randomSource, runKernel, runReference } from './kernels.ts';
import { matmulKernel } from './routine-kernels.ts';

/** Around the edges of tiles and blocks. */
const edges = (...at: readonly number[]) => fc.constantFrom(...at.flatMap((n) => [n - 1, n, n + 1]));
const extent = fc.oneof(edges(2, 4, 6, 8, 12, 16), edges(2, 6, 24, 32, 48, 96, 128, 144));
const terms = fc.oneof(edges(2, 4, 8, 32), edges(36, 64, 256, 512));

const products = fc
  .record({
    batch: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    m: extent,
    n: extent,
    k: terms,
    transposeX: fc.boolean(),
    transposeY: fc.boolean(),
  })
  .filter(({ batch = 1, m, n, k }) => batch * m * n * k <= 2 ** 18);

/** Few rows and many columns, which are read in their own order. */
const wideProducts = fc.record({
  batch: fc.option(fc.constant(2), { nil: undefined }),
  m: fc.integer({ min: 4, max: 13 }),
  n: edges(512, 576, 640),
  k: fc.integer({ min: 1, max: 18 }),
  transposeX: fc.boolean(),
  transposeY: fc.constant(false),
});

/** Small whole numbers: sums of products are exact, so that results must be equal to the last bit. */
function wholeNumbers({ inputs }: Kernel, seed: number): TypedArray[] {
  const random = randomSource(seed);
  return inputs.map(({ dtype, shape }) => {
    const values = Array.from({ length: sizeOf(shape) }, () => Math.floor(random() * 9) - 4);
    return dtype === 'float64'
      ? Float64Array.from(values)
      : dtype === 'int32'
        ? Int32Array.from(values)
        : Float32Array.from(values);
  });
}

/** The result, and what becomes of it with a bias. */
function withBias(kernel: Kernel, dtype: DType): Kernel {
  const columns = kernel.axes.at(-1) ?? 1;
  const bias = load(2, dtype, [coord(kernel.axes.length - 1)]);
  return {
    ...kernel,
    inputs: [...kernel.inputs, { shape: [columns], dtype }],
    outputs: [acc(dtype, 0), binary('add', acc(dtype, 0), bias)],
  };
}

/** Declares the tests: products of random shapes are the loop nest, to the last bit, on each of some backends. */
export function testMatmul(backends: readonly CpuBackend[], runs: number): void {
  const check = (kernel: Kernel) => {
    const inputs = wholeNumbers(kernel, sizeOf(kernel.axes));
    const expected = runReference(kernel, inputs);
    for (const backend of backends) expect(runKernel(backend, kernel, inputs)).toEqual(expected);
  };
  const dtypes = fc.constantFrom<DType>('float32', 'float32', 'float32', 'float64', 'int32');

  test('matrix products of any shape are the loop nest', () => {
    fc.assert(
      fc.property(products, dtypes, (size, dtype) => check(matmulKernel(size as never, dtype))),
      { numRuns: runs },
    );
  });

  test('matrix products of any shape with pointwise work on them are the loop nest', () => {
    fc.assert(
      fc.property(products, (size) => check(withBias(matmulKernel(size as never), 'float32'))),
      { numRuns: Math.ceil(runs / 3) },
    );
  });

  test('matrix products of few rows and many columns are the loop nest', () => {
    const floats = fc.constantFrom<DType>('float32', 'float64');
    fc.assert(
      fc.property(wideProducts, floats, (size, dtype) => check(matmulKernel(size as never, dtype))),
      { numRuns: Math.ceil(runs / 5) },
    );
  });
}
