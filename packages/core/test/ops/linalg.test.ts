import { describe, expect, test } from 'vitest';
import { DTypeError, ShapeError } from '../../src/errors.ts';
import { ones, tensor, zeros } from '../../src/ops/creation.ts';
import { dot, matmul, outer } from '../../src/ops/linalg.ts';
import { sum } from '../../src/ops/reduce.ts';
import type { Tensor } from '../../src/tensor.ts';
import { grad } from '../../src/transforms/vjp.ts';

const a = tensor([
  [1, 2],
  [3, 4],
]);

test('matrices', () => {
  expect(
    matmul(
      a,
      tensor([
        [5, 6],
        [7, 8],
      ]),
    ).toArray(),
  ).toEqual([
    [19, 22],
    [43, 50],
  ]);
  expect(
    matmul(
      a,
      tensor(
        [
          [1, 0],
          [0, 1],
        ],
        'float64',
      ),
    ).dtype,
  ).toBe('float64');
  expect(matmul(zeros([2, 0]), zeros([0, 3])).toArray()).toEqual([
    [0, 0, 0],
    [0, 0, 0],
  ]);
});

test('vectors are rows on the left and columns on the right', () => {
  expect(matmul(tensor([1, 1]), a).toArray()).toEqual([4, 6]);
  expect(matmul(a, tensor([1, 1])).toArray()).toEqual([3, 7]);
  expect(matmul(tensor([1, 2]), tensor([3, 4])).item()).toBe(11);
});

describe('batches', () => {
  test.each<[number[], number[], number[]]>([
    [
      [5, 2, 3],
      [3, 4],
      [5, 2, 4],
    ],
    [
      [2, 3],
      [5, 3, 4],
      [5, 2, 4],
    ],
    [
      [5, 2, 3],
      [5, 3, 4],
      [5, 2, 4],
    ],
    [
      [6, 1, 2, 3],
      [5, 3, 4],
      [6, 5, 2, 4],
    ],
    [
      [5, 2, 3],
      [1, 3, 4],
      [5, 2, 4],
    ],
    [
      [5, 2, 3],
      [1, 1, 3, 4],
      [1, 5, 2, 4],
    ],
    [[5, 2, 3], [3], [5, 2]],
    [[3], [5, 3, 4], [5, 4]],
  ])('%j by %j is %j', (x, y, z) => {
    const product = matmul(ones(x), ones(y));
    expect(product.shape).toEqual(z);
    expect(new Set(product.dataSync())).toEqual(new Set([3]));
  });

  test('examples do not mix', () => {
    expect(matmul(tensor([[[1]], [[2]]]), tensor([[[3]], [[4]]])).toArray()).toEqual([[[3]], [[8]]]);
    const [dx, dy] = grad((x: Tensor, y: Tensor) => sum(matmul(x, y)), { argnums: [0, 1] })(
      ones([2, 1, 1]),
      tensor([[[3]], [[4]]]),
    );
    expect(dx.toArray()).toEqual([[[3]], [[4]]]);
    expect(dy.toArray()).toEqual([[[1]], [[1]]]);
  });
});

test('dot and outer', () => {
  expect(dot(tensor([1, 2, 3]), tensor([4, 5, 6])).item()).toBe(32);
  expect(dot(a, tensor([1, 1])).toArray()).toEqual([3, 7]);
  expect(outer(tensor([1, 2], 'int32'), tensor([3, 4], 'int32')).toString()).toBe(
    'i32[2,2] [[3, 4], [6, 8]]',
  );
});

test.each<[() => unknown, new (m: string) => Error, string]>([
  [
    () => matmul(ones([2, 3]), ones([2, 3])),
    ShapeError,
    'matmul: inner extents must be equal, but x f32[2,3] and y f32[2,3] have 3 and 2; x is […,M,K] and y is […,K,N].',
  ],
  [
    () => matmul(ones([2, 2], 'int32'), ones([2, 2], 'int32')),
    DTypeError,
    'matmul: needs floats, but got x i32[2,2] and y i32[2,2]; convert them with astype().',
  ],
  [
    () => matmul(2, a),
    ShapeError,
    'matmul: needs vectors or matrices, but got x f32[] and y f32[2,2]; use multiply().',
  ],
  [
    () => matmul(ones([2, 2, 2]), ones([3, 2, 2])),
    ShapeError,
    'matmul: shapes [2] and [3] do not broadcast; aligned at the right, extents must be equal or 1.',
  ],
  [
    () => dot(ones([2, 2, 2]), a),
    ShapeError,
    'dot: takes vectors and matrices, but got f32[2,2,2]; matmul() takes batches.',
  ],
])('%s', (f, kind, message) => {
  expect(f).toThrow(new kind(message));
});
