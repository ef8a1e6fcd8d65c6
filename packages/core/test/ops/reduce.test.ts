import { describe, expect, test } from 'vitest';
import { OptionError, ShapeError } from '../../src/errors.ts';
import { ones, tensor, zeros } from '../../src/ops/creation.ts';
import {
  all,
  any,
  argmax,
  argmin,
  logSumExp,
  max,
  mean,
  min,
  norm,
  prod,
  std,
  sum,
  variance,
} from '../../src/ops/reduce.ts';
import type { Tensor } from '../../src/tensor.ts';
import { grad } from '../../src/transforms/vjp.ts';

const x = tensor([
  [1, 2, 3],
  [4, 5, 7],
]);
const slopes = (f: (x: Tensor) => Tensor, ...at: number[]): unknown =>
  grad((t: Tensor) => f(t))(tensor(at)).toArray();

describe('axes', () => {
  test('all, one, several, from the end', () => {
    expect(sum(x).item()).toBe(22);
    expect(sum(x, { axis: 0 }).toArray()).toEqual([5, 7, 10]);
    expect(sum(x, { axis: -1 }).toArray()).toEqual([6, 16]);
    expect(sum(x, { axis: [1, 0] }).item()).toBe(22);
    expect(sum(x, { axis: [] })).toBe(x);
    expect(sum(x, { axis: undefined }).item()).toBe(22);
  });

  test('keepdims', () => {
    expect(sum(x, { axis: 1, keepdims: true }).toArray()).toEqual([[6], [16]]);
    expect(max(x, { keepdims: true }).shape).toEqual([1, 1]);
    expect(argmax(x, { axis: 0, keepdims: true }).shape).toEqual([1, 3]);
  });

  test.each<[() => unknown, new (m: string) => Error, string]>([
    [
      () => sum(x, { axis: 2 }),
      ShapeError,
      'sum: axis 2 is out of range for rank 2; use an integer in [-2, 1].',
    ],
    [() => mean(x, { axis: [0, -2] }), ShapeError, 'mean: axes [0,-2] name an axis twice.'],
    [() => sum(x, 0 as never), OptionError, 'sum: options are an object { axis, keepdims }, but got 0.'],
    [
      () => sum(x, { axes: 0 } as never),
      OptionError,
      'sum: has no option "axes"; the options are axis, keepdims.',
    ],
    [
      () => max(zeros([0, 3]), { axis: 0 }),
      ShapeError,
      'max: needs at least one element, but f32[0,3] has none along axis 0.',
    ],
    [
      () => argmin(zeros([0, 3])),
      ShapeError,
      'argmin: needs at least one element, but f32[0,3] has none along axes 0, 1.',
    ],
  ])('%s', (f, kind, message) => {
    expect(f).toThrow(new kind(message));
  });
});

describe('sums and means', () => {
  test('bools and bytes are counted in int32', () => {
    expect(sum(tensor([true, true, false])).toString()).toBe('i32[] 2');
    expect(sum(tensor([200, 100], 'uint8')).toString()).toBe('i32[] 300');
    expect(mean(tensor([true, false])).toString()).toBe('f32[] 0.5');
    expect(mean(tensor([1, 2], 'int32')).toString()).toBe('f32[] 1.5');
  });

  test('of nothing', () => {
    expect(sum(zeros([0])).item()).toBe(0);
    expect(prod(zeros([0])).item()).toBe(1);
    expect(mean(zeros([0])).item()).toBeNaN();
    expect(logSumExp(zeros([0])).item()).toBe(-Infinity);
    expect(any(zeros([0])).toArray()).toBe(false);
    expect(all(zeros([0])).toArray()).toBe(true);
    expect(max(zeros([0, 3]), { axis: 1 }).shape).toEqual([0]);
  });

  test('the slope of a product is exact at zeros', () => {
    expect(slopes(prod, 0, 2, 3)).toEqual([6, 0, 0]);
    expect(slopes(prod, 0, 0, 3)).toEqual([0, 0, 0]);
    expect(slopes(prod, 2, 3, 4)).toEqual([12, 8, 6]);
  });
});

describe('extrema', () => {
  test('propagate NaN; equal ones share the slope', () => {
    expect(max(tensor([1, NaN, 3])).item()).toBeNaN();
    expect(
      min(
        tensor([
          [3, 1],
          [2, 5],
        ]),
        { axis: 1 },
      ).toArray(),
    ).toEqual([1, 2]);
    expect(max(tensor([-1, -2], 'int32')).item()).toBe(-1);
    expect(max(tensor([true, false])).toArray()).toBe(true);
    expect(slopes(max, 1, 3, 3)).toEqual([0, 0.5, 0.5]);
  });

  test('positions: the first, NaN before all', () => {
    expect(argmax(tensor([1, 3, 3])).item()).toBe(1);
    expect(argmin(tensor([3, NaN, 1])).item()).toBe(1);
    expect(argmax(x).item()).toBe(5);
    expect(argmax(tensor([false, true])).item()).toBe(1);
    expect(argmax(tensor(3)).item()).toBe(0);
  });

  test('any and all take numbers', () => {
    expect(
      any(
        tensor([
          [0, 0],
          [0, 2],
        ]),
        { axis: 1 },
      ).toArray(),
    ).toEqual([false, true]);
    expect(
      all(
        tensor([
          [1, 1],
          [0, 2],
        ]),
        { axis: 1 },
      ).toArray(),
    ).toEqual([true, false]);
  });
});

describe('spread', () => {
  test('numpy.var and numpy.std', () => {
    expect(variance(tensor([1, 2, 3, 4])).item()).toBe(1.25);
    expect(variance(tensor([1, 2, 3]), { ddof: 1 }).item()).toBe(1);
    expect(
      std(
        tensor([
          [1, 3],
          [2, 6],
        ]),
        { axis: 1, keepdims: true },
      ).toArray(),
    ).toEqual([[1], [2]]);
    expect(variance(tensor([1]), { ddof: 1 }).item()).toBeNaN();
    expect(variance(tensor([1e4, 1e4 + 1])).item()).toBe(0.25); // no cancellation
  });

  test('where it is zero, so is its slope', () => {
    expect(slopes(std, 1, 1)).toEqual([0, 0]);
    expect(slopes(std, 1, 3)).toEqual([-0.5, 0.5]);
    expect(slopes(norm, 0, 0)).toEqual([0, 0]);
    expect(slopes(norm, 3, 4)).toEqual([3 / 5, 4 / 5].map(Math.fround));
    expect(norm(tensor([3, NaN])).item()).toBeNaN();
  });
});

describe('logSumExp', () => {
  test('does not overflow', () => {
    expect(logSumExp(tensor([1000, 1000], 'float64')).item()).toBe(1000 + Math.LN2);
    expect(logSumExp(tensor([-1000, -1000], 'float64')).item()).toBe(-1000 + Math.LN2);
    expect(logSumExp(ones([2, 3]), { axis: 1 }).shape).toEqual([2]);
  });

  test('infinities', () => {
    expect(logSumExp(tensor([-Infinity, -Infinity])).item()).toBe(-Infinity);
    expect(logSumExp(tensor([Infinity, 1])).item()).toBe(Infinity);
    expect(logSumExp(tensor([NaN, 1])).item()).toBeNaN();
    expect(slopes(logSumExp, -Infinity, 0)).toEqual([0, 1]);
    expect(slopes(logSumExp, -Infinity, -Infinity)).toEqual([0, 0]);
  });
});
