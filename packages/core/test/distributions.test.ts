/** What is drawn is distributed as promised: Kolmogorov and Smirnov's test against the distribution function. */
import { describe, expect, test } from 'vitest';
import * as nm from '../src/index.ts';
import { type DType, OptionError, random, ShapeError, type Tensor } from '../src/index.ts';
import { scalarFunctions } from '../src/reference/special.ts';

const { exp, log, sqrt, PI, abs } = Math;
const n = 2000;
const key = random.key(11);

/** The greatest distance of the empirical from the true distribution function, times √n. */
function distance(x: Tensor, cdf: (x: number) => number): number {
  const sorted = [...x.dataSync()].sort((a, b) => a - b);
  let greatest = 0;
  for (const [i, value] of sorted.entries()) {
    const p = cdf(value);
    greatest = Math.max(greatest, abs(p - i / sorted.length), abs(p - (i + 1) / sorted.length));
  }
  return greatest * sqrt(sorted.length);
}

/** By Simpson's rule. */
function integral(f: (x: number) => number, from: number, to: number, steps = 400): number {
  const h = (to - from) / steps;
  let total = f(from) + f(to);
  for (let i = 1; i < steps; i++) total += (i % 2 === 1 ? 4 : 2) * f(from + i * h);
  return (total * h) / 3;
}

const normalCdf = (x: number): number => 0.5 * scalarFunctions.erfc(-x / Math.SQRT2);
const normalDensity = (x: number): number => exp((-x * x) / 2) / sqrt(2 * PI);
/** Stirling's series, shifted to where it is exact. */
function logGammaOf(x: number): number {
  let [y, shift] = [x, 0];
  for (; y < 20; y++) shift += log(y);
  return (y - 0.5) * log(y) - y + log(2 * PI) / 2 + 1 / (12 * y) - 1 / (360 * y ** 3) - shift;
}
const gammaOf = (a: number): number => exp(logGammaOf(a));
/** P(a, x), in the variable √x, in which the density has no pole for a >= 1/2. */
function gammaCdf(a: number, x: number): number {
  const scale = 2 / gammaOf(a);
  return integral((s) => scale * s ** (2 * a - 1) * exp(-s * s), 1e-12, sqrt(x));
}
function betaCdf(a: number, b: number, x: number): number {
  const scale = (2 * gammaOf(a + b)) / (gammaOf(a) * gammaOf(b));
  return integral((s) => scale * s ** (2 * a - 1) * (1 - s * s) ** (b - 1), 1e-12, sqrt(x));
}
const logisticOf = (x: number): number => 1 / (1 + exp(-x));
const waldCdf = (m: number, x: number): number => {
  const r = sqrt(1 / x);
  return normalCdf(r * (x / m - 1)) + exp(2 / m) * normalCdf(-r * (x / m + 1));
};
const half = n / 4; // of numbers whose distribution function is an integral

/** P(distance > 1.95) is 0.001 for the true distribution. */
const unlikely = 1.95;

describe('distributions', () => {
  test.each<[string, (options: { dtype: DType }) => Tensor, (x: number) => number]>([
    ['uniform', (o) => random.uniform(key, [n], o), (x) => x],
    ['normal', (o) => random.normal(key, [half], o), normalCdf],
    ['exponential', (o) => random.exponential(key, [n], o), (x) => 1 - exp(-x)],
    ['gumbel', (o) => random.gumbel(key, [n], o), (x) => exp(-exp(-x))],
    ['laplace', (o) => random.laplace(key, [n], o), (x) => (x < 0 ? exp(x) / 2 : 1 - exp(-x) / 2)],
    ['logistic', (o) => random.logistic(key, [n], o), logisticOf],
    ['cauchy', (o) => random.cauchy(key, [n], o), (x) => 0.5 + Math.atan(x) / PI],
    [
      'maxwell',
      (o) => random.maxwell(key, [half], o),
      (x) => 2 * normalCdf(x) - 1 - 2 * x * normalDensity(x),
    ],
    [
      'doubleSidedMaxwell',
      (o) => random.doubleSidedMaxwell(key, 1, 2, [half], o),
      (y) => {
        const x = (y - 1) / 2;
        return normalCdf(x) - x * normalDensity(x);
      },
    ],
    ['weibullMin', (o) => random.weibullMin(key, 2, 1.5, [n], o), (x) => 1 - exp(-((x / 2) ** 1.5))],
    ['pareto', (o) => random.pareto(key, 3, [n], o), (x) => 1 - x ** -3],
    ['rayleigh', (o) => random.rayleigh(key, 2, [n], o), (x) => 1 - exp((-x * x) / 8)],
    ['wald', (o) => random.wald(key, 2, [half], o), (x) => waldCdf(2, x)],
    ['lognormal', (o) => random.lognormal(key, 0.5, [half], o), (x) => normalCdf(2 * log(x))],
    [
      'triangular',
      (o) => random.triangular(key, -1, 0, 3, [n], o),
      (x) => (x < 0 ? (x + 1) ** 2 / 4 : 1 - (3 - x) ** 2 / 12),
    ],
    ['gamma of 3.5', (o) => random.gamma(key, 3.5, [half], o), (x) => gammaCdf(3.5, x)],
    ['gamma of 0.5', (o) => random.gamma(key, 0.5, [half], o), (x) => gammaCdf(0.5, x)],
    [
      'logGamma of 0.01',
      (o) => random.logGamma(key, 0.01, [n], o),
      (y) => (y < -5 ? exp(0.01 * y) / gammaOf(1.01) : Number.NaN),
    ],
    ['beta', (o) => random.beta(key, 2, 3, [half], o), (x) => betaCdf(2, 3, x)],
    ['chisquare', (o) => random.chisquare(key, 3, [half], o), (x) => gammaCdf(1.5, x / 2)],
    ['f', (o) => random.f(key, 4, 6, [half], o), (x) => betaCdf(2, 3, (4 * x) / (4 * x + 6))],
    ['t of 2', (o) => random.t(key, 2, [half], o), (x) => 0.5 + x / (2 * sqrt(2 + x * x))],
    [
      'generalizedNormal',
      (o) => random.generalizedNormal(key, 2, [half], o),
      (x) => normalCdf(x * Math.SQRT2),
    ],
  ])('%s', (name, draw, cdf) => {
    for (const dtype of ['float32', 'float64'] as const) {
      const x = draw({ dtype });
      expect(x.dtype).toBe(dtype);
      if (name.startsWith('logGamma')) {
        // Only the tail has a distribution function that is simple.
        const tail = [...x.dataSync()].filter((y) => y < -5);
        const expected = n * cdf(-5.0001);
        expect(abs(tail.length - expected)).toBeLessThan(4 * sqrt(expected * (1 - expected / n)));
        expect(distance(nm.tensor(tail, 'float64'), (y) => cdf(y) / cdf(-5.0001))).toBeLessThan(unlikely);
      } else expect(distance(x, cdf), dtype).toBeLessThan(unlikely);
    }
  });

  test.each([0.3, 4, 9.9, 10, 60])('poisson of rate %d', (rate) => {
    const counts = [...random.poisson(key, rate, [n]).dataSync()];
    const probabilities = Array.from({ length: 200 }, (_, k) =>
      exp(-rate + k * log(rate) - logGammaOf(k + 1)),
    );
    // Pearson's χ² over the counts that are expected at least five times.
    let [chi, bins] = [0, 0];
    for (const [k, p] of probabilities.entries()) {
      if (n * p < 5) continue;
      chi += (counts.filter((c) => c === k).length - n * p) ** 2 / (n * p);
      bins++;
    }
    expect(abs(chi - bins)).toBeLessThan(4 * sqrt(2 * bins));
  });

  test('geometric', () => {
    const counts = [...random.geometric(key, 0.25, [n]).dataSync()];
    for (const k of [1, 2, 3, 6]) {
      const p = 0.25 * 0.75 ** (k - 1);
      const found = counts.filter((c) => c === k).length / n;
      expect(abs(found - p)).toBeLessThan(4 * sqrt((p * (1 - p)) / n));
    }
  });

  test('poisson at the edges', () => {
    expect(random.poisson(key, nm.tensor([0, -1, Number.NaN])).toArray()).toEqual([0, -1, -1]);
    expect(random.poisson(key, 3, [2], { dtype: 'float32' }).dtype).toBe('float32');
  });

  test('categorical and choice draw in proportion', () => {
    const p = [0.1, 0.2, 0.3, 0.4];
    const frequencies = (x: Tensor): number[] =>
      p.map((_, k) => [...x.dataSync()].filter((i) => i === k).length / x.size);
    const close = p.map((x) => expect.closeTo(x, 1));
    const logits = nm.log(nm.tensor(p));
    expect(frequencies(random.categorical(key, logits, { shape: [n] }))).toEqual(close);
    expect(frequencies(random.choice(key, 4, [n], { p: nm.tensor(p) }))).toEqual(close);
    // Without replacement the first draw has the probabilities too.
    const firsts = nm.vmap((k: Tensor) =>
      nm.take(random.choice(k, 4, [2], { p: nm.tensor(p), replace: false }), 0),
    )(nm.stack(random.split(key, 1000)));
    expect(frequencies(firsts)).toEqual(close);
  });

  test('permutations hold everything once, in every order alike', () => {
    const x = random.permutation(key, 1000);
    expect([...x.dataSync()].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    const orders = nm.vmap((k: Tensor) => random.permutation(k, 3))(nm.stack(random.split(key, 1200)));
    const counts = new Map<string, number>();
    for (const row of orders.toArray() as number[][])
      counts.set(row.join(), (counts.get(row.join()) ?? 0) + 1);
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(abs(count - 200)).toBeLessThan(4 * sqrt(200 * (5 / 6)));
    const grid = nm.reshape(nm.arange(12), [4, 3]);
    const rows = random.permutation(key, grid).toArray() as number[][];
    expect(rows.map((r) => (r[0] as number) / 3).sort((a, b) => a - b)).toEqual([0, 1, 2, 3]);
    for (const r of rows) expect(r[2]).toBe((r[0] as number) + 2);
    const free = random.permutation(key, grid, { axis: 1, independent: true }).toArray() as number[][];
    expect(free.map((r) => [...r].sort((a, b) => a - b))).toEqual(grid.toArray());
  });

  test('vectors and matrices', () => {
    const cov = nm.tensor(
      [
        [2, 1],
        [1, 2],
      ],
      'float64',
    );
    for (const method of ['cholesky', 'eigh', 'svd'] as const) {
      const x = random.multivariateNormal(key, nm.tensor([1, -1], 'float64'), cov, [n], { method });
      const centred = nm.subtract(x, nm.tensor([1, -1], 'float64'));
      const found = nm.divide(nm.matmul(nm.transpose(centred), centred), n);
      expect(nm.max(nm.abs(nm.subtract(found, cov))).item()).toBeLessThan(0.2);
      expect(nm.max(nm.abs(nm.mean(centred, { axis: 0 }))).item()).toBeLessThan(0.1);
    }
    const q = random.orthogonal(key, 3, [500]);
    const products = nm.matmul(q, nm.linalg.matrixTranspose(q));
    expect(nm.max(nm.abs(nm.subtract(products, nm.eye(3)))).item()).toBeLessThan(1e-6);
    expect(nm.max(nm.abs(nm.mean(q, { axis: 0 }))).item()).toBeLessThan(0.15);
    // The share of the volume within radius r is r³.
    const radii = nm.norm(random.ball(key, 3, 2, [n]), { axis: 1 });
    expect(distance(radii, (r) => r ** 3)).toBeLessThan(unlikely);
    const d = random.dirichlet(key, nm.tensor([1, 2, 3]), [n]);
    expect(nm.mean(d, { axis: 0 }).toArray()).toEqual([1, 2, 3].map((a) => expect.closeTo(a / 6, 1.5)));
    expect(nm.max(nm.abs(nm.subtract(nm.sum(d, { axis: 1 }), 1))).item()).toBeLessThan(1e-6);
  });
});

describe('transformations', () => {
  test('gamma is the derivative of its quantile by the shape, also under jit and vmap', () => {
    const mean = (a: Tensor): Tensor => nm.mean(random.gamma(key, a, [20_000], { dtype: 'float64' }));
    // The mean of gamma variates is a.
    const slope = nm.grad(mean)(nm.tensor(2.5, 'float64')).item();
    expect(slope).toBeCloseTo(1, 1);
    expect(nm.jit(nm.grad(mean))(nm.tensor(2.5, 'float64')).item()).toBeCloseTo(slope, 12);
    const keys = nm.stack(random.split(key, 3));
    const many = nm.vmap((k: Tensor) => random.gamma(k, 2, [4]))(keys);
    const each = random.split(key, 3).map((k) => random.gamma(k, 2, [4]).toArray());
    expect(many.toArray()).toEqual(each);
  });

  test('numbers are differentiable by parameters', () => {
    const f = (scale: Tensor): Tensor => nm.sum(random.weibullMin(key, scale, 2, [3]));
    expect(nm.grad(f)(nm.tensor(2)).item()).toBeCloseTo(f(nm.tensor(2)).item() / 2, 5);
  });
});

describe('mistakes are named', () => {
  test.each<[string, () => unknown, new (m: string) => Error, string]>([
    [
      'a shape parameter',
      () => random.gamma(key, -1),
      OptionError,
      'random.gamma: a is a positive number, but got -1.',
    ],
    ['a shape', () => random.gamma(key, nm.ones([3]), [2]), ShapeError, 'random.gamma: '],
    [
      'too few elements',
      () => random.choice(key, 2, [3], { replace: false }),
      OptionError,
      'random.choice: cannot draw 3 of 2 elements without replacement; set replace.',
    ],
    [
      'nothing to choose from',
      () => random.choice(key, 0),
      OptionError,
      'random.choice: cannot draw 1 of 0 elements.',
    ],
    [
      'probabilities',
      () => random.choice(key, 2, [3], { p: nm.ones([3]) }),
      ShapeError,
      'random.choice: p has a probability for each of 2 elements, but is f32[3].',
    ],
    [
      'no count',
      () => random.permutation(key, 1.5),
      OptionError,
      'random.permutation: a number stands for the integers below it, but got 1.5.',
    ],
    [
      'a method',
      () => random.multivariateNormal(key, nm.ones([1]), nm.eye(1), [], { method: 'lu' as never }),
      OptionError,
      "random.multivariateNormal: method is 'cholesky', 'eigh' or 'svd', but got \"lu\".",
    ],
    [
      'a covariance',
      () => random.multivariateNormal(key, nm.ones([2]), nm.eye(3)),
      ShapeError,
      'mean is […,N] and cov […,N,N], but they are f32[2] and f32[3,3].',
    ],
    [
      'no categories',
      () => random.categorical(key, nm.zeros([0])),
      ShapeError,
      'random.categorical: logits f32[0] with categories along axis 0',
    ],
  ])('%s', (_, f, kind, message) => {
    expect(f).toThrow(kind);
    expect(f).toThrow(message);
  });
});
