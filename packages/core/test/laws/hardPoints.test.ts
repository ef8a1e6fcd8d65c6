/** Derivatives where formulas divide 0 by 0, where branches meet and where exponentials overflow. */
import { describe, expect, test } from 'vitest';
import * as nm from '../../src/index.ts';

const { grad, tensor, sum } = nm;
type Unary = (x: nm.Tensor) => nm.Tensor;

const f64 = (at: nm.TensorData): nm.Tensor => tensor(at, 'float64');
const slopes = (f: Unary, at: nm.TensorData): unknown => grad((x: nm.Tensor) => sum(f(x)))(f64(at)).toArray();
const places = (...at: number[]): nm.Tensor => tensor(at, 'int32');

test.each<[string, Unary, number[], number[]]>([
  ['norm at 0', nm.norm, [0, 0], [0, 0]],
  ['std of equal elements', nm.std, [2, 2], [0, 0]],
  ['nanStd of equal elements', nm.nanStd, [2, NaN, 2], [0, 0, 0]],
  ['hypot at 0', (x) => nm.hypot(x, x), [0], [0]],
  ['abs at 0', nm.abs, [0, -0], [0, 0]],
  ['power(0, 2)', (x) => nm.power(x, 2), [0, -3], [0, -6]],
  ['power(0, 1) and power(0, 0) by tensors', (x) => nm.power(x, f64([1, 0])), [0, 0], [1, 0]],
  ['prod with zeros', nm.prod, [2, 0, 3], [0, 6, 0]],
  ['prod with two zeros', nm.prod, [0, 0, 3], [0, 0, 0]],
  ['cumprod with zeros', nm.cumprod, [2, 0, 3], [1, 8, 0]],
  ['sinc at 0', nm.sinc, [0], [0]],
  ['sigmoid far out', nm.sigmoid, [-1000, 1000], [0, 0]],
  ['softplus far out', nm.softplus, [-1000, 1000], [0, 1]],
  ['logSigmoid far out', nm.logSigmoid, [-1000, 1000], [1, 0]],
  ['log1mExp near 0', (x) => nm.multiply(nm.log1mExp(x), 1e-3), [1e-3], [1e-3 / Math.expm1(1e-3)]],
  ['logSumExp of -inf', nm.logSumExp, [-Infinity, -Infinity], [0, 0]],
  ['logSumExp with -inf', nm.logSumExp, [-Infinity, 3], [0, 1]],
  ['logAddExp of -inf', (x) => nm.logAddExp(x, -Infinity), [-Infinity, 2], [0.5, 1]],
  ['xlogy at 0', (x) => nm.xlogy(x, f64([0, 2])), [0, 0], [0, Math.LN2]],
  ['entr at 0', nm.entr, [0], [0]],
  ['max of ties', nm.max, [3, 1, 3], [0.5, 0, 0.5]],
  ['maximum of ties', (x) => nm.maximum(x, 1), [1], [0.5]],
  ['sort of ties', (x) => nm.multiply(nm.sort(x), f64([1, 10, 100])), [2, 1, 2], [10, 1, 100]],
  ['topK of ties', (x) => nm.topK(x, 1)[0], [2, 2], [1, 0]],
  ['cummax of ties', nm.cummax, [1, 1, 2], [2, 0, 1]],
  ['median between two', nm.median, [1, 4, 2, 9], [0, 0.5, 0.5, 0]],
  ['quantile on an element', (x) => nm.quantile(x, 0.5), [3, 1, 2], [0, 0, 1]],
  ['where, with NaN kept out of the branch not taken', safeLog, [-1, 2], [0, 0.5]],
  ['clip at its bounds', (x) => nm.clip(x, { min: 0, max: 1 }), [0, 0.5, 1, 2], [0.5, 1, 0.5, 0]],
  ['arctan2 on the axes', (x) => nm.arctan2(x, 1), [0], [1]],
  ['unwrap', nm.unwrap, [0, 3, -3], [1, 1, 1]],
  ['interp at a point', (x) => nm.interp(x, f64([0, 1, 2]), f64([0, 5, 7])), [1, 3], [2, 0]],
])('%s', (_, f, at, expected) => {
  const found = slopes(f, at) as number[];
  expect(found.length).toBe(expected.length);
  for (const [i, slope] of expected.entries()) expect(found[i], `element ${i}`).toBeCloseTo(slope, 12);
});

function safeLog(x: nm.Tensor): nm.Tensor {
  const positive = nm.greater(x, 0);
  return nm.where(positive, nm.log(nm.where(positive, x, 1)), 0);
}

describe('second derivatives', () => {
  test.each<[string, (x: nm.Tensor) => nm.Tensor, number, number]>([
    ['sinc at 0', nm.sinc, 0, -(Math.PI ** 2) / 3],
    ['square by power', (x) => nm.power(x, 2), 0, 2],
    ['cumprod with a zero', (x) => sum(nm.cumprod(nm.stack([x, x, x]))), 0, 2],
    ['prod with zeros', (x) => nm.prod(nm.stack([x, x, nm.add(x, 3)])), 0, 6],
    ['logGamma', nm.logGamma, 1, Math.PI ** 2 / 6],
  ])('%s', (_, f, at, expected) => {
    expect(grad(grad(f))(tensor(at, 'float64')).item()).toBeCloseTo(expected, 9);
  });
});

describe('updates', () => {
  const w = f64([1, 2, 3]);
  const gradients = (update: (x: nm.Tensor, v: nm.Tensor) => nm.Tensor, v: number[]): unknown => {
    const loss = (x: nm.Tensor, u: nm.Tensor): nm.Tensor => sum(nm.multiply(update(x, u), f64([1, 10, 100])));
    return [...grad(loss, { argnums: [0, 1] as const })(w, f64(v))].map((g) => g.toArray());
  };

  test('set: only the last value of a place has a gradient, and the element that it replaces has none', () => {
    expect(gradients((x, v) => nm.at(x, [places(1, 2, 1)]).set(v), [5, 6, 7])).toEqual([
      [1, 0, 0],
      [0, 100, 10],
    ]);
  });

  test('multiply: exact where values are 0, also twice at one place', () => {
    expect(gradients((x, v) => nm.at(x, [places(1, 1)]).multiply(v), [0, 4])).toEqual([
      [1, 0, 100],
      [80, 0],
    ]);
  });

  test('what is out of range while it is traced moves nothing', () => {
    const far = nm.jit((x: nm.Tensor, i: nm.Tensor) => nm.at(x, [i]).set(9));
    expect(far(w, places(7)).toArray()).toEqual([1, 2, 3]);
    expect(far(w, places(-1)).toArray()).toEqual([1, 2, 9]);
  });
});

test('digamma, polygamma and zeta are derivatives of one another', () => {
  const at = f64([0.3, 1, 4.5]);
  expect(slopes(nm.logGamma, [0.3, 1, 4.5])).toEqual(nm.digamma(at).toArray());
  for (const n of [0, 1, 2]) {
    const found = slopes((x) => nm.polygamma(n, x), [0.7, 1, 4.5]) as number[];
    const wanted = nm.polygamma(n + 1, f64([0.7, 1, 4.5])).toArray() as number[];
    for (const [i, slope] of wanted.entries())
      expect(Math.abs((found[i] as number) / slope - 1)).toBeLessThan(1e-12);
  }
});
