import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkPlan } from '../../src/ir/checkPlan.ts';
import { planProgram } from '../../src/ir/execute.ts';
import type { Plan } from '../../src/ir/plan.ts';
import { add, elementary, mul } from '../../src/primitives/arithmetic.ts';
import { matmul } from '../../src/primitives/matmul.ts';
import { broadcastTo, transpose } from '../../src/primitives/movement.ts';
import { scalar } from '../../src/primitives/pointwise.ts';
import type { Tensor } from '../../src/tensor.ts';
import { makeProgram } from '../../src/transforms/jit.ts';

const of = (...shape: number[]): Tensor => broadcastTo(scalar(0, 'float32'), shape);
const places = (plan: Plan): string[] =>
  plan.slots.map(({ place }) => ('offset' in place ? `arena ${place.offset}` : place.kind));

/** x -> x², a chain of n products that cannot fuse. */
const chain = (n: number) => (x: Tensor) => {
  let y = x;
  for (let i = 0; i < n; i++) y = matmul(y, y, false, false);
  return y;
};

describe('the arena', () => {
  test('two values of a long chain are alive at a time', () => {
    const plan = planProgram(makeProgram(chain(10), of(16, 16)));
    expect(plan.arenaBytes).toBe(2 * 16 * 16 * 4);
  });

  test('a pointwise result takes the place of an operand that dies there', () => {
    const plan = planProgram(
      makeProgram(
        (x: Tensor) => matmul(elementary.exp(matmul(x, x, false, false)), x, false, false),
        of(4, 4),
      ),
    );
    expect(places(plan).sort()).toEqual(['arena 0', 'arena 0', 'input', 'output']);
  });

  test('no two values that are alive together overlap, whatever the program', () => {
    const operation = fc.tuple(fc.nat(3), fc.nat(20), fc.nat(20));
    fc.assert(
      fc.property(
        fc.array(operation, { minLength: 1, maxLength: 25 }),
        fc.boolean(),
        (operations, donate) => {
          const f = (x: Tensor) => {
            const values = [x];
            for (const [op, a, b] of operations) {
              const [p, q] = [values[a % values.length] as Tensor, values[b % values.length] as Tensor];
              if (op === 0) values.push(add(p, q));
              else if (op === 1) values.push(matmul(p, q, false, false));
              else if (op === 2) values.push(transpose(p, [1, 0]));
              else values.push(mul(elementary.exp(p), q));
            }
            return values.slice(-3);
          };
          const plan = planProgram(makeProgram(f, of(4, 4)), [donate]);
          expect(() => checkPlan(plan)).not.toThrow();
        },
      ),
    );
  });
});

describe('donation', () => {
  test('a result takes the memory of a donated argument of its size', () => {
    const plan = planProgram(
      makeProgram((w: Tensor, g: Tensor) => add(w, g), of(8), of(8)),
      [true, false],
    );
    expect(places(plan)).toEqual(['input', 'input', 'donated']);
  });

  test('not if the argument is read elsewhere than at the point written', () => {
    const plan = planProgram(
      makeProgram((w: Tensor) => transpose(w, [1, 0]), of(4, 4)),
      [true],
    );
    expect(places(plan)).toEqual(['input', 'output']);
  });

  test('not if the argument is read again later', () => {
    const plan = planProgram(
      makeProgram((w: Tensor) => [elementary.exp(w), matmul(w, w, false, false)], of(4, 4)),
      [true],
    );
    expect(places(plan)).toEqual(['input', 'output', 'output']);
  });
});
