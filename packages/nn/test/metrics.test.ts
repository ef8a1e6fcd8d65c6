import { NeumannError, random, type Tensor, tensor } from '@neumann/core';
import { calibrationError, confusionMatrix, crossEntropy, topKAccuracy } from '@neumann/nn';
import { expect, test } from 'vitest';

const logits = tensor([
  [3, 2, 1],
  [1, 3, 2],
  [2, 1, 3],
  [3, 3, 0],
]);
const labels = tensor([0, 2, 1, 1], 'int32');

test('top-k accuracy counts labels among the k greatest logits, ties against', () => {
  expect([1, 2, 3].map((k) => topKAccuracy(logits, labels, k).item())).toEqual([0.25, 0.75, 1]);
});

test('the confusion matrix has labels in rows', () => {
  expect(confusionMatrix(logits, labels).toArray()).toEqual([
    [1, 0, 0],
    [1, 0, 1],
    [0, 1, 0],
  ]);
});

test('the calibration error is that of the definition', () => {
  const x = random.normal(random.key(0), [40, 4]);
  const y = random.randint(random.key(1), [40], { max: 4 });
  const rows = x.toArray() as number[][];
  const bins = Array.from({ length: 15 }, () => ({ confidence: 0, right: 0 }));
  for (const [i, row] of rows.entries()) {
    const total = row.reduce((s, v) => s + Math.exp(v), 0);
    const p = Math.max(...row.map((v) => Math.exp(v) / total));
    const bin = bins[Math.min(14, Math.floor(15 * p))] as { confidence: number; right: number };
    bin.confidence += p;
    if (row.indexOf(Math.max(...row)) === (y.toArray() as number[])[i]) bin.right++;
  }
  const expected = bins.reduce((s, b) => s + Math.abs(b.confidence - b.right), 0) / 40;
  expect(calibrationError(x, y).item()).toBeCloseTo(expected, 5);
});

test('label smoothing is the cross-entropy to the smoothed distribution', () => {
  const epsilon = 0.3;
  const row = [3, 2, 1];
  const total = Math.log(row.reduce((s, v) => s + Math.exp(v), 0));
  const target = [1 - epsilon + epsilon / 3, epsilon / 3, epsilon / 3];
  const expected = -target.reduce((s, t, i) => s + t * ((row[i] as number) - total), 0);
  expect(crossEntropy(tensor([row]), tensor([0], 'int32'), { labelSmoothing: epsilon }).item()).toBeCloseTo(
    expected,
    5,
  );
});

test.each([
  (): Tensor => topKAccuracy(logits, labels, 0),
  () => calibrationError(logits, labels, { bins: 0 }),
  () => confusionMatrix(logits, tensor([0, 1], 'int32')),
  () => crossEntropy(logits, labels, { labelSmoothing: 1 }),
])('mistakes are named', (mistake) => {
  expect(mistake).toThrow(NeumannError);
});
