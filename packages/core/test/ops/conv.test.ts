import { describe, expect, test } from 'vitest';
import { DTypeError, OptionError, ShapeError } from '../../src/errors.ts';
import { multiply } from '../../src/ops/arithmetic.ts';
import { type ConvOptions, conv } from '../../src/ops/conv.ts';
import { arange, ones, tensor, zeros } from '../../src/ops/creation.ts';
import { astype } from '../../src/ops/logic.ts';
import { sum } from '../../src/ops/reduce.ts';
import { reshape } from '../../src/ops/shape.ts';
import { windowMax, windowMean, windowSum } from '../../src/ops/window.ts';
import type { Tensor } from '../../src/tensor.ts';
import { grad } from '../../src/transforms/vjp.ts';

/** 1, 2, 3, … in a shape. */
const count = (...shape: number[]): Tensor => {
  const n = shape.reduce((a, b) => a * b, 1);
  return reshape(astype(arange(1, n + 1), 'float32'), shape);
};
const line = (...values: number[]): Tensor => tensor([values.map((v) => [v])]); // [1, W, 1]
const kernel = (...values: number[]): Tensor => tensor(values.map((v) => [[v]])); // [K, 1, 1]
const flat = (x: Tensor): number[] => [...x.dataSync()];

describe('one spatial axis, by hand', () => {
  test.each<[string, ConvOptions, number[]]>([
    ['w is not flipped', {}, [14, 20, 26]],
    ['stride', { stride: 2 }, [14, 26]],
    ['same puts the odd zero at the end', { padding: 'same' }, [8, 14, 20, 26, 14]],
    ['same with a stride', { padding: 'same', stride: 2 }, [8, 20, 14]],
    ['explicit padding', { padding: [[2, 0]] }, [3, 8, 14, 20, 26]],
    ['negative padding cuts', { padding: [[-1, 0]] }, [20, 26]],
    ['dilation', { dilation: 2 }, [22]],
    ['input dilation: 1 0 2 0 3 0 4 0 5', { inputDilation: 2 }, [1 + 6, 4, 2 + 9, 6, 3 + 12, 8, 4 + 15]],
  ])('%s', (_, options, expected) => {
    expect(flat(conv(line(1, 2, 3, 4, 5), kernel(1, 2, 3), options))).toEqual(expected);
  });
});

describe('channels and groups', () => {
  test('sums over the channels', () => {
    expect(
      conv(
        tensor([[[1, 2]]]),
        tensor([
          [
            [1, 10],
            [100, 1000],
          ],
        ]),
      ).toArray(),
    ).toEqual([[[201, 2010]]]);
  });

  test('groups see their own channels only', () => {
    expect(conv(tensor([[[1, 2]]]), tensor([[[10, 100]]]), { groups: 2 }).toArray()).toEqual([[[10, 200]]]);
  });

  test('two and three axes', () => {
    expect(conv(count(1, 3, 3, 1), ones([2, 2, 1, 1])).toArray()).toEqual([
      [
        [[12], [16]],
        [[24], [28]],
      ],
    ]);
    expect(conv(ones([2, 3, 3, 3, 2]), ones([2, 2, 2, 2, 4])).shape).toEqual([2, 2, 2, 2, 4]);
    expect(conv(ones([1, 5, 7, 1]), ones([3, 1, 1, 1]), { stride: [1, 2], padding: 'same' }).shape).toEqual([
      1, 5, 4, 1,
    ]);
  });

  test('gradients', () => {
    const f = (x: Tensor, w: Tensor) => sum(multiply(conv(x, w), line(1, 10)));
    const [dx, dw] = grad(f, { argnums: [0, 1] })(line(1, 2, 3), kernel(4, 5));
    expect(flat(dx)).toEqual([4, 45, 50]);
    expect(flat(dw)).toEqual([21, 32]);
  });
});

describe('conv refuses', () => {
  test.each<[() => unknown, new (m: string) => Error, string]>([
    [
      () => conv(zeros([8, 32, 32, 3]), zeros([3, 3, 16, 64])),
      ShapeError,
      'conv: x f32[8,32,32,3] has 3 channels but w f32[3,3,16,64] takes 16; x is [N,H,W,C] and w is [KH,KW,C,F].',
    ],
    [
      () => conv(zeros([8, 32, 6]), zeros([3, 6, 4]), { groups: 2 }),
      ShapeError,
      'conv: x f32[8,32,6] has 6 channels but w f32[3,6,4] takes 12 (2 groups of 6); x is [N,W,C] and w is [KW,C/2,F].',
    ],
    [
      () => conv(zeros([8, 32, 6]), zeros([3, 3, 5]), { groups: 2 }),
      ShapeError,
      'conv: the 5 results of w f32[3,3,5] do not divide into 2 groups; x is [N,W,C] and w is [KW,C/2,F].',
    ],
    [
      () => conv(zeros([4, 4]), zeros([3, 3])),
      ShapeError,
      'conv: x and w have 3, 4 or 5 axes each, such as x [N,H,W,C] and w [KH,KW,C,F], but got x f32[4,4] and w f32[3,3].',
    ],
    [
      () => conv(zeros([1, 2, 2, 1]), zeros([3, 3, 1, 1])),
      ShapeError,
      'conv: a window of [3,3] does not fit into [2,2] with padding "valid".',
    ],
    [
      () => conv(zeros([1, 4, 1]), zeros([3, 1, 1]), { dilation: 2 }),
      ShapeError,
      'conv: a window of [3] reaching over [5] does not fit into [4] with padding "valid".',
    ],
    [
      () => conv(ones([1, 4, 1], 'int32'), ones([3, 1, 1], 'int32')),
      DTypeError,
      'conv: needs floats, but got x i32[1,4,1] and w i32[3,1,1]; convert them with astype().',
    ],
    [
      () => conv(zeros([1, 4, 1]), zeros([3, 1, 1]), { padding: 'SAME' as never }),
      OptionError,
      `conv: padding is 'valid', 'same', or [before, after] for each of 1 spatial axes, but got "SAME".`,
    ],
    [
      () => conv(zeros([1, 4, 1]), zeros([3, 1, 1]), { stride: 0 }),
      OptionError,
      'conv: stride is an integer of at least 1, or an array of 1 of them, but got 0.',
    ],
    [
      () => conv(zeros([1, 4, 1]), zeros([3, 1, 1]), { padding: 'same', inputDilation: 2 }),
      OptionError,
      "conv: padding 'same' has no meaning with inputDilation; give [before, after] for each axis.",
    ],
  ])('%s', (f, kind, message) => {
    expect(f).toThrow(new kind(message));
  });
});

describe('windows', () => {
  test('do not overlap by default', () => {
    expect(flat(windowSum(line(1, 2, 3, 4, 5), { window: 2 }))).toEqual([3, 7]);
    expect(flat(windowMax(line(1, 2, 3, 4, 5), { window: 2 }))).toEqual([2, 4]);
    expect(flat(windowMean(line(1, 2, 3, 4, 5), { window: 2 }))).toEqual([1.5, 3.5]);
  });

  test('padding never wins, and does not count', () => {
    expect(flat(windowMax(line(-1, -2, -3), { window: 2, padding: 'same' }))).toEqual([-1, -3]);
    expect(flat(windowMean(line(1, 2, 3), { window: 2, padding: 'same' }))).toEqual([1.5, 3]);
    expect(flat(windowMean(line(1, 2, 3), { window: 2, stride: 1, padding: [[1, 0]] }))).toEqual([
      1, 1.5, 2.5,
    ]);
    expect(flat(windowSum(line(1, 2, 3), { window: 3, stride: 1, padding: 'same' }))).toEqual([3, 6, 5]);
  });

  test('mean of ones is one everywhere', () => {
    const y = windowMean(ones([2, 5, 4, 3]), { window: [3, 2], stride: [2, 1], padding: 'same' });
    expect(y.shape).toEqual([2, 3, 4, 3]);
    expect(new Set(flat(y))).toEqual(new Set([1]));
  });

  test('dilation', () => {
    expect(flat(windowSum(line(1, 2, 3, 4, 5), { window: 2, stride: 1, dilation: 3 }))).toEqual([5, 7]);
  });

  test('the first greatest element has the slope', () => {
    const f = (x: Tensor) => sum(multiply(windowMax(x, { window: 2 }), line(1, 10)));
    expect(flat(grad(f)(line(1, 1, 2, 3)))).toEqual([1, 0, 0, 10]);
  });

  test('integers and bad options', () => {
    expect(windowMax(tensor([[[1], [2]]], 'int32'), { window: 2 }).toString()).toBe('i32[1,1,1] [[[2]]]');
    expect(windowMean(tensor([[[1], [2]]], 'int32'), { window: 2 }).toString()).toBe('f32[1,1,1] [[[1.5]]]');
    expect(() => windowMax(ones([2, 2]), { window: 2 })).toThrow(
      new ShapeError('windowMax: x has 3, 4 or 5 axes, such as [N,H,W,C], but is f32[2,2].'),
    );
    expect(() => windowMax(ones([1, 2, 1]), { size: 2 } as never)).toThrow(
      new OptionError('windowMax: has no option "size"; the options are window, stride, padding, dilation.'),
    );
    expect(() => windowSum(ones([1, 2, 2, 1]), { window: [2] })).toThrow(
      new OptionError(
        'windowSum: window is an integer of at least 1, or an array of 2 of them, but got [2].',
      ),
    );
  });
});
