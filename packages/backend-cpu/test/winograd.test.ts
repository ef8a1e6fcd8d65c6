import { type ConvGeometry, type Kernel, sizeOf, type TypedArray } from '@neumann/core/backend';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cpu } from '../src/index.ts';
import { relativeError } from './convolutions.ts';
import { randomSource, runKernel } from './kernels.ts';
import { convKernel } from './routine-kernels.ts';

const auto = await cpu();
const unfused = await cpu({ relaxedSimd: false });
const never = await cpu({ winograd: false });

function inputsOf({ inputs }: Kernel, seed: number): Float32Array[] {
  const random = randomSource(seed);
  return inputs.map(({ shape }) => Float32Array.from({ length: sizeOf(shape) }, () => random() - 0.5));
}

const geometries = fc
  .record({
    n: fc.integer({ min: 1, max: 5 }),
    c: fc.constantFrom(16, 20, 24, 36),
    f: fc.constantFrom(16, 20, 32),
    x: fc.tuple(fc.integer({ min: 5, max: 21 }), fc.integer({ min: 5, max: 21 })),
    padLow: fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 })),
    padHigh: fc.integer({ min: 0, max: 2 }),
  })
  .map(({ n, c, f, x, padLow, padHigh }): ConvGeometry => {
    const y = x.map((extent, d) => extent + (padLow[d] ?? 0) + padHigh - 2);
    const ones = [1, 1];
    return { n, c, f, groups: 1, x, y, kernel: [3, 3], padLow, stride: ones, dilateX: ones, dilateW: ones };
  });

describe("Winograd's algorithm", () => {
  // Measured at up to 9e-6 for results (1e-5 and more for gradients of weights, which add up more products).
  test.each(['y', 'x', 'w'] as const)(
    'gives the convolution, target %s, to 5e-5 of its greatest element',
    (target) => {
      fc.assert(
        fc.property(geometries, (geometry) => {
          const kernel = convKernel(target, geometry);
          const inputs = inputsOf(kernel, geometry.n + 31 * geometry.c);
          const expected = runKernel(never, kernel, inputs)[0] as TypedArray;
          for (const backend of [auto, unfused])
            expect(relativeError(runKernel(backend, kernel, inputs)[0] as TypedArray, expected)).toBeLessThan(
              5e-5,
            );
        }),
        { numRuns: 25 },
      );
    },
  );

  test.each([
    ['chunks of some blocks each', { n: 50, c: 20, f: 16 }],
    ['blocks, where products are large', { n: 20, c: 160, f: 160 }],
  ])('adds up the gradient of the weights over many images: in %s', (_, sizes) => {
    const [extents, ones] = [{ x: [9, 7], y: [9, 7], kernel: [3, 3], groups: 1 }, [1, 1]];
    const steps = { padLow: ones, stride: ones, dilateX: ones, dilateW: ones };
    const kernel = convKernel('w', { ...sizes, ...extents, ...steps });
    const inputs = inputsOf(kernel, 5);
    const [actual, expected] = [auto, never].map((backend) => runKernel(backend, kernel, inputs)[0]);
    expect(relativeError(actual as TypedArray, expected as TypedArray)).toBeLessThan(5e-5);
  });

  test.each([
    ['y', { n: 3, c: 32, f: 256 }],
    ['y', { n: 7, c: 16, f: 192 }],
    ['x', { n: 3, c: 256, f: 32 }],
  ] as const)('divides output channels where there are few tiles: target %s of %j', (target, sizes) => {
    const [extents, ones] = [{ x: [9, 7], y: [9, 7], kernel: [3, 3], groups: 1 }, [1, 1]];
    const steps = { padLow: ones, stride: ones, dilateX: ones, dilateW: ones };
    const kernel = convKernel(target, { ...sizes, ...extents, ...steps });
    const inputs = inputsOf(kernel, 6);
    const [actual, expected] = [auto, never].map((backend) => runKernel(backend, kernel, inputs)[0]);
    expect(relativeError(actual as TypedArray, expected as TypedArray)).toBeLessThan(5e-5);
  });

  test('is what makes results differ in their last bits from those with winograd: false', () => {
    const ones = [1, 1];
    const geometry = { n: 2, c: 16, f: 16, groups: 1, x: [16, 16], y: [16, 16], kernel: [3, 3] };
    for (const target of ['y', 'x', 'w'] as const) {
      const kernel = convKernel(target, {
        ...geometry,
        padLow: ones,
        stride: ones,
        dilateX: ones,
        dilateW: ones,
      });
      const inputs = inputsOf(kernel, 3);
      expect(runKernel(auto, kernel, inputs)).not.toEqual(runKernel(never, kernel, inputs));
    }
  });

  test('is switched by an option that takes nothing else', async () => {
    await expect(cpu({ winograd: true as never })).rejects.toThrow(
      "cpu: winograd is true; it must be 'auto' or false.",
    );
  });
});
