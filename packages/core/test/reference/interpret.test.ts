import fc from 'fast-check';
import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import type { Aval } from '../../src/aval.ts';
import type { DType } from '../../src/dtype.ts';
import { checkKernel } from '../../src/ir/check.ts';
import {
  acc,
  addExpr,
  addIndex,
  allOf,
  binary,
  bitcast,
  cast,
  compare,
  constant,
  coord,
  floorDiv,
  inBounds,
  load,
  mod,
  mulIndex,
  select,
  unary,
} from '../../src/ir/expr.ts';
import type { Expr, Kernel, Reduction } from '../../src/ir/kernel.ts';
import { type InterpretOptions, interpret, type View } from '../../src/reference/interpret.ts';

const [i, j] = [coord(0), coord(1)];
const f32 = (...shape: number[]): Aval => ({ dtype: 'float32', shape });
const f64 = (...shape: number[]): Aval => ({ dtype: 'float64', shape });
const i32 = (...shape: number[]): Aval => ({ dtype: 'int32', shape });

function kernel(parts: Partial<Kernel>): Kernel {
  return { name: 'test', inputs: [], axes: [], reduceAxes: [], reductions: [], outputs: [], ...parts };
}

function run(parts: Partial<Kernel>, inputs: readonly View[], options?: InterpretOptions): number[][] {
  const checked = kernel(parts);
  checkKernel(checked);
  return interpret(checked, inputs, options).map((output) => [...output]);
}

/** One reduction of all of `values`. */
function reduce(op: Reduction['op'], dtype: DType, values: readonly number[]): number {
  const aval = { dtype, shape: [values.length] };
  const array =
    dtype === 'float64'
      ? Float64Array
      : dtype === 'float32'
        ? Float32Array
        : dtype === 'int32'
          ? Int32Array
          : dtype === 'uint32'
            ? Uint32Array
            : Uint8Array;
  const output = acc(op.startsWith('arg') ? 'int32' : dtype, 0);
  const reductions = [{ op, value: load(0, aval, [i]) }];
  const [[result] = []] = run(
    { inputs: [aval], reduceAxes: [values.length], reductions, outputs: [output] },
    [new array(values)],
  );
  return result as number;
}

describe('elementwise', () => {
  test('outputs share a nest and each has its dtype', () => {
    const x = load(0, f32(2, 2), [i, j]);
    const outputs = [binary('mul', x, x), compare('lt', x, constant('float32', 2.5)), cast('int32', x)];
    const results = interpret(kernel({ inputs: [f32(2, 2)], axes: [2, 2], outputs }), [
      new Float32Array([1, 2, 3, 4]),
    ]);
    expect(results).toEqual([
      new Float32Array([1, 4, 9, 16]),
      new Uint8Array([1, 1, 0, 0]),
      new Int32Array([1, 2, 3, 4]),
    ]);
  });

  test('a scalar is one point', () => {
    expect(
      run({ inputs: [f32()], outputs: [unary('neg', load(0, f32(), []))] }, [new Float32Array([3])]),
    ).toEqual([[-3]]);
  });

  test('an empty axis runs nothing, not even what does not depend on it', () => {
    const outputs = [load(0, f32(0), [constant('int32', 0)])];
    expect(run({ inputs: [f32(0)], axes: [3, 0], outputs }, [new Float32Array(0)])).toEqual([[]]);
  });

  test('float32 is rounded at every operation, unless wide', () => {
    const x = load(0, f32(), []);
    const outputs = [binary('sub', binary('add', x, constant('float32', 1)), x)];
    const parts = { inputs: [f32()], outputs };
    expect(run(parts, [new Float32Array([2 ** 24])])).toEqual([[0]]);
    expect(run(parts, [new Float32Array([2 ** 24])], { wide: true })).toEqual([[1]]);
  });

  test('select picks elementwise, bitcast keeps bits, coord counts', () => {
    const x = load(0, f32(3), [i]);
    const outputs = [
      select(compare('lt', x, constant('float32', 0)), constant('float32', 0), x),
      bitcast('uint32', x),
      i,
    ];
    expect(run({ inputs: [f32(3)], axes: [3], outputs }, [new Float32Array([-1, 1, -0])])).toEqual([
      [0, 1, -0],
      [0xbf800000, 0x3f800000, 0x80000000],
      [0, 1, 2],
    ]);
  });

  test('reads ndarray views of any stride', () => {
    const view = ndarray(new Float64Array([0, 1, 2, 3, 4, 5]), [2, 3])
      .transpose(1, 0)
      .step(-1, 1);
    const parts = { inputs: [f64(3, 2)], axes: [3, 2], outputs: [load(0, f64(3, 2), [i, j])] };
    expect(run(parts, [view])).toEqual([[2, 5, 1, 4, 0, 3]]);
  });

  test('int32 wraps', () => {
    const x = load(0, i32(2), [i]);
    const parts = { inputs: [i32(2)], axes: [2], outputs: [binary('mul', x, x), binary('add', x, x)] };
    expect(run(parts, [new Int32Array([65536, 2 ** 31 - 1])])).toEqual([
      [0, 1],
      [131072, -2],
    ]);
  });

  test('a node that is shared 2^60 times is computed once', () => {
    let x: Expr = constant('float64', 1);
    for (let n = 0; n < 60; n++) x = binary('add', x, x);
    expect(run({ outputs: [x] }, [])).toEqual([[2 ** 60]]);
  });

  test('an expression of 20,000 nodes in a chain does not overflow the stack', () => {
    let x: Expr = load(0, f64(), []);
    for (let n = 0; n < 20_000; n++) x = binary('add', x, constant('float64', 1));
    expect(run({ inputs: [f64()], outputs: [x] }, [new Float64Array(1)])).toEqual([[20_000]]);
  });
});

describe('index arithmetic', () => {
  test('reshape [2,6] -> [3,4] by floorDiv and mod', () => {
    const flat = addExpr(mulIndex(i, 4), j);
    const outputs = [load(0, i32(2, 6), [floorDiv(flat, 6), mod(flat, 6)])];
    const values = Int32Array.from({ length: 12 }, (_, n) => n);
    expect(run({ inputs: [i32(2, 6)], axes: [3, 4], outputs }, [values])).toEqual([[...values]]);
  });

  test('a guarded load is 0 where the guard is false, and is not read there', () => {
    const at = addIndex(i, -1);
    const outputs = [load(0, f32(2), [at], inBounds(at, 2))];
    expect(run({ inputs: [f32(2)], axes: [4], outputs }, [new Float32Array([5, 6])])).toEqual([[0, 5, 6, 0]]);
  });

  test('a guard of a conjunction', () => {
    const guard = allOf([inBounds(i, 2), undefined, compare('eq', mod(i, 2), constant('int32', 0))]);
    const outputs = [load(0, f32(2), [i], guard)];
    expect(run({ inputs: [f32(2)], axes: [3], outputs }, [new Float32Array([5, 6])])).toEqual([[5, 0, 0]]);
  });

  test.each([
    ['above', addIndex(i, 1), 'index 2 on axis 0'],
    ['below', addIndex(i, -1), 'index -1 on axis 0'],
  ])('an unguarded index %s the range names the kernel, the axis and the index', (_, at, message) => {
    const parts = { name: 'shift', inputs: [f32(2)], axes: [2], outputs: [load(0, f32(2), [at])] };
    expect(() => run(parts, [new Float32Array(2)])).toThrow(
      `kernel shift: an unguarded load has ${message} of input 0 f32[2].`,
    );
  });

  test('a guard that lets a bad index through is reported too', () => {
    const outputs = [load(0, f32(2), [i], constant('bool', true))];
    expect(() => run({ inputs: [f32(2)], axes: [3], outputs }, [new Float32Array(2)])).toThrow(
      'the guard lets through index 2',
    );
  });

  test('an input of another size is refused', () => {
    const parts = { inputs: [f32(2)], axes: [2], outputs: [load(0, f32(2), [i])] };
    expect(() => run(parts, [new Float32Array(3)])).toThrow(
      'kernel test: input 0 has 3 elements, not the 2 of [2].',
    );
    expect(() => run(parts, [])).toThrow('kernel test: input 0 is missing.');
  });
});

describe('reductions', () => {
  test.each([
    ['add', 'float32', [], 0],
    ['mul', 'float64', [], 1],
    ['max', 'float32', [], -Infinity],
    ['min', 'float32', [], Infinity],
    ['max', 'int32', [], -(2 ** 31)],
    ['min', 'int32', [], 2 ** 31 - 1],
    ['max', 'uint32', [], 0],
    ['min', 'uint8', [], 255],
    ['max', 'bool', [], 0],
    ['min', 'bool', [], 1],
    ['add', 'float64', [1, 2, 3], 6],
    ['mul', 'float64', [2, 3, 4], 24],
    ['add', 'int32', [2 ** 31 - 1, 1], -(2 ** 31)],
    ['mul', 'int32', [65537, 65537], 131073],
    ['add', 'uint32', [2 ** 32 - 1, 2], 1],
    ['add', 'uint8', [200, 100], 44],
    ['max', 'bool', [0, 1, 0], 1],
    ['min', 'bool', [0, 1, 1], 0],
    ['max', 'float32', [1, NaN, 3], NaN],
    ['min', 'float32', [1, NaN, -3], NaN],
    ['max', 'float64', [-0, 0], 0],
    ['argmax', 'float32', [1, 3, 3, 2], 1],
    ['argmin', 'float32', [4, 1, 3, 1], 1],
    ['argmax', 'float32', [1, NaN, 5, NaN], 1],
    ['argmin', 'float64', [1, NaN, -5], 1],
    ['argmax', 'float32', [NaN], 0],
    ['argmax', 'float32', [-Infinity, -Infinity], 0],
    ['argmin', 'int32', [3, -4, -4], 1],
    ['argmax', 'float32', [-0, 0], 0],
  ] as const)('%s of %s %j is %d', (op, dtype, values, result) => {
    expect(reduce(op, dtype, values)).toBe(result);
  });

  test('argmax of nothing is refused', () => {
    expect(() => reduce('argmax', 'float32', [])).toThrow('argmax over no elements');
    const parts = kernel({
      reduceAxes: [0],
      reductions: [{ op: 'argmax', value: i }],
      outputs: [acc('int32', 0)],
    });
    expect(() => interpret(parts, [])).toThrow('kernel test: argmax over no elements.');
  });

  test('float32 accumulates in float64 and is rounded once', () => {
    expect(reduce('add', 'float32', [2 ** 24, 1, 1])).toBe(2 ** 24 + 2);
    expect(reduce('add', 'float32', [2 ** 24, 1])).toBe(2 ** 24);
  });

  test('an empty reduction does not evaluate what it would fold', () => {
    const reductions: Reduction[] = [{ op: 'add', value: load(0, f32(0, 2), [constant('int32', 0), i]) }];
    const parts = {
      inputs: [f32(0, 2)],
      axes: [2],
      reduceAxes: [0],
      reductions,
      outputs: [acc('float32', 0)],
    };
    expect(run(parts, [new Float32Array(0)])).toEqual([[0, 0]]);
  });

  test('a reduction over no axes folds one point', () => {
    const reductions: Reduction[] = [{ op: 'add', value: load(0, f32(2), [i]) }];
    const parts = { inputs: [f32(2)], axes: [2], reductions, outputs: [acc('float32', 0)] };
    expect(run(parts, [new Float32Array([3, 4])])).toEqual([[3, 4]]);
  });

  test('argmax counts row-major over several reduce axes', () => {
    const reductions: Reduction[] = [{ op: 'argmax', value: load(0, f32(2, 3), [coord(0), coord(1)]) }];
    const parts = { inputs: [f32(2, 3)], reduceAxes: [2, 3], reductions, outputs: [acc('int32', 0)] };
    expect(run(parts, [new Float32Array([0, 1, 2, 3, 9, 5])])).toEqual([[4]]);
  });

  test('matmul with a prologue, two reductions and an epilogue', () => {
    const [r, x, y] = [coord(2), f32(2, 3), f32(3, 2)];
    const product = binary('mul', load(0, x, [i, r]), load(1, y, [r, j]));
    const reductions: Reduction[] = [
      { op: 'add', value: product },
      { op: 'max', value: product },
    ];
    const outputs = [
      binary('add', acc('float32', 0), load(2, f32(2), [j])),
      binary('sub', acc('float32', 0), acc('float32', 1)),
    ];
    const inputs = [x, y, f32(2)];
    const parts = { inputs, axes: [2, 2], reduceAxes: [3], reductions, outputs };
    const values = [
      new Float32Array([1, 2, 3, 4, 5, 6]),
      new Float32Array([1, 0, 0, 1, 1, 1]),
      new Float32Array([10, 20]),
    ];
    expect(run(parts, values)).toEqual([
      [14, 25, 20, 31],
      [1, 2, 4, 5],
    ]);
  });

  test('add agrees with a plain sum', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 })), (values) => {
        expect(reduce('add', 'float64', values)).toBe(values.reduce((sum, x) => sum + x, 0));
      }),
    );
  });
});
