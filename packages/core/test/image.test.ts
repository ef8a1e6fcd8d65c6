import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as nm from '../src/index.ts';
import { image, OptionError, type ResizeMethod, ShapeError, type Tensor } from '../src/index.ts';

const golden = JSON.parse(readFileSync(new URL('./goldens/image.json', import.meta.url), 'utf8'));
const f64 = (x: nm.NestedData): Tensor => nm.tensor(x, 'float64');
const picture = f64(golden.image);

function expectClose(actual: Tensor, expected: nm.NestedData, tolerance: number = 1e-12): void {
  expect(actual.shape).toEqual(f64(expected).shape);
  expect(nm.max(nm.abs(nm.subtract(actual, f64(expected)))).item()).toBeLessThan(tolerance);
}

describe('resize gives what PyTorch does', () => {
  test.each<[number[], number]>(golden.sizes.map((size: number[], i: number) => [size, i]))(
    'to %j',
    (size, i) => {
      expectClose(image.resize(picture, size, 'nearest'), golden.nearest[i]);
      expectClose(image.resize(picture, size, 'linear'), golden.linear[i]);
      expectClose(image.resize(picture, size, 'bilinear', { antialias: false }), golden.linearAlias[i]);
      expectClose(image.resize(picture, size, 'cubic'), golden.cubic[i]);
    },
  );
});

describe('resize', () => {
  test.each<ResizeMethod>(['nearest', 'linear', 'cubic', 'lanczos3', 'lanczos5'])(
    '%s keeps a constant image, and is linear along each axis by itself',
    (method) => {
      expectClose(image.resize(nm.ones([4, 5], 'float64'), [7, 3], method), nm.ones([7, 3]).toArray());
      const twice = image.resize(image.resize(picture, [8, 7], method), [8, 4], method);
      expectClose(image.resize(picture, [8, 4], method), twice.toArray());
    },
  );

  test('lanczos3 is the window of three lobes', () => {
    const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
    const w = (x: number): number => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0);
    // Result 7 of 16 lies at 3.25 of 8 samples.
    const all = Array.from({ length: 8 }, (_, i) => w(i - 3.25));
    const total = all.reduce((a, b) => a + b);
    const impulse = f64([0, 0, 0, 1, 0, 0, 0, 0]);
    expect(nm.take(image.resize(impulse, [16], 'lanczos3'), 7).item()).toBeCloseTo(w(-0.25) / total, 12);
  });

  test('integers stay what they are for the nearest sample only', () => {
    const x = nm.tensor([1, 2, 3], 'uint8');
    expect(image.resize(x, [6], 'nearest').toString()).toBe('u8[6] [1, 1, 2, 2, 3, 3]');
    expect(image.resize(x, [6], 'linear').dtype).toBe('float32');
  });

  test('its gradient spreads each result over the samples it was made of', () => {
    const g = nm.grad((x: Tensor) => nm.sum(image.resize(x, [4], 'linear')))(f64([1, 2]));
    expectClose(g, [2, 2]);
  });

  test('scaleAndTranslate shows 0 beyond the edges', () => {
    const place = { scale: [2], translation: [1] };
    const y = image.scaleAndTranslate(f64([2, 4]), [6], [0], place, 'linear');
    expectClose(y, [0, 2, 2.5, 3.5, 4, 0]);
  });
});

describe('mapCoordinates', () => {
  const at = [f64(golden.rows), f64(golden.columns)];

  test('gives what PyTorch does', () => {
    expectClose(image.mapCoordinates(picture, at), golden.constant);
    expectClose(image.mapCoordinates(picture, at, { mode: 'nearest' }), golden.edge);
    expectClose(image.mapCoordinates(picture, at, { mode: 'mirror' }), golden.mirror);
  });

  test('what lies beyond the edges', () => {
    const x = f64([0, 1, 2, 3]);
    const far = [f64([-3, -2, -1, 0, 3, 4, 5, 6])];
    const shown = (mode: 'constant' | 'nearest' | 'wrap' | 'mirror' | 'reflect'): unknown =>
      image.mapCoordinates(x, far, { mode, value: -9, order: 0 }).toArray();
    expect(shown('constant')).toEqual([-9, -9, -9, 0, 3, -9, -9, -9]);
    expect(shown('nearest')).toEqual([0, 0, 0, 0, 3, 3, 3, 3]);
    expect(shown('wrap')).toEqual([1, 2, 3, 0, 3, 0, 1, 2]);
    expect(shown('mirror')).toEqual([3, 2, 1, 0, 3, 2, 1, 0]);
    expect(shown('reflect')).toEqual([2, 1, 0, 0, 3, 3, 2, 1]);
  });

  test('is differentiable by samples and by coordinates', () => {
    const f = (x: Tensor, c: Tensor): Tensor => nm.sum(image.mapCoordinates(x, [c]));
    const [dx, dc] = nm.grad(f, { argnums: [0, 1] })(f64([1, 3, 7]), f64([0.25, 1.5])) as [Tensor, Tensor];
    expectClose(dx, [0.75, 0.75, 0.5]);
    expectClose(dc, [2, 4]);
  });
});

describe('transposed and depthwise convolution', () => {
  const x = f64(golden.batch);
  const w = f64(golden.weights);

  test("convTranspose with a convolution's kernel gives PyTorch's, which is the gradient of that convolution", () => {
    const y = nm.convTranspose(x, w, { stride: 2, padding: 'valid', transposeKernel: true });
    expectClose(y, golden.transposed);
    const [, back] = nm.vjp((z: Tensor) => nm.conv(z, w, { stride: 2 }), y);
    expectClose(back(x)[0], y.toArray());
  });

  test.each([1, 2, 3])(
    "padding 'same' gives stride %d times as many elements, the gradient of 'same' too",
    (stride) => {
      const kernel = f64([[[1]], [[2]], [[4]]]);
      const small = f64([[[1], [10], [100]]]);
      const y = nm.convTranspose(small, kernel, { stride, transposeKernel: true });
      expect(y.shape).toEqual([1, 3 * stride, 1]);
      const [, back] = nm.vjp((z: Tensor) => nm.conv(z, kernel, { stride, padding: 'same' }), y);
      expectClose(back(small)[0], y.toArray());
    },
  );

  test('depthwiseConv treats each channel by itself', () => {
    const one = nm.slice(x, [null, null, null, [1, 2]]);
    const kernels = f64(nm.reshape(nm.arange(2 * 2 * 4 * 3), [2, 2, 4, 3]).toArray());
    const y = nm.depthwiseConv(x, kernels, { padding: 'same' });
    expect(y.shape).toEqual([1, 3, 4, 12]);
    const alone = nm.conv(one, nm.slice(kernels, [null, null, [1, 2]]), { padding: 'same' });
    expectClose(nm.slice(y, [null, null, null, [3, 6]]), alone.toArray());
  });

  test('windows: the least element, and means with and without padding', () => {
    const z = nm.tensor([[[1], [5], [3]]]);
    const options = { window: 2, stride: 1, padding: [[1, 1]] } as const;
    const values = (t: Tensor): number[] => [...t.dataSync()];
    expect(values(nm.windowMin(z, options))).toEqual([1, 1, 3, 3]);
    const least = nm.tensor([[[-(2 ** 31)], [7]]], 'int32');
    expect(values(nm.windowMin(least, { window: 2 }))).toEqual([-(2 ** 31)]);
    expect(values(nm.windowMean(z, options))).toEqual([1, 3, 4, 3]);
    expect(values(nm.windowMean(z, { ...options, countPadding: true }))).toEqual([0.5, 3, 4, 1.5]);
  });
});

describe('mistakes are named', () => {
  test.each<[string, () => unknown, new (m: string) => Error, string]>([
    [
      'a method',
      () => image.resize(picture, [2, 2], 'area' as never),
      OptionError,
      'image.resize: method is one of nearest, linear, ',
    ],
    [
      'a rank',
      () => image.resize(picture, [2], 'linear'),
      ShapeError,
      'image.resize: f64[5,7] cannot become an image of shape [2].',
    ],
    [
      'nothing to show',
      () => image.resize(nm.zeros([0]), [2], 'linear'),
      ShapeError,
      'image.resize: f32[0] cannot become',
    ],
    [
      'a mode',
      () => image.mapCoordinates(picture, [0, 0], { mode: 'grid' as never }),
      OptionError,
      'image.mapCoordinates: mode is one of constant, nearest, wrap, mirror, reflect, but got "grid".',
    ],
    [
      'an order',
      () => image.mapCoordinates(picture, [0, 0], { order: 3 as never }),
      OptionError,
      'image.mapCoordinates: order is 0 or 1, but got 3.',
    ],
    [
      'an axis without coordinates',
      () => image.mapCoordinates(picture, [0]),
      ShapeError,
      'image.mapCoordinates: needs samples, and coordinates for each axis, but got f64[5,7] and 1.',
    ],
    [
      'scales',
      () => image.scaleAndTranslate(picture, [5, 7], [0], { scale: [0], translation: [0] }, 'linear'),
      OptionError,
      'image.scaleAndTranslate: scale (positive) and translation are a number for each of 1 axes',
    ],
    [
      'ranks',
      () => nm.convTranspose(nm.ones([1, 3]), nm.ones([1, 3])),
      ShapeError,
      'convTranspose: x and w have 3, 4 or 5 axes each',
    ],
    [
      'channels',
      () => nm.depthwiseConv(nm.ones([1, 3, 2]), nm.ones([2, 3, 1])),
      ShapeError,
      'depthwiseConv: x is [N,…,C] and w is […kernel,C,M], but they are f32[1,3,2] and f32[2,3,1].',
    ],
  ])('%s', (_, f, kind, message) => {
    expect(f).toThrow(kind);
    expect(f).toThrow(message);
  });
});
