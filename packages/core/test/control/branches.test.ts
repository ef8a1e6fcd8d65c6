import { describe, expect, test } from 'vitest';
import {
  add,
  cond,
  divide,
  forLoop,
  grad,
  jit,
  less,
  log,
  multiply,
  reference,
  setBackend,
  sin,
  sqrt,
  switchCase,
  type Tensor,
  tensor,
  vmap,
} from '../../src/index.ts';

setBackend(reference());

/** Endless unless the other branch runs. */
const forever = (x: Tensor): Tensor => forLoop(0, tensor(2 ** 31 - 1, 'int32'), (_, y) => y, x);

describe('cond', () => {
  test('runs one branch only', () => {
    const f = jit((x: Tensor) =>
      cond(
        less(x, 10),
        (y) => add(y, 1),
        (y) => add(forever(y), 0),
        x,
      ),
    );
    expect(f(tensor(1)).item()).toBe(2);
  });

  test('the branch that does not run leaves no NaN in the gradient', () => {
    const f = (x: Tensor): Tensor =>
      cond(
        less(x, 0),
        () => tensor(0),
        (y) => sqrt(y),
        x,
      );
    expect(grad(f)(tensor(-1)).item()).toBe(0);
    expect(jit(grad(f))(tensor(4)).item()).toBe(0.25);
  });

  test('values that only one branch keeps for the derivative take no part in the other', () => {
    const f = (x: Tensor): Tensor =>
      cond(
        less(x, 1),
        (y) => sin(multiply(y, y)),
        (y) => multiply(log(y), divide(1, y)),
        x,
      );
    const at = (x: number): number => jit(grad(f))(tensor(x, 'float64')).item();
    expect(at(0.5)).toBeCloseTo(Math.cos(0.25), 12);
    expect(at(2)).toBeCloseTo((1 - Math.log(2)) / 4, 12);
    expect(vmap(grad(f))(tensor([0.5, 2], 'float64')).toArray()).toEqual([
      expect.closeTo(Math.cos(0.25), 12),
      expect.closeTo((1 - Math.log(2)) / 4, 12),
    ]);
  });
});

describe('switchCase', () => {
  test('an index out of range takes the nearest branch', () => {
    const f = (i: Tensor): Tensor => switchCase(i, [() => 10, () => 20, () => 30]);
    expect([-7, 0, 1, 2, 99].map((i) => f(tensor(i, 'int32')).item())).toEqual([10, 10, 20, 30, 30]);
    expect(vmap(f)(tensor([-7, 1, 99], 'int32')).toArray()).toEqual([10, 20, 30]);
  });
});

describe('wrong calls', () => {
  const cases: [what: string, call: () => unknown, message: string][] = [
    [
      'a number for a predicate',
      () =>
        cond(
          1,
          () => 1,
          () => 2,
        ),
      'cond: the predicate must be a bool scalar, but is 1.',
    ],
    [
      'a predicate for each element',
      () =>
        cond(
          tensor([true, false]),
          () => 1,
          () => 2,
        ),
      'cond: the predicate must be a bool scalar, but is bool[2]; reduce it with all() or any().',
    ],
    [
      'results of different shapes',
      () =>
        cond(
          true,
          () => ({ a: tensor(1) }),
          () => ({ a: tensor([2]) }),
        ),
      'cond: result a must be the same in all branches, but is f32[1] in onFalse and f32[] in onTrue; broadcast or reshape one of them.',
    ],
    [
      'results of different dtypes',
      () => switchCase(0, [() => tensor(1), () => tensor(1, 'int32')]),
      'switchCase: the result must be the same in all branches, but is f32[] in branch 0 and i32[] in branch 1; convert one with astype().',
    ],
    [
      'results of different structures',
      () =>
        cond(
          true,
          () => ({ a: tensor(1) }),
          () => ({ b: tensor(2) }) as never,
        ),
      'cond: the result of onFalse and that of onTrue must have the same structure, but at (root) the result of onFalse has keys {b} and that of onTrue has keys {a}.',
    ],
    [
      'a bool for an index',
      () => switchCase(true, [() => 1, () => 2]),
      'switchCase: the index must be an int32 scalar, but is true.',
    ],
    [
      'a float for an index',
      () => switchCase(tensor(1), [() => 1, () => 2]),
      "switchCase: the index must be an int32 scalar, but is f32[]; convert it with astype(…, 'int32'), or use cond() for a bool.",
    ],
    [
      'no branch',
      () => switchCase(0, []),
      'switchCase: branches must be an array of functions, but is an array of 0.',
    ],
    [
      'a value for a branch',
      () => cond(true, 1 as never, () => 2),
      'cond: onTrue must be a function, but is 1.',
    ],
    [
      'an asynchronous branch',
      () =>
        cond(
          true,
          async () => tensor(1),
          async () => tensor(2),
        ),
      'cond: the function returned a promise, but traced functions are synchronous; await data before the call and pass it in.',
    ],
  ];
  test.each(cases)('%s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});
