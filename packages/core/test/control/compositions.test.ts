/** A loop whose body holds another transformation, under others: it is what the written-out loop is. */
import { describe, expect, test } from 'vitest';
import {
  add,
  checkpoint,
  cond,
  cos,
  customJvp,
  customVjp,
  exp,
  forLoop,
  grad,
  hessian,
  jacrev,
  jit,
  less,
  multiply,
  psum,
  reference,
  scan,
  setBackend,
  sin,
  square,
  stack,
  sum,
  type Tensor,
  take,
  tensor,
  treeLeaves,
  vmap,
} from '../../src/index.ts';

setBackend(reference());

type Cell = (c: Tensor, row: Tensor, w: Tensor) => Tensor;
type Loss = (x: Tensor, w: Tensor) => Tensor;

const f64 = (values: number[] | number[][]): Tensor => tensor(values, 'float64');
const rows = f64([
  [0.1, 0.2],
  [0.3, -0.4],
  [0.5, 0.6],
]);
const x = f64([0.3, 0.7]);
const w = f64([1.1, 0.9]);

const looped =
  (cell: Cell): Loss =>
  (c0, u) => {
    const [c, ys] = scan(
      (s, row) => {
        const next = cell(s, row, u);
        return [next, multiply(next, row)];
      },
      c0,
      rows,
    );
    return add(sum(c), sum(square(ys)));
  };

const writtenOut =
  (cell: Cell): Loss =>
  (c0, u) => {
    let [c, total] = [c0, sum(multiply(c0, 0))];
    for (let i = 0; i < 3; i++) {
      const row = take(rows, i, { axis: 0 });
      c = cell(c, row, u);
      total = add(total, sum(square(multiply(c, row))));
    }
    return add(sum(c), total);
  };

const base: Cell = (c, row, u) => sin(add(multiply(c, u), row));
const product = customVjp(
  (a: Tensor, b: Tensor) => sin(multiply(a, b)),
  (a: Tensor, b: Tensor): [Tensor, [Tensor, Tensor]] => [sin(multiply(a, b)), [a, b]],
  ([a, b], ct: Tensor): [Tensor, Tensor] => {
    const slope = multiply(ct, cos(multiply(a, b)));
    return [multiply(slope, b), multiply(slope, a)];
  },
);
const exponential = customJvp(
  (a: Tensor) => exp(a),
  ([a], [da]): [Tensor, Tensor] => [exp(a), multiply(da, exp(a))],
);

const cells: Record<string, Cell> = {
  'nothing else': base,
  checkpoint: checkpoint(base),
  jit: jit(base),
  customJvp: (c, row, u) => sin(add(exponential(multiply(c, u)), row)),
  grad: (c, row, u) => grad((q: Tensor) => sum(sin(multiply(q, multiply(u, row)))))(c),
  vmap: (c, row, u) => vmap((a: Tensor, b: Tensor, d: Tensor) => sin(add(multiply(a, b), d)))(c, u, row),
  scan: (c, row, u) => scan((a, b) => [sin(add(multiply(a, b), u)), null], c, stack([row, u, row]))[0],
  cond: (c, row, u) =>
    cond(
      less(sum(row), 0.2),
      (a) => sin(multiply(a, u)),
      (a) => multiply(a, a),
      c,
    ),
  'forLoop that does not run': (c, row, u) => forLoop(0, 0, (_, y) => multiply(y, 2), base(c, row, u)),
};
const reverseOnly: Record<string, Cell> = { customVjp: (c, row, u) => add(product(c, u), row) };

const elements = (tree: unknown): number[] => treeLeaves(tree).flatMap((t) => [...(t as Tensor).dataSync()]);
const both = [stack([x, w]), stack([w, x])] as const;
const gradient = (f: Loss) => grad(f, { argnums: [0, 1] });
const slopeOfSlope = (f: Loss) => grad((a: Tensor) => sum(square(jit(grad(f))(a, w))));

const reverse: Record<string, (f: Loss) => unknown> = {
  value: (f) => f(x, w),
  'jit(f)': (f) => jit(f)(x, w),
  'grad(f)': (f) => gradient(f)(x, w),
  'jit(grad(f))': (f) => jit(gradient(f))(x, w),
  'grad(jit(f))': (f) => gradient(jit(f))(x, w),
  'jit(grad(checkpoint(f)))': (f) => jit(gradient(checkpoint(f)))(x, w),
  'jit(vmap(grad(f)))': (f) => jit(vmap(gradient(f)))(...both),
  'grad of jit(grad(f))': (f) => slopeOfSlope(f)(x),
};
const forward: Record<string, (f: Loss) => unknown> = {
  'hessian(f)': (f) => hessian(f)(x, w),
  'jit(hessian(f))': (f) => jit(hessian(f))(x, w),
  'jacrev(jacrev(f))': (f) => jacrev(jacrev(f))(x, w),
};

describe.each(Object.entries({ ...cells, ...reverseOnly }))('a scan of %s', (name, cell) => {
  const nestings = { ...reverse, ...(name in reverseOnly ? {} : forward) };
  test.each(Object.entries(nestings))('%s', (_, nesting) => {
    const expected = elements(nesting(writtenOut(cell)));
    expect(elements(nesting(looped(cell)))).toEqual(expected.map((v) => expect.closeTo(v, 9) as number));
  });
});

test('a named axis of vmap reaches into loops', () => {
  const f = (c: Tensor): Tensor => scan((s, row) => [add(s, psum(multiply(s, row), 'i')), null], c, rows)[0];
  const plain = (batch: Tensor): Tensor => {
    let s = batch;
    for (let i = 0; i < 3; i++) s = add(s, sum(multiply(s, take(rows, i, { axis: 0 })), { axis: 0 }));
    return s;
  };
  const batch = stack([x, w]);
  expect(elements(jit(vmap(f, { axisName: 'i' }))(batch))).toEqual(
    elements(plain(batch)).map((v) => expect.closeTo(v, 12) as number),
  );
});
