import { describe, expect, test } from 'vitest';
import { DTypeError, OptionError, ShapeError } from '../../src/errors.ts';
import { multiply } from '../../src/ops/arithmetic.ts';
import { arange, ones, tensor, zeros } from '../../src/ops/creation.ts';
import { concatenate, split, stack } from '../../src/ops/join.ts';
import { pad } from '../../src/ops/pad.ts';
import { sum } from '../../src/ops/reduce.ts';
import {
  broadcastTo,
  expandDims,
  flip,
  moveaxis,
  type Range,
  ravel,
  repeat,
  reshape,
  slice,
  squeeze,
  swapaxes,
  tile,
  transpose,
} from '../../src/ops/shape.ts';
import type { Tensor } from '../../src/tensor.ts';
import { grad } from '../../src/transforms/vjp.ts';

const x = reshape(arange(12), [3, 4]);
const cube = zeros([2, 3, 4]);

describe('axes', () => {
  test('reshape finds the open extent', () => {
    expect(reshape(x, [2, -1]).shape).toEqual([2, 6]);
    expect(reshape(x, -1).shape).toEqual([12]);
    expect(ravel(x).toArray()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(reshape(zeros([0, 3]), [-1, 3]).shape).toEqual([0, 3]);
    expect(reshape(5, [1, 1]).toArray()).toEqual([[5]]);
  });

  test('transpose, swapaxes, moveaxis', () => {
    expect(
      transpose(
        tensor([
          [1, 2],
          [3, 4],
        ]),
      ).toArray(),
    ).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(transpose(cube, [-1, 0, 1]).shape).toEqual([4, 2, 3]);
    expect(swapaxes(cube, 0, -1).shape).toEqual([4, 3, 2]);
    expect(moveaxis(cube, 0, -1).shape).toEqual([3, 4, 2]);
    expect(moveaxis(cube, -1, 0).shape).toEqual([4, 2, 3]);
  });

  test('expandDims and squeeze', () => {
    expect(expandDims(x, -1).shape).toEqual([3, 4, 1]);
    expect(expandDims(x, [0, 2]).shape).toEqual([1, 3, 1, 4]);
    expect(squeeze(zeros([1, 3, 1])).shape).toEqual([3]);
    expect(squeeze(zeros([1, 3, 1]), { axis: -1 }).shape).toEqual([1, 3]);
  });

  test('broadcastTo', () => {
    expect(broadcastTo(tensor([[1], [2]]), [2, 2, 2]).toArray()).toEqual([
      [
        [1, 1],
        [2, 2],
      ],
      [
        [1, 1],
        [2, 2],
      ],
    ]);
    expect(broadcastTo(zeros([1]), [0]).shape).toEqual([0]);
  });

  test.each<[() => unknown, new (m: string) => Error, string]>([
    [
      () => reshape(x, [5, 2]),
      ShapeError,
      'reshape: i32[3,4] has 12 elements, which do not fill [5,2] (10).',
    ],
    [
      () => reshape(x, [5, -1]),
      ShapeError,
      'reshape: i32[3,4] has 12 elements, which do not fill [5,-1] for any value of -1.',
    ],
    [() => reshape(x, [-1, -1]), ShapeError, 'reshape: a shape holds non-negative integers, but got [0,-1].'],
    [
      () => reshape(zeros([0]), [0, -1]),
      ShapeError,
      'reshape: f32[0] has 0 elements, which do not fill [0,-1] for any value of -1.',
    ],
    [
      () => transpose(x, [0, 0]),
      ShapeError,
      'transpose: perm names each of the 2 axes of i32[3,4] once, but is [0,0].',
    ],
    [
      () => squeeze(x, { axis: 0 }),
      ShapeError,
      'squeeze: axis 0 of i32[3,4] has extent 3; only axes of extent 1 can go.',
    ],
    [
      () => broadcastTo(x, [3]),
      ShapeError,
      'broadcastTo: i32[3,4] does not stretch to [3]; aligned at the right, its extents must be equal or 1.',
    ],
    [
      () => expandDims(x, 3),
      ShapeError,
      'expandDims: axis 3 is out of range for rank 3; use an integer in [-3, 2].',
    ],
  ])('%s', (f, kind, message) => {
    expect(f).toThrow(new kind(message));
  });
});

describe('slice is NumPy basic indexing', () => {
  test.each<[string, Range[], unknown]>([
    ['x[0]', [0], [0, 1, 2, 3]],
    ['x[-1, 1]', [-1, 1], 9],
    ['x[:, 1]', [null, 1], [1, 5, 9]],
    [
      'x[1:]',
      [[1]],
      [
        [4, 5, 6, 7],
        [8, 9, 10, 11],
      ],
    ],
    [
      'x[:-1, 1:3]',
      [
        [null, -1],
        [1, 3],
      ],
      [
        [1, 2],
        [5, 6],
      ],
    ],
    ['x[0, ::2]', [0, [null, null, 2]], [0, 2]],
    ['x[0, ::-1]', [0, [null, null, -1]], [3, 2, 1, 0]],
    ['x[0, 3:0:-2]', [0, [3, 0, -2]], [3, 1]],
    ['x[0, 2::-1]', [0, [2, null, -1]], [2, 1, 0]],
    ['x[0, -100:100]', [0, [-100, 100]], [0, 1, 2, 3]],
    ['x[0, 100:-100:-1]', [0, [100, -100, -1]], [3, 2, 1, 0]],
    ['x[0, 3:1]', [0, [3, 1]], []],
    ['x[0, 1:3:-1]', [0, [1, 3, -1]], []],
    [
      'x[::2, ::3]',
      [
        [null, null, 2],
        [null, null, 3],
      ],
      [
        [0, 3],
        [8, 11],
      ],
    ],
  ])('%s', (_, ranges, expected) => {
    expect(slice(x, ranges).toArray()).toEqual(expected);
  });

  test('its gradient fills the rest with zeros', () => {
    const f = (t: Tensor) => sum(multiply(slice(t, [[null, null, -2]]), tensor([1, 2])));
    expect(grad(f)(tensor([1, 2, 3, 4])).toArray()).toEqual([0, 2, 0, 1]);
  });

  test.each<[Range[], new (m: string) => Error, string]>([
    [[3], ShapeError, 'slice: index 3 is out of range for axis 0 of i32[3,4].'],
    [[null, -5], ShapeError, 'slice: index -5 is out of range for axis 1 of i32[3,4].'],
    [[0, 0, 0], ShapeError, 'slice: takes an array of at most 2 ranges for i32[3,4], but got [0,0,0].'],
    [
      [[0, 2, 0]],
      OptionError,
      'slice: the entry for axis 0 is an integer, null, or [start, stop, step] with a step that is not 0, but got [0,2,0].',
    ],
    [
      [0.5],
      OptionError,
      'slice: the entry for axis 0 is an integer, null, or [start, stop, step] with a step that is not 0, but got 0.5.',
    ],
  ])('%j is refused', (ranges, kind, message) => {
    expect(() => slice(x, ranges)).toThrow(new kind(message));
  });
});

describe('pad', () => {
  test('around the elements, with any value, exactly', () => {
    expect(pad(tensor([1, 2]), 1).toArray()).toEqual([0, 1, 2, 0]);
    expect(
      pad(
        tensor([[1]]),
        [
          [0, 1],
          [1, 0],
        ],
        { value: -Infinity },
      ).toArray(),
    ).toEqual([
      [-Infinity, 1],
      [-Infinity, -Infinity],
    ]);
    expect(pad(tensor([[1]]), [0, 1], { value: 9 }).toArray()).toEqual([
      [1, 9],
      [9, 9],
    ]);
    expect(pad(tensor([true]), 1, { value: true }).toArray()).toEqual([true, true, true]);
    expect(pad(tensor([Infinity, NaN, -0]), [[1, 0]], { value: 1 }).toArray()).toEqual([
      1,
      Infinity,
      NaN,
      -0,
    ]);
    expect(pad(tensor([1]), [[1, 0]], { value: -0 }).toArray()).toEqual([-0, 1]);
  });

  test('its gradient leaves the padding out', () => {
    const f = (t: Tensor) => sum(multiply(pad(t, 1, { value: 5 }), tensor([1, 2, 3, 4])));
    expect(grad(f)(tensor([1, 2])).toArray()).toEqual([2, 3]);
  });

  test('bad widths and values are refused', () => {
    expect(() => pad(x, -1)).toThrow(
      new OptionError(
        'pad: widths are an integer of at least 0, a pair [before, after], or 2 pairs, but got -1; slice() takes elements away.',
      ),
    );
    expect(() => pad(x, 1, { value: 0.5 })).toThrow(DTypeError);
  });
});

test('flip, tile, repeat', () => {
  expect(
    flip(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    ).toArray(),
  ).toEqual([
    [4, 3],
    [2, 1],
  ]);
  expect(
    flip(
      tensor([
        [1, 2],
        [3, 4],
      ]),
      { axis: 1 },
    ).toArray(),
  ).toEqual([
    [2, 1],
    [4, 3],
  ]);
  expect(tile(tensor([[1], [2]]), 2).toArray()).toEqual([
    [1, 1],
    [2, 2],
  ]);
  expect(tile(tensor([1, 2]), [2, 1]).toArray()).toEqual([
    [1, 2],
    [1, 2],
  ]);
  expect(repeat(tensor([[1, 2]]), 2).toArray()).toEqual([1, 1, 2, 2]);
  expect(repeat(tensor([[1, 2]]), 2, { axis: 0 }).toArray()).toEqual([
    [1, 2],
    [1, 2],
  ]);
});

describe('joining and cutting', () => {
  test('concatenate promotes, and keeps -0', () => {
    expect(concatenate([tensor([1], 'int32'), tensor([0.5])]).toString()).toBe('f32[2] [1, 0.5]');
    expect(concatenate([tensor([-0]), tensor([1])]).toArray()).toEqual([-0, 1]);
    expect(concatenate([ones([2, 1]), zeros([2, 2])], { axis: -1 }).toArray()).toEqual([
      [1, 0, 0],
      [1, 0, 0],
    ]);
  });

  test('stack makes an axis', () => {
    expect(stack([1, 2]).toArray()).toEqual([1, 2]);
    expect(stack([tensor([1, 2]), tensor([3, 4])], { axis: -1 }).toArray()).toEqual([
      [1, 3],
      [2, 4],
    ]);
  });

  test('split undoes concatenate', () => {
    expect(split(x, 2, { axis: 1 }).map((t) => t.shape)).toEqual([
      [3, 2],
      [3, 2],
    ]);
    expect(split(arange(5), [1, 1, 4]).map((t) => t.toArray())).toEqual([[0], [], [1, 2, 3], [4]]);
  });

  test.each<[() => unknown, new (m: string) => Error, string]>([
    [
      () => concatenate([zeros([2, 3]), zeros([2, 4])]),
      ShapeError,
      'concatenate: extents must be equal but along axis 0, but operand 0 is f32[2,3] and operand 1 is f32[2,4].',
    ],
    [() => concatenate([]), ShapeError, 'concatenate: takes an array of at least one tensor, but got [].'],
    [() => concatenate([1, 2]), ShapeError, 'concatenate: axis 0 of a scalar; a scalar has no axes.'],
    [
      () => stack([zeros([2]), zeros([3])]),
      ShapeError,
      'stack: shapes must be equal, but operand 0 is f32[2] and operand 1 is f32[3].',
    ],
    [
      () => split(x, 2),
      ShapeError,
      'split: axis 0 of i32[3,4] does not divide into 2 equal parts; give the positions where to cut.',
    ],
    [() => split(x, [2, 1]), OptionError, 'split: positions ascend from 0 to 3, but got [2,1].'],
    [
      () => concatenate([x], 1 as never),
      OptionError,
      'concatenate: options are an object { axis }, but got 1.',
    ],
  ])('%s', (f, kind, message) => {
    expect(f).toThrow(new kind(message));
  });
});
