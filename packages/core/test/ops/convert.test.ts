import { describe, expect, test } from 'vitest';
import type { DType } from '../../src/dtype.ts';
import { DTypeError, OptionError, ShapeError } from '../../src/errors.ts';
import { add, divide } from '../../src/ops/arithmetic.ts';
import { promoteOperands, type TensorLike, toTensor } from '../../src/ops/convert.ts';
import { tensor, zeros } from '../../src/ops/creation.ts';

describe('dtypes meet as in JAX', () => {
  const of = (dtype: DType): TensorLike => zeros([2], dtype);
  test.each<[TensorLike, TensorLike, DType]>([
    [of('float32'), of('float64'), 'float64'],
    [of('float32'), of('int32'), 'float32'],
    [of('int32'), of('bool'), 'int32'],
    [of('uint8'), of('int32'), 'int32'],
    [of('uint8'), of('uint32'), 'uint32'],
    [of('uint32'), of('float32'), 'float32'],
    // numbers and booleans adapt
    [of('float64'), 0.1, 'float64'],
    [of('float32'), 2, 'float32'],
    [of('int32'), 2, 'int32'],
    [of('uint8'), 255, 'uint8'],
    [of('int32'), 0.5, 'float32'],
    [of('int32'), Infinity, 'float32'],
    [of('bool'), 2, 'int32'],
    [of('bool'), 0.5, 'float32'],
    [of('bool'), true, 'bool'],
    [of('uint8'), true, 'uint8'],
    [of('float64'), false, 'float64'],
    [1, 2, 'float32'],
    [1, true, 'float32'],
    [true, false, 'bool'],
  ])('%s and %s', (x, y, dtype) => {
    expect(promoteOperands('add', x, y).map((t) => t.dtype)).toEqual([dtype, dtype]);
    expect(promoteOperands('add', y, x).map((t) => t.dtype)).toEqual([dtype, dtype]);
  });

  test('a float64 number keeps its digits', () => {
    expect(add(tensor(0, 'float64'), 0.1).item()).toBe(0.1);
    expect(add(tensor(0), 0.1).item()).toBe(Math.fround(0.1));
  });

  test('arithmetic counts bools', () => {
    expect(add(tensor([true, false]), tensor([true, true])).toString()).toBe('i32[2] [2, 1]');
    expect(divide(tensor([1, 2], 'int32'), tensor([2, 2], 'int32')).toString()).toBe('f32[2] [0.5, 1]');
  });
});

describe('what does not fit is refused', () => {
  test.each<[() => unknown, new (m: string) => Error, string]>([
    [
      () => add(zeros([2], 'uint8'), 256),
      DTypeError,
      'add: 256 is no uint8, which holds the integers from 0 to 255; round or clip it, or use another dtype.',
    ],
    [
      () => add(zeros([2], 'uint32'), -1),
      DTypeError,
      'add: -1 is no uint32, which holds the integers from 0 to 4294967295; round or clip it, or use another dtype.',
    ],
    [
      () => add(zeros([2], 'int32'), zeros([2], 'uint32')),
      DTypeError,
      'add: int32 and uint32 have no common dtype (there is no int64); convert one with astype().',
    ],
    [
      () => add(zeros([2, 3]), zeros([2])),
      ShapeError,
      'add: shapes [2,3] and [2] do not broadcast; aligned at the right, extents must be equal or 1.',
    ],
    [
      () => add([1, 2] as never, 1),
      OptionError,
      'add: needs tensors, numbers or booleans, but got a Array; tensor() makes tensors of arrays.',
    ],
    [
      () => add(undefined as never, zeros([2])),
      OptionError,
      'add: needs tensors, numbers or booleans, but got undefined; tensor() makes tensors of arrays.',
    ],
    [
      () => toTensor(1.5, 'int32'),
      DTypeError,
      'tensor: 1.5 is no int32, which holds the integers from -2147483648 to 2147483647; round or clip it, or use another dtype.',
    ],
    [() => toTensor(2, 'bool'), DTypeError, 'tensor: 2 is no bool; use true and false, or 1 and 0.'],
  ])('%s', (f, kind, message) => {
    expect(f).toThrow(new kind(message));
    expect(f).toThrow(kind);
  });
});
