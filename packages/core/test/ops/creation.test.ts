import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import { DTypeError, OptionError, ShapeError } from '../../src/errors.ts';
import {
  arange,
  eye,
  full,
  fullLike,
  linspace,
  ones,
  onesLike,
  tensor,
  zeros,
  zerosLike,
} from '../../src/ops/creation.ts';

describe('tensor', () => {
  test('numbers are float32, booleans bool, a mixture numbers', () => {
    expect(
      tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]).toString(),
    ).toBe('f32[2,3] [[1, 2, 3], [4, 5, 6]]');
    expect(tensor([true, false]).toString()).toBe('bool[2] [true, false]');
    expect(tensor([true, 2]).toString()).toBe('f32[2] [1, 2]');
    expect(tensor(true).toString()).toBe('bool[] true');
    expect(tensor(0.1).item()).toBe(Math.fround(0.1));
    expect(tensor(0.1, 'float64').item()).toBe(0.1);
  });

  test('empty arrays have a shape too', () => {
    expect(tensor([]).toString()).toBe('f32[0] []');
    expect(tensor([[], []]).shape).toEqual([2, 0]);
  });

  test('typed arrays keep their dtype, and are copied', () => {
    const source = Int32Array.of(1, 2);
    const x = tensor(source);
    source[0] = 9;
    expect(x.toString()).toBe('i32[2] [1, 2]');
    expect(tensor(Float32Array.of(1, 2), 'int32').toString()).toBe('i32[2] [1, 2]');
    expect(tensor(Uint8Array.of(0, 1), 'bool').toArray()).toEqual([false, true]);
  });

  test('an ndarray gives its elements in row-major order, whatever its strides', () => {
    const rows = ndarray(Float64Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
    expect(tensor(rows.transpose(1, 0)).toArray()).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
    expect(tensor(rows.step(1, -1)).toArray()).toEqual([
      [3, 2, 1],
      [6, 5, 4],
    ]);
    expect(tensor(rows.pick(1, null), 'float32').toString()).toBe('f32[3] [4, 5, 6]');
    expect(tensor(ndarray([1, 2])).dtype).toBe('float32');
  });

  test('integers are exact or refused', () => {
    expect(tensor([2 ** 31 - 1, -(2 ** 31)], 'int32').toArray()).toEqual([2147483647, -2147483648]);
    expect(tensor([2 ** 32 - 1], 'uint32').toString()).toBe('u32[1] [4294967295]');
    expect(() => tensor([1, 2.5], 'int32')).toThrow(DTypeError);
    expect(() => tensor([1, NaN], 'uint8')).toThrow(DTypeError);
    expect(() => tensor([1], 'i32' as never)).toThrow(
      new DTypeError(
        'dtype: "i32" is not a dtype; the dtypes are bool, uint8, int32, uint32, float32, float64.',
      ),
    );
  });

  test.each<[unknown, string]>([
    [[[1, 2], [3]], 'tensor: rows must have one length, but data[0] has 2 elements and data[1] has 1.'],
    [[[1, 2], 3], 'tensor: rows must have one length, but data[0] has 2 elements and data[1] is a number.'],
    [[1, [2]], 'tensor: rows must have one length, but data[0] is a number and data[1] has 1.'],
    [
      [
        [[1], [2]],
        [[3], [4, 5]],
      ],
      'tensor: rows must have one length, but data[0][0] has 1 elements and data[1][1] has 2.',
    ],
  ])('ragged rows are refused: %j', (data, message) => {
    expect(() => tensor(data as never)).toThrow(new ShapeError(message));
  });

  test('other elements are refused', () => {
    expect(() => tensor([1, undefined] as never)).toThrow(
      new OptionError('tensor: data[1] is undefined; elements are numbers or booleans.'),
    );
    expect(() => tensor([[tensor(1)]] as never)).toThrow(
      new OptionError('tensor: data[0][0] is a tensor; join tensors with stack() or concatenate().'),
    );
    expect(() => tensor('1' as never)).toThrow(OptionError);
  });
});

test('zeros, ones, full and their likes', () => {
  expect(zeros([2, 1]).toArray()).toEqual([[0], [0]]);
  expect(ones(2, 'int32').toString()).toBe('i32[2] [1, 1]');
  expect(full([2], true).toString()).toBe('bool[2] [true, true]');
  expect(full([2, 2], tensor([1, 2])).toArray()).toEqual([
    [1, 2],
    [1, 2],
  ]);
  expect(full([], 3, 'uint8').toString()).toBe('u8[] 3');
  const x = tensor([1, 2], 'int32');
  expect([zerosLike(x), onesLike(x), fullLike(x, 7)].map(String)).toEqual([
    'i32[2] [0, 0]',
    'i32[2] [1, 1]',
    'i32[2] [7, 7]',
  ]);
  expect(() => zeros([-1])).toThrow(
    new ShapeError('zeros: a shape holds non-negative integers, but got [-1].'),
  );
  expect(() => full([2], 0.5, 'int32')).toThrow(DTypeError);
});

test('the shape given is copied', () => {
  const shape = [2];
  const x = zeros(shape);
  shape[0] = 3;
  expect(x.shape).toEqual([2]);
});

test('arange counts as NumPy does', () => {
  expect(arange(4).toString()).toBe('i32[4] [0, 1, 2, 3]');
  expect(arange(5, 1, -2).toString()).toBe('i32[2] [5, 3]');
  expect(arange(3, 3).toString()).toBe('i32[0] []');
  expect(arange(0, 1, 0.25).toString()).toBe('f32[4] [0, 0.25, 0.5, 0.75]');
  expect(arange(0, 3, 1, 'float64').toString()).toBe('f64[3] [0, 1, 2]');
  expect(arange(2 ** 31 - 2, 2 ** 31).toArray()).toEqual([2147483646, 2147483647]);
  expect(() => arange(2 ** 31 - 1, 2 ** 31 + 1)).toThrow(DTypeError);
  expect(() => arange(0, 1, 0)).toThrow(OptionError);
});

test('linspace ends exactly', () => {
  expect(linspace(0, 1, 5).toArray()).toEqual([0, 0.25, 0.5, 0.75, 1]);
  expect(linspace(0, 1, 4, { endpoint: false }).toArray()).toEqual([0, 0.25, 0.5, 0.75]);
  expect(linspace(0, 0.3, 4, { dtype: 'float64' }).toArray()).toEqual([
    0, 0.09999999999999999, 0.19999999999999998, 0.3,
  ]);
  expect(linspace(2, 3, 1).toArray()).toEqual([2]);
  expect(() => linspace(0, 1, 2, { end: 1 } as never)).toThrow(
    new OptionError('linspace: has no option "end"; the options are endpoint, dtype.'),
  );
});

test('eye', () => {
  expect(eye(2, 3).toArray()).toEqual([
    [1, 0, 0],
    [0, 1, 0],
  ]);
  expect(eye(1, 1, 'bool').toArray()).toEqual([[true]]);
});
