import {
  type Aval,
  acc,
  binary,
  cast,
  compare,
  constant,
  coord,
  type Expr,
  hostArray,
  inBounds,
  type Kernel,
  load,
  mulIndex,
  type Reduction,
  select,
  type TypedArray,
  unary,
} from '@neumann/core/backend';
import { law } from '@neumann/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gpu } from '../src/index.ts';
import { drawKernel } from './randomKernel.ts';
import { both, kernel } from './run.ts';

const backend = await gpu({ mode: 'webasm' });

const f32 = (...shape: number[]): Aval => ({ dtype: 'float32', shape });
const i32 = (...shape: number[]): Aval => ({ dtype: 'int32', shape });
const floats = (size: number, of: (i: number) => number = (i) => Math.sin(i)): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => of(i));

function expectSame(kernel: Kernel, inputs: readonly TypedArray[]): void {
  const { got, want } = both(backend, kernel, inputs);
  expect(got).toEqual(want);
}

/** For sums of at most `terms` terms of size 1 in any order, with room for those inside the terms. */
function expectClose(kernel: Kernel, inputs: readonly TypedArray[], terms: number): void {
  const { got, want } = both(backend, kernel, inputs);
  expect(got.length).toBe(want.length);
  for (const [i, x] of want.entries()) {
    const off = Math.abs((got[i] as number) - x);
    expect(off, `element ${i}: ${got[i]}, not ${x}`).toBeLessThanOrEqual(2 ** -23 * terms);
  }
}

law(
  'random kernels: result ≡ reference',
  fc.gen(),
  (g) => {
    const drawn = drawKernel(g);
    expectSame(drawn.kernel, drawn.inputs);
  },
  { runs: 150 },
);

describe('kernels', () => {
  test('have any number of axes', () => {
    const shape = [2, 3, 1, 2, 5, 3];
    const x = load(
      0,
      'float32',
      [3, 0, 2, 5, 4, 1].map((axis) => coord(axis)),
    );
    const inputs = [f32(...[3, 0, 2, 5, 4, 1].map((axis) => shape[axis] as number))];
    const position = shape.reduce<Expr>(
      (sum, extent, axis) => binary('add', mulIndex(sum, extent), coord(axis)),
      constant('int32', 0),
    );
    const outputs = [binary('add', x, cast('float32', position))];
    expectSame(kernel({ inputs, axes: shape, outputs }), [floats(180)]);
    expectSame(kernel({ outputs: [constant('float32', 1.5)] }), []);
    expectSame(kernel({ axes: [7], outputs: [coord(0)] }), []);
  });

  test('without points have empty results', () => {
    const output = load(0, 'float32', [coord(0)]);
    expectSame(kernel({ inputs: [f32(3)], axes: [0], outputs: [output] }), [floats(3)]);
    expectSame(kernel({ inputs: [f32(0)], axes: [0, 4], outputs: [output] }), [floats(0)]);
  });

  test('read nothing where no guard holds, even from an input without elements', () => {
    const outside = inBounds(coord(0), 0);
    const output = load(0, 'float32', [coord(0)], outside);
    expectSame(kernel({ inputs: [f32(0)], axes: [5], outputs: [output] }), [floats(0)]);
    const far = mulIndex(coord(0), 1000);
    const guarded = load(0, 'float32', [far], inBounds(far, 3));
    expectSame(kernel({ inputs: [f32(3)], axes: [6], outputs: [guarded] }), [floats(3)]);
  });

  test('gather rows, and NaN where the index is out of range', () => {
    const row = load(1, 'int32', [coord(0)]);
    const inside = inBounds(row, 4);
    const value = load(0, 'float32', [row, coord(1)], inside);
    const outputs = [select(inside, value, constant('float32', NaN))];
    const indices = Int32Array.of(3, 0, -1, 4, 2, 2, 2 ** 24 - 1, 1 - 2 ** 24);
    expectSame(kernel({ inputs: [f32(4, 3), i32(8)], axes: [8, 3], outputs }), [floats(12), indices]);
  });

  test('have several outputs, each a program of its own that reads what it needs', () => {
    const [x, y] = [load(0, 'float32', [coord(0), coord(1)]), load(1, 'float32', [coord(0)])];
    const reductions: Reduction[] = [
      { op: 'max', value: x },
      { op: 'argmax', value: x },
    ];
    const outputs = [
      acc('float32', 0),
      acc('int32', 1),
      binary('mul', y, y),
      compare('lt', y, acc('float32', 0)),
    ];
    const parts = { inputs: [f32(3, 4), f32(3)], axes: [3], reduceAxes: [4], reductions, outputs };
    expectSame(kernel(parts), [floats(12), floats(3)]);
  });
});

describe('reductions', () => {
  const x = load(0, 'float32', [coord(0), coord(1)]);
  const ops: Reduction['op'][] = ['max', 'min', 'argmax', 'argmin'];
  const reduce = (op: Reduction['op'], shape: [number, number]): Kernel => {
    const dtype = op === 'argmax' || op === 'argmin' ? 'int32' : 'float32';
    const [rows, length] = shape;
    const reductions = [{ op, value: x }];
    return kernel({
      inputs: [f32(rows, length)],
      axes: [rows],
      reduceAxes: [length],
      reductions,
      outputs: [acc(dtype, 0)],
    });
  };

  test('order NaN, infinities and zeros as the reference does; the first of equals has the position', () => {
    const values = [
      [1, NaN, 3, NaN],
      [-Infinity, -Infinity, -Infinity, -Infinity],
      [Infinity, 2, Infinity, -Infinity],
      [-0, 0, -0, 0],
      [5, 7, 7, 5],
    ];
    for (const op of ops) expectSame(reduce(op, [5, 4]), [Float32Array.from(values.flat())]);
  });

  test('of bytes and bools wrap and order', () => {
    const bytes = Uint8Array.from([200, 100, 3, 255, 255, 255, 0, 1, 2]);
    const value = load(0, 'uint8', [coord(0), coord(1)]);
    for (const op of ['add', 'mul', 'max', 'min'] as const) {
      const parts = { axes: [3], reduceAxes: [3], reductions: [{ op, value }], outputs: [acc('uint8', 0)] };
      expectSame(kernel({ ...parts, inputs: [{ dtype: 'uint8', shape: [3, 3] }] }), [bytes]);
    }
    const flag = load(0, 'bool', [coord(0), coord(1)]);
    for (const op of ['max', 'min'] as const) {
      const parts = {
        axes: [2],
        reduceAxes: [2],
        reductions: [{ op, value: flag }],
        outputs: [acc('bool', 0)],
      };
      expectSame(kernel({ ...parts, inputs: [{ dtype: 'bool', shape: [2, 2] }] }), [
        Uint8Array.of(0, 1, 0, 0),
      ]);
    }
  });

  test('over nothing give the identity', () => {
    for (const dtype of ['float32', 'uint8', 'bool'] as const)
      for (const op of ['add', 'mul', 'max', 'min'] as const) {
        if (dtype === 'bool' && (op === 'add' || op === 'mul')) continue;
        const reductions: Reduction[] = [{ op, value: load(0, dtype, [coord(1)]) }];
        const parts = { inputs: [{ dtype, shape: [0] }], axes: [5], reduceAxes: [0], reductions };
        expectSame(kernel({ ...parts, outputs: [acc(dtype, 0)] }), [hostArray(dtype, 0)]);
      }
  });

  test('are not cut short at 1000 or 65536 steps, and long sums keep their digits', () => {
    for (const length of [513, 1000, 1024, 70_001, 1_000_003]) {
      const tenth = floats(length, () => 0.1);
      const { got, want } = both(
        backend,
        kernel({
          inputs: [f32(1, length)],
          reduceAxes: [length],
          reductions: [{ op: 'add', value: load(0, 'float32', [constant('int32', 0), coord(0)]) }],
          outputs: [acc('float32', 0)],
        }),
        [tenth],
      );
      // Blocks of 256 make a sum of 70,001 terms one of 256 and one of 274: below 530 roundings, and mostly one way.
      expect(Math.abs((got[0] as number) / (want[0] as number) - 1)).toBeLessThan(530 * 2 ** -24);
      const [peak, at] = [floats(length, (i) => (i === length - 2 ? 2 : 1)), length - 2];
      const position = both(backend, reduce('argmax', [1, length]), [peak]);
      expect(position.got).toEqual([at]);
    }
  });

  test('over several axes, in the middle of an expression', () => {
    const point = [coord(1), coord(0), coord(2), coord(3)];
    const value = unary('exp', load(0, 'float32', point));
    const reductions: Reduction[] = [{ op: 'add', value }];
    const mean = binary('div', acc('float32', 0), constant('float32', 60));
    const outputs = [binary('sub', load(1, 'float32', [coord(0)]), mean)];
    const parts = {
      inputs: [f32(3, 7, 5, 4), f32(7)],
      axes: [7],
      reduceAxes: [3, 5, 4],
      reductions,
      outputs,
    };
    expectClose(kernel(parts), [floats(420), floats(7)], 60);
  });
});
