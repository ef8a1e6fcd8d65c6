import {
  acc,
  addExpr,
  addIndex,
  allOf,
  BackendError,
  binary,
  cast,
  constant,
  coord,
  type Expr,
  inBounds,
  type Kernel,
  load,
  mulIndex,
  select,
  unary,
} from '@neumann/core/backend';
import { describe, expect, test } from 'vitest';
import { emit } from '../src/emit/emit.ts';
import { kernel } from './run.ts';

const x = load(0, 'float32', [coord(0)]);

describe('the source', () => {
  test('of a convolution has one const for each node, in the outermost loop where it can be', () => {
    const [row, column] = [1, 2].map((d) => addIndex(addExpr(mulIndex(coord(d), 2), coord(3 + d)), -1));
    if (!row || !column) throw new Error('two spatial axes');
    const image = load(
      0,
      'float32',
      [coord(0), row, column, coord(6)],
      allOf([inBounds(row, 9), inBounds(column, 9)]),
    );
    const weight = load(1, 'float32', [coord(4), coord(5), coord(6), coord(3)]);
    const conv = kernel({
      inputs: [
        { dtype: 'float32', shape: [2, 9, 9, 3] },
        { dtype: 'float32', shape: [3, 3, 3, 8] },
      ],
      axes: [2, 5, 5, 8],
      reduceAxes: [3, 3, 3],
      reductions: [{ op: 'add', value: binary('mul', image, weight) }],
      outputs: [binary('max', acc('float32', 0), constant('float32', 0))],
    });
    expect(emit(conv).source).toMatchInlineSnapshot(`
      "function (in0, in1) {
        let a0 = 0;
        const q1 = Math.floor(this.thread.x / 40);
        const c1 = q1 - Math.floor(q1 / 5) * 5;
        const v1 = c1 * 2;
        const q2 = Math.floor(this.thread.x / 8);
        const c2 = q2 - Math.floor(q2 / 5) * 5;
        const v5 = c2 * 2;
        const c0 = Math.floor(this.thread.x / 200);
        const q3 = this.thread.x;
        const c3 = q3 - Math.floor(q3 / 8) * 8;
        for (let r0 = 0; r0 < 3; r0++) {
          const v2 = v1 + r0;
          const v4 = v2 + (-1);
          const v9 = 0 <= v4 ? 1 : 0;
          const v11 = v4 < 9 ? 1 : 0;
          const v12 = v9 * v11;
          let a0_0 = 0;
          for (let r1 = 0; r1 < 3; r1++) {
            const v6 = v5 + r1;
            const v7 = v6 + (-1);
            const v13 = 0 <= v7 ? 1 : 0;
            const v14 = v7 < 9 ? 1 : 0;
            const v15 = v13 * v14;
            const v16 = v12 * v15;
            let a0_1 = 0;
            for (let r2 = 0; r2 < 3; r2++) {
              const v17 = v16 !== 0 ? in0[v16 !== 0 ? c0 * 243 + v4 * 27 + v7 * 3 + r2 : 0] : 0;
              const v18 = in1[r0 * 72 + r1 * 24 + r2 * 8 + c3];
              const v19 = v17 * v18;
              a0_1 = a0_1 + v19;
            }
            a0_0 = a0_0 + a0_1;
          }
          a0 = a0 + a0_0;
        }
        const v22 = Math.max(a0, 0);
        const result = v22;
        return result;
      }"
    `);
  });

  test('of a quotient is one of floats for floats, on devices too', () => {
    const inputs = [{ dtype: 'float32', shape: [4] }] as const;
    const quotient = kernel({ inputs, axes: [4], outputs: [binary('div', constant('float32', 0.5), x)] });
    for (const dialect of ['exact', 'device'] as const)
      expect(emit(quotient, 0, dialect).source).toContain('= 0.5 / v1;');
  });

  test('for shading languages calls functions once more, callers first, where it is never reached', () => {
    const inputs = [{ dtype: 'float32', shape: [4] }] as const;
    const both = binary('add', unary('expm1', x), unary('tanh', x)); // tanh calls expm1, which calls exp
    const { source, functions } = emit(kernel({ inputs, axes: [4], outputs: [both] }), 0, 'device');
    expect(functions.map((f) => f.source.split('(')[0])).toEqual([
      'function k_scale',
      'function k_exp',
      'function k_expm1',
      'function k_tanh',
    ]);
    expect(source).toContain(
      'if (0 > 1) { const order3 = k_tanh(0); const order2 = k_expm1(0); const order1 = k_exp(0); const order0 = k_scale(0, 0); }',
    );
  });

  test('folds a long axis in blocks, and keeps what is no literal in an array', () => {
    const reductions = [
      { op: 'add', value: x },
      { op: 'max', value: x },
    ] as const;
    const outputs = [binary('add', acc('float32', 0), acc('float32', 1))];
    const parts = {
      inputs: [{ dtype: 'float32', shape: [1000] }] as const,
      reduceAxes: [1000],
      reductions,
      outputs,
    };
    const { source, constants } = emit(kernel(parts));
    expect(source).toMatchInlineSnapshot(`
      "function (in0) {
        let a0 = 0;
        let a1 = this.constants.special[1];
        for (let b0 = 0; b0 < 4; b0++) {
          let a0_0 = 0;
          for (let r0 = 0; r0 < 256; r0++) {
            if ((b0 * 256 + r0) < 1000) {
              const v0 = in0[(b0 * 256 + r0)];
              a0_0 = a0_0 + v0;
              a1 = Math.max(a1, v0);
            }
          }
          a0 = a0 + a0_0;
        }
        const v3 = a0 + a1;
        const result = v3;
        return result;
      }"
    `);
    expect(constants).toEqual({ special: Float32Array.of(Infinity, -Infinity, NaN, -0) });
  });
});

describe('what cannot be exact is refused', () => {
  const pair = [
    { dtype: 'int32', shape: [4] },
    { dtype: 'uint8', shape: [4] },
  ] as const;
  const words = [1, 2].map((value) => cast('uint32', constant('int32', value))) as [Expr, Expr];
  const int = load(0, 'int32', [coord(0)]);
  const refused: [string, Kernel][] = [
    [
      'too much arithmetic of uint32',
      kernel({
        axes: [4],
        outputs: [
          Array.from({ length: 9 }).reduce<Expr>(
            (x) => binary('rem', words[1], binary('add', x, words[0])),
            words[0],
          ),
        ],
      }),
    ],
    ['float64', kernel({ inputs: pair, axes: [4], outputs: [cast('int32', cast('float64', int))] })],
    [
      'the int32 constant 16777217',
      kernel({ inputs: pair, axes: [4], outputs: [binary('min', int, constant('int32', 2 ** 24 + 1))] }),
    ],
  ];
  test.each(refused)('%s', (what, kernel) => {
    expect(() => emit({ ...kernel, name: 'k' })).toThrow(
      new BackendError(
        `gpu: kernel k has ${what}, which this version cannot compute exactly; run it on another backend (devicePut ` +
          `moves tensors).`,
      ),
    );
  });

  test('more elements than a tensor may have, and positions that float32 cannot count', () => {
    const large = { inputs: [{ dtype: 'float32', shape: [9000, 9000] }] as const };
    const corner = load(0, 'float32', [coord(0), coord(0)]);
    const message = (what: string, most = 2 ** 26): string =>
      `gpu: kernel test has ${what} elements, and this backend takes ${most} only; use smaller tensors or another backend.`;
    expect(() => emit(kernel({ ...large, axes: [9], outputs: [corner] }))).toThrow(
      message('an input f32[9000,9000] of 81000000'),
    );
    const many = kernel({ axes: [2 ** 14, 2 ** 13], outputs: [constant('float32', 1)] });
    expect(() => emit(many)).toThrow(message('a result [16384,8192] of 134217728'));
    const value = select(inBounds(coord(1), 3), constant('float32', 1), constant('float32', 0));
    const positions = kernel({
      reduceAxes: [2 ** 13, 2 ** 12],
      reductions: [{ op: 'argmax', value }],
      outputs: [acc('int32', 0)],
    });
    expect(() => emit(positions)).toThrow(message('positions of 33554432', 2 ** 24));
  });
});
