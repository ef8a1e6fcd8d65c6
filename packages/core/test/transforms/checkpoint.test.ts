import { describe, expect, test } from 'vitest';
import {
  add,
  checkpoint,
  cos,
  grad,
  hessian,
  jit,
  jvp,
  linearize,
  makeProgram,
  matmul,
  multiply,
  ones,
  sin,
  sum,
  type Tensor,
  tanh,
  tensor,
  vmap,
} from '../../src/index.ts';
import { planProgram } from '../../src/ir/execute.ts';

const f64 = (...values: number[]): Tensor => tensor(values, 'float64');
const plain = (x: Tensor, w: Tensor): Tensor => multiply(sin(multiply(w, cos(x))), x);
const kept = checkpoint(plain);

describe('checkpoint', () => {
  const [x, w] = [f64(0.3, -1.2), f64(2, 0.5)];
  const value = (f: typeof plain) => (a: Tensor, b: Tensor) => sum(f(a, b));
  const gradient = (f: typeof plain) => (a: Tensor, b: Tensor) => grad(value(f), { argnums: [0, 1] })(a, b);

  test.each<[string, (f: typeof plain) => (a: Tensor, b: Tensor) => Tensor | readonly Tensor[]]>([
    ['f', (f) => f],
    ['jit', (f) => jit(f)],
    ['grad', (f) => gradient(f)],
    ['jit(grad)', (f) => jit(gradient(f))],
    ['grad(jit)', (f) => gradient(jit(f))],
    ['vmap', (f) => vmap(f)],
    ['vmap(grad)', (f) => vmap(gradient(f))],
    ['grad(vmap)', (f) => gradient(vmap(f))],
    ['jit(vmap(grad))', (f) => jit(vmap(gradient(f)))],
    ['jvp', (f) => (a, b) => jvp(f, [a, b], [b, a])],
    ['jit(jvp)', (f) => jit((a: Tensor, b: Tensor) => jvp(f, [a, b], [b, a]))],
    ['linearize', (f) => (a, b) => linearize(f, a, b)[1](b, a)],
    ['hessian', (f) => hessian(value(f))],
    ['jit(hessian)', (f) => jit(hessian(value(f)))],
    ['grad(grad)', (f) => grad((a: Tensor, b: Tensor) => sum(gradient(f)(a, b)[1]))],
    ['grad of one argument', (f) => (a, b) => grad((t: Tensor) => sum(f(a, t)))(b)],
    ['twice', (f) => gradient(checkpoint((a: Tensor, b: Tensor) => f(f(a, b), b)))],
  ])('changes nothing under %s', (_, transform) => {
    const list = (y: Tensor | readonly Tensor[]): number[] => [y].flat().flatMap((t) => [...t.dataSync()]);
    const [a, b] = [list(transform(kept)(x, w)), list(transform(plain)(x, w))];
    expect(a).toHaveLength(b.length);
    for (const [i, v] of b.entries()) expect(a[i]).toBeCloseTo(v, 12);
  });

  test('keeps only the arguments for the backward pass', () => {
    const count = (f: typeof plain): number =>
      linearize((a: Tensor) => sum(f(a, w)), x)[1].program.inputs.length;
    expect([count(kept), count(plain)]).toEqual([3, 6]); // x, w and the tangent; the values inside
  });

  test('is traced once for each signature', () => {
    let traces = 0;
    const f = checkpoint((t: Tensor) => {
      traces++;
      return sin(t);
    });
    for (let i = 0; i < 3; i++) grad((t: Tensor) => sum(f(t)))(x);
    expect(traces).toBe(1);
  });

  test('uses values from outside, and gives them their gradients', () => {
    const f = (c: Tensor): Tensor => sum(checkpoint((t: Tensor) => sin(multiply(c, t)))(x));
    const g = (c: Tensor): Tensor => sum(sin(multiply(c, x)));
    expect(grad(f)(f64(2)).dataSync()[0]).toBeCloseTo(grad(g)(f64(2)).dataSync()[0] as number, 14);
    expect(jit(grad(f))(f64(2)).dataSync()[0]).toBeCloseTo(grad(g)(f64(2)).dataSync()[0] as number, 14);
  });

  test('under jit the arena falls from all activations to those of one block', () => {
    const depth = 12;
    const inner = 6;
    const layer = (h: Tensor, m: Tensor): Tensor => tanh(matmul(h, m));
    const block = (h: Tensor, m: Tensor): Tensor => {
      let y = h;
      for (let i = 0; i < inner; i++) y = layer(y, m);
      return y;
    };
    const network =
      (f: typeof block) =>
      (m: Tensor, h: Tensor): Tensor => {
        let y = h;
        for (let i = 0; i < depth; i++) y = f(y, m);
        return sum(y);
      };
    const [m, h] = [ones([8, 8]), ones([64, 8])];
    const activation = 64 * 8 * 4;
    const bytes = (f: typeof block): number => planProgram(makeProgram(grad(network(f)), m, h)).arenaBytes;
    expect(bytes(block)).toBeGreaterThan(depth * inner * activation);
    expect(bytes(checkpoint(block))).toBeLessThan((depth + 2 * inner) * activation);
    expect(jit(grad(network(checkpoint(block))))(m, h).shape).toEqual([8, 8]);
  });

  test('pointwise blocks are computed anew too: neither sharing nor fusion joins the two times', () => {
    const act = (t: Tensor): Tensor => sin(tanh(sin(t)));
    const f = (g: typeof act) => (m: Tensor, h: Tensor) => {
      let y = h;
      for (let i = 0; i < 10; i++) y = g(matmul(y, m));
      return sum(y);
    };
    const plan = (g: typeof act) => planProgram(makeProgram(grad(f(g)), ones([8, 8]), ones([64, 8])));
    const activation = 64 * 8 * 4;
    expect(plan(checkpoint(act)).arenaBytes).toBeLessThanOrEqual(plan(act).arenaBytes);
    expect(plan(checkpoint(act)).arenaBytes).toBeLessThan(24 * activation);
    expect(jit(grad(f(checkpoint(act))))(ones([8, 8]), ones([64, 8])).dataSync()[0]).toBeCloseTo(
      grad(f(act))(ones([8, 8]), ones([64, 8])).dataSync()[0] as number,
      3,
    );
  });

  test('what is inside is traced: conditions on values are refused by name', () => {
    const f = checkpoint(function branch(t: Tensor) {
      return t.item() > 0 ? t : add(t, 1);
    });
    expect(() => f(1)).toThrow('checkpoint(branch): dataSync() needs a value');
  });
});
