import { describe, expect, test } from 'vitest';
import type { Aval, Tensor } from '../../src/index.ts';
import { grad, jit, makeProgram, multiply, sum, tensor, vmap } from '../../src/index.ts';
import { checkPlan } from '../../src/ir/checkPlan.ts';
import { planProgram } from '../../src/ir/execute.ts';
import { planKey } from '../../src/ir/key.ts';
import type { Plan } from '../../src/ir/plan.ts';
import { showPlan } from '../../src/ir/show.ts';
import type { Primitive } from '../../src/primitive.ts';
import { add, elementary, mul } from '../../src/primitives/arithmetic.ts';
import { hostPrimitive } from '../../src/primitives/host.ts';
import { broadcastTo, reverse } from '../../src/primitives/movement.ts';
import { scalar } from '../../src/primitives/pointwise.ts';
import { bind, bind1 } from '../../src/trace.ts';

/** Sums of all elements up to each, along the last axis: linear, and its adjoint sums from the other end. */
const runningPrimitive: Primitive = hostPrimitive({
  name: 'running',
  ranks: [1],
  shape: ([x]) => [x as Aval],
  run: ([x = []], [y = []]) => {
    let total = 0;
    for (const [i, value] of [...x].entries()) (y as number[])[i] = total += value;
  },
  jvp: (primals, [dx]) => [bind(runningPrimitive, primals), bind(runningPrimitive, [dx as Tensor])],
  transpose: ([ct]) => {
    const last = [(ct as Tensor).ndim - 1];
    return [reverse(running(reverse(ct as Tensor, last)), last)];
  },
});
const running = (x: Tensor): Tensor => bind1(runningPrimitive, [x]);

const of = (...shape: number[]): Tensor => broadcastTo(scalar(1, 'float32'), shape);

describe('host steps', () => {
  test('run eagerly, staged, batched and differentiated', () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const expected = [
      [1, 3, 6],
      [4, 9, 15],
    ];
    expect(running(x).toArray()).toEqual(expected);
    expect(jit(running)(x).toArray()).toEqual(expected);
    expect(vmap(running)(x).toArray()).toEqual(expected);
    expect(vmap(running, { inAxes: 1 })(x).toArray()).toEqual([
      [1, 5],
      [2, 7],
      [3, 9],
    ]);
    const slope = grad((x: Tensor) => sum(multiply(running(x), x)));
    expect(slope(x).toArray()).toEqual([
      [7, 8, 9],
      [19, 20, 21],
    ]);
    expect(jit(vmap(slope))(x).toArray()).toEqual(slope(x).toArray());
  });

  test('take constants, and no examples at all', () => {
    expect(jit(() => running(broadcastTo(scalar(2, 'float32'), [3])))().toArray()).toEqual([2, 4, 6]);
    expect(running(of(0, 3)).shape).toEqual([0, 3]);
    expect(running(of(2, 0)).toArray()).toEqual([[], []]);
  });

  const f = (x: Tensor): Tensor => elementary.exp(running(mul(add(x, x), x)));

  test('nothing fuses with them, and what they read and write shares no memory', () => {
    const plan = planProgram(makeProgram(f, of(4, 8)), [true]);
    expect(() => checkPlan(plan)).not.toThrow();
    expect(showPlan(plan)).toMatchInlineSnapshot(`
      "plan (s0 f32[32] = argument 0) arena 256
        s1 f32[32] in arena at 0 = add+mul(s0)
        s2 f32[32] in arena at 128 = host running(s1)
        s3 f32[32] in argument 0 = exp(s2)
        return s3"
    `);
  });

  test('their plans are told apart by function, params and shapes', () => {
    const plan = (): Plan => planProgram(makeProgram(f, of(4, 8)));
    const [map, host, exp] = plan().steps;
    if (!map || host?.kind !== 'host' || !exp) throw new Error('unreachable');
    const withHost = (part: Partial<typeof host.host>): Plan => ({
      ...plan(),
      steps: [map, { ...host, host: { ...host.host, ...part } }, exp],
    });
    const keys = [
      plan(),
      withHost({ run: () => undefined }),
      withHost({ params: { last: true } }),
      withHost({ inputs: [{ shape: [32], dtype: 'float32' }] }),
    ].map(planKey);
    expect(new Set(keys).size).toBe(4);
    expect(planKey(withHost({ name: 'other' }))).toBe(keys[0]);
  });

  test('plans in which they overwrite what they read, or that give them other operands, are refused', () => {
    const [s0, s1] = [{ kind: 'input', index: 0 } as const, { kind: 'donated', index: 0 } as const];
    const [step] = planProgram(makeProgram(running, of(8))).steps;
    const plan = (size: number, place: Plan['slots'][number]['place']): Plan => ({
      slots: [
        { dtype: 'float32', size, place: s0 },
        { dtype: 'float32', size, place },
      ],
      steps: step ? [step] : [],
      inputs: [0],
      outputs: [1],
      arenaBytes: 0,
    });
    expect(() => checkPlan(plan(8, { kind: 'output' }))).not.toThrow();
    expect(() => checkPlan(plan(8, s1))).toThrow(
      'plan: slots 0 and 1 share memory (input 0, donated 0) while both are needed at step 0 (running).',
    );
    expect(() => checkPlan(plan(9, { kind: 'output' }))).toThrow(
      'plan: step 0 (running) input 0: slot 0 holds 9 of float32, but the host routine has f32[8].',
    );
  });
});
