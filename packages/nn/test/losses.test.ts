import { grad, random, type Tensor, tensor, zeros } from '@neumann/core';
import { accuracy, crossEntropy, softmax } from '@neumann/nn';
import { expect, test } from 'vitest';

const values = (x: Tensor): number[] => Array.from(x.dataSync());

test('crossEntropy is -log softmax at the label, averaged', () => {
  expect(crossEntropy(tensor([[2, 0]]), tensor([0], 'int32')).item()).toBeCloseTo(
    Math.log1p(Math.exp(-2)),
    6,
  );
  const x = tensor(
    [
      [1, 2, 3],
      [0, 0, 0],
    ],
    'float64',
  );
  const expected = (-Math.log(softmaxOf([1, 2, 3], 2)) + Math.log(3)) / 2;
  expect(crossEntropy(x, tensor([2, 1], 'int32')).item()).toBeCloseTo(expected, 14);
});

const softmaxOf = (x: number[], i: number): number =>
  Math.exp(x[i] as number) / x.reduce((total, v) => total + Math.exp(v), 0);

test('crossEntropy stays exact for large logits', () => {
  expect(crossEntropy(tensor([[1000, 0]]), tensor([0], 'int32')).item()).toBe(0);
  expect(crossEntropy(tensor([[1000, 0]]), tensor([1], 'int32')).item()).toBe(1000);
  expect(crossEntropy(tensor([[3e38, -3e38]]), tensor([0], 'int32')).item()).toBe(0);
  expect(crossEntropy(tensor([[0, -Infinity]]), tensor([0], 'int32')).item()).toBe(0);
  expect(crossEntropy(tensor([[0, -Infinity]]), tensor([1], 'int32')).item()).toBe(Infinity);
});

test('the gradient of crossEntropy is (softmax - one-hot) / N', () => {
  const logits = random.normal(random.key(0), [4, 5], { dtype: 'float64' });
  const labels = tensor([0, 4, 2, 2], 'int32');
  const g = values(grad((x: Tensor) => crossEntropy(x, labels))(logits));
  const p = values(softmax(logits));
  const y = labels.dataSync();
  // A few roundings of numbers below 1: 4 * 2^-53.
  for (let i = 0; i < 20; i++)
    expect(
      Math.abs((g[i] as number) - ((p[i] as number) - (y[Math.floor(i / 5)] === i % 5 ? 1 : 0)) / 4),
    ).toBeLessThan(5e-16);
  const large = values(grad((x: Tensor) => crossEntropy(x, tensor([1], 'int32')))(tensor([[1000, 0]])));
  expect(large).toEqual([1, -1]);
});

test('a label that is no class makes the loss NaN', () => {
  expect(crossEntropy(zeros([2, 3]), tensor([0, 3], 'int32')).item()).toBeNaN();
  expect(crossEntropy(zeros([2, 3]), tensor([-1, 0], 'int32')).item()).toBeNaN();
});

test('labels may be any integers, and have any number of batch axes', () => {
  expect(crossEntropy(zeros([2, 4]), tensor(new Uint8Array([1, 3]))).item()).toBeCloseTo(Math.log(4), 6);
  expect(accuracy(zeros([2, 4]), tensor(new Uint32Array([0, 3]))).item()).toBe(0.5);
  expect(crossEntropy(zeros([2, 3, 4]), zeros([2, 3], 'int32')).item()).toBeCloseTo(Math.log(4), 6);
});

test('accuracy is the fraction of greatest logits at the label', () => {
  expect(
    accuracy(
      tensor([
        [2, 0],
        [3, 1],
        [0, 1],
        [5, 6],
      ]),
      tensor([0, 1, 1, 1], 'int32'),
    ).item(),
  ).toBe(0.75);
});

test('labels that do not fit are refused with a remedy', () => {
  expect(() => crossEntropy(zeros([8, 10]), zeros([8, 10]))).toThrow(
    'crossEntropy: labels must be integer class indices, but are f32[8,10]; ' +
      "use astype(labels, 'int32'), or argmax(labels, { axis: -1 }) if they are one-hot.",
  );
  expect(() => crossEntropy(zeros([8, 10]), zeros([7], 'int32'))).toThrow(
    'crossEntropy: logits f32[8,10] need labels [8], but these are i32[7]; logits are [..., K] and labels [...].',
  );
  expect(() => accuracy(zeros([8, 10], 'int32'), zeros([8], 'int32'))).toThrow(
    'accuracy: logits must be floats, but are i32[8,10].',
  );
});
