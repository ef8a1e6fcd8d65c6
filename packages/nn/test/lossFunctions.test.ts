/** Losses against their formulas in plain numbers, and derivatives. */
import { grad, log, mean, reshape, sum, type Tensor, tensor } from '@neumann/core';
import { describe, expect, test } from 'vitest';
import {
  absoluteError,
  cosineSimilarity,
  ctcLoss,
  diceLoss,
  hingeLoss,
  huberLoss,
  klDivergence,
  l2Loss,
  logCosh,
  ntxent,
  polyLoss,
  sigmoidBinaryCrossEntropy,
  sigmoidFocalLoss,
  smoothLabels,
  softmaxCrossEntropy,
  sparsemax,
  sparsemaxLoss,
  squaredError,
  tripletMarginLoss,
} from '../src/index.ts';

const f64 = (x: readonly number[] | readonly (readonly number[])[]): Tensor => tensor(x, 'float64');
const values = (x: Tensor): number[] => Array.from(x.dataSync());
const expectClose = (actual: Tensor, expected: readonly number[]) => {
  const xs = values(actual);
  expect(xs.length).toBe(expected.length);
  for (const [i, x] of xs.entries())
    expect(Math.abs(x - (expected[i] as number))).toBeLessThan(1e-12 * (1 + Math.abs(x)));
};

const a = [0.3, -2, 4, 0.25];
const b = [0.1, 1.5, -0.5, 0.25];
const logistic = (x: number) => 1 / (1 + Math.exp(-x));

const elementwise: readonly (readonly [
  string,
  (x: Tensor, y: Tensor) => Tensor,
  (x: number, y: number) => number,
])[] = [
  ['squaredError', squaredError, (x, y) => (x - y) ** 2],
  ['l2Loss', l2Loss, (x, y) => (x - y) ** 2 / 2],
  ['absoluteError', absoluteError, (x, y) => Math.abs(x - y)],
  [
    'huberLoss',
    (x, y) => huberLoss(x, y, { delta: 0.5 }),
    (x, y) => {
      const e = Math.abs(x - y);
      return e <= 0.5 ? (e * e) / 2 : 0.5 * (e - 0.25);
    },
  ],
  ['logCosh', logCosh, (x, y) => Math.log(Math.cosh(x - y))],
  ['hingeLoss', hingeLoss, (x, y) => Math.max(0, 1 - x * y)],
  [
    'sigmoidBinaryCrossEntropy',
    sigmoidBinaryCrossEntropy,
    (x, y) => -y * Math.log(logistic(x)) - (1 - y) * Math.log(1 - logistic(x)),
  ],
  [
    'sigmoidFocalLoss',
    (x, y) => sigmoidFocalLoss(x, y, { alpha: 0.3, gamma: 1.5 }),
    (x, y) => {
      const p = logistic(x);
      const loss = -y * Math.log(p) - (1 - y) * Math.log(1 - p);
      return (0.3 * y + 0.7 * (1 - y)) * (1 - p * y - (1 - p) * (1 - y)) ** 1.5 * loss;
    },
  ],
];

test.each(elementwise)('%s is its formula', (_, loss, formula) => {
  // a probability where labels must be one
  const targets = b.map((y) => Math.min(1, Math.max(0, y)));
  expectClose(
    loss(f64(a), f64(targets)),
    a.map((x, i) => formula(x, targets[i] as number)),
  );
  expect(() => loss(f64(a), f64([1]))).toThrow(/must have the same shape; losses do not broadcast/);
  expect(() => loss(tensor([1], 'int32'), f64([1]))).toThrow(/must be floats, but are i32\[1\]/);
});

describe('losses of rows', () => {
  const logits = [
    [1, -0.5, 2],
    [0, 0.3, -1],
  ];
  const labels = [
    [0.2, 0.8, 0],
    [0, 0, 1],
  ];
  const softmax = logits.map((row) => {
    const z = row.reduce((s, x) => s + Math.exp(x), 0);
    return row.map((x) => Math.exp(x) / z);
  });
  const rowSums = (f: (i: number, j: number) => number) =>
    [0, 1].map((i) => [0, 1, 2].reduce((s, j) => s + f(i, j), 0));
  const p = (i: number, j: number) => (softmax[i] as number[])[j] as number;
  const y = (i: number, j: number) => (labels[i] as number[])[j] as number;

  test('softmaxCrossEntropy, also where a class is impossible', () => {
    expectClose(
      softmaxCrossEntropy(f64(logits), f64(labels)),
      rowSums((i, j) => -y(i, j) * Math.log(p(i, j))),
    );
    const gradient = grad((x: Tensor) => softmaxCrossEntropy(x, f64([1, 0])))(f64([2, -Infinity]));
    expect(values(gradient)).toEqual([0, 0]);
  });

  test('klDivergence, polyLoss, diceLoss, smoothLabels', () => {
    expectClose(
      klDivergence(log(f64(softmax)), f64(labels)),
      rowSums((i, j) => (y(i, j) ? y(i, j) * Math.log(y(i, j) / p(i, j)) : 0)),
    );
    const [crossed, hits] = [
      rowSums((i, j) => -y(i, j) * Math.log(p(i, j))),
      rowSums((i, j) => y(i, j) * p(i, j)),
    ];
    expectClose(
      polyLoss(f64(logits), f64(labels), { epsilon: 0.5 }),
      crossed.map((x, i) => x + 0.5 * (1 - (hits[i] as number))),
    );
    expectClose(
      diceLoss(f64(softmax), f64(labels)),
      hits.map((x) => 1 - (2 * x + 1) / 3),
    );
    expectClose(smoothLabels(f64([1, 0, 0]), 0.3), [0.8, 0.1, 0.1]);
    expect(() => smoothLabels(f64([1]), 2)).toThrow(
      'smoothLabels: alpha must be a number from 0 to 1, but is 2.',
    );
  });

  test('the gradient of sparsemaxLoss is sparsemax less the target', () => {
    const [s, t] = [
      f64([
        [0.3, -1, 0.9, 0.05],
        [3, 0, 0, 0],
      ]),
      f64([
        [0, 0.5, 0.5, 0],
        [1, 0, 0, 0],
      ]),
    ];
    const gradient = values(grad((x: Tensor) => sum(sparsemaxLoss(x, t)))(s));
    const expected = values(sparsemax(s)).map((x, i) => x - (values(t)[i] as number));
    for (const [i, x] of gradient.entries()) expect(x).toBeCloseTo(expected[i] as number, 12);
    expect(values(sum(sparsemax(s), { axis: -1 }))).toEqual([1, 1]);
  });

  test('cosineSimilarity of zeros is 0, with derivative 0', () => {
    expect(cosineSimilarity(f64([0, 0]), f64([1, 2])).item()).toBe(0);
    expect(values(grad((x: Tensor) => sum(cosineSimilarity(f64([1, 0]), x)))(f64([0, 2])))).toEqual([0.5, 0]);
  });

  test('tripletMarginLoss and ntxent', () => {
    expectClose(
      tripletMarginLoss(f64([[0, 0]]), f64([[3, 4]]), f64([[0, 1]]), { margin: 0.5, eps: 0 }),
      [4.5],
    );
    const e = Math.exp;
    const expected = (Math.log(1 + 1 / e(2)) + Math.log(1 + 1 / e(2))) / 2;
    expectClose(
      ntxent(
        f64([
          [2, 0],
          [1, 0],
          [0, 1],
        ]),
        tensor([5, 5, 7], 'int32'),
        { temperature: 0.5 },
      ),
      [expected],
    );
  });
});

describe('ctcLoss', () => {
  /** By going through all paths. */
  function spelled(logits: readonly (readonly number[])[], labels: readonly number[]): number {
    const probabilities = logits.map((row) => {
      const z = row.reduce((s, x) => s + Math.exp(x), 0);
      return row.map((x) => Math.exp(x) / z);
    });
    const paths = (t: number): number[][] =>
      t === 0 ? [[]] : paths(t - 1).flatMap((path) => (logits[0] as number[]).map((_, k) => [...path, k]));
    const spell = (path: number[]) => path.filter((k, i) => k !== path[i - 1] && k !== 0);
    return paths(logits.length)
      .filter((path) => String(spell(path)) === String(labels))
      .reduce(
        (s, path) => s + path.reduce((q, k, t) => q * ((probabilities[t] as number[])[k] as number), 1),
        0,
      );
  }
  const frames = [
    [0.1, 1, -1],
    [0.5, -0.2, 0.3],
    [2, 0, 0.1],
    [0, 0.7, 0.2],
    [-1, 0.4, 0.6],
  ];
  const logits = tensor([frames, frames], 'float64');

  test.each([[[1, 2]], [[1, 1]], [[2, 1]]])('sums over all alignments of %j', (labels) => {
    const both = tensor([labels, labels], 'int32');
    const lengths = { logitLengths: tensor([5, 4], 'int32'), labelLengths: tensor([2, 1], 'int32') };
    expectClose(ctcLoss(logits, both, lengths), [
      -Math.log(spelled(frames, labels)),
      -Math.log(spelled(frames.slice(0, 4), labels.slice(0, 1))),
    ]);
  });

  test('of no labels is that of blanks', () => {
    const loss = ctcLoss(logits, tensor([[1], [1]], 'int32'), { labelLengths: tensor([0, 1], 'int32') });
    expectClose(loss, [-Math.log(spelled(frames, [])), -Math.log(spelled(frames, [1]))]);
  });

  test('has the derivative of finite differences', () => {
    const labels = tensor(
      [
        [1, 2],
        [1, 1],
      ],
      'int32',
    );
    const f = (x: Tensor) => mean(ctcLoss(x, labels));
    const gradient = values(grad(f)(logits));
    const flat = values(logits);
    for (const i of [0, 4, 17, 29]) {
      const moved = (h: number) => {
        const next = Float64Array.from(flat);
        next[i] = (next[i] as number) + h;
        return f(reshape(tensor(next), [2, 5, 3])).item();
      };
      expect(gradient[i]).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 8);
    }
  });
});
