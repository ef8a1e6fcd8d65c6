import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as nm from '../src/index.ts';
import { type Complex, fft, type NestedData, OptionError, ShapeError, type Tensor } from '../src/index.ts';

interface Parts {
  readonly re: NestedData;
  readonly im: NestedData;
}
const golden = JSON.parse(readFileSync(new URL('./goldens/fft.json', import.meta.url), 'utf8'));
const f64 = (x: NestedData): Tensor => nm.tensor(x, 'float64');
const complex = ({ re, im }: Parts): Complex => ({ re: f64(re), im: f64(im) });

/** Within a few units in the last place of the greatest element. */
function expectClose(actual: Tensor, expected: NestedData): void {
  const want = f64(expected).dataSync();
  const scale = Math.max(1, ...want.map(Math.abs));
  expect(actual.size).toBe(want.length);
  for (const [i, x] of actual.dataSync().entries())
    expect(Math.abs(x - (want[i] as number))).toBeLessThanOrEqual(4e-15 * scale);
}

function expectComplex(actual: Complex, expected: Parts): void {
  expectClose(actual.re, expected.re);
  expectClose(actual.im, expected.im);
}

describe("NumPy's results", () => {
  test.each(Object.keys(golden.vectors))('transforms of length %s', (n) => {
    const x = complex(golden.vectors[n]);
    expectComplex(fft.fft(x), golden.fft[n]);
    expectComplex(fft.ifft(x), golden.ifft[n]);
    expectComplex(fft.rfft(x.re), golden.rfft[n]);
    expectClose(fft.irfft(x, { n: 2 * Number(n) - 1 }), golden.irfft[n]);
    if (n !== '1') expectClose(fft.irfft(x), golden.irfftEven[n]);
  });

  test('lengths and norms', () => {
    expectComplex(fft.fft(complex(golden.vectors[8]), { n: 5 }), golden.cut);
    expectComplex(fft.fft(complex(golden.vectors[5]), { n: 8, norm: 'ortho' }), golden.padded);
    expectComplex(fft.ifft(complex(golden.vectors[5]), { norm: 'forward' }), golden.forward);
  });

  test('several axes', () => {
    const grid = f64(golden.grid);
    expectComplex(fft.fftn(grid), golden.fftn);
    expectComplex(fft.fft2(grid), golden.fft2);
    expectComplex(fft.fftn(grid, { s: [4, 2], axes: [0, 1] }), golden.axes);
    expectComplex(fft.rfftn(grid), golden.rfftn);
    expectClose(fft.irfftn(fft.rfftn(grid), { s: [3, 4, 5] }), golden.irfftn);
    expectClose(fft.ifft2(fft.fft2(grid)).re, golden.grid);
    expectClose(fft.ifftn(fft.fftn(grid)).re, golden.grid);
  });

  test('frequencies and shifts', () => {
    expectClose(fft.fftfreq(5, { d: 0.1, dtype: 'float64' }), golden.fftfreq);
    expect(fft.fftshift(nm.arange(5)).toArray()).toEqual(golden.shift);
    expect(fft.ifftshift(nm.arange(5)).toArray()).toEqual(golden.ishift);
    expect(fft.rfftfreq(5).shape).toEqual([3]);
  });
});

test.each([1024, 1000, 1009])('Parseval, and back again, at length %d', (n) => {
  const x = nm.random.normal(nm.random.key(n), [n], { dtype: 'float64' });
  const y = fft.fft(x, { norm: 'ortho' });
  const energy = (z: Tensor): number => nm.sum(nm.square(z)).item();
  expect(Math.abs(energy(y.re) + energy(y.im) - energy(x))).toBeLessThan(1e-14 * n);
  const back = fft.ifft(y, { norm: 'ortho' });
  expect(nm.max(nm.abs(nm.subtract(back.re, x))).item()).toBeLessThan(2e-15 * Math.log2(n));
  expect(nm.max(nm.abs(back.im)).item()).toBeLessThan(2e-15 * Math.log2(n));
});

test('a convolution is a product of spectra, and so is its gradient', () => {
  const [x, w] = [f64([1, 2, 3, 4, 5]), f64([1, -1, 0, 0, 0])];
  const convolve = (a: Tensor, b: Tensor): Tensor => {
    const [p, q] = [fft.rfft(a), fft.rfft(b)];
    const re = nm.subtract(nm.multiply(p.re, q.re), nm.multiply(p.im, q.im));
    const im = nm.add(nm.multiply(p.re, q.im), nm.multiply(p.im, q.re));
    return fft.irfft({ re, im }, { n: 5 });
  };
  expectClose(convolve(x, w), [-4, 1, 1, 1, 1]);
  const slope = nm.jit(nm.grad((b: Tensor) => nm.sum(nm.multiply(convolve(x, b), f64([1, 0, 0, 0, 0])))));
  expectClose(slope(w), [1, 5, 4, 3, 2]);
});

test('vmap maps over real and imaginary parts alike', () => {
  const x = { re: nm.ones([3, 4]), im: nm.zeros([3, 4]) };
  const y = nm.vmap((z: Complex) => fft.fft(z))(x);
  expect(y.re.toArray()).toEqual([
    [4, 0, 0, 0],
    [4, 0, 0, 0],
    [4, 0, 0, 0],
  ]);
});

describe('mistakes are named', () => {
  const x = nm.ones([3]);
  test.each<[string, () => unknown, new (m: string) => Error, string]>([
    [
      'a length',
      () => fft.fft(x, { n: 0 }),
      ShapeError,
      'fft.fft: a transform has a length of at least 1, but got 0 for f32[3].',
    ],
    [
      'an empty axis',
      () => fft.fft(nm.zeros([0])),
      ShapeError,
      'fft.fft: a transform has a length of at least 1, but got 0 for f32[0].',
    ],
    [
      'a norm',
      () => fft.fft(x, { norm: 'none' as never }),
      OptionError,
      "fft.fft: norm is 'backward', 'ortho' or 'forward', but got \"none\".",
    ],
    [
      'lengths',
      () => fft.fft2(nm.ones([2, 2]), { s: [2] }),
      OptionError,
      'fft.fft2: s is one length for each of 2 axes, but got [2].',
    ],
    ['an axis', () => fft.fft(x, { axis: 1 }), ShapeError, 'fft.fft: axis 1 is out of range for rank 1'],
    [
      'no samples',
      () => fft.fftfreq(0),
      OptionError,
      'fft.fftfreq: n is an integer of at least 1, but got 0.',
    ],
  ])('%s', (_, f, kind, message) => {
    expect(f).toThrow(kind);
    expect(f).toThrow(message);
  });
});
