/** Tensors of more than 2^24 elements: their positions are no float32 numbers. */
import {
  type Aval,
  acc,
  addIndex,
  BackendError,
  binary,
  coord,
  type Expr,
  floorDiv,
  hostArray,
  inBounds,
  type Kernel,
  load,
  mod,
  mulIndex,
  type Reduction,
  type TypedArray,
} from '@neumann/core/backend';
import { describe, expect, test } from 'vitest';
import { gpu } from '../src/index.ts';
import { kernel, run } from './run.ts';

const backend = await gpu({ mode: 'webasm' });

/** A number below 2^24 that neighbours, and elements 2^24 apart, do not share. */
const mark = (i: number): number => (i % 16381) + Math.floor(i / 16381) * 7;

function marks(size: number): Float32Array {
  const values = hostArray('float32', size) as Float32Array;
  for (let i = 0; i < size; i++) values[i] = mark(i);
  return values;
}

function expectMarks(got: TypedArray | undefined, size: number, at: (i: number) => number): void {
  expect(got?.length).toBe(size);
  let first = -1;
  for (let i = 0; i < size && first < 0; i++) if (got?.[i] !== Math.fround(at(i))) first = i;
  expect(first).toBe(-1);
}

const f32 = (...shape: number[]): Aval => ({ dtype: 'float32', shape });
const result = (whole: Kernel, ...inputs: TypedArray[]): TypedArray | undefined =>
  run(backend, whole, inputs)[0];

describe('a matrix of 4099 × 4101 elements', () => {
  const [rows, columns] = [4099, 4101];
  const size = rows * columns;
  const values = marks(size);

  test('is transposed', () => {
    const outputs = [load(0, 'float32', [coord(1), coord(0)])];
    const got = result(kernel({ inputs: [f32(rows, columns)], axes: [columns, rows], outputs }), values);
    expectMarks(got, size, (i) => mark((i % rows) * columns + Math.floor(i / rows)));
  });

  test('meets its rows and columns, and is summed along both', () => {
    const [row, column] = [load(1, 'float32', [coord(0)]), load(2, 'float32', [coord(1)])];
    const outputs = [binary('add', binary('sub', load(0, 'float32', [coord(0), coord(1)]), row), column)];
    const inputs = [f32(rows, columns), f32(rows), f32(columns)];
    const got = result(
      kernel({ inputs, axes: [rows, columns], outputs }),
      values,
      marks(rows),
      marks(columns),
    );
    expectMarks(got, size, (i) => mark(i) - mark(Math.floor(i / columns)) + mark(i % columns));
    const reductions: Reduction[] = [{ op: 'max', value: load(0, 'float32', [coord(1), coord(0)]) }];
    const most = kernel({
      inputs: [f32(rows, columns)],
      axes: [columns],
      reduceAxes: [rows],
      reductions,
      outputs: [acc('float32', 0)],
    });
    const want = Float64Array.from({ length: columns }, (_, c) => {
      let best = -Infinity;
      for (let r = 0; r < rows; r++) best = Math.max(best, mark(r * columns + c));
      return best;
    });
    expectMarks(result(most, values), columns, (i) => want[i] as number);
  });
});

describe('a vector of 2^24 + 1027 elements', () => {
  const size = 2 ** 24 + 1027;
  const values = marks(size);
  const inputs = [f32(size)];

  test('is shifted and reversed', () => {
    const shifted = addIndex(coord(0), 5);
    const outputs = [load(0, 'float32', [shifted], inBounds(shifted, size))];
    expectMarks(result(kernel({ inputs, axes: [size], outputs }), values), size, (i) =>
      i + 5 < size ? mark(i + 5) : 0,
    );
    const reversed = addIndex(mulIndex(coord(0), -1), size - 1);
    const reverse = kernel({ inputs, axes: [size], outputs: [load(0, 'float32', [reversed])] });
    expectMarks(result(reverse, values), size, (i) => mark(size - 1 - i));
  });

  test('is summed, each element once', () => {
    const sum = kernel({
      inputs,
      reduceAxes: [size],
      reductions: [{ op: 'add', value: load(0, 'float32', [coord(0)]) }],
      outputs: [acc('float32', 0)],
    });
    const odd = values.map((_, i) => i % 2);
    expect([...(result(sum, odd) ?? [])]).toEqual([Math.floor(size / 2)]);
  });

  test('has a greatest element, whose position is found up to 2^24', () => {
    const found = kernel({
      inputs,
      reduceAxes: [size],
      reductions: [{ op: 'argmax', value: load(0, 'float32', [coord(0)]) }],
      outputs: [acc('int32', 0)],
    });
    const elements = (hostArray('float32', size) as Float32Array).fill(5);
    elements[2 ** 24 - 2] = 6;
    elements[2 ** 24 + 5] = 6;
    expect([...(result(found, elements) ?? [])]).toEqual([2 ** 24 - 2]);
    elements[2 ** 24 - 2] = 5;
    expect(() => result(found, elements)).toThrow(/int32 is exact only up to ±16777215/);
  });

  test('has positions that are no numbers here', () => {
    const of = (output: Expr): Kernel => kernel({ axes: [size], outputs: [output] });
    const refused = /has a position beyond 2\^24 that is a number, which this version cannot compute exactly/;
    expect(() => result(of(coord(0)))).toThrow(/int32 is exact only up to ±16777215/);
    expect(() => result(of(floorDiv(addIndex(coord(0), 1), 3)))).toThrow(refused);
    expect(() => result(of(mod(coord(0), 3)))).toThrow(refused);
  });
});

test('2^25 bytes', () => {
  const size = 2 ** 25;
  const bytes = new Uint8Array(size).map((_, i) => (i >> 16) ^ i);
  const x = load(0, 'uint8', [coord(0), coord(1)]);
  const whole = kernel({
    inputs: [{ dtype: 'uint8', shape: [2 ** 12, 2 ** 13] }],
    axes: [2 ** 12, 2 ** 13],
    outputs: [binary('max', x, load(0, 'uint8', [coord(0), mod(addIndex(coord(1), 1), 2 ** 13)]))],
  });
  expectMarks(result(whole, bytes), size, (i) => {
    const next = i - (i % 2 ** 13) + ((i + 1) % 2 ** 13);
    return Math.max(bytes[i] as number, bytes[next] as number);
  });
});

test('more than 2^26 elements, and axes that cannot be parted, are refused by name', () => {
  const of = (...axes: number[]): Kernel =>
    kernel({ inputs: [f32(3)], axes, outputs: [load(0, 'float32', [mod(coord(1), 3)])] });
  expect(() => run(backend, of(2 ** 26, 2), [new Float32Array(3)])).toThrow(
    new BackendError(
      'gpu: kernel test has a result [67108864,2] of 134217728 elements, and this backend takes 67108864 only; ' +
        'use smaller tensors or another backend.',
    ),
  );
  expect(() => run(backend, of(2 ** 24, 3), [new Float32Array(3)])).toThrow(
    /^gpu: kernel test has a result \[16777216,3\], whose axes/,
  );
});
