import { describe, expect, test } from 'vitest';
import {
  add,
  cos,
  customJvp,
  customVjp,
  divide,
  exp,
  grad,
  hessian,
  jacfwd,
  jit,
  jvp,
  makeProgram,
  multiply,
  ones,
  sin,
  square,
  stopGradient,
  sum,
  type Tensor,
  tensor,
  vjp,
  vmap,
} from '../../src/index.ts';

const f64 = (values: number | number[]): Tensor => tensor(values, 'float64');

/** sin with a derivative that is 10 times too large, so that one sees who differentiates. */
const forward = customJvp(
  (x: Tensor) => sin(x),
  ([x], [dx]) => [sin(x), multiply(10, multiply(cos(x), dx))],
);
const reverse = customVjp(
  (x: Tensor) => sin(x),
  (x: Tensor) => [sin(x), { x }],
  ({ x }, ct) => [multiply(10, multiply(cos(x), ct))],
);

describe.each([
  ['customJvp', forward],
  ['customVjp', reverse],
])('%s', (_, f) => {
  const x = f64(0.3);
  const slope = 10 * Math.cos(0.3);
  const second = -10 * Math.sin(0.3);

  test('gives the value of the function', () => {
    expect(f(x).item()).toBe(Math.sin(0.3));
    expect(jit(f)(x).item()).toBeCloseTo(Math.sin(0.3), 15);
    expect(vmap(f)(f64([0.3])).dataSync()[0]).toBeCloseTo(Math.sin(0.3), 15);
    expect(vmap(f)(f64([])).shape).toEqual([0]);
  });

  test.each([
    ['grad', grad(f)],
    ['jit(grad)', jit(grad(f))],
    ['grad(jit)', grad(jit(f))],
    ['jit(grad(jit))', jit(grad(jit(f)))],
    ['vmap(grad)', (y: Tensor) => sum(vmap(grad(f))(add(y, f64([0]))))],
    ['grad(vmap)', grad((y: Tensor) => sum(vmap(f)(add(y, f64([0])))))],
    ['vmap(grad(jit))', (y: Tensor) => sum(vmap(grad(jit(f)))(add(y, f64([0]))))],
    ['grad(vmap(jit))', grad((y: Tensor) => sum(vmap(jit(f))(add(y, f64([0])))))],
    ['jit(grad(vmap))', jit(grad((y: Tensor) => sum(vmap(f)(add(y, f64([0]))))))],
    ['grad(jit(vmap))', grad(jit((y: Tensor) => sum(vmap(f)(add(y, f64([0]))))))],
    ['grad(vmap(vmap))', grad((y: Tensor) => sum(vmap(vmap(f))(add(y, tensor([[0]], 'float64')))))],
    ['vjp', (y: Tensor) => vjp(f, y)[1](f64(1))[0]],
  ])('has its own derivative under %s', (_name, g) => {
    expect(g(x).item()).toBeCloseTo(slope, 13);
  });

  test.each([
    ['grad(grad)', grad(grad(f))],
    ['jit(grad(grad))', jit(grad(grad(f)))],
    ['grad(jit(grad(jit)))', grad(jit(grad(jit(f))))],
    ['grad(vmap(grad))', grad((y: Tensor) => sum(vmap(grad(f))(add(y, f64([0])))))],
    ['hessian', hessian(f)],
    ['vmap(hessian(jit))', (y: Tensor) => sum(vmap(hessian(jit(f)))(add(y, f64([0]))))],
  ])('the rule itself is differentiated by %s', (_name, g) => {
    expect(g(x).item()).toBeCloseTo(second, 13);
  });

  test('third derivatives', () => {
    expect(grad(grad(grad(f)))(x).item()).toBeCloseTo(-slope, 13);
    expect(jit(grad(grad(grad(jit(f)))))(x).item()).toBeCloseTo(-slope, 13);
  });
});

describe('forward mode', () => {
  test('customJvp has it', () => {
    const [y, dy] = jvp(forward, [f64(0.3)], [f64(2)]);
    expect([y.item(), dy.item()]).toEqual([Math.sin(0.3), 2 * 10 * Math.cos(0.3)]);
    expect(jit(jacfwd(forward))(f64(0)).item()).toBe(10);
  });

  test.each([
    ['jvp', (x: Tensor) => jvp(reverse, [x], [x])],
    ['jit(jvp)', jit((x: Tensor) => jvp(reverse, [x], [x]))],
    ['jvp(jit)', (x: Tensor) => jvp(jit(reverse), [x], [x])],
    ['jvp(vmap)', (x: Tensor) => jvp(vmap(reverse), [add(x, f64([0]))], [add(x, f64([0]))])],
  ])('%s of customVjp says that there is none', (_, f) => {
    expect(() => f(f64(1))).toThrow(
      'customVjp: has only a reverse derivative, but jvp, jacfwd, hvp or hessian asked for the forward one; ' +
        'use vjp, grad or jacrev, or define the function with customJvp, which serves both.',
    );
  });
});

describe('trees, integers and static arguments', () => {
  interface P {
    w: Tensor;
    b: Tensor;
  }
  const scaled = customVjp(
    (p: P, n: Tensor, act: (x: Tensor) => Tensor) => ({ y: act(multiply(p.w, n)), n, b: p.b }),
    (p: P, n: Tensor, act: (x: Tensor) => Tensor) => [
      { y: act(multiply(p.w, n)), n, b: p.b },
      { p, n },
    ],
    ({ p, n }, ct) => [{ w: multiply(p.w, multiply(n, ct.y)), b: multiply(2, ct.b) }, null, null],
    { staticArgs: [2] },
  );
  const loss = (p: P, n: Tensor): Tensor => {
    const { y, b } = scaled(p, n, sin);
    return add(sum(y), sum(b));
  };

  test('cotangents are trees like the arguments', () => {
    const p = { w: f64([1, 2]), b: f64([3]) };
    const n = tensor(3, 'int32');
    for (const g of [grad(loss), jit(grad(loss)), grad(jit(loss))]) {
      const ct = g(p, n);
      expect([ct.w.toArray(), ct.b.toArray()]).toEqual([[3, 6], [2]]);
    }
  });

  test('examples share what is not mapped: its cotangents are summed', () => {
    const product = customVjp(
      (w: Tensor, x: Tensor) => multiply(w, x),
      (w: Tensor, x: Tensor) => [multiply(w, x), [w, x] as const],
      ([w, x], ct) => [multiply(x, ct), multiply(w, ct)],
    );
    const total = (w: Tensor, xs: Tensor): Tensor => sum(vmap(product, { inAxes: [null, 0] })(w, xs));
    const [dw, dx] = grad(total, { argnums: [0, 1] })(f64(2), f64([1, 2, 3]));
    expect([dw.toArray(), dx.toArray()]).toEqual([6, [2, 2, 2]]);
    const fixed = customVjp(
      (w: Tensor) => w,
      (w: Tensor) => [w, null],
      () => [f64(1)],
    );
    const repeated = (w: Tensor): Tensor => sum(vmap((x: Tensor) => multiply(x, fixed(w)))(f64([1, 1, 1])));
    expect(grad(repeated)(f64(2)).item()).toBe(1);
  });

  test('static arguments reach customJvp as they are', () => {
    const twice = customJvp(
      (f: (x: Tensor) => Tensor, x: Tensor) => f(f(x)),
      ([f, x], [none, dx]) => {
        expect(none).toBeNull();
        return [f(f(x)), multiply(7, dx)];
      },
      { staticArgs: [0] },
    );
    expect(twice(square, f64(3)).item()).toBe(81);
    expect(grad((x: Tensor) => twice(square, x))(f64(3)).item()).toBe(7);
  });

  test('values that are known may steer the function and its rules', () => {
    const root = customVjp(
      (a: Tensor) => {
        let x = f64(1);
        while (Math.abs(square(x).item() - a.item()) > 1e-12) x = multiply(0.5, add(x, divide(a, x)));
        return x;
      },
      (a: Tensor) => {
        const x = f64(Math.sqrt(a.item()));
        return [x, x];
      },
      (x, ct) => [divide(ct, multiply(2, x))],
    );
    expect(root(f64(9)).item()).toBeCloseTo(3, 12);
    expect(grad(root)(f64(9)).item()).toBeCloseTo(1 / 6, 12);
  });
});

describe('programs', () => {
  test('a program keeps the function in one equation, which compiles as what is inside', () => {
    expect(String(makeProgram(forward, tensor(1)))).toMatch(
      /b:f32\[\] = customJvp\[.*program=\{ a:f32\[\] =>/,
    );
    const f = jit((x: Tensor) => add(forward(x), reverse(x)));
    expect(f(f64(0.3)).item()).toBe(2 * Math.sin(0.3));
  });

  test('values from outside are constants, or refused', () => {
    const k = f64(3);
    const times = (c: Tensor) =>
      customJvp(
        (x: Tensor) => multiply(c, x),
        ([x], [dx]) => [multiply(c, x), multiply(5, dx)],
      );
    expect(grad(times(k))(f64(2)).item()).toBe(5);
    expect(jit((c: Tensor) => times(c)(f64(2)))(k).item()).toBe(6);
    const outer = grad((c: Tensor) => times(c)(f64(2)));
    expect(() => outer(k)).toThrow('pass it as an argument');
    const inside = grad(jit((c: Tensor) => times(c)(f64(2))));
    expect(() => inside(k)).toThrow(
      'customJvp: the function uses a value from outside that is being differentiated, and its rule cannot know of it; ' +
        'pass the value as an argument, or through stopGradient().',
    );
    const stopped = grad(jit((c: Tensor) => times(stopGradient(c))(c)));
    expect(() => stopped(k)).toThrow('was used after its function had returned'); // by the rule, whose closure is older
    expect(jit(grad((c: Tensor) => times(k)(c)))(k).item()).toBe(5);
  });
});

describe('mistakes are named', () => {
  const x = f64([1, 2]);
  const wrong = (backward: (r: null, ct: Tensor) => unknown) =>
    grad((t: Tensor) =>
      sum(
        customVjp(
          function f(y: Tensor) {
            return exp(y);
          },
          (y: Tensor) => [exp(y), null],
          backward as never,
        )(t),
      ),
    );

  test.each([
    [
      () => wrong((_, ct) => ct)(x),
      'customVjp(f): backward must return an array with a cotangent (or null) for each of 1 arguments.',
    ],
    [
      () => wrong(() => [f64(1)])(x),
      'customVjp(f): the cotangent of argument 0 must be f64[2], but is f64[].',
    ],
    [
      () => wrong(() => [ones([2])])(x),
      'customVjp(f): the cotangent of argument 0 must be f64[2], but is f32[2].',
    ],
    [
      () => wrong(() => [{ a: x }])(x),
      'customVjp(f): the cotangent of argument 0: the value and the differential must have the same structure',
    ],
    [
      () => grad((t: Tensor) => sum(customJvp((y: Tensor) => y, (([y]: [Tensor]) => y) as never)(t)))(x),
      'customJvp: the rule must return [result, tangent].',
    ],
    [
      () =>
        jit((t: Tensor) =>
          customJvp(
            (y: Tensor) => y,
            ([y]) => [y, f64(1)],
          )(t),
        )(x) &&
        jvp(
          customJvp(
            (y: Tensor) => y,
            ([y]) => [y, f64(1)],
          ),
          [x],
          [x],
        ),
      'customJvp: the tangent of the result must be f64[2], but is f64[].',
    ],
    [
      () =>
        customJvp(
          (y: Tensor) => y,
          ([y], [dy]) => [y, dy],
          { staticArgs: 1 } as never,
        ),
      'customJvp: staticArgs is an array of argument indices, but got 1.',
    ],
  ])('(%#)', (f, text) => {
    expect(f).toThrow(text);
  });
});
