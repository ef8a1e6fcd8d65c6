import {
  add,
  argmax,
  cumsum,
  divide,
  exp,
  greater,
  jit,
  logSumExp,
  max,
  mean,
  multiply,
  random,
  rsqrt,
  setBackend,
  square,
  subtract,
  sum,
  type Tensor,
  vjp,
  where,
} from '@neumann/core';
import { type Backend, reference } from '@neumann/core/backend';
import { afterAll, describe, expect, test } from 'vitest';
import { createCpu } from '../src/backend.ts';
import { noLimits } from '../src/emit/cost.ts';
import { cpu, profile } from '../src/index.ts';

const slow = reference();
const backends = await Promise.all([1, 3].map((threads) => createCpu({ threads }, noLimits)));
afterAll(() => setBackend(slow));

type F = (...xs: Tensor[]) => Tensor | Tensor[];
const last = { axis: -1, keepdims: true } as const;
const softmax = (x: Tensor) => {
  const e = exp(subtract(x, max(x, last)));
  return divide(e, sum(e, last));
};
const normalise = (x: Tensor) => {
  const centered = subtract(x, mean(x, last));
  return multiply(centered, rsqrt(add(mean(square(centered), last), 1e-5)));
};
const gradient =
  (f: (x: Tensor) => Tensor): F =>
  (x, g) =>
    vjp(f, x)[1](g)[0];

const programs: Readonly<Record<string, F>> = {
  softmax: (x) => softmax(x),
  'the gradient of softmax': gradient(softmax),
  'the logarithm of softmax': (x) => subtract(x, logSumExp(x, last)),
  normalisation: (x) => normalise(x),
  'the gradient of normalisation': gradient(normalise),
  'several results of several dtypes': (x, y) => {
    const greatest = max(x, last);
    const above = greater(x, multiply(greatest, 0.5));
    return [argmax(x, { axis: -1 }), above, where(above, x, y), greatest];
  },
  'a sum over rows between them': (x, y) => {
    const p = softmax(x);
    return [p, subtract(softmax(add(p, y)), sum(p, { axis: 0, keepdims: true }))];
  },
  'a mask that is the same for all examples': (x) => {
    const [rows = 1, columns = 1] = x.shape.slice(-2);
    const mask = greater(random.uniform(random.key(7), [rows, columns]), 0.3);
    return softmax(where(mask, x, -1e9));
  },
  'a running sum, which is no loop nest': (x) => softmax(cumsum(softmax(x), { axis: -1 })),
};

function run(backend: Backend, f: F, shape: readonly number[]): Tensor[] {
  setBackend(backend);
  const [x, y] = [random.normal(random.key(0), [...shape]), random.normal(random.key(1), [...shape])];
  return [jit((...xs: Tensor[]) => [f(...xs)].flat())(x, y)].flat();
}

const values = (ys: readonly Tensor[]): number[][] => ys.map((y) => Array.from(y.dataSync(), Number));

describe('steps that run together row by row', () => {
  for (const [name, f] of Object.entries(programs))
    test(`compute the same as the reference, with the same bits for any number of threads: ${name}`, () => {
      for (const shape of [
        [131, 70],
        [2, 3, 50, 33],
        [700, 4],
      ] as const) {
        const expected = values(run(slow, f, shape));
        const [one = [], ...others] = backends.map((backend) => values(run(backend, f, shape)));
        for (const other of others) expect(other).toEqual(one);
        for (const [i, ys] of expected.entries())
          for (const [k, y] of ys.entries())
            if (Math.abs((one[i]?.[k] ?? Number.NaN) - y) > 1e-5 * (1 + Math.abs(y)))
              expect.fail(`[${shape}] result ${i} at ${k}: ${one[i]?.[k]} instead of ${y}`);
      }
    });

  test('are all of softmax, of its gradient, and of a normalisation', async () => {
    setBackend(await cpu({ threads: 1 }));
    const x = random.normal(random.key(0), [256, 512]);
    for (const f of [softmax, normalise]) {
      const g = jit(f);
      g(x);
      expect((await profile(() => g(x))).rows.map(({ name }) => name.includes(', '))).toEqual([true]);
    }
  });

  test('may write where donated rows were', () => {
    for (const backend of backends) {
      const expected = values(run(slow, programs['softmax'] as F, [200, 90]));
      setBackend(backend);
      const x = random.normal(random.key(0), [200, 90]);
      const [y] = values([jit(softmax, { donate: [0] })(x)]);
      for (const [k, value] of (expected[0] ?? []).entries()) expect(y?.[k]).toBeCloseTo(value, 6);
    }
  });
});
