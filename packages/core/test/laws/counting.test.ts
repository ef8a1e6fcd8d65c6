/** Tests that count: compilations, kernels, evaluations. */
import { describe, expect, test } from 'vitest';
import {
  add,
  conv,
  grad,
  jit,
  logSumExp,
  makeProgram,
  matmul,
  maximum,
  mean,
  multiply,
  oneHot,
  ones,
  reference,
  reshape,
  setBackend,
  subtract,
  sum,
  type Tensor,
  tensor,
  treeMap,
  valueAndGrad,
  windowMax,
  zeros,
} from '../../src/index.ts';
import { planProgram } from '../../src/ir/execute.ts';

setBackend(reference());

interface Weights {
  readonly kernel: Tensor;
  readonly bias: Tensor;
  readonly dense: Tensor;
}

const weights = (): Weights => ({
  kernel: multiply(0.1, ones([3, 3, 1, 4])),
  bias: zeros([4]),
  dense: multiply(0.01, ones([64, 10])),
});
const images = (): Tensor => ones([2, 8, 8, 1]);
const labels = (): Tensor => tensor([1, 7], 'int32');

/** Mean cross-entropy of a convolution, bias and ReLU, 2 x 2 pooling, and a matrix. */
function loss({ kernel, bias, dense }: Weights, x: Tensor, y: Tensor): Tensor {
  const features = maximum(add(conv(x, kernel, { padding: 'same' }), bias), 0);
  const pooled = windowMax(features, { window: 2 });
  const logits = matmul(reshape(pooled, [2, -1]), dense);
  return mean(subtract(logSumExp(logits, { axis: 1 }), sum(multiply(logits, oneHot(y, 10)), { axis: 1 })));
}

function step(w: Weights, x: Tensor, y: Tensor): [Weights, Tensor] {
  const [value, gradient] = valueAndGrad(loss)(w, x, y);
  return [treeMap((p, g) => subtract(p, multiply(0.1, g)), w, gradient), value];
}

describe('compilations', () => {
  test('the second step of training runs what the first one compiled', () => {
    const train = jit(step);
    let [w, first] = train(weights(), images(), labels());
    let value = first;
    for (let i = 0; i < 3; i++) [w, value] = train(w, images(), labels());
    expect(train.stats.compilations).toBe(1);
    expect(value.item()).toBeLessThan(first.item());
  });

  test('other values do not compile; other shapes, dtypes and structures do', () => {
    const f = jit((x: { a: Tensor } | Tensor) => ('a' in x ? x.a : x));
    const compilations = (x: Tensor | { a: Tensor }): number => {
      f(x);
      return f.stats.compilations;
    };
    expect(compilations(tensor([1, 2]))).toBe(1);
    expect(compilations(tensor([3, -0]))).toBe(1);
    expect(compilations(tensor([1, 2, 3]))).toBe(2);
    expect(compilations(tensor([1, 2], 'int32'))).toBe(3);
    expect(compilations({ a: tensor([1, 2]) })).toBe(4);
    expect(compilations(tensor([5, 6]))).toBe(4);
  });

  test('numbers are traced: a step count that grows compiles nothing', () => {
    const f = jit((x: Tensor, t: Tensor) => multiply(x, t));
    for (let t = 0; t < 5; t++) expect(f(tensor(2), t).item()).toBe(2 * t);
    expect(f.stats.compilations).toBe(1);
  });

  test('static arguments are told apart by value, also -0, NaN and numbers from strings', () => {
    const f = jit((x: Tensor, _value: unknown) => x, { staticArgs: [1] });
    for (const value of [0, -0, Number.NaN, '0', 'NaN', true, null, undefined, 0, Number.NaN, '0'])
      f(tensor(1), value);
    expect(f.stats.compilations).toBe(8);
  });

  test('grad and vmap of a jitted function trace it once each', () => {
    let traces = 0;
    const f = jit((x: Tensor) => {
      traces++;
      return sum(multiply(x, x));
    });
    for (let i = 0; i < 3; i++) {
      f(ones([3]));
      grad(f)(ones([3]));
    }
    expect(traces).toBe(1);
  });

  test('donation compiles once for each way to donate', () => {
    const f = jit((x: Tensor) => add(x, 1), { donate: [0] });
    let x = zeros([4]);
    for (let i = 0; i < 5; i++) x = f(x);
    expect([x.toArray(), f.stats.compilations]).toEqual([[5, 5, 5, 5], 1]);
  });
});

describe('kernels', () => {
  const kernels = (f: (...args: never[]) => unknown, ...args: unknown[]): number => {
    const staged = makeProgram(f as (...xs: object[]) => unknown, ...(args as object[]));
    return planProgram(staged).steps.length;
  };

  test('a chain of elementwise operations is one kernel', () => {
    expect(kernels((x: Tensor) => add(multiply(maximum(x, 0), 2), multiply(x, x)), ones([8]))).toBe(1);
  });

  test('a training step of a small convolutional network does not take more kernels than it did', () => {
    expect(kernels(step, weights(), images(), labels())).toBeLessThanOrEqual(21);
  });
});
