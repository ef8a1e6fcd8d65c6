/** What the laws do not say of loops: forward mode, traced bounds, what is compiled how often, and wrong calls. */
import { describe, expect, test } from 'vitest';
import {
  add,
  astype,
  type Backend,
  cond,
  divide,
  forLoop,
  grad,
  greater,
  jit,
  jvp,
  less,
  matmul,
  multiply,
  ones,
  reference,
  scan,
  setBackend,
  sin,
  square,
  stopGradient,
  subtract,
  sum,
  type Tensor,
  tanh,
  tensor,
  vjp,
  vmap,
  whileLoop,
  zeros,
} from '../../src/index.ts';

/** The reference, which counts what it compiles and runs. */
function counting(): { backend: Backend; counts: { compiled: number; run: number } } {
  const inner = reference();
  const counts = { compiled: 0, run: 0 };
  const backend: Backend = {
    ...inner,
    compile: (plan) => {
      counts.compiled++;
      const executable = inner.compile(plan);
      return {
        run: (inputs) => {
          counts.run++;
          return executable.run(inputs);
        },
      };
    },
  };
  return { backend, counts };
}
const { backend, counts } = counting();
setBackend(backend);

const power = (x: Tensor): Tensor =>
  whileLoop(
    (y) => less(y, 10),
    (y) => multiply(y, x),
    x,
  );

describe('whileLoop', () => {
  test('has forward derivatives to any order', () => {
    const slope = (x: Tensor): Tensor => jvp(power, [x], [tensor(1)])[1];
    expect(power(tensor(2)).item()).toBe(16); // x⁴
    expect(slope(tensor(2)).item()).toBe(32);
    expect(jvp(slope, [tensor(2)], [tensor(1)])[1].item()).toBe(48);
    expect(jit(slope)(tensor(2)).item()).toBe(32);
  });

  test('in a batch, each example keeps what it ended with', () => {
    const xs = tensor([2, 3, 5, 11]);
    expect(vmap(power)(xs).toArray()).toEqual([16, 27, 25, 11]);
    const slopes = vmap((x: Tensor) => jvp(power, [x], [tensor(1)])[1]);
    expect(jit(slopes)(xs).toArray()).toEqual([32, 27, 10, 1]);
  });

  test('in reverse mode says what to use instead; as a constant it is no obstacle', () => {
    const message =
      'whileLoop (or forLoop with a tensor for a bound): has no reverse-mode derivative, because it would have to store ' +
      'each of a number of passes that is not known before; use scan(), or forLoop() with numbers for its bounds, ' +
      'or forward mode (jvp, jacfwd).';
    expect(() => grad(power)(tensor(2))).toThrow(message);
    expect(() => vjp(power, tensor(2))[1](tensor(1))).toThrow(message);
    const traced = (x: Tensor): Tensor => forLoop(0, tensor(3, 'int32'), (_, y) => multiply(y, x), x);
    expect(() => jit(grad(traced))(tensor(2))).toThrow(message);
    expect(grad((x: Tensor) => multiply(x, stopGradient(power(x))))(tensor(2)).item()).toBe(16);
  });

  test('finds the square root of 2 by the iteration of Newton', () => {
    const { x, steps } = whileLoop(
      ({ x }) => greater(square(subtract(square(x), 2)), 1e-12),
      ({ x, steps }) => ({ x: divide(add(x, divide(2, x)), 2), steps: add(steps, 1) }),
      { x: 1, steps: 0 },
    );
    expect(x.item()).toBeCloseTo(Math.SQRT2, 6);
    expect(steps.item()).toBeLessThan(6);
  });
});

describe('forLoop', () => {
  test('takes traced bounds, also under jit, vmap and forward mode', () => {
    const f = jit((n: Tensor, x: Tensor) => forLoop(1, n, (i, y) => multiply(y, add(x, i)), x));
    expect(f(tensor(3, 'int32'), tensor(2)).item()).toBe(2 * 3 * 4);
    expect(f(tensor(-5, 'int32'), tensor(2)).item()).toBe(2);
    expect(f.stats.compilations).toBe(1);
    expect(vmap(f)(tensor([1, 2, 4], 'int32'), tensor([2, 2, 1])).toArray()).toEqual([2, 6, 24]);
    const [, dy] = jvp((x: Tensor) => f(tensor(3, 'int32'), x), [tensor(2)], [tensor(1)]);
    expect(dy.item()).toBe(3 * 4 + 2 * 4 + 2 * 3);
  });

  test('a JavaScript number among the carries takes the dtype that the body gives it', () => {
    const half = tensor(0.5, 'float64');
    expect(forLoop(0, 3, (_, s) => add(s, half), 0).dtype).toBe('float64');
    expect(forLoop(0, 3, (i) => i, 0).dtype).toBe('int32');
    expect(forLoop(0, 0, (_, s) => add(s, half), 0).dtype).toBe('float64');
  });
});

describe('scan', () => {
  interface Cell {
    readonly w: Tensor;
    readonly u: Tensor;
  }
  const cell: Cell = { w: multiply(0.1, ones([3, 4])), u: multiply(0.2, ones([4, 4])) };
  const xs = ones([6, 2, 3]);
  const loss = ({ w, u }: Cell, x: Tensor): Tensor => {
    const [last, hs] = scan(
      (h, row) => {
        const next = tanh(add(matmul(row, w), matmul(h, u)));
        return [next, next];
      },
      zeros([2, 4]),
      x,
    );
    return add(sum(square(hs)), sum(last));
  };

  test('a recurrent net of many steps is one call, forward and backward', () => {
    const step = jit(grad(loss));
    step(cell, xs);
    counts.run = 0;
    const gradient = step(cell, xs);
    expect([counts.run, gradient.u.shape]).toEqual([1, [4, 4]]);
    const long = jit((x: Tensor) => scan((s, row) => [add(s, row), null], 0, x)[0]);
    const many = ones([1000]);
    counts.run = 0;
    expect(long(many).item()).toBe(1000);
    expect(counts.run).toBe(1);
  });

  test('outside of jit, the same body in a new function compiles nothing', () => {
    const once = (a: number): number => grad(loss)(cell, multiply(xs, a)).w.size;
    once(1);
    counts.compiled = 0;
    once(2);
    once(3);
    expect(counts.compiled).toBe(0);
  });

  test('goes through rows of what is traced, and captures what is traced', () => {
    const f = (x: Tensor, w: Tensor): Tensor =>
      sum(scan((c, row) => [multiply(c, w), multiply(c, row)], x, xs)[1]);
    const both = jit(vmap(grad(f, { argnums: [0, 1] })));
    const [dx, dw] = both(tensor([1, 2]), tensor([0.5, 2]));
    const s = (w: number): number => [0, 1, 2, 3, 4, 5].reduce((n, i) => n + 6 * w ** i, 0);
    expect(dx.toArray()).toEqual([s(0.5), s(2)]);
    const slope = (w: number): number => [1, 2, 3, 4, 5].reduce((n, i) => n + 6 * i * w ** (i - 1), 0);
    expect(dw.toArray()).toEqual([slope(0.5), 2 * slope(2)]);
  });

  test('third derivatives and Hessian products through it agree with those of the written-out loop', () => {
    const looped = (x: Tensor): Tensor => forLoop(0, 3, (i, s) => sin(multiply(s, add(x, i))), x);
    const plain = (x: Tensor): Tensor => [0, 1, 2].reduce((s: Tensor, i) => sin(multiply(s, add(x, i))), x);
    const x = tensor(0.7, 'float64');
    const third = (f: (x: Tensor) => Tensor): number => jit(grad(grad(grad(f))))(x).item();
    expect(third(looped)).toBeCloseTo(third(plain), 10);
    const hvp = (f: (x: Tensor) => Tensor): number[] => [
      ...vmap((v: Tensor) => jvp(grad(f), [x], [v])[1])(tensor([1, -2], 'float64')).dataSync(),
    ];
    expect(hvp(looped)).toEqual(hvp(plain).map((v) => expect.closeTo(v, 10) as number));
  });

  test('what the reverse loop needs of each pass is stacked, what is the same in each is not', () => {
    const shapes: string[] = [];
    const spy: Backend = {
      ...backend,
      compile: (plan) => {
        shapes.push(...plan.slots.map(({ size }) => String(size)));
        return backend.compile(plan);
      },
    };
    setBackend(spy);
    const w = ones([5, 5]);
    const f = (x: Tensor): Tensor => sum(forLoop(0, 7, (_, h) => matmul(h, w), x));
    expect(grad(f)(ones([5, 5])).shape).toEqual([5, 5]);
    setBackend(backend);
    expect(shapes).not.toContain(String(7 * 25));
  });
});

describe('wrong calls', () => {
  const cases: [what: string, call: () => unknown, message: string][] = [
    [
      'a carry that becomes float',
      () => scan((c, x) => [multiply(c, x), null], tensor(1, 'int32'), ones([3])),
      "scan: carry must keep its shape and dtype, but is i32[] at first and f32[] after one pass; begin with float32, as in tensor(0, 'float32'), or convert in the body with astype(…, 'int32').",
    ],
    [
      'a carry that grows',
      () =>
        forLoop(0, 2, (_, c) => ({ params: { w: add(c.params.w, ones([2])) } }), {
          params: { w: tensor(0) },
        }),
      'forLoop: carry.params.w must keep its shape and dtype, but is f32[] at first and f32[2] after one pass; begin with the shape that the body returns.',
    ],
    [
      'a carry of another structure',
      () => scan((c, x) => [add(c.w, x) as never, null], { w: tensor(0) }, ones([3])),
      'scan: the initial carry and the carry that the body returns must have the same structure, but at (root) the initial carry has an object and the carry that the body returns has a leaf.',
    ],
    [
      'a body that returns no pair',
      () => scan((c, x) => add(c, x) as never, 0, ones([3])),
      'scan: the body must return [carry, y], but returned f32[]; y may be null.',
    ],
    [
      'a body that returns nothing',
      () => forLoop(0, 3, (() => undefined) as never, 0),
      'forLoop: the body returned nothing; return the next carry.',
    ],
    [
      'an asynchronous body',
      () => whileLoop(() => true, (async (x: Tensor) => x) as never, tensor(0)),
      'whileLoop: the function returned a promise, but traced functions are synchronous; await data before the call and pass it in.',
    ],
    [
      'a JavaScript condition on a traced value',
      () => forLoop(0, 3, (i, x) => (Number(i) > 1 ? x : add(x, 1)), tensor(0)),
      'forLoop: conversion to a number needs a value, but i32[] is being traced; return it from the function and read it there, or use where(), cond() or whileLoop() in place of a JavaScript condition.',
    ],
    [
      'a condition that is a number',
      () =>
        whileLoop(
          (x) => subtract(x, 1),
          (x) => x,
          tensor(0),
        ),
      'whileLoop: the condition must be a bool scalar, but is f32[]; compare it, as in less(x, y) or notEqual(x, 0).',
    ],
    [
      'a condition for each element',
      () =>
        whileLoop(
          (x) => less(x, 1),
          (x) => add(x, 1),
          zeros([2]),
        ),
      'whileLoop: the condition must be a bool scalar, but is bool[2]; reduce it with all() or any().',
    ],
    [
      'stacks of different lengths',
      () => scan((c) => [c, null], 0, { a: ones([3]), b: ones([4, 2]) }),
      'scan: all xs must have as many rows as xs.a, 3, but xs.b is f32[4,2].',
    ],
    [
      'a scalar among the stacks',
      () => scan((c) => [c, null], 0, { a: ones([3]), b: 1 }),
      'scan: goes through the first axis of xs, but xs.b is f32[]; use it inside the body, or repeat it with broadcastTo().',
    ],
    [
      'no stack and no length',
      () => scan((c) => [c, null], 0, null),
      'scan: needs xs with at least one leaf, or { length }.',
    ],
    [
      'another length than that of the stacks',
      () => scan((c) => [c, null], 0, ones([3]), { length: 4 }),
      'scan: all xs must have length rows, 4, but xs is f32[3].',
    ],
    [
      'a bound that is no integer',
      () => forLoop(0, tensor(2.5), (_, x) => x, 0),
      "forLoop: upper must be an integer or an int32 scalar, but is f32[]; convert it with astype(…, 'int32').",
    ],
    [
      'no function',
      () => forLoop(0, 3, tensor(1) as never, 0),
      'forLoop: the body must be a function, but is f32[].',
    ],
  ];
  test.each(cases)('%s', (_, call, message) => {
    expect(call).toThrow(message);
  });

  test('a value of the body that is kept outside', () => {
    const kept: Tensor[] = [];
    forLoop(0, 3, (_, x) => kept.push(x) && x, tensor(0));
    expect(() => add(kept[0] as Tensor, 1)).toThrow(
      'forLoop: a traced value f32[] was used after its function had returned',
    );
  });

  test('branches in loops of jitted functions in loops', () => {
    const inner = jit((x: Tensor, i: Tensor) =>
      cond(
        less(i, 2),
        (y) => add(y, 1),
        (y) => multiply(y, 2),
        x,
      ),
    );
    const f = (x: Tensor): Tensor => forLoop(0, 4, (i, y) => inner(y, i), x);
    expect(f(tensor(1)).item()).toBe(12);
    expect([grad(f)(tensor(1)).item(), jit(grad(f))(tensor(1)).item()]).toEqual([4, 4]);
    expect(astype(f(tensor(1)), 'int32').item()).toBe(12);
  });
});
