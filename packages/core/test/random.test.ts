import { describe, expect, test } from 'vitest';
import { DTypeError, OptionError, ShapeError } from '../src/errors.ts';
import { tensor } from '../src/ops/creation.ts';
import { stack } from '../src/ops/join.ts';
import { threefry2x32 } from '../src/primitives/threefry.ts';
import * as random from '../src/random.ts';
import type { Tensor } from '../src/tensor.ts';
import { jit } from '../src/transforms/jit.ts';
import { vmap } from '../src/transforms/vmap.ts';

const values = (x: Tensor): number[] => [...x.dataSync()];
const key0 = random.key(0);

/** The inverse error function differs from XLA's polynomial in the last places. */
const closeTo = (expected: readonly number[]) => expected.map((x) => expect.closeTo(x, 6));

describe('the bits are those of JAX', () => {
  // Random123's known answers, which JAX tests too (tests/random_test.py, testThreefry2x32).
  test.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ])('threefry of key %j and counter %j', (key, counter, expected) => {
    const words = [...key, ...counter].map((w) => tensor(w, 'uint32')) as [Tensor, Tensor, Tensor, Tensor];
    expect(threefry2x32(...words).map((w) => w.item())).toEqual(expected);
  });

  // jax.random.split(jax.random.PRNGKey(seed)) with jax_threefry_partitionable, as in MLIR-TensorRT's tests of JAX.
  test.each([
    [
      0,
      [
        [1797259609, 2579123966],
        [928981903, 3453687069],
      ],
    ],
    [
      1,
      [
        [507451445, 1853169794],
        [1948878966, 4237131848],
      ],
    ],
    [
      2,
      [
        [1821159224, 3364244817],
        [637334850, 3278974502],
      ],
    ],
  ])('split of seed %d', (seed, expected) => {
    const keys = random.split(random.key(seed));
    expect(keys.map(values)).toEqual(expected);
    expect([0, 1].map((i) => values(random.foldIn(random.key(seed), i)))).toEqual(expected);
  });

  test('key is the seed in two words', () => {
    expect(random.key(42).toString()).toBe('u32[2] [0, 42]'); // docs.jax.dev/en/latest/random-numbers.html
    expect(values(random.key(2 ** 32 + 7))).toEqual([1, 7]);
  });

  test('uniform and randint', () => {
    expect(values(random.uniform(key0, [4]))).toEqual(
      [0.9476670027, 0.9785798788, 0.3322914839, 0.4686684608].map((x) => expect.closeTo(x, 9)),
    );
    expect(values(random.randint(key0, [8], { max: 20 }))).toEqual([9, 0, 12, 13, 11, 7, 12, 3]);
  });

  // docs.jax.dev/en/latest/random-numbers.html
  test('normal', () => {
    const key = random.key(42);
    expect(random.normal(key).item()).toBeCloseTo(-0.028304616, 8);
    expect(values(random.normal(key, [3]))).toEqual(closeTo([-0.02830462, 0.46713185, 0.29570296]));
    const keys = random.split(key, 3);
    const expected = closeTo([0.07592554, 0.60576403, 0.4323065]);
    expect(keys.map((k) => random.normal(k).item())).toEqual(expected);
    expect(values(vmap(random.normal)(stack(keys)))).toEqual(expected);
  });

  test('draws in a loop', () => {
    let key = random.key(42);
    const draws: number[] = [];
    for (let i = 0; i < 3; i++) {
      const [next, now] = random.split(key) as [Tensor, Tensor];
      draws.push(random.normal(now).item());
      key = next;
    }
    expect(draws).toEqual(closeTo([0.6057640314102173, -0.21089035272598267, -0.3948981463909149]));
  });
});

describe('distributions', () => {
  const n = 4000;
  const mean = (xs: number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length;
  const moment = (xs: number[], k: number): number => mean(xs.map((x) => x ** k));
  /** The distance in standard errors. */
  const error = (x: number, expected: number, deviation: number): number =>
    (Math.abs(x - expected) * Math.sqrt(n)) / deviation;

  test.each(['float32', 'float64'] as const)('uniform %s', (dtype) => {
    const xs = values(random.uniform(key0, [n], { min: -1, max: 3, dtype }));
    expect(Math.min(...xs)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...xs)).toBeLessThan(3);
    expect(error(mean(xs), 1, 4 / Math.sqrt(12))).toBeLessThan(5);
  });

  test.each(['float32', 'float64'] as const)('normal %s', (dtype) => {
    const xs = values(random.normal(key0, [n], { dtype }));
    expect(error(mean(xs), 0, 1)).toBeLessThan(5);
    expect(error(moment(xs, 2), 1, Math.SQRT2)).toBeLessThan(5);
    expect(error(moment(xs, 4), 3, Math.sqrt(96))).toBeLessThan(5);
  });

  test('float64 uses 52 random bits, the high word first', () => {
    const [k0, k1, zero] = [0, 0, 0].map((w) => tensor(w, 'uint32')) as [Tensor, Tensor, Tensor];
    const [high, low] = threefry2x32(k0, k1, zero, zero).map((w) => BigInt(w.item())) as [bigint, bigint];
    const expected = Number(((high << 32n) | low) >> 12n) / 2 ** 52;
    expect(random.uniform(key0, [], { dtype: 'float64' }).item()).toBe(expected);
  });

  test('truncatedNormal stays inside, also of a narrow interval', () => {
    const xs = values(random.truncatedNormal(key0, -0.5, 2, [n]));
    expect(Math.min(...xs)).toBeGreaterThan(-0.5);
    expect(Math.max(...xs)).toBeLessThan(2);
    // (φ(-1/2) - φ(2)) / (Φ(2) - Φ(-1/2))
    expect(error(mean(xs), 0.44575, 0.62)).toBeLessThan(5);
    const narrow = values(random.truncatedNormal(key0, 0, 1e-6, [100]));
    expect(narrow.every((x) => x > 0 && x < 1e-6)).toBe(true);
  });

  test('bernoulli', () => {
    expect(error(mean(values(random.bernoulli(key0, 0.3, [n]))), 0.3, 0.5)).toBeLessThan(5);
    expect(random.bernoulli(key0, tensor([0, 1])).toArray()).toEqual([false, true]);
    expect(random.bernoulli(key0, tensor([0, 1]), [3, 2]).shape).toEqual([3, 2]);
  });

  test('randint', () => {
    const xs = values(random.randint(key0, [n], { min: -3, max: 4 }));
    expect(new Set(xs)).toEqual(new Set([-3, -2, -1, 0, 1, 2, 3]));
    expect(error(mean(xs), 0, 2)).toBeLessThan(5);
    expect(random.randint(key0, [5], { min: 7, max: 8 }).toArray()).toEqual([7, 7, 7, 7, 7]);
    const all = random.randint(key0, [n], { min: -(2 ** 31), max: 2 ** 31 });
    expect(error(mean(values(all)) / 2 ** 32, 0, 1 / Math.sqrt(12))).toBeLessThan(5);
    expect(random.randint(key0, [2], { max: 2 ** 32, dtype: 'uint32' }).dtype).toBe('uint32');
  });
});

test('the numbers are the same under jit', () => {
  expect(values(jit((k: Tensor) => random.normal(k, [5]))(key0))).toEqual(values(random.normal(key0, [5])));
  expect(values(jit((k: Tensor) => random.truncatedNormal(k, -1, 1, [5]))(key0))).toEqual(
    values(random.truncatedNormal(key0, -1, 1, [5])),
  );
  const step = jit((k: Tensor, i: Tensor) => random.foldIn(k, i));
  expect(values(step(key0, tensor(3, 'int32')))).toEqual(values(random.foldIn(key0, 3)));
});

test.each<[() => unknown, new (m: string) => Error, string]>([
  [
    () => random.key(-1),
    OptionError,
    'random.key: a seed is an integer of at least 0 and below 2^53, but got -1.',
  ],
  [
    () => random.normal(tensor([0, 1])),
    DTypeError,
    'random.normal: a key is u32[2], but got f32[2]; make one with random.key(seed), and map over several with vmap().',
  ],
  [
    () => random.bits(tensor([0], 'uint32'), [3]),
    ShapeError,
    'random.bits: a key is u32[2], but got u32[1]; make one with random.key(seed), and map over several with vmap().',
  ],
  [
    () => random.uniform(key0, [2], { dtype: 'int32' }),
    DTypeError,
    'random.uniform: draws float32 or float64, but got int32; convert the result with astype().',
  ],
  [
    () => random.uniform(key0, [2], { max: tensor([1, 2, 3]) }),
    ShapeError,
    'random.uniform: shapes [3] and [2] do not broadcast; aligned at the right, extents must be equal or 1.',
  ],
  [
    () => random.bernoulli(key0, tensor([[0.5], [0.5]]), [2]),
    ShapeError,
    'random.bernoulli: p f32[2,1] does not broadcast to the shape [2].',
  ],
  [
    () => random.randint(key0, [2], { min: 3, max: 3 }),
    OptionError,
    'random.randint: needs integers min < max within int32, but got 3 and 3.',
  ],
  [
    () => random.foldIn(key0, 0.5),
    DTypeError,
    'random.foldIn: 0.5 is no uint32, which holds the integers from 0 to 4294967295; round or clip it, or use another dtype.',
  ],
  [
    () => random.truncatedNormal(key0, 1, 1),
    OptionError,
    'random.truncatedNormal: needs lower < upper, but got 1 and 1.',
  ],
])('%s', (f, kind, message) => {
  expect(f).toThrow(new kind(message));
});
