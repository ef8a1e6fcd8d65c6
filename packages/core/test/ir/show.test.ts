import { expect, test } from 'vitest';
import {
  acc,
  addIndex,
  binary,
  bitcast,
  cast,
  compare,
  constant,
  coord,
  inBounds,
  load,
  select,
  unary,
} from '../../src/ir/expr.ts';
import type { Expr, Kernel } from '../../src/ir/kernel.ts';
import type { Plan } from '../../src/ir/plan.ts';
import { showKernel, showPlan } from '../../src/ir/show.ts';

const [i, j] = [coord(0), coord(1)];
const x = load(0, 'float32', [i, j]);

function kernel(parts: Partial<Kernel>): Kernel {
  return { name: 'k', inputs: [], axes: [], reduceAxes: [], reductions: [], outputs: [], ...parts };
}

test('an elementwise kernel', () => {
  const y = binary('add', x, load(1, 'float32', [j]));
  const outputs = [binary('max', y, constant('float32', 0)), compare('lt', constant('float32', 0.1), y)];
  const inputs = [{ dtype: 'float32', shape: [32, 10] } as const, { dtype: 'float32', shape: [10] } as const];
  expect(showKernel(kernel({ name: 'relu', inputs, axes: [32, 10], outputs }))).toMatchInlineSnapshot(`
    "kernel relu [32,10] (f32[32,10], f32[10])
      %0 = in0[i, j] + in1[j]
      out0 f32 = max(%0, 0)
      out1 bool = 0.1 < %0"
  `);
});

test('a reduction with a prologue and an epilogue', () => {
  const value = binary('mul', load(0, 'float32', [i, j]), load(0, 'float32', [i, j]));
  const mean = binary('div', acc('float32', 0), constant('float32', 10));
  const inputs = [{ dtype: 'float32', shape: [32, 10] } as const];
  const reductions = [
    { op: 'add', value },
    { op: 'argmax', value: x },
  ] as const;
  const outputs = [mean, acc('int32', 1)];
  expect(
    showKernel(kernel({ inputs, axes: [32], reduceAxes: [10], reductions, outputs })),
  ).toMatchInlineSnapshot(`
    "kernel k [32] over [10] (f32[32,10])
      acc0 f32 = add in0[i, r] * in0[i, r]
      acc1 i32 = argmax in0[i, r]
      out0 f32 = acc0 / 10
      out1 i32 = acc1"
  `);
});

test('a routine, a guard, and every kind of node', () => {
  const at = addIndex(i, -1);
  const guarded = load(0, 'float32', [at], inBounds(at, 4));
  const bits = bitcast('uint32', guarded);
  const outputs = [
    select(compare('ne', bits, constant('uint32', 7)), cast('float64', guarded), constant('float64', -0)),
  ];
  const routine = { name: 'gather', outer: 1, rows: 4, count: 6, inner: 1 } as const;
  const inputs = [{ dtype: 'float32', shape: [4] } as const];
  expect(showKernel(kernel({ inputs, axes: [6], outputs, routine }))).toMatchInlineSnapshot(`
    "kernel k [6] (f32[4]) as gather
      %0 = i - 1
      %1 = in0[%0 if (0 <= %0) & (%0 < 4)]
      out f64 = select(bits.u32(%1) != 7, f64(%1), -0)"
  `);
});

test('a long expression is broken into lines, and shared nodes are printed once', () => {
  let e: Expr = unary('exp', x);
  for (let n = 0; n < 4; n++) e = binary('add', binary('mul', e, e), constant('float32', n + 0.3));
  let chain: Expr = x;
  for (let n = 0; n < 12; n++) chain = unary('tanh', binary('add', chain, constant('float32', n)));
  expect(showKernel(kernel({ outputs: [e, chain, constant('bool', true)] }))).toMatchInlineSnapshot(`
    "kernel k [] ()
      %0 = in0[r, s]
      %1 = exp(%0)
      %2 = (%1 * %1) + 0.3
      %3 = (%2 * %2) + 1.3
      %4 = (%3 * %3) + 2.3
      %5 = tanh(tanh(tanh(tanh(tanh(tanh(tanh(%0 + 0) + 1) + 2) + 3) + 4) + 5) + 6) + 7
      out0 f32 = (%4 * %4) + 3.3
      out1 f32 = tanh(tanh(tanh(tanh(tanh(%5) + 8) + 9) + 10) + 11)
      out2 bool = true"
  `);
});

test('a plan', () => {
  const copy = kernel({ name: 'copy', outputs: [x] });
  const slot = (place: Parameters<typeof showPlan>[0]['slots'][number]['place']) =>
    ({ dtype: 'float32', size: 8, place }) as const;
  const plan: Plan = {
    slots: [
      slot({ kind: 'input', index: 0 }),
      slot({ kind: 'arena', offset: 64 }),
      slot({ kind: 'output' }),
      slot({ kind: 'donated', index: 0 }),
    ],
    steps: [
      { kind: 'kernel', kernel: copy, inputs: [0], outputs: [1] },
      { kind: 'kernel', kernel: kernel({ name: 'both', outputs: [x, x] }), inputs: [1, 1], outputs: [2, 3] },
    ],
    inputs: [0],
    outputs: [2, 3],
    arenaBytes: 96,
  };
  expect(showPlan(plan)).toMatchInlineSnapshot(`
    "plan (s0 f32[8] = argument 0) arena 96
      s1 f32[8] in arena at 64 = copy(s0)
      s2 f32[8] new, s3 f32[8] in argument 0 = both(s1, s1)
      return s2, s3"
  `);
});
