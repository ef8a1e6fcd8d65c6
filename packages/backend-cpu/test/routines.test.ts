import {
  type ConvGeometry,
  type DType,
  dtypeInfo,
  type Kernel,
  sizeOf,
  type TypedArray,
  type WindowGeometry,
} from '@neumann/core/backend';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cpu } from '../src/index.ts';
import { randomSource, runKernel, runReference } from './kernels.ts';
import {
  convKernel,
  gatherKernel,
  matmulKernel,
  scatterAddKernel,
  type WindowName,
  windowKernel,
} from './routine-kernels.ts';

const fused = await cpu();
const unfused = await cpu({ relaxedSimd: false });

/** Small whole numbers: sums of products are exact, so that results must be equal to the last bit. */
function wholeNumbers(kernel: Kernel, seed: number): TypedArray[] {
  const random = randomSource(seed);
  return kernel.inputs.map(({ dtype, shape }) => {
    const low = dtype === 'uint8' || dtype === 'uint32' || dtype === 'bool' ? 0 : -4;
    const high = dtype === 'bool' ? 2 : 5;
    return new (dtypeInfo(dtype).array)(
      Array.from({ length: sizeOf(shape) }, () => low + Math.floor(random() * (high - low))),
    );
  });
}

function expectSame(kernel: Kernel, inputs: readonly TypedArray[]): void {
  const expected = runReference(kernel, inputs);
  for (const backend of [fused, unfused])
    expect(runKernel(backend, kernel, inputs), kernel.name).toEqual(expected);
}

const extent = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 20 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 }) },
);
const floats = fc.constantFrom<DType>('float32', 'float32', 'float64');

describe('matmul', () => {
  test('of any size, transposed or not, is the loop nest', () => {
    const sizes = fc.record({
      batch: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
      m: extent,
      n: extent,
      k: extent,
      transposeX: fc.boolean(),
      transposeY: fc.boolean(),
    });
    fc.assert(
      fc.property(sizes, floats, (size, dtype) => {
        const kernel = matmulKernel(size as never, dtype);
        expectSame(kernel, wholeNumbers(kernel, 1 + size.m + 31 * size.n));
      }),
      { numRuns: 150 },
    );
  });

  test.each([
    { m: 130, n: 40, k: 300 },
    { m: 7, n: 300, k: 520, transposeY: true },
    { m: 125, n: 33, k: 257, transposeX: true },
    { m: 60, n: 270, k: 9 },
    { m: 97, n: 130, k: 65, transposeX: true },
    { m: 53, n: 131, k: 257, transposeX: true, transposeY: true },
    { m: 250, n: 128, k: 257 },
    { m: 1, n: 100, k: 300 },
    { m: 300, n: 1, k: 20 },
  ])('of several blocks: $m × $n × $k', (size) => {
    const kernel = matmulKernel(size);
    expectSame(kernel, wholeNumbers(kernel, 5));
  });
});

describe('convolution', () => {
  const spatial = fc.record({
    x: fc.integer({ min: 1, max: 9 }),
    kernel: fc.integer({ min: 1, max: 4 }),
    stride: fc.constantFrom(1, 1, 1, 2, 2, 3),
    padLow: fc.integer({ min: -1, max: 3 }),
    padHigh: fc.integer({ min: 0, max: 3 }),
    dilateX: fc.constantFrom(1, 1, 1, 1, 2, 3),
    dilateW: fc.constantFrom(1, 1, 1, 1, 2),
  });
  const geometries = fc
    .record({
      n: fc.integer({ min: 1, max: 2 }),
      c: fc.integer({ min: 1, max: 9 }),
      f: fc.integer({ min: 1, max: 19 }),
      groups: fc.constantFrom(1, 1, 1, 2, 3),
      dims: fc.array(spatial, { minLength: 1, maxLength: 2 }),
    })
    .map(({ n, c, f, groups, dims }): ConvGeometry => {
      const y = dims.map(
        (d) =>
          Math.floor(
            ((d.x - 1) * d.dilateX + 1 + d.padLow + d.padHigh - (d.kernel - 1) * d.dilateW - 1) / d.stride,
          ) + 1,
      );
      const of = (name: keyof (typeof dims)[number]) => dims.map((d) => d[name]);
      return {
        n,
        c: c * groups,
        f: Math.ceil(f / groups) * groups,
        groups,
        x: of('x'),
        kernel: of('kernel'),
        y: y.map((extent) => Math.max(0, extent)),
        stride: of('stride'),
        padLow: of('padLow'),
        dilateX: of('dilateX'),
        dilateW: of('dilateW'),
      };
    });

  test.each(['y', 'x', 'w'] as const)('of any geometry computes %s like the loop nest', (target) => {
    fc.assert(
      fc.property(geometries, floats, (geometry, dtype) => {
        const kernel = convKernel(target, geometry, dtype);
        expectSame(kernel, wholeNumbers(kernel, geometry.c + 7));
      }),
      { numRuns: 150 },
    );
  });

  test.each(['y', 'x', 'w'] as const)(
    'of every channel for itself computes %s like the loop nest',
    (target) => {
      fc.assert(
        fc.property(geometries, fc.integer({ min: 2, max: 21 }), floats, (geometry, channels, dtype) => {
          const depthwise = { ...geometry, c: channels, f: channels, groups: channels };
          const kernel = convKernel(target, depthwise, dtype);
          expectSame(kernel, wholeNumbers(kernel, channels));
        }),
        { numRuns: 80 },
      );
    },
  );

  test.each(['y', 'x', 'w'] as const)('in three dimensions computes %s like the loop nest', (target) => {
    const geometry: ConvGeometry = {
      n: 2,
      c: 5,
      f: 12,
      groups: 1,
      x: [3, 4, 6],
      kernel: [2, 3, 3],
      y: [4, 2, 7],
      stride: [1, 2, 1],
      padLow: [1, 1, 2],
      dilateX: [1, 1, 1],
      dilateW: [1, 1, 1],
    };
    const kernel = convKernel(target, geometry);
    expectSame(kernel, wholeNumbers(kernel, 3));
  });
});

describe('windows', () => {
  const spatial = fc.record({
    x: fc.integer({ min: 1, max: 9 }),
    window: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 1, max: 3 }),
    padLow: fc.integer({ min: 0, max: 2 }),
    padHigh: fc.integer({ min: 0, max: 2 }),
    dilation: fc.constantFrom(1, 1, 2),
  });
  const geometries = fc
    .record({
      n: fc.integer({ min: 1, max: 2 }),
      c: fc.integer({ min: 1, max: 22 }),
      dims: fc.array(spatial, { minLength: 1, maxLength: 3 }),
    })
    .map(({ n, c, dims }): WindowGeometry => {
      const of = (name: keyof (typeof dims)[number]) => dims.map((d) => d[name]);
      const y = dims.map(
        (d) => Math.floor((d.x + d.padLow + d.padHigh - (d.window - 1) * d.dilation - 1) / d.stride) + 1,
      );
      return {
        n,
        c,
        x: of('x'),
        window: of('window'),
        y: y.map((extent) => Math.max(0, extent)),
        stride: of('stride'),
        padLow: of('padLow'),
        dilation: of('dilation'),
      };
    });
  const cases: readonly (readonly [WindowName, 'x' | 'y'])[] = [
    ['windowSum', 'y'],
    ['windowSum', 'x'],
    ['windowMax', 'y'],
    ['windowArgmax', 'y'],
    ['windowMaxAndArgmax', 'y'],
    ['windowGather', 'y'],
    ['windowGather', 'x'],
  ];

  test.each(cases)('%s to %s is the loop nest', (name, target) => {
    fc.assert(
      fc.property(
        geometries,
        fc.constantFrom<DType>('float32', 'float32', 'float64', 'int32', 'uint8'),
        (window, dtype) => {
          const kernel = windowKernel(name, target, window, dtype);
          const [data, found] = wholeNumbers(kernel, window.c);
          expectSame(
            kernel,
            found
              ? [data as TypedArray, found.map((k) => Math.abs(k) % sizeOf(window.window))]
              : [data as TypedArray],
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  test('the first of equal elements and the first NaN win', () => {
    const window: WindowGeometry = {
      n: 1,
      c: 5,
      x: [4],
      window: [3],
      y: [3],
      stride: [1],
      padLow: [1],
      dilation: [1],
    };
    const kernel = windowKernel('windowArgmax', 'y', window);
    const inputs = [
      Float32Array.from([
        1,
        NaN,
        3,
        -Infinity,
        0,
        1,
        NaN,
        4,
        -Infinity,
        -0,
        1,
        2,
        NaN,
        -Infinity,
        0,
        7,
        2,
        NaN,
        -Infinity,
        1,
      ]),
    ];
    expectSame(kernel, inputs);
    expectSame(windowKernel('windowMax', 'y', window), inputs);
    expectSame(windowKernel('windowMaxAndArgmax', 'y', window), inputs);
  });
});

describe('rows', () => {
  const extents = fc.record({
    outer: fc.integer({ min: 0, max: 3 }),
    rows: fc.integer({ min: 0, max: 6 }),
    count: fc.integer({ min: 0, max: 9 }),
    inner: fc.integer({ min: 0, max: 21 }),
  });
  const dtypes = fc.constantFrom<DType>('float32', 'float64', 'int32', 'uint8');
  const indices = (count: number, rows: number) => {
    const random = randomSource(count + 17 * rows);
    return Int32Array.from({ length: count }, () => Math.floor(random() * (rows + 3)) - 1); // some are out of range
  };

  test('gather is the loop nest', () => {
    fc.assert(
      fc.property(extents, dtypes, (size, dtype) => {
        const kernel = gatherKernel(size, dtype);
        expectSame(kernel, [wholeNumbers(kernel, 3)[0] as TypedArray, indices(size.count, size.rows)]);
      }),
      { numRuns: 100 },
    );
  });

  test('scatterAdd is the loop nest', () => {
    fc.assert(
      fc.property(extents, dtypes, (size, dtype) => {
        const kernel = scatterAddKernel(size, dtype);
        expectSame(kernel, [wholeNumbers(kernel, 3)[0] as TypedArray, indices(size.count, size.rows)]);
      }),
      { numRuns: 100 },
    );
  });
});
