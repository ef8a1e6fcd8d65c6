import { describe, expect, test } from 'vitest';
import { DTypeError, OptionError } from '../../src/errors.ts';
import {
  abs,
  add,
  ceil,
  clip,
  divide,
  floor,
  floorDivide,
  maximum,
  minimum,
  multiply,
  negative,
  power,
  reciprocal,
  remainder,
  round,
  sign,
  square,
  subtract,
  trunc,
} from '../../src/ops/arithmetic.ts';
import {
  bitcast,
  bitwiseAnd,
  bitwiseNot,
  bitwiseOr,
  bitwiseXor,
  leftShift,
  rightShift,
} from '../../src/ops/bits.ts';
import { tensor, zeros } from '../../src/ops/creation.ts';
import {
  astype,
  equal,
  greater,
  greaterEqual,
  isFinite as isFiniteOf,
  isInf,
  isNan,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  notEqual,
  where,
} from '../../src/ops/logic.ts';
import { sum } from '../../src/ops/reduce.ts';
import type { Tensor } from '../../src/tensor.ts';
import { grad } from '../../src/transforms/vjp.ts';

const i32 = (...values: number[]): Tensor => tensor(values, 'int32');
const slopes = (f: (x: Tensor) => Tensor, ...at: number[]): unknown =>
  grad((x: Tensor) => sum(f(x)))(tensor(at)).toArray();

describe('arithmetic', () => {
  test('broadcasts', () => {
    expect(add(tensor([[1], [2]]), tensor([10, 20])).toArray()).toEqual([
      [11, 21],
      [12, 22],
    ]);
    expect(subtract(1, tensor([1, 2])).toArray()).toEqual([0, -1]);
    expect(multiply(2, 3).item()).toBe(6);
    expect(grad((x: Tensor) => sum(add(x, zeros([3, 2]))))(tensor([1, 2])).toArray()).toEqual([3, 3]);
  });

  test('integers wrap', () => {
    expect(add(i32(2 ** 31 - 1), 1).toArray()).toEqual([-(2 ** 31)]);
    expect(multiply(i32(65536), 65537).toArray()).toEqual([65536]);
    expect(negative(tensor([1], 'uint8')).toArray()).toEqual([255]);
  });

  test('division by zero follows IEEE for floats', () => {
    expect(divide(tensor([1, -1, 0]), 0).toArray()).toEqual([Infinity, -Infinity, NaN]);
    expect(divide(i32(1), i32(0)).toArray()).toEqual([Infinity]);
    expect(reciprocal(tensor([2, 0])).toArray()).toEqual([0.5, Infinity]);
  });

  // numpy.remainder and numpy.floor_divide
  test.each([
    [
      'float32',
      [7, -7, 7, -7, 6, -0.5],
      [3, 3, -3, -3, -3, 2],
      [1, 2, -2, -1, 0, 1.5],
      [2, -3, -3, 2, -2, -1],
    ],
    ['int32', [7, -7, 7, -7, 6], [3, 3, -3, -3, -3], [1, 2, -2, -1, 0], [2, -3, -3, 2, -2]],
    ['uint8', [7, 250], [3, 100], [1, 50], [2, 2]],
  ] as const)('the rest of a division has the sign of the divisor: %s', (dtype, x, y, rest, quotient) => {
    expect(remainder(tensor(x, dtype), tensor(y, dtype)).toArray()).toEqual(rest);
    expect(floorDivide(tensor(x, dtype), tensor(y, dtype)).toArray()).toEqual(quotient);
  });

  test('divisions by 0 and infinity', () => {
    expect(floorDivide(tensor([1, -1, 0]), 0).toArray()).toEqual([Infinity, -Infinity, NaN]);
    expect(floorDivide(tensor([1, -1]), Infinity).toArray()).toEqual([0, -1]);
    expect(remainder(tensor([1, -1]), Infinity).toArray()).toEqual([1, Infinity]);
    expect(remainder(i32(-3), 0).toArray()).toEqual([-3]);
    expect(floorDivide(i32(5), 0).toArray()).toEqual([-1]);
  });

  test('derivatives of remainder and floorDivide', () => {
    expect(slopes((x) => remainder(x, 3), 7, -7)).toEqual([1, 1]);
    expect(slopes((y) => remainder(tensor([7, -7]), y), 3, 3)).toEqual([-2, 3]);
    expect(slopes((x) => floorDivide(x, 3), 7, -7)).toEqual([0, 0]);
  });

  test('rounding', () => {
    const x = tensor([-1.5, -0.5, 0.5, 1.5, 2.5]);
    expect(floor(x).toArray()).toEqual([-2, -1, 0, 1, 2]);
    expect(ceil(x).toArray()).toEqual([-1, -0, 1, 2, 3]);
    expect(trunc(x).toArray()).toEqual([-1, -0, 0, 1, 2]);
    expect(round(x).toArray()).toEqual([-2, -0, 0, 2, 2]);
    expect(round(i32(3)).toString()).toBe('i32[1] [3]');
  });

  test('abs, sign, square', () => {
    expect(abs(tensor([-2, -0, NaN])).toArray()).toEqual([2, 0, NaN]);
    expect(sign(tensor([-2, -0, 3, NaN])).toArray()).toEqual([-1, -0, 1, NaN]);
    expect(square(i32(-3)).toString()).toBe('i32[1] [9]');
    expect(slopes(abs, -2, 0, 3)).toEqual([-1, 0, 1]);
  });
});

describe('power', () => {
  test('small whole exponents are exact, as are their slopes', () => {
    expect(power(tensor([-3, 0, 3]), 3).toArray()).toEqual([-27, 0, 27]);
    expect(slopes((x) => power(x, 2), -3, 0, 3)).toEqual([-6, 0, 6]);
    expect(slopes((x) => power(x, 3), 0, 2)).toEqual([0, 12]);
    expect(slopes((x) => power(x, 0), 0, 2)).toEqual([0, 0]);
    expect(slopes((x) => power(x, 1), 0)).toEqual([1]);
    expect(slopes((x) => power(x, -1), 2)).toEqual([-0.25]);
    expect(power(tensor([0, NaN]), 0).toArray()).toEqual([1, 1]);
    expect(power(tensor([4, 0]), 0.5).toArray()).toEqual([2, 0]);
    expect(power(tensor(4), -0.5).item()).toBe(0.5);
    expect(grad(grad((x: Tensor) => power(x, 2)))(tensor(0)).item()).toBe(2);
  });

  test('tensors as exponents have no NaN where the slope is finite', () => {
    expect(slopes((x) => power(x, tensor(2)), -2, 0, 3)).toEqual([-4, 0, 6]);
    expect(slopes((y) => power(tensor([0, 2, 0]), y), 2, 0, 0)).toEqual([0, Math.fround(Math.LN2), 0]);
  });

  test('integers stay integers', () => {
    expect(power(i32(3, -2), 3).toString()).toBe('i32[2] [27, -8]');
    expect(power(i32(2), 20).toArray()).toEqual([2 ** 20]);
    expect(power(2, i32(0, 5)).toString()).toBe('i32[2] [1, 32]');
    expect(power(i32(4), 0.5).toString()).toBe('f32[1] [2]');
    expect(() => power(i32(2), -1)).toThrow(
      new DTypeError(
        "power: an integer to the power of -1 is no integer, but x is int32; convert it with astype(x, 'float32').",
      ),
    );
  });
});

describe('extrema', () => {
  test('propagate NaN and share ties', () => {
    expect(maximum(tensor([1, NaN, -0]), tensor([2, 0, 0])).toArray()).toEqual([2, NaN, 0]);
    expect(minimum(tensor([1, NaN]), 0).toArray()).toEqual([0, NaN]);
    expect(maximum(tensor([true, false]), false).toString()).toBe('bool[2] [true, false]');
    expect(slopes((x) => maximum(x, 0), -1, 0, 2)).toEqual([0, 0.5, 1]);
  });

  test('clip', () => {
    expect(clip(tensor([-5, 0.5, 5]), { min: 0, max: 1 }).toArray()).toEqual([0, 0.5, 1]);
    expect(clip(tensor([-5, 5]), { min: 0 }).toArray()).toEqual([0, 5]);
    expect(clip(i32(-5, 5), { max: 1 }).toString()).toBe('i32[2] [-5, 1]');
    expect(() => clip(tensor([1]), { low: 0 } as never)).toThrow(
      new OptionError('clip: has no option "low"; the options are min, max.'),
    );
  });
});

describe('comparison and masks', () => {
  const [x, y] = [tensor([1, 2, NaN]), tensor([2, 2, NaN])];

  test('NaN compares false, but differs', () => {
    expect(equal(x, y).toArray()).toEqual([false, true, false]);
    expect(notEqual(x, y).toArray()).toEqual([true, false, true]);
    expect(less(x, y).toArray()).toEqual([true, false, false]);
    expect(lessEqual(x, y).toArray()).toEqual([true, true, false]);
    expect(greater(x, 1).toArray()).toEqual([false, true, false]);
    expect(greaterEqual(x, y).toArray()).toEqual([false, true, false]);
  });

  test('logic takes numbers as masks', () => {
    expect(logicalAnd(tensor([0, 2]), true).toArray()).toEqual([false, true]);
    expect(logicalOr(i32(0, 2), false).toArray()).toEqual([false, true]);
    expect(logicalXor(tensor([true, false]), true).toArray()).toEqual([false, true]);
    expect(logicalNot(tensor([0, 0.5])).toArray()).toEqual([true, false]);
  });

  test('where takes its slope from the chosen branch', () => {
    expect(where(tensor([true, false]), tensor([[1], [2]]), 9).toArray()).toEqual([
      [1, 9],
      [2, 9],
    ]);
    expect(slopes((t) => where(greater(t, 0), t, 0), -1, 0, 2)).toEqual([0, 0, 1]);
    expect(where(true, i32(1), 0.5).toString()).toBe('f32[1] [1]');
  });

  test('classes of floats', () => {
    const t = tensor([NaN, -Infinity, 1]);
    expect(isNan(t).toArray()).toEqual([true, false, false]);
    expect(isInf(t).toArray()).toEqual([false, true, false]);
    expect(isFiniteOf(t).toArray()).toEqual([false, false, true]);
    expect(isFiniteOf(i32(1, 2)).toArray()).toEqual([true, true]);
  });

  test('astype truncates and saturates', () => {
    expect(astype(tensor([1.9, -1.9, 3e9, NaN]), 'int32').toArray()).toEqual([1, -1, 2 ** 31 - 1, 0]);
    expect(astype(tensor([-1, 300]), 'uint8').toArray()).toEqual([0, 255]);
    expect(astype(tensor([0, 0.5]), 'bool').toArray()).toEqual([false, true]);
    expect(grad((t: Tensor) => astype(square(astype(t, 'float64')), 'float32'))(tensor(3)).toString()).toBe(
      'f32[] 6',
    );
    expect(() => astype(x, 'int64' as never)).toThrow(DTypeError);
  });
});

describe('bits', () => {
  test('of integers and bools', () => {
    expect(bitwiseAnd(i32(6), 3).toArray()).toEqual([2]);
    expect(bitwiseOr(i32(6), 3).toArray()).toEqual([7]);
    expect(bitwiseXor(tensor([true]), true).toArray()).toEqual([false]);
    expect(bitwiseNot(tensor([1], 'uint8')).toArray()).toEqual([254]);
    expect(leftShift(i32(1), i32(31, 32)).toArray()).toEqual([-(2 ** 31), 0]);
    expect(rightShift(i32(-16), 2).toArray()).toEqual([-4]);
    expect(rightShift(tensor([2 ** 31], 'uint32'), 31).toArray()).toEqual([1]);
    expect(bitcast(tensor([1, -0]), 'uint32').toString()).toBe('u32[2] [1065353216, 2147483648]');
  });

  test('of floats are refused', () => {
    expect(() => bitwiseAnd(tensor([1]), 1)).toThrow(
      new DTypeError(
        'bitwiseAnd: needs integers or bools, but got float32; convert it with astype(), or see bitcast().',
      ),
    );
    expect(() => leftShift(tensor([1], 'uint8'), 1)).toThrow(
      new DTypeError('leftShift: needs int32 or uint32, but got uint8; convert it with astype().'),
    );
    expect(() => bitcast(tensor([1], 'float64'), 'int32')).toThrow(
      new DTypeError(
        'bitcast: needs dtypes of 4 bytes (float32, int32, uint32), but got float64 to int32; astype() converts values.',
      ),
    );
  });
});
