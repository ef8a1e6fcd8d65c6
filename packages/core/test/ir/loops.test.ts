/** Plans of loops and branches: their places, their memory, and what the checker refuses. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  add,
  cond,
  forLoop,
  grad,
  less,
  matmul,
  multiply,
  ones,
  scan,
  sin,
  square,
  sum,
  type Tensor,
  tanh,
  tensor,
  whileLoop,
  zeros,
} from '../../src/index.ts';
import { checkPlan } from '../../src/ir/checkPlan.ts';
import { planProgram } from '../../src/ir/execute.ts';
import { planKey } from '../../src/ir/key.ts';
import { type Plan, type Slot, type Step, workSteps } from '../../src/ir/plan.ts';
import { showPlan } from '../../src/ir/show.ts';
import { makeProgram } from '../../src/transforms/jit.ts';
import { aliveAtOnce } from './aliveAtOnce.ts';

const planOf = (
  f: (...xs: Tensor[]) => unknown,
  xs: readonly Tensor[],
  donate: readonly boolean[] = [],
): Plan => {
  const plan = planProgram(makeProgram(f, ...xs), donate);
  checkPlan(plan);
  return plan;
};
const rnn = (x: Tensor, h0: Tensor, u: Tensor): [Tensor, Tensor] =>
  scan(
    (h, row) => {
      const next = tanh(add(row, matmul(h, u)));
      return [next, next];
    },
    h0,
    x,
  );

describe('plans', () => {
  test('rows are read and written where they lie, and the carry is overwritten in place', () => {
    expect(showPlan(planOf(rnn, [ones([5, 2, 4]), ones([2, 4]), ones([4, 4])]))).toMatchInlineSnapshot(`
      "plan (s0 f32[40] = argument 0, s1 f32[8] = argument 1, s2 f32[16] = argument 2) arena 64
        s3 f32[8] new = copy(s1)
        loop 5 (s5 f32[8] = row of s0, s7 f32[8] = row of s4)
          s6 f32[8] in arena at 0 = matmul(s3, s2)
          s3 f32[8] new, s7 f32[8] = row of s4 = add+tanh+copy(s5, s6)
        return s3, s4"
    `);
  });

  test('a donated argument is the carry', () => {
    const plan = planOf((x) => forLoop(0, 9, (i, y) => sin(add(y, i)), x), [ones([8])], [true]);
    expect(showPlan(plan)).toMatchInlineSnapshot(`
      "plan (s0 f32[8] = argument 0) arena 64
        s1 i32[9] in arena at 0 = iota+add()
        s2 f32[8] in argument 0 = copy(s0)
        loop 9 (s3 i32[1] = row of s1)
          s2 f32[8] in argument 0 = convert+add+sin(s2, s3)
        return s2"
    `);
  });

  test('loops in loops, and a branch that keeps the carry, copy nothing', () => {
    const f = (x: Tensor): Tensor =>
      forLoop(
        0,
        9,
        (i, y) =>
          forLoop(
            0,
            3,
            (_, z) =>
              cond(
                less(i, 5),
                (a) => sin(a),
                (a) => a,
                z,
              ),
            y,
          ),
        x,
      );
    expect(showPlan(planOf(f, [ones([8])]))).toMatchInlineSnapshot(`
      "plan (s0 f32[8] = argument 0) arena 128
        s1 i32[9] in arena at 0 = iota+add()
        s2 f32[8] new = copy(s0)
        loop 9 (s3 i32[1] = row of s1)
          loop 3 ()
            s4 i32[1] in arena at 64 = lt+convert(s3)
            branch s4 == 0
            branch s4 == 1
              s2 f32[8] new = sin(s2)
        return s2"
    `);
  });

  test('carries that change places need one copy', () => {
    const f = (x: Tensor): Tensor[] => {
      const { a, b } = forLoop(0, 9, (_, c) => ({ a: c.b, b: sin(c.a) }), { a: x, b: zeros([8]) });
      return [a, b];
    };
    expect(showPlan(planOf(f, [ones([8])]))).toMatchInlineSnapshot(`
      "plan (s0 f32[8] = argument 0) arena 64
        s1 f32[8] new = broadcastTo()
        s2 f32[8] new = copy(s0)
        loop 9 ()
          s3 f32[8] in arena at 0 = copy(s1)
          s1 f32[8] new = sin(s2)
          s2 f32[8] new = copy(s3)
        return s2, s1"
    `);
  });

  test('the condition of a loop is a list of steps', () => {
    const f = (x: Tensor): Tensor =>
      whileLoop(
        (y) => less(sum(y), 9),
        (y) => add(y, 1),
        x,
      );
    expect(showPlan(planOf(f, [ones([8])]))).toMatchInlineSnapshot(`
      "plan (s0 f32[8] = argument 0) arena 64
        s1 f32[8] new = copy(s0)
        while
          s2 bool[1] in arena at 0 = reduceSum+lt(s1)
        do if s2
          s1 f32[8] new = add(s1)
        return s1"
    `);
  });

  test('equal loops have equal keys; another length, direction or branch another one', () => {
    const f = (length: number, reverse: boolean) => (x: Tensor) =>
      scan((c, row) => [add(c, row), multiply(c, row)], tensor(0), multiply(ones([length]), x), { reverse });
    const key = (length: number, reverse: boolean): string =>
      planKey(planOf(f(length, reverse), [tensor(1)]));
    expect(key(3, false)).toBe(key(3, false));
    expect(new Set([key(3, false), key(4, false), key(3, true)]).size).toBe(3);
  });
});

describe('memory', () => {
  const layer = (n: number) => (h: Tensor, u: Tensor) => tanh(matmul(multiply(h, n), u));

  test('the arena is at most 1.15 times what is alive at the same time', () => {
    const shapes = fc.record({
      length: fc.integer({ min: 1, max: 6 }),
      batch: fc.integer({ min: 16, max: 64 }),
      width: fc.integer({ min: 16, max: 64 }),
      depth: fc.integer({ min: 1, max: 4 }),
      inner: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(shapes, ({ length, batch, width, depth, inner }) => {
        const loss = (u: Tensor, x: Tensor): Tensor => {
          const [last, ys] = scan(
            (h, row) => {
              let y = add(h, row);
              for (let d = 0; d < depth; d++) y = layer(d + 1)(y, u);
              return [forLoop(0, inner, (_, z) => layer(3)(z, u), y), y];
            },
            zeros([batch, width]),
            x,
          );
          return add(sum(square(ys)), sum(last));
        };
        const plan = planOf((u, x) => grad(loss)(u, x), [ones([width, width]), ones([length, batch, width])]);
        expect(plan.arenaBytes).toBeLessThanOrEqual(1.15 * aliveAtOnce(plan));
      }),
      { numRuns: 30, seed: 5 },
    );
  });

  test('a longer loop takes no more memory, but for what it returns', () => {
    const bytes = (length: number): number =>
      planOf((x) => forLoop(0, length, (_, y) => layer(1)(y, x), x), [ones([16, 16])]).arenaBytes;
    expect(bytes(1000)).toBe(bytes(2));
  });
});

describe('checkPlan', () => {
  const plan = planOf(rnn, [ones([5, 2, 4]), ones([2, 4]), ones([4, 4])]);
  const at = plan.steps.findIndex((step) => step.kind === 'loop');
  const loop = plan.steps[at] as Extract<Step, { kind: 'loop' }>;
  const withLoop = (change: Partial<typeof loop>): Plan => ({
    ...plan,
    steps: plan.steps.with(at, { ...loop, ...change }),
  });
  const cases: [what: string, plan: Plan, message: string][] = [
    ['a length that the stacks do not have', withLoop({ length: 4 }), 'has no 4 rows of 8'],
    ['a row that is not listed', withLoop({ rows: loop.rows.slice(1) }), 'is read before it is written'],
    ['a slot in rows that is none', withLoop({ rows: [...loop.rows, 0] }), 'slot 0 is input 0, no row'],
    [
      'a body that writes an argument',
      withLoop({
        body: loop.body.map((step) =>
          'outputs' in step ? { ...step, outputs: [1, ...step.outputs.slice(1)] } : step,
        ),
      }),
      'slot 1 is written a second time',
    ],
    [
      'a loop without the copy before it',
      { ...plan, steps: plan.steps.slice(at) },
      'is read before it is written',
    ],
    ['a row that is never written', withLoop({ body: loop.body.slice(0, -1) }), 'is never written'],
  ];
  test.each(cases)('refuses %s', (_, wrong, message) => {
    expect(() => checkPlan(wrong)).toThrow(message);
  });

  test('refuses what a pass needs again in memory that the pass overwrites', () => {
    const f = (x: Tensor, w: Tensor): Tensor => {
      const twice = matmul(w, w);
      return forLoop(0, 3, (_, h) => matmul(matmul(h, twice), twice), matmul(x, x));
    };
    const good = planOf(f, [ones([4, 4]), ones([4, 4])]);
    const arena = good.slots.flatMap(({ place }, i) => (place.kind === 'arena' ? [i] : []));
    const moved = (i: number, to: number): Plan => ({
      ...good,
      slots: good.slots.with(i, { ...(good.slots[i] as Slot), place: (good.slots[to] as Slot).place }),
    });
    const pairs = arena.flatMap((i) => arena.filter((j) => j !== i).map((j) => [i, j] as const));
    const refused = pairs.filter(([i, j]) => {
      try {
        checkPlan(moved(i, j));
        return false;
      } catch {
        return true;
      }
    });
    expect(refused.length).toBe(pairs.length);
  });
});

describe('simplification', () => {
  const names = (plan: Plan): string[] =>
    plan.steps.map((step) =>
      step.kind === 'loop'
        ? `loop(${step.body.map((s) => (s.kind === 'kernel' ? s.kernel.name : s.kind)).join()})`
        : step.kind === 'kernel'
          ? step.kernel.name
          : step.kind,
    );

  test('costly work that is the same in each pass is done before the loop, out of two loops too', () => {
    const f = (x: Tensor, w: Tensor): Tensor =>
      forLoop(0, 9, (_, y) => forLoop(0, 3, (__, z) => add(multiply(z, 2), matmul(w, w)), y), x);
    const plan = planOf(f, [ones([4, 4]), ones([4, 4])]);
    expect(names(plan)).toEqual(['matmul', 'copy', 'loop(loop)']);
    expect(workSteps(plan.steps).map((step) => step.kind === 'kernel' && step.kernel.name)).toEqual([
      'matmul',
      'copy',
      'mul+add',
    ]);
  });

  test('carries and rows that no result needs are not computed', () => {
    const f = (x: Tensor): Tensor =>
      scan(
        (c, row) => [
          { a: add(c.a, row), b: multiply(c.b, sin(row)) },
          { y: multiply(c.a, row), z: tanh(c.b) },
        ],
        { a: tensor(0), b: tensor(1) },
        x,
      )[1].y;
    const plan = planOf(f, [ones([9])]);
    expect(names(plan).at(-1)).not.toContain('tanh');
    expect(
      workSteps(plan.steps).some((step) => step.kind === 'kernel' && /sin|tanh/.test(step.kernel.name)),
    ).toBe(false);
    const g = (x: Tensor): Tensor =>
      whileLoop(
        ({ i }) => less(i, 3),
        ({ i, a, b }) => ({ i: add(i, 1), a: multiply(a, 2), b: sin(b) }),
        { i: 0, a: x, b: x },
      ).a;
    expect(showPlan(planOf(g, [ones([9])]))).not.toContain('sin');
    const h = (x: Tensor): Tensor =>
      cond(
        less(sum(x), 3),
        (y) => [y, sin(y)],
        (y) => [multiply(y, 2), tanh(y)],
        x,
      )[0] as Tensor;
    expect(showPlan(planOf(h, [ones([9])]))).not.toMatch(/sin|tanh/);
  });

  test('equal loops are run once', () => {
    const body = (_: Tensor, y: Tensor): Tensor => sin(y);
    const plan = planOf((x) => [forLoop(0, 3, body, x), multiply(forLoop(0, 3, body, x), 2)], [ones([9])]);
    expect(plan.steps.filter((step) => step.kind === 'loop').length).toBe(1);
  });
});
