import {
  add,
  argmax,
  cumsum,
  divide,
  exp,
  forLoop,
  greater,
  jit,
  logSumExp,
  max,
  mean,
  min,
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
  'an update, and the norm of what it makes': (x, y) => {
    const next = subtract(x, multiply(0.1, y));
    return [next, sum(square(next))];
  },
  'a gradient, and its sum over examples': (x, y) => {
    const g = where(greater(x, 0), y, 0);
    return [g, sum(g, { axis: [...x.shape.keys()].slice(0, -1) })];
  },
  'several folds of several values': (x, y) => {
    const [p, q] = [multiply(x, y), subtract(x, y)];
    return [p, q, max(p, { axis: 0 }), mean(multiply(p, q), { axis: 0 }), min(q)];
  },
  'a fold of values and of another fold of them': (x, y) => {
    const p = multiply(x, y);
    const center = mean(p, { axis: 0, keepdims: true });
    return [p, mean(square(subtract(p, center)), { axis: 0 })];
  },
  'a value, its sum and its greatest position': (x, y) => {
    const p = subtract(x, y);
    return [p, sum(p), argmax(p, { axis: 0 }), sum(p, { axis: -1 })];
  },
  'updates in a loop, each by the norm of the last': (x, y) => {
    const step = ([u, r]: readonly [Tensor, Tensor]) => {
      const next = subtract(u, multiply(y, divide(0.1, add(1, r))));
      return [next, sum(square(next))] as const;
    };
    return [
      ...forLoop(0, 3, (_, state: readonly [Tensor, Tensor]) => step(state), [x, sum(square(x))] as const),
    ];
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

  test('are an update and the sum that its results fold to', async () => {
    setBackend(await cpu({ threads: 1 }));
    for (const shape of [[2 ** 16], [300, 700], [3, 3, 64, 96], [1009, 1013]]) {
      const x = random.normal(random.key(0), shape);
      const f = jit(programs['an update, and the norm of what it makes'] as F);
      f(x, x);
      const [together, rest, ...others] = (await profile(() => f(x, x))).rows.map(({ name }) => name);
      expect(together).toContain(', in chunks');
      expect(rest).toBe('mul+reduceSum f32[]');
      expect(others).toEqual([]);
    }
  });

  test('are no columns of a larger operand, which would be read across', async () => {
    setBackend(await cpu({ threads: 1 }));
    const x = random.normal(random.key(0), [512, 256]);
    const g = jit((t: Tensor) => mean(square(subtract(t, mean(t, { axis: 0 }))), { axis: 0 }));
    g(x);
    expect((await profile(() => g(x))).rows.map(({ name }) => name.includes(', '))).toEqual([false, false]);
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
