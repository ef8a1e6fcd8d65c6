/** Transformations of functions, nested in every order: examples with known answers, and errors by their text. */
import { checkGradients } from '@neumann/testing';
import { describe, expect, test } from 'vitest';
import {
  abs,
  add,
  cos,
  DonatedError,
  erf,
  exp,
  grad,
  jit,
  jvp,
  linearize,
  log,
  makeProgram,
  matmul,
  maximum,
  multiply,
  ones,
  power,
  reference,
  setBackend,
  sigmoid,
  sin,
  square,
  stopGradient,
  subtract,
  sum,
  type Tensor,
  TracerError,
  tanh,
  tensor,
  valueAndGrad,
  vjp,
  vmap,
  where,
} from '../../src/index.ts';

setBackend(reference());

const f64 = (...values: number[]): Tensor => tensor(Float64Array.from(values));
const scalar64 = (value: number): Tensor => tensor(value, 'float64');
const cube = (x: Tensor): Tensor => multiply(x, multiply(x, x));

describe('perturbation confusion', () => {
  // d/dx (x · d/dy (x + y)) is 1 · d/dy (x + y) + x · 0 = 1; a tangent of x taken for one of y gives 2.
  const x = scalar64(1);

  test('in reverse over reverse', () => {
    expect(grad((a: Tensor) => multiply(a, grad((y: Tensor) => add(a, y))(scalar64(1))))(x).item()).toBe(1);
  });

  test('in forward over forward', () => {
    const one = scalar64(1);
    const inner = (a: Tensor): Tensor => jvp((y: Tensor) => add(a, y), [one], [one])[1];
    expect(jvp((a: Tensor) => multiply(a, inner(a)), [x], [one])[1].item()).toBe(1);
  });

  test('in forward over reverse, reverse over forward, and under jit', () => {
    const one = scalar64(1);
    const pulled = (a: Tensor): Tensor => grad((y: Tensor) => add(a, y))(one);
    const pushed = (a: Tensor): Tensor => jvp((y: Tensor) => add(a, y), [one], [one])[1];
    expect(jvp((a: Tensor) => multiply(a, pulled(a)), [x], [one])[1].item()).toBe(1);
    expect(grad((a: Tensor) => multiply(a, pushed(a)))(x).item()).toBe(1);
    expect(jit(grad((a: Tensor) => multiply(a, jit(pulled)(a))))(x).item()).toBe(1);
  });

  test('a product of inner and outer variables has both its derivatives', () => {
    // d/dx (x · d/dy (x y²) at y = 3) = d/dx (6 x²) = 12 x
    const inner = (a: Tensor): Tensor => grad((y: Tensor) => multiply(a, square(y)))(scalar64(3));
    expect(grad((a: Tensor) => multiply(a, inner(a)))(scalar64(2)).item()).toBe(24);
  });
});

describe('higher derivatives', () => {
  test('the third derivative of x⁴ is 24 x, by every order of modes', () => {
    const f = (x: Tensor): Tensor => multiply(cube(x), x);
    const forward =
      (g: (x: Tensor) => Tensor) =>
      (x: Tensor): Tensor =>
        jvp(g, [x], [scalar64(1)])[1];
    const modes = [forward, (g: (x: Tensor) => Tensor) => grad(g)];
    for (const a of modes)
      for (const b of modes) for (const c of modes) expect(a(b(c(f)))(scalar64(2)).item()).toBe(48);
  });

  test('third derivatives of smooth functions are those of finite differences', () => {
    for (const f of [sin, cos, exp, tanh, sigmoid, erf, cube])
      checkGradients(f, [f64(0.3, -0.8)], { order: 3 });
    checkGradients(log, [f64(0.7, 2)], { order: 3 });
    checkGradients((x: Tensor) => power(x, 3.5), [f64(0.7, 2)], { order: 3 });
  });

  test('the Hessian of a quadratic form is its matrix, forward over reverse and reverse over forward', () => {
    const a = tensor(
      [
        [2, 1],
        [1, 3],
      ],
      'float64',
    );
    const f = (x: Tensor): Tensor => multiply(0.5, sum(multiply(x, matmul(a, x))));
    const rows = tensor(
      [
        [1, 0],
        [0, 1],
      ],
      'float64',
    );
    const forwardOverReverse = vmap((v: Tensor) => jvp(grad(f), [f64(5, -1)], [v])[1])(rows);
    const reverseOverForward = vmap((v: Tensor) => grad((x: Tensor) => jvp(f, [x], [v])[1])(f64(5, -1)))(
      rows,
    );
    expect(forwardOverReverse.toArray()).toEqual([
      [2, 1],
      [1, 3],
    ]);
    expect(reverseOverForward.toArray()).toEqual([
      [2, 1],
      [1, 3],
    ]);
  });
});

describe('transformations of functions that use outer values', () => {
  test('vmap inside of grad: per-example weights share one parameter', () => {
    const xs = f64(1, 2, 3);
    const loss = (w: Tensor): Tensor => sum(vmap((x: Tensor) => multiply(w, square(x)))(xs));
    expect(grad(loss)(scalar64(2)).item()).toBe(14);
  });

  test('jit inside of vmap and grad captures tracers, and is traced anew for each', () => {
    const scaled = (k: Tensor): Tensor => jit((x: Tensor) => multiply(k, x))(scalar64(3));
    expect(grad(scaled)(scalar64(2)).item()).toBe(3);
    expect(vmap(scaled)(f64(1, 2)).toArray()).toEqual([3, 6]);
    expect(jit(grad(scaled))(scalar64(2)).item()).toBe(3);
  });

  test('one jitted function serves eager calls, grad, vmap and another jit', () => {
    const f = jit((x: Tensor) => sum(multiply(x, sin(x))));
    const x = f64(1, 2);
    const eager = (t: Tensor): Tensor => sum(multiply(t, sin(t)));
    expect(f(x).item()).toBe(eager(x).item());
    expect(grad(f)(x).toArray()).toEqual(grad(eager)(x).toArray());
    expect(vmap(f)(x).toArray()).toEqual(vmap(eager)(x).toArray());
    expect(jit(f)(x).item()).toBe(eager(x).item());
    // The shapes [2] and, within vmap, [].
    expect(f.stats.compilations).toBe(2);
  });

  test('vmap of vmap maps both axes', () => {
    const outer = vmap((a: Tensor) => vmap((b: Tensor) => subtract(a, b))(f64(1, 2, 3)));
    expect(outer(f64(10, 20)).toArray()).toEqual([
      [9, 8, 7],
      [19, 18, 17],
    ]);
  });

  test('what does not depend on the argument has derivative zero', () => {
    expect(grad((_x: Tensor) => scalar64(3))(f64(1, 2)).toArray()).toEqual([0, 0]);
    expect(jvp((_x: Tensor) => scalar64(3), [scalar64(1)], [scalar64(1)])[1].item()).toBe(0);
    const [, back] = vjp((x: Tensor, _y: Tensor) => multiply(x, 2), scalar64(1), f64(1, 2));
    expect(back(scalar64(1)).map((t) => t.toArray())).toEqual([2, [0, 0]]);
  });

  test('stopGradient is a constant to every derivative, under every transformation', () => {
    const f = (x: Tensor): Tensor => multiply(stopGradient(square(x)), x);
    const x = scalar64(3);
    expect(grad(f)(x).item()).toBe(9);
    expect(jit(grad(f))(x).item()).toBe(9);
    expect(grad(jit(f))(x).item()).toBe(9);
    expect(grad(grad(f))(x).item()).toBe(0);
    expect(vmap(grad(f))(f64(1, 2)).toArray()).toEqual([1, 4]);
  });

  test('linearize evaluates the function once, and its map many times', () => {
    let calls = 0;
    const [y, df] = linearize((x: Tensor) => {
      calls++;
      return square(x);
    }, scalar64(3));
    expect([y.item(), df(scalar64(1)).item(), df(scalar64(2)).item(), calls]).toEqual([9, 6, 12, 1]);
  });
});

describe('derivatives at special points', () => {
  test('max and min share the derivative of a tie', () => {
    expect(grad((x: Tensor) => maximum(x, 0))(scalar64(0)).item()).toBe(0.5);
    const [, back] = vjp((x: Tensor, y: Tensor) => maximum(x, y), scalar64(2), scalar64(2));
    expect(back(scalar64(1)).map((t) => t.item())).toEqual([0.5, 0.5]);
  });

  test('|x| has derivative 0 at 0', () => {
    expect(grad(abs)(scalar64(0)).item()).toBe(0);
  });

  test('powers at base 0 have the derivatives of the polynomials', () => {
    const slope = (n: number): number => grad((x: Tensor) => power(x, scalar64(n)))(scalar64(0)).item();
    expect([0, 1, 2, 3].map(slope)).toEqual([0, 1, 0, 0]);
    expect(grad((y: Tensor) => power(scalar64(0), y))(scalar64(2)).item()).toBe(0);
  });

  test('the exponent 0 is nothing special: d²/dx dy x^y is 1/x there', () => {
    const slope = (x: Tensor, y: Tensor): Tensor => grad(power as (x: Tensor, y: Tensor) => Tensor)(x, y);
    expect(grad(slope, { argnums: 1 })(scalar64(0.25), scalar64(0)).item()).toBe(4);
  });

  test('a guarded function has the derivative of the branch that is taken', () => {
    const safeLog = (x: Tensor): Tensor => where(multiply(x, 0), 0, log(where(x, x, 1)));
    expect(grad(safeLog)(scalar64(2)).item()).toBe(0.5);
    expect(grad(safeLog)(scalar64(0)).item()).toBe(0);
  });
});

describe('errors', () => {
  test('reading a traced value says what to do instead', () => {
    const reads = (x: Tensor): Tensor => (x.dataSync()[0] ? x : x);
    expect(() => jit(reads)(1)).toThrow(TracerError);
    expect(() => jit(reads)(1)).toThrow(
      'jit(reads): dataSync() needs a value, but f32[] is being traced; ' +
        'return it from the function and read it there, or use where(), cond() or whileLoop() in place of a JavaScript condition.',
    );
    expect(() => grad(reads)(scalar64(1))).toThrow(
      'grad: dataSync() needs a value, but f64[] is being traced',
    );
    expect(() => vmap(reads)(ones([2, 3]))).toThrow(
      'vmap: dataSync() needs a value, but f32[3] is being traced',
    );
    expect(() => makeProgram(reads, 1)).toThrow('dataSync() needs a value');
  });

  test('data() of a traced value is refused too', async () => {
    let leaked: Promise<unknown> | undefined;
    jit((x: Tensor) => {
      leaked = x.data();
      return x;
    })(1);
    await expect(leaked).rejects.toThrow('jit: data() needs a value, but f32[] is being traced');
  });

  test('a traced value is no number and no condition', () => {
    expect(() => grad((x: Tensor) => (Number(x) > 0 ? x : multiply(x, 2)))(scalar64(1))).toThrow(
      'grad: conversion to a number needs a value, but f64[] is being traced',
    );
    expect(() => jit((x: Tensor) => add(x, x.item()))(1)).toThrow('jit: dataSync() needs a value');
  });

  test('a promise is refused', () => {
    // biome-ignore lint/suspicious/noExplicitAny: a wrong use, on purpose
    const asynchronous = (async (x: Tensor) => x) as any;
    const text =
      'the function returned a promise, but traced functions are synchronous; await data before the call and pass it in.';
    expect(() => jit(asynchronous)(1)).toThrow(text);
    expect(() => grad(asynchronous)(1)).toThrow(text);
    expect(() => vmap(asynchronous)(ones([2]))).toThrow(text);
  });

  test('a tracer that leaks is refused wherever it turns up', () => {
    let leaked: Tensor | undefined;
    const leak = (x: Tensor): Tensor => {
      leaked = square(x);
      return x;
    };
    const text =
      'was used after its function had returned; it was kept in an outer variable. Return it from the function instead.';
    jit(leak)(1);
    expect(() => add(leaked as Tensor, 1)).toThrow(`jit(leak): a traced value f32[] ${text}`);
    grad(leak)(1);
    expect(() => add(leaked as Tensor, 1)).toThrow(`grad: a traced value f32[] ${text}`);
    expect(() => jit((x: Tensor) => add(x, leaked as Tensor))(1)).toThrow(
      `grad: a traced value f32[] ${text}`,
    );
    vmap(leak)(ones([2, 3]));
    expect(() => sin(leaked as Tensor)).toThrow(`vmap: a traced value f32[3] ${text}`);
  });

  test('an error in the function leaves the interpreter as it was', () => {
    const fails = (_x: Tensor): Tensor => {
      throw new RangeError('mine');
    };
    expect(() => jit(fails)(1)).toThrow('mine');
    expect(() => grad((x: Tensor) => add(x, vmap(fails)(ones([2]))))(1)).toThrow('mine');
    expect(add(1, 2).item()).toBe(3);
  });

  test('a donated tensor used again names the call', () => {
    const step = jit(
      function step(w: Tensor) {
        return multiply(w, 2);
      },
      { donate: [0] },
    );
    const w = ones([3]);
    const next = step(w);
    expect(next.toArray()).toEqual([2, 2, 2]);
    expect(() => add(w, 1)).toThrow(DonatedError);
    expect(() => w.dataSync()).toThrow(
      'f32[3] was donated to jit(step) and its memory now holds a result of that call; ' +
        'use the returned value, or do not donate this argument.',
    );
  });

  test('valueAndGrad of what is no scalar or no float is refused', () => {
    expect(() => valueAndGrad(square)(ones([2]))).toThrow(
      'grad: the function must return a scalar, but returned f32[2]; reduce it with sum() or mean().',
    );
    expect(() => grad((x: Tensor) => x)(tensor(1, 'int32'))).toThrow(
      'is i32[]; convert it with astype(), or leave it out with argnums.',
    );
  });
});
