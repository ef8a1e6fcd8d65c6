import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/ops/creation.ts';
import * as math from '../../src/ops/math.ts';
import { sum } from '../../src/ops/reduce.ts';
import type { Tensor } from '../../src/tensor.ts';
import { jit } from '../../src/transforms/jit.ts';
import { grad } from '../../src/transforms/vjp.ts';

const functions: Partial<Record<string, unknown>> = { ...math };
const values = (x: Tensor): number[] => [...x.dataSync()];
const slope = (f: (x: Tensor) => Tensor) => grad((x: Tensor) => sum(f(x)));
/** The distance in units of two roundings of float32. */
const error = (x: Tensor, y: number): number => Math.abs(x.item() - y) / (2 ** -22 * Math.abs(y) + 2 ** -149);

// name, x, f(x), f'(x): numpy, scipy.special and calculus
test.each<[keyof typeof math, number, number, number]>([
  ['sqrt', 4, 2, 0.25],
  ['rsqrt', 4, 0.5, -0.0625],
  ['exp', 1, Math.E, Math.E],
  ['exp2', 3, 8, 8 * Math.LN2],
  ['expm1', 1e-10, 1e-10, 1],
  ['log', 2, Math.LN2, 0.5],
  ['log1p', 1e-10, 1e-10, 1],
  ['log2', 8, 3, 1 / (8 * Math.LN2)],
  ['log10', 1000, 3, 1 / (1000 * Math.LN10)],
  ['sin', 1, 0.8414709848078965, 0.5403023058681398],
  ['cos', 1, 0.5403023058681398, -0.8414709848078965],
  ['tan', 1, 1.5574077246549023, 3.425518820814759],
  ['arcsin', 0.5, Math.PI / 6, 1.1547005383792517],
  ['arccos', 0.5, Math.PI / 3, -1.1547005383792517],
  ['arctan', 1, Math.PI / 4, 0.5],
  ['sinh', 1, 1.1752011936438014, 1.5430806348152437],
  ['cosh', 1, 1.5430806348152437, 1.1752011936438014],
  ['tanh', 1, 0.7615941559557649, 0.41997434161402614],
  ['arcsinh', 1, 0.881373587019543, 0.7071067811865475],
  ['arccosh', 2, 1.3169578969248166, 0.5773502691896258],
  ['arctanh', 0.5, 0.5493061443340549, 4 / 3],
  ['erf', 1, 0.8427007929497149, 0.41510749742059466],
  ['erfc', 3, 2.209049699858544e-5, -0.00013925305194674786],
  ['erfInv', 0.5, 0.4769362762044699, 1.1125846944263487],
  ['sigmoid', -100, 3.720075976020836e-44, 3.720075976020836e-44],
  ['sigmoid', 0, 0.5, 0.25],
  ['softplus', 100, 100, 1],
  ['softplus', 0, Math.LN2, 0.5],
  ['softplus', -100, 3.720075976020836e-44, 3.720075976020836e-44],
])('%s at %d', (name, x, y, dy) => {
  const f = functions[name] as (x: Tensor) => Tensor;
  expect(error(f(tensor(x)), y)).toBeLessThanOrEqual(1);
  expect(error(slope(f)(tensor(x)), dy)).toBeLessThanOrEqual(1);
  expect(error(jit(slope(f))(tensor(x)), dy)).toBeLessThanOrEqual(1);
});

test('integers become float32, float64 stays', () => {
  expect(math.sqrt(tensor([4], 'int32')).toString()).toBe('f32[1] [2]');
  expect(math.exp(tensor([true])).dtype).toBe('float32');
  expect(math.log(tensor([2], 'float64')).dtype).toBe('float64');
  expect(error(math.exp(1), Math.E)).toBeLessThanOrEqual(1);
});

test('arctan2 takes y first', () => {
  expect(values(math.arctan2(tensor([1, -1, 0]), tensor([-1, 0, -1])))).toEqual(
    [(3 * Math.PI) / 4, -Math.PI / 2, Math.PI].map(Math.fround),
  );
});

describe('logAddExp', () => {
  test('neither overflows nor loses small parts', () => {
    expect(math.logAddExp(tensor(1000, 'float64'), 1000).item()).toBe(1000 + Math.LN2);
    expect(math.logAddExp(tensor(-1000, 'float64'), -1000).item()).toBe(-1000 + Math.LN2);
    expect(math.logAddExp(tensor(-50, 'float64'), 0).item()).toBe(Math.exp(-50));
  });

  test('infinities', () => {
    const inf = tensor([Infinity, -Infinity, Infinity, NaN]);
    expect(values(math.logAddExp(inf, tensor([Infinity, -Infinity, -Infinity, 0])))).toEqual([
      Infinity,
      -Infinity,
      Infinity,
      NaN,
    ]);
    expect(values(slope(math.softplus)(tensor([Infinity, -Infinity])))).toEqual([1, 0]);
  });

  test('its slopes are probabilities, at a tie and to second order too', () => {
    const at = tensor([1, 3], 'float64');
    const p = 1 / (1 + Math.exp(-1));
    const [dx, dy] = grad((x: Tensor, y: Tensor) => sum(math.logAddExp(x, y)), { argnums: [0, 1] })(
      at,
      tensor([0, 3], 'float64'),
    );
    expect(values(dx)).toEqual([expect.closeTo(p, 15), 0.5]);
    expect(values(dy)).toEqual([expect.closeTo(1 - p, 15), 0.5]);
    expect(values(slope(slope(math.softplus))(tensor([0, 1], 'float64')))).toEqual([
      0.25,
      expect.closeTo(p * (1 - p), 15),
    ]);
  });
});
