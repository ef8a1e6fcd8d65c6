/**
 * Trajectories against the papers' formulas, in plain JavaScript numbers and written without looking at the implementation:
 * one function for each optimizer, from a weight's gradient to its change. Those that treat tensors as a whole are given
 * all weights of a tensor at once.
 */
import { tensor } from '@neumann/core';
import { describe, expect, test } from 'vitest';
import * as optim from '../src/index.ts';
import { elements, expectClose } from './support.ts';

/** The change of a tensor's weights for its gradient in step t = 1, 2, …, by a method with a memory of its own. */
type Method = () => (g: readonly number[], t: number, w: readonly number[]) => number[];

/** A method that treats elements alike, from one element with a memory of its own. */
const each =
  (one: () => (g: number, t: number, w: number) => number): Method =>
  () => {
    const part = memoryOf(one);
    return (g, t, w) => g.map((x, i) => part(i)(x, t, w[i] as number));
  };

/** The memory of each element, made when it is first asked for. */
function memoryOf<T>(make: () => T): (i: number) => T {
  const parts: T[] = [];
  return (i) => {
    parts[i] ??= make();
    return parts[i];
  };
}

const norm = (x: readonly number[]): number => Math.hypot(...x);
const sign = Math.sign;
const hat = (x: number, b: number, t: number): number => x / (1 - b ** t);

/** Adam's two averages. */
function averages(b1: number, b2: number, first = 0) {
  let [m, v] = [0, first];
  return (g: number) => {
    m = b1 * m + (1 - b1) * g;
    v = b2 * v + (1 - b2) * g * g;
    return [m, v] as const;
  };
}

const lr = 0.05;
const decays: readonly (readonly [string, optim.GradientTransformation<never>, Method])[] = (
  [
    ['sgd', optim.sgd({ learningRate: lr }), each(() => (g) => -lr * g)],
    [
      'momentum',
      optim.sgd({ learningRate: lr, momentum: 0.9 }),
      each(() => {
        let v = 0;
        return (g) => {
          v = 0.9 * v + g;
          return -lr * v;
        };
      }),
    ],
    [
      'nesterov',
      optim.sgd({ learningRate: lr, momentum: 0.9, nesterov: true }),
      each(() => {
        let v = 0;
        return (g) => {
          v = 0.9 * v + g;
          return -lr * (g + 0.9 * v);
        };
      }),
    ],
    [
      'adam',
      optim.adam({ learningRate: lr, b1: 0.8, b2: 0.95 }),
      each(() => {
        const next = averages(0.8, 0.95);
        return (g, t) => {
          const [m, v] = next(g);
          return (-lr * hat(m, 0.8, t)) / (Math.sqrt(hat(v, 0.95, t)) + 1e-8);
        };
      }),
    ],
    [
      'adamw',
      optim.adamw({ learningRate: lr, weightDecay: 0.1 }),
      each(() => {
        const next = averages(0.9, 0.999);
        return (g, t, w) => {
          const [m, v] = next(g);
          return -lr * (hat(m, 0.9, t) / (Math.sqrt(hat(v, 0.999, t)) + 1e-8) + 0.1 * w);
        };
      }),
    ],
    [
      'nadam',
      optim.nadam({ learningRate: lr }),
      each(() => {
        const next = averages(0.9, 0.999);
        return (g, t) => {
          const [m, v] = next(g);
          const ahead = (0.9 * m) / (1 - 0.9 ** (t + 1)) + (0.1 * g) / (1 - 0.9 ** t);
          return (-lr * ahead) / (Math.sqrt(hat(v, 0.999, t)) + 1e-8);
        };
      }),
    ],
    [
      'amsgrad',
      optim.amsgrad({ learningRate: lr, b2: 0.7 }),
      each(() => {
        const next = averages(0.9, 0.7);
        let most = 0;
        return (g, t) => {
          const [m, v] = next(g);
          most = Math.max(most, hat(v, 0.7, t));
          return (-lr * hat(m, 0.9, t)) / (Math.sqrt(most) + 1e-8);
        };
      }),
    ],
    [
      'adamax',
      optim.adamax({ learningRate: lr, b2: 0.8 }),
      each(() => {
        let [m, u] = [0, 0];
        return (g, t) => {
          m = 0.9 * m + 0.1 * g;
          u = Math.max(0.8 * u, Math.abs(g) + 1e-8);
          return (-lr / (1 - 0.9 ** t)) * (m / u);
        };
      }),
    ],
    [
      'adagrad',
      optim.adagrad({ learningRate: lr }),
      each(() => {
        let s = 0.1;
        return (g) => {
          s += g * g;
          return (-lr * g) / Math.sqrt(s + 1e-7);
        };
      }),
    ],
    [
      'adadelta',
      optim.adadelta({ learningRate: 1, rho: 0.8 }),
      each(() => {
        let [G, X] = [0, 0];
        return (g) => {
          G = 0.8 * G + 0.2 * g * g;
          const dx = (-Math.sqrt(X + 1e-6) / Math.sqrt(G + 1e-6)) * g;
          X = 0.8 * X + 0.2 * dx * dx;
          return dx;
        };
      }),
    ],
    [
      'rmsprop',
      optim.rmsprop({ learningRate: lr, decay: 0.8, epsInSqrt: false }),
      each(() => {
        let v = 0;
        return (g) => {
          v = 0.8 * v + 0.2 * g * g;
          return (-lr * g) / (Math.sqrt(v) + 1e-8);
        };
      }),
    ],
    [
      'lion',
      optim.lion({ learningRate: lr, b1: 0.7, b2: 0.9, weightDecay: 0.1 }),
      each(() => {
        let m = 0;
        return (g, _, w) => {
          const c = 0.7 * m + 0.3 * g;
          m = 0.9 * m + 0.1 * g;
          return -lr * (sign(c) + 0.1 * w);
        };
      }),
    ],
    [
      'lamb',
      optim.lamb({ learningRate: lr, weightDecay: 0.1 }),
      ((): ReturnType<Method> => {
        const part = memoryOf(() => averages(0.9, 0.999));
        return (g, t, w) => {
          const u = g.map((x, i) => {
            const [m, v] = part(i)(x);
            return hat(m, 0.9, t) / (Math.sqrt(hat(v, 0.999, t)) + 1e-6) + 0.1 * (w[i] as number);
          });
          return u.map((x) => (-lr * norm(w) * x) / norm(u));
        };
      }) satisfies Method,
    ],
    [
      'lars',
      optim.lars({ learningRate: lr, weightDecay: 0.1, trustCoefficient: 0.5 }),
      ((): ReturnType<Method> => {
        let v: number[] = [];
        return (g, _, w) => {
          const d = g.map((x, i) => x + 0.1 * (w[i] as number));
          const local = (0.5 * norm(w)) / norm(d);
          v = d.map((x, i) => 0.9 * (v[i] ?? 0) + lr * local * x);
          return v.map((x) => -x);
        };
      }) satisfies Method,
    ],
    [
      'radam',
      optim.radam({ learningRate: lr, b2: 0.9 }),
      each(() => {
        const next = averages(0.9, 0.9);
        const most = 2 / (1 - 0.9) - 1;
        return (g, t) => {
          const [m, v] = next(g);
          const rho = most - (2 * t * 0.9 ** t) / (1 - 0.9 ** t);
          if (rho < 5) return -lr * hat(m, 0.9, t);
          const r = Math.sqrt(((rho - 4) * (rho - 2) * most) / ((most - 4) * (most - 2) * rho));
          return (-lr * r * hat(m, 0.9, t)) / (Math.sqrt(hat(v, 0.9, t)) + 1e-8);
        };
      }),
    ],
    [
      'yogi',
      optim.yogi({ learningRate: lr }),
      each(() => {
        let [m, v] = [0, 1e-6];
        return (g, t) => {
          m = 0.9 * m + 0.1 * g;
          v -= 0.001 * sign(v - g * g) * g * g;
          return (-lr * hat(m, 0.9, t)) / (Math.sqrt(hat(v, 0.999, t)) + 1e-3);
        };
      }),
    ],
    [
      'adabelief',
      optim.adabelief({ learningRate: lr, eps: 1e-8, epsRoot: 1e-10 }),
      each(() => {
        let [m, s] = [0, 0];
        return (g, t) => {
          m = 0.9 * m + 0.1 * g;
          s = 0.999 * s + 0.001 * (g - m) ** 2 + 1e-10;
          return (-lr * hat(m, 0.9, t)) / (Math.sqrt(hat(s, 0.999, t)) + 1e-8);
        };
      }),
    ],
    [
      'adan',
      optim.adan({ learningRate: lr, weightDecay: 0.1 }),
      each(() => {
        let [m, d, n] = [0, 0, 0];
        let before: number | undefined;
        return (g, t, w) => {
          const change = before === undefined ? 0 : g - before;
          before = g;
          m = 0.98 * m + 0.02 * g;
          d = 0.92 * d + 0.08 * change;
          n = 0.99 * n + 0.01 * (g + 0.92 * change) ** 2;
          const top = hat(m, 0.98, t) + 0.92 * hat(d, 0.92, t);
          return -lr * (top / (Math.sqrt(hat(n, 0.99, t)) + 1e-8) + 0.1 * w);
        };
      }),
    ],
    [
      'ademamix',
      optim.ademamix({ learningRate: lr, b3: 0.95, alpha: 3 }),
      each(() => {
        const next = averages(0.9, 0.999);
        let slow = 0;
        return (g, t) => {
          const [m, v] = next(g);
          slow = 0.95 * slow + 0.05 * g;
          return (-lr * (hat(m, 0.9, t) + 3 * slow)) / (Math.sqrt(hat(v, 0.999, t)) + 1e-8);
        };
      }),
    ],
    [
      'signum',
      optim.signum({ learningRate: lr, momentum: 0.7 }),
      each(() => {
        let m = 0;
        return (g) => {
          m = 0.7 * m + 0.3 * g;
          return -lr * sign(m);
        };
      }),
    ],
    [
      'novograd',
      optim.novograd({ learningRate: lr, weightDecay: 0.1 }),
      ((): ReturnType<Method> => {
        let v: number | undefined;
        let m: number[] = [];
        return (g, _, w) => {
          const squares = norm(g) ** 2;
          v = v === undefined ? squares : 0.25 * v + 0.75 * squares;
          const root = Math.sqrt(v) + 1e-6;
          m = g.map((x, i) => 0.9 * (m[i] ?? 0) + x / root + 0.1 * (w[i] as number));
          return m.map((x) => -lr * x);
        };
      }) satisfies Method,
    ],
    [
      'fromage',
      optim.fromage({ learningRate: lr }),
      (): ReturnType<Method> => (g, _, w) =>
        g.map((x, i) => {
          const moved = (w[i] as number) - (lr * norm(w) * x) / norm(g);
          return moved / Math.sqrt(1 + lr * lr) - (w[i] as number);
        }),
    ],
    [
      'rprop',
      optim.rprop({ learningRate: lr }),
      each(() => {
        let [before, step] = [0, lr];
        return (g) => {
          if (before * g > 0) step = Math.min(50, step * 1.2);
          if (before * g < 0) step = Math.max(1e-6, step * 0.5);
          before = before * g < 0 ? 0 : g;
          return -step * sign(before);
        };
      }),
    ],
    [
      'optimisticGradientDescent',
      optim.optimisticGradientDescent({ learningRate: lr, alpha: 1.2, beta: 0.7 }),
      each(() => {
        let before: number | undefined;
        return (g) => {
          const change = g - (before ?? g);
          before = g;
          return -lr * (1.2 * g + 0.7 * change);
        };
      }),
    ],
    [
      'sm3 of a vector is adagrad with momentum',
      optim.sm3({ learningRate: lr }),
      each(() => {
        let [s, m] = [0, 0];
        return (g) => {
          s += g * g;
          m = 0.9 * m + (s > 0 ? (0.1 * g) / Math.sqrt(s + 1e-8) : 0);
          return -lr * m;
        };
      }),
    ],
  ] as const
).map(([name, tx, method]) => [name, tx as unknown as optim.GradientTransformation<never>, method] as const);

/** Two tensors, with gradients that depend on the weights; one element never moves by itself. */
const start = { a: [0.3, -1, 2], b: [0.5, 0.4] };
const gradientAt = (w: readonly number[], t: number, shift: number): number[] =>
  w.map((x, i) => (i === 2 ? 0 : Math.sin(2 * t + i + shift) + 0.4 * x));

describe('a trajectory of 12 steps is that of the formula', () => {
  test.each(decays)('%s', (_, tx, method) => {
    const wide = (x: { a: number[]; b: number[] }) => ({
      a: tensor(x.a, 'float64'),
      b: tensor(x.b, 'float64'),
    });
    const [ofA, ofB] = [method(), method()];
    let expected = start;
    let params = wide(start);
    let state = tx.init(params);
    for (let t = 1; t <= 12; t++) {
      const grads = { a: gradientAt(expected.a, t, 0), b: gradientAt(expected.b, t, 1) };
      const [updates, next] = tx.update(wide(grads), state, params);
      params = optim.applyUpdates(params, updates);
      state = next;
      const [da, db] = [ofA(grads.a, t, expected.a), ofB(grads.b, t, expected.b)];
      expected = {
        a: expected.a.map((x, i) => x + (da[i] as number)),
        b: expected.b.map((x, i) => x + (db[i] as number)),
      };
      expectClose(params, [...expected.a, ...expected.b], 1e-11, `step ${t}`);
    }
  });
});

test('lbfgs multiplies by the matrix of its recursion, written out', () => {
  type Matrix = number[][];
  const dot = (x: readonly number[], y: readonly number[]) =>
    x.reduce((s, a, i) => s + a * (y[i] as number), 0);
  const product = (a: Matrix, b: Matrix): Matrix =>
    a.map((row) =>
      (b[0] as number[]).map((_, j) =>
        dot(
          row,
          b.map((r) => r[j] as number),
        ),
      ),
    );
  const eye = (scale: number): Matrix => [0, 1, 2].map((i) => [0, 1, 2].map((j) => (i === j ? scale : 0)));
  const memorySize = 3;
  const tx = optim.scaleByLbfgs({ memorySize });
  const hessian = [
    [3, 1, 0.2],
    [1, 2, -0.4],
    [0.2, -0.4, 1],
  ];
  let w = [1, -2, 0.5];
  let state = tx.init(tensor(w, 'float64'));
  const pairs: { s: number[]; y: number[] }[] = [];
  let before: { w: number[]; g: number[] } | undefined;
  for (let t = 0; t < 7; t++) {
    const g = hessian.map((row, i) => dot(row, w) + 0.1 * (w[i] as number) ** 3);
    const last = before;
    if (last)
      pairs.push({
        s: w.map((x, i) => x - (last.w[i] as number)),
        y: g.map((x, i) => x - (last.g[i] as number)),
      });
    before = { w, g };
    const newest = pairs.at(-1);
    let H = newest ? eye(dot(newest.s, newest.y) / dot(newest.y, newest.y)) : eye(Math.min(1, 1 / norm(g)));
    for (const { s, y } of pairs.slice(-memorySize)) {
      const rho = 1 / dot(s, y);
      const left = s.map((a, i) => y.map((b, j) => (i === j ? 1 : 0) - rho * a * b));
      const right = y.map((a, i) => s.map((b, j) => (i === j ? 1 : 0) - rho * a * b));
      H = product(product(left, H), right).map((row, i) =>
        row.map((x, j) => x + rho * (s[i] as number) * (s[j] as number)),
      );
    }
    const [direction, next] = tx.update(tensor(g, 'float64'), state, tensor(w, 'float64'));
    expectClose(
      direction,
      H.map((row) => dot(row, g)),
      1e-10,
      `step ${t}`,
    );
    state = next;
    w = w.map((x, i) => x - 0.7 * (elements(direction)[i] as number));
  }
});

test('dog and dowg make the steps of their formulas', () => {
  for (const [tx, isWeighted] of [
    [optim.dog({ repsRel: 0.1 }), false],
    [optim.dowg({ repsRel: 0.1 }), true],
  ] as const) {
    const first = [1, 2];
    let [w, r, total] = [first, 0.1 * (1 + norm(first)), 0];
    let state = tx.init(tensor(w, 'float64'));
    for (let t = 0; t < 6; t++) {
      const g = w.map((x) => 2 * x);
      r = Math.max(r, norm(w.map((x, i) => x - (first[i] as number))));
      total += (isWeighted ? r * r : 1) * norm(g) ** 2;
      const step = (isWeighted ? r * r : r) / Math.sqrt(total + 1e-8);
      const [updates, next] = tx.update(tensor(g, 'float64'), state, tensor(w, 'float64'));
      expectClose(
        updates,
        g.map((x) => -step * x),
        1e-12,
      );
      state = next;
      w = w.map((x, i) => x - step * (g[i] as number));
    }
  }
});

test('adafactor without factoring divides by the root of its average', () => {
  const tx = optim.scaleByFactoredRms();
  let [v, state] = [[0, 0], tx.init(tensor([1, 1], 'float64'))];
  for (let t = 1; t <= 4; t++) {
    const g = [Math.sin(t), Math.cos(t)];
    const decay = 1 - t ** -0.8;
    v = v.map((x, i) => decay * x + (1 - decay) * ((g[i] as number) ** 2 + 1e-30));
    const [u, next] = tx.update(tensor(g, 'float64'), state, tensor([1, 1], 'float64'));
    expectClose(
      u,
      g.map((x, i) => x / Math.sqrt(v[i] as number)),
      1e-12,
    );
    state = next;
  }
});

test('adafactor with factoring has the rank-one estimate of the mean squares', () => {
  const tx = optim.scaleByFactoredRms({ minDimSizeToFactor: 2 });
  const g = [
    [1, 2, 3],
    [2, 0.5, 1],
  ];
  const wide = tensor(g, 'float64');
  const [u] = tx.update(wide, tx.init(wide), wide); // decay 0 in the first step
  const rows = g.map((row) => row.reduce((s, x) => s + x * x, 0) / 3);
  const columns = [0, 1, 2].map((j) => g.reduce((s, row) => s + (row[j] as number) ** 2, 0) / 2);
  const mean = (rows[0] as number) / 2 + (rows[1] as number) / 2;
  const estimate = (i: number, j: number) => ((rows[i] as number) * (columns[j] as number)) / mean;
  expectClose(
    u,
    g.map((row, i) => row.map((x, j) => x / Math.sqrt(estimate(i, j)))),
    1e-12,
  );
});

test('muon moves all directions of a matrix about alike', () => {
  const x = tensor(
    [
      [3, 0.1],
      [0.2, 0.01],
      [1, 2],
    ],
    'float64',
  );
  const [[a, b], [, d]] = gram(optim.orthogonalize(x).toArray() as number[][]) as [
    [number, number],
    [number, number],
  ];
  const [middle, spread] = [(a + d) / 2, Math.hypot((a - d) / 2, b)];
  expect(Math.sqrt(middle - spread)).toBeGreaterThan(0.6);
  expect(Math.sqrt(middle + spread)).toBeLessThan(1.3);
});

const gram = (x: number[][]): number[][] =>
  [0, 1].map((i) => [0, 1].map((j) => x.reduce((s, row) => s + (row[i] as number) * (row[j] as number), 0)));
