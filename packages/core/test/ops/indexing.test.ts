import { describe, expect, test } from 'vitest';
import { DTypeError, ShapeError } from '../../src/errors.ts';
import { multiply } from '../../src/ops/arithmetic.ts';
import { arange, ones, tensor, zeros } from '../../src/ops/creation.ts';
import { oneHot, take, takeAlong } from '../../src/ops/indexing.ts';
import { argmax, sum } from '../../src/ops/reduce.ts';
import { expandDims, reshape } from '../../src/ops/shape.ts';
import type { Tensor } from '../../src/tensor.ts';
import { jit } from '../../src/transforms/jit.ts';
import { grad } from '../../src/transforms/vjp.ts';
import { vmap } from '../../src/transforms/vmap.ts';

const x = reshape(arange(6), [2, 3]);
const at = (...i: number[]): Tensor => tensor(i, 'int32');

describe('take', () => {
  test('along an axis, flattened without', () => {
    expect(take(x, [4, 0]).toArray()).toEqual([4, 0]);
    expect(take(x, [2, 0], { axis: 1 }).toArray()).toEqual([
      [2, 0],
      [5, 3],
    ]);
    expect(take(x, 1, { axis: 0 }).toArray()).toEqual([3, 4, 5]);
    expect(
      take(
        x,
        tensor(
          [
            [0, 1],
            [1, 0],
          ],
          'uint8',
        ),
        { axis: 0 },
      ).shape,
    ).toEqual([2, 2, 3]);
    expect(take(tensor([true, false]), [1, 0]).toArray()).toEqual([false, true]);
    expect(take(x, [], { axis: 0 }).shape).toEqual([0, 3]);
  });

  test('negative positions count from the end', () => {
    expect(take(x, [-1, -3], { axis: 1 }).toArray()).toEqual([
      [2, 0],
      [5, 3],
    ]);
    expect(jit(take)(tensor([1, 2, 3]), at(-1)).toArray()).toEqual([3]);
  });

  test('repeated positions add up in the gradient', () => {
    const f = (t: Tensor) => sum(multiply(take(t, [1, 1, -1]), tensor([1, 10, 100])));
    expect(grad(f)(tensor([5, 6, 7])).toArray()).toEqual([0, 11, 100]);
  });

  test('a position out of range that is traced gives NaN, and 0 for integers', () => {
    const f = jit((t: Tensor, i: Tensor) => take(t, i));
    expect(f(tensor([1, 2]), at(2, -3, 1)).toArray()).toEqual([NaN, NaN, 2]);
    expect(f(at(1, 2), at(2, -3, 1)).toArray()).toEqual([0, 0, 2]);
    expect(f(tensor([1, 2]), tensor([2 ** 32 - 1, 1], 'uint32')).toArray()).toEqual([NaN, 2]);
    expect(
      vmap((t: Tensor, i: Tensor) => take(t, i))(
        tensor([
          [1, 2],
          [3, 4],
        ]),
        at(1, 2),
      ).toArray(),
    ).toEqual([2, NaN]);
  });

  test.each<[() => unknown, new (m: string) => Error, string]>([
    [
      () => take(x, [0, 3], { axis: 1 }),
      ShapeError,
      'take: index 3 is out of range for i32[2,3], which has 3 along that axis.',
    ],
    [
      () => jit((t: Tensor) => take(t, [-7]))(x),
      ShapeError,
      'take: index -7 is out of range for i32[2,3], which has 6 along that axis.',
    ],
    [
      () => take(x, tensor([0, 1])),
      DTypeError,
      "take: indices must be integers, but are f32[2]; convert them with astype(indices, 'int32').",
    ],
    [
      () => take(x, tensor([true])),
      DTypeError,
      "take: indices must be integers, but are bool[1]; convert them with astype(indices, 'int32'), or choose by a mask with where().",
    ],
    [() => take(x, [0.5]), DTypeError, 'take: indices must be integers, but one is 0.5.'],
    [
      () => take(zeros([0]), [0]),
      ShapeError,
      'take: index 0 is out of range for f32[0], which has 0 along that axis.',
    ],
  ])('%s', (f, kind, message) => {
    expect(f).toThrow(new kind(message));
  });
});

describe('takeAlong', () => {
  const t = tensor([
    [3, 1, 2],
    [4, 6, 5],
  ]);

  test('undoes argmax', () => {
    const best = expandDims(argmax(t, { axis: 1 }), 1);
    expect(takeAlong(t, best, 1).toArray()).toEqual([[3], [6]]);
    expect(takeAlong(t, tensor([[0, 1, -1]], 'int32'), 0).toArray()).toEqual([[3, 6, 5]]);
  });

  test('other axes broadcast', () => {
    expect(takeAlong(t, tensor([[-1]], 'int32'), 1).toArray()).toEqual([[2], [5]]);
    expect(takeAlong(tensor([[1, 2]]), tensor([[0], [1]], 'int32'), 1).toArray()).toEqual([[1], [2]]);
  });

  test('does not reach into the next row', () => {
    const f = jit((i: Tensor) => takeAlong(t, i, 1));
    expect(f(tensor([[3], [-4]], 'int32')).toArray()).toEqual([[NaN], [NaN]]);
    expect(() => takeAlong(t, tensor([[3], [0]], 'int32'), 1)).toThrow(ShapeError);
    expect(() => takeAlong(t, at(0), 1)).toThrow(
      new ShapeError('takeAlong: x and indices have the same number of axes, but are f32[2,3] and i32[1].'),
    );
  });
});

test('oneHot', () => {
  expect(oneHot(at(0, 2), 3).toArray()).toEqual([
    [1, 0, 0],
    [0, 0, 1],
  ]);
  expect(oneHot(at(-1, 3), 3).toArray()).toEqual([
    [0, 0, 0],
    [0, 0, 0],
  ]);
  expect(oneHot(tensor([255], 'uint8'), 300, 'bool').size).toBe(300);
  expect(oneHot(tensor([255], 'uint8'), 300).toString()).toContain('f32[1,300]');
  expect(oneHot(1, 2).toArray()).toEqual([0, 1]);
  expect(() => oneHot(ones([2]), 3)).toThrow(DTypeError);
});
