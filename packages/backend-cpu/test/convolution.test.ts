/** Shapes that the small convolutions of routines.test.ts never reach: too large for the reference backend. */
import type { TypedArray } from '@neumann/core/backend';
import { describe, expect, test } from 'vitest';
import { cpu } from '../src/index.ts';
import { expectByDefinition, geometryOf, inputsOf, type Sizes } from './convolutions.ts';
import { runKernel } from './kernels.ts';
import { convKernel } from './routine-kernels.ts';

const fused = await cpu();
const unfused = await cpu({ relaxedSimd: false });

const expectSame = (target: 'x' | 'w' | 'y', sizes: Sizes) =>
  expectByDefinition([fused, unfused], target, sizes);

describe('gradients of large weights are what the definition says', () => {
  const twice = [2, 2];
  test.each<[string, Sizes]>([
    ['with a stride', { n: 5, c: 254, f: 131, x: [9, 8], y: [5, 4], kernel: [1, 1], stride: twice }],
    [
      'with more points than are added up in one go',
      { n: 3, c: 127, f: 260, x: [19, 18], y: [10, 9], kernel: [1, 1], stride: twice },
    ],
    [
      'with a border',
      { n: 2, c: 254, f: 131, x: [5, 6], y: [3, 3], kernel: [3, 3], stride: twice, padLow: [1, 1] },
    ],
    [
      'of cropped and dilated images',
      { n: 1, c: 34, f: 970, x: [6, 4], y: [3, 7], kernel: [1, 2], padLow: [-2, 1], dilateX: [1, 2] },
    ],
    ['with dilated taps', { n: 2, c: 256, f: 128, x: [1, 7], y: [1, 5], kernel: [1, 2], dilateW: twice }],
  ])('%s', (_, sizes) => expectSame('w', sizes));

  test('in several blocks of images', () => {
    const sizes = { c: 32, f: 1024, x: [48, 48], y: [48, 47], kernel: [1, 2] };
    const whole = convKernel('w', geometryOf({ ...sizes, n: 4 }));
    const inputs = inputsOf(whole);
    const [all] = runKernel(fused, whole, inputs);
    const one = convKernel('w', geometryOf({ ...sizes, n: 1 }));
    const quarter = (values: TypedArray, i: number) =>
      values.subarray((i * values.length) / 4, ((i + 1) * values.length) / 4);
    const each = [0, 1, 2, 3].map(
      (i) =>
        runKernel(
          fused,
          one,
          inputs.map((values) => quarter(values, i)),
        )[0],
    );
    expect(all).toEqual(all?.map((_, i) => each.reduce((sum, part) => sum + (part?.[i] ?? NaN), 0)));
  });
});

describe('convolutions to few channels are what the definition says', () => {
  const twice = [2, 2];
  test.each<['x' | 'y', string, Sizes]>([
    [
      'x',
      'in bands, of images of three channels',
      { n: 2, c: 3, f: 40, x: [46, 90], y: [23, 45], kernel: [7, 7], stride: twice, padLow: [3, 3] },
    ],
    [
      'x',
      'whole, of many images of one channel',
      { n: 17, c: 1, f: 16, x: [14, 13], y: [14, 13], kernel: [3, 3], padLow: [1, 1] },
    ],
    [
      'x',
      'of strides that leave outputs without taps',
      { n: 1, c: 2, f: 7, x: [17, 53], y: [6, 27], kernel: [2, 1], stride: [3, 2] },
    ],
    ['y', 'of long rows', { n: 1, c: 70, f: 3, x: [9, 201], y: [7, 199], kernel: [3, 3] }],
    [
      'y',
      'of inputs far outside of the image',
      { n: 1, c: 5, f: 2, x: [3, 4], y: [12, 11], kernel: [2, 3], padLow: [6, 5], dilateW: [3, 2] },
    ],
  ])('%s %s', (target, _, sizes) => expectSame(target, sizes));
});

describe('convolutions with large weights are what the definition says', () => {
  const twice = [2, 2];
  test.each<['x' | 'y', string, Sizes]>([
    [
      'y',
      'of panels that end within a vector',
      { n: 3, c: 132, f: 229, x: [7, 9], y: [4, 5], kernel: [3, 3], stride: twice, padLow: [1, 1] },
    ],
    [
      'y',
      'of several blocks of rows',
      { n: 2, c: 512, f: 512, x: [17, 16], y: [9, 8], kernel: [1, 1], stride: twice },
    ],
    ['y', 'in groups of columns', { n: 1, c: 260, f: 256, x: [5, 6], y: [4, 5], kernel: [2, 2] }],
    [
      'y',
      'of dilated images and taps',
      { n: 1, c: 256, f: 260, x: [5, 5], y: [7, 7], kernel: [2, 2], dilateX: twice, dilateW: twice },
    ],
    [
      'x',
      'of a stride',
      { n: 3, c: 230, f: 132, x: [7, 9], y: [4, 5], kernel: [3, 3], stride: twice, padLow: [1, 1] },
    ],
    [
      'x',
      'of a stride that leaves outputs without taps',
      { n: 2, c: 256, f: 260, x: [8, 7], y: [3, 2], kernel: [2, 2], stride: [3, 3] },
    ],
    [
      'x',
      'of few points, without a stride',
      { n: 2, c: 128, f: 256, x: [7, 7], y: [7, 7], kernel: [3, 3], padLow: [1, 1] },
    ],
  ])('%s %s', (target, _, sizes) => expectSame(target, sizes));

  test('in several blocks of images', () => {
    const sizes = {
      c: 256,
      f: 260,
      x: [100, 101],
      y: [50, 50],
      kernel: [2, 2],
      stride: twice,
      padLow: [0, 1],
    };
    const whole = convKernel('y', geometryOf({ ...sizes, n: 4 }));
    const [x = new Float32Array(), w = new Float32Array()] = inputsOf(whole);
    const [all] = runKernel(fused, whole, [x, w]);
    const one = convKernel('y', geometryOf({ ...sizes, n: 1 }));
    for (const i of [0, 3]) {
      const [image] = runKernel(fused, one, [x.subarray((i * x.length) / 4, ((i + 1) * x.length) / 4), w]);
      const length = image?.length ?? 0;
      expect(all?.subarray(i * length, (i + 1) * length)).toEqual(image);
    }
  });
});

describe('convolutions of one point are what the definition says', () => {
  const sizes = { n: 1, c: 200, f: 45, x: [26, 20], y: [26, 20], kernel: [1, 1] };
  test.each(['y', 'x', 'w'] as const)('%s', (target) => expectSame(target, sizes));
});
