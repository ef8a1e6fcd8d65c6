/** Blocks with rules of their own inside loops and branches, and loops inside of them. */
import { describe, expect, test } from 'vitest';
import * as nm from '../../src/index.ts';
import { planProgram } from '../../src/ir/execute.ts';

type Tensor = nm.Tensor;
type Layer = (x: Tensor, w: Tensor) => Tensor;

const f64 = (...values: number[]): Tensor => nm.tensor(values, 'float64');
const layer: Layer = (x, w) => nm.multiply(nm.sin(nm.multiply(w, nm.cos(x))), x);
const wrapped: [string, Layer][] = [
  ['checkpoint', nm.checkpoint(layer)],
  ['customJvp', nm.customJvp(layer, ([x, w], [dx, dw]) => nm.jvp(layer, [x, w], [dx, dw]))],
  [
    'customVjp',
    nm.customVjp(
      layer,
      (x: Tensor, w: Tensor) => [layer(x, w), { x, w }],
      ({ x, w }, ct) => nm.vjp(layer, x, w)[1](ct),
    ),
  ],
];

const overScan =
  (f: Layer) =>
  (x: Tensor, ws: Tensor): Tensor =>
    nm.sum(nm.scan((c: Tensor, w: Tensor) => [f(c, w), c], x, ws)[0]);
const [x, ws] = [f64(0.3, -1.2), f64(0.5, 2, -1)];

const expectClose = (a: readonly Tensor[], b: readonly Tensor[]): void => {
  for (const [i, t] of b.entries())
    for (const [j, v] of t.dataSync().entries()) expect((a[i] as Tensor).dataSync()[j]).toBeCloseTo(v, 12);
};

describe.each(wrapped)('%s', (_, f) => {
  const gradient = (g: Layer) => nm.grad(overScan(g), { argnums: [0, 1] });

  test('within scan: gradients, jitted, mapped and of second order', () => {
    const expected = gradient(layer)(x, ws);
    expectClose(gradient(f)(x, ws), expected);
    expectClose(nm.jit(gradient(f))(x, ws), expected);
    const many = nm.vmap(gradient(f), { inAxes: [0, null] })(nm.stack([x, x]), ws);
    expectClose(
      many.map((t) => nm.take(t, 1, { axis: 0 })),
      expected,
    );
    const twice = (g: Layer) => nm.grad((t: Tensor) => nm.sum(gradient(g)(t, ws)[0]))(x);
    expectClose([twice(f)], [twice(layer)]);
  });

  test('within a branch', () => {
    const branch = (g: Layer) => (t: Tensor) =>
      nm.sum(
        nm.cond(
          nm.greater(nm.sum(t), 0),
          () => g(t, f64(2)),
          () => nm.negative(g(t, f64(3))),
        ),
      );
    for (const at of [x, nm.negative(x)]) {
      expectClose([nm.grad(branch(f))(at)], [nm.grad(branch(layer))(at)]);
      expectClose([nm.jit(nm.grad(branch(f)))(at)], [nm.grad(branch(layer))(at)]);
    }
  });
});

test('checkpoint around scan, and within it, keeps less', () => {
  const deep: Layer = (c, w) => nm.tanh(nm.matmul(nm.tanh(nm.matmul(nm.tanh(nm.matmul(c, w)), w)), w));
  const loss =
    (f: Layer) =>
    (h: Tensor, ms: Tensor): Tensor =>
      nm.sum(nm.scan((c: Tensor, m: Tensor) => [f(c, m), null], h, ms)[0]);
  const [h, ms] = [nm.ones([64, 8]), nm.ones([20, 8, 8])];
  const bytes = (g: (h: Tensor, ms: Tensor) => Tensor): number =>
    planProgram(nm.makeProgram(nm.grad(g), h, ms)).arenaBytes;
  expect(bytes(loss(nm.checkpoint(deep)))).toBeLessThan(0.6 * bytes(loss(deep)));
  const whole = nm.checkpoint(loss(deep));
  expectClose([nm.jit(nm.grad(whole))(h, ms)], [nm.grad(loss(deep))(h, ms)]);
});
