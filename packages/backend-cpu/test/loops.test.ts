import {
  add,
  cond,
  conv,
  exp,
  forLoop,
  grad,
  jit,
  less,
  matmul,
  multiply,
  ones,
  reshape,
  scan,
  setBackend,
  sin,
  sum,
  type Tensor,
  tanh,
  tensor,
  zeros,
} from '@neumann/core';
import {
  type Aval,
  addExpr,
  type Buffer,
  checkPlan,
  compare,
  constant,
  coord,
  type Expr,
  type Kernel,
  load,
  type Plan,
  type Step,
} from '@neumann/core/backend';
import { expect, test } from 'vitest';
import { createCpu } from '../src/backend.ts';
import { noLimits } from '../src/emit/cost.ts';
import { cpu } from '../src/index.ts';

const backend = await cpu();
setBackend(backend);

const net = (u: Tensor, x: Tensor): Tensor => {
  const [last, ys] = scan(
    (h, row) => {
      const next = tanh(
        add(
          matmul(h, u),
          cond(
            less(sum(row), 1),
            (r) => r,
            (r) => multiply(r, 2),
            row,
          ),
        ),
      );
      return [next, sin(next)];
    },
    zeros([2, 8]),
    x,
  );
  return add(sum(last), sum(ys));
};

test('a loop in a jitted program allocates nothing while it runs', () => {
  const step = jit(grad(net));
  const [u, x] = [multiply(0.1, ones([8, 8])), ones([50, 2, 8])];
  step(u, x).dataSync();
  const before = backend.memory();
  for (let i = 0; i < 20; i++) step(u, x);
  const after = backend.memory();
  expect([after.regionBytes, after.heapBytes]).toEqual([before.regionBytes, before.heapBytes]);
  // Each call makes one result; the passes of its loops make none.
  expect(after.residentBytes - before.residentBytes).toBeLessThanOrEqual(20 * u.size * 4);
});

test('scratch memory of a step does not lie where a stack is of which a later loop reads rows', () => {
  const f = jit((x: Tensor) => {
    const rows = tanh(exp(x));
    const image = conv(reshape(x, [1, 4, 1]), ones([1, 1, 1]), { padding: 'same' });
    const [, ys] = scan((h: Tensor, row: Tensor) => [add(h, row), multiply(h, row)], sum(tanh(image)), rows);
    return ys;
  });
  const x = [0.1, 0.2, 0.3, 0.4];
  const rows = x.map((value) => Math.tanh(Math.exp(value)));
  let h = x.reduce((total, value) => total + Math.tanh(value), 0);
  const ys = f(tensor(x)).dataSync();
  for (const [i, row] of rows.entries()) {
    expect(ys[i]).toBeCloseTo(h * row, 5);
    h += row;
  }
});

test('a million passes are one call', () => {
  const count = jit((x: Tensor) => forLoop(0, 1_000_000, (i, y) => add(y, less(i, 500_000)), x));
  expect(count(tensor(0, 'int32')).item()).toBe(500_000);
});

test('threads agree on when a loop ends, also where the next step takes the place of its predicate', async () => {
  const n = 64;
  const int = (value: number) => constant('int32', value);
  const view = { shape: [n], dtype: 'int32' } as const;
  const at = load(0, view, [coord(0)]);
  const kernel = (name: string, input: Aval | undefined, axes: number[], output: Expr): Kernel => ({
    name,
    inputs: input ? [input] : [],
    axes,
    reduceAxes: [],
    reductions: [],
    outputs: [output],
  });
  const step = (k: Kernel, inputs: number[], output: number): Step => ({
    kind: 'kernel',
    kernel: k,
    inputs,
    outputs: [output],
  });
  const arena = (offset: number) => ({ kind: 'arena', offset }) as const;
  const plan: Plan = {
    slots: [
      { dtype: 'int32', size: n, place: arena(256) },
      { dtype: 'bool', size: 1, place: arena(0) },
      { dtype: 'int32', size: n, place: arena(0) },
      { dtype: 'int32', size: n, place: { kind: 'output' } },
    ],
    steps: [
      step(kernel('zeros', undefined, [n], int(0)), [], 0),
      {
        kind: 'while',
        condition: [step(kernel('less', view, [], compare('lt', load(0, view, [int(0)]), int(3))), [0], 1)],
        predicate: 1,
        body: [step(kernel('next', view, [n], addExpr(at, int(1))), [0], 0)],
      },
      step(kernel('ones', undefined, [n], int(-1)), [], 2),
      step(kernel('copy', view, [n], at), [0], 3),
    ],
    inputs: [],
    outputs: [3],
    arenaBytes: 512,
  };
  checkPlan(plan);
  const threads = await createCpu({ threads: 2 }, noLimits);
  const executable = threads.compile(plan);
  for (let i = 0; i < 3000; i++) {
    const [y] = executable.run([]) as [Buffer];
    if (i % 100 === 0) expect(threads.downloadSync(y)).toEqual(new Int32Array(n).fill(3));
  }
});
