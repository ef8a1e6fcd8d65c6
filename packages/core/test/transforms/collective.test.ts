import { describe, expect, test } from 'vitest';
import {
  add,
  axisIndex,
  axisSize,
  checkpoint,
  customJvp,
  customVjp,
  divide,
  exp,
  grad,
  jit,
  makeProgram,
  multiply,
  ones,
  pmax,
  pmean,
  pmin,
  psum,
  sin,
  square,
  sum,
  type Tensor,
  tensor,
  vmap,
  zeros,
} from '../../src/index.ts';

const f64 = (...values: number[]): Tensor => tensor(values, 'float64');
const axisName = 'i';

describe('collectives', () => {
  test('reduce over the examples, and every example gets the result', () => {
    const f = (x: Tensor) => ({
      sum: psum(x, 'i'),
      mean: pmean(x, 'i'),
      max: pmax(x, 'i'),
      min: pmin(x, 'i'),
      index: axisIndex('i'),
      size: axisSize('i'),
    });
    const y = vmap(f, { axisName })(f64(1, 2, 6));
    expect(Object.fromEntries(Object.entries(y).map(([k, t]) => [k, t.toArray()]))).toEqual({
      sum: [9, 9, 9],
      mean: [3, 3, 3],
      max: [6, 6, 6],
      min: [1, 1, 1],
      index: [0, 1, 2],
      size: [3, 3, 3],
    });
  });

  test('take trees, values that are the same for all examples, and numbers', () => {
    const y = vmap((x: Tensor) => psum({ x, k: f64(5), one: 1 }, 'i'), { axisName, outAxes: null })(
      f64(1, 2),
    );
    expect([y.x, y.k, y.one].map((t) => t.toArray())).toEqual([3, [10], 2]);
    expect(vmap((x: Tensor) => pmean(x, 'i'), { axisName })(tensor([1, 2], 'int32')).toArray()).toEqual([
      1.5, 1.5,
    ]);
  });

  test('find their axis among several, the innermost of a name', () => {
    const x = tensor(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      'float64',
    );
    const over = (name: string) =>
      vmap(
        vmap((t: Tensor) => psum(t, name), { axisName: 'inner' }),
        { axisName: 'outer' },
      )(x).toArray();
    expect(over('inner')).toEqual([
      [6, 6, 6],
      [15, 15, 15],
    ]);
    expect(over('outer')).toEqual([
      [5, 7, 9],
      [5, 7, 9],
    ]);
    const shadowed = vmap(
      vmap((t: Tensor) => psum(t, 'i'), { axisName }),
      { axisName },
    );
    expect(shadowed(x).toArray()).toEqual(over('inner'));
    const both = vmap(
      vmap((t: Tensor) => psum(psum(t, 'a'), 'b'), { axisName: 'a' }),
      { axisName: 'b' },
    );
    expect(both(x).toArray()).toEqual([
      [21, 21, 21],
      [21, 21, 21],
    ]);
  });

  test('a softmax over the batch, under every nesting of jit and with gradients', () => {
    const softmax = (x: Tensor): Tensor => {
      const e = exp(add(x, multiply(-1, pmax(x, 'i'))));
      return divide(e, psum(e, 'i'));
    };
    const x = f64(0.1, 0.7, -0.4);
    const e = [0.1, 0.7, -0.4].map(Math.exp);
    const p = e.map((v) => v / e.reduce((a, b) => a + b));
    const close = (y: Tensor, expected: number[]): void => {
      for (const [i, v] of expected.entries()) expect(y.dataSync()[i]).toBeCloseTo(v, 14);
    };
    const named = (f: (x: Tensor) => Tensor) => vmap(f, { axisName });
    for (const f of [named(softmax), jit(named(softmax)), named(jit(softmax)), named(checkpoint(softmax))]) {
      close(f(x), p);
      const slope = grad((t: Tensor) => sum(multiply(f(t), f64(1, 0, 0))))(x);
      close(
        slope,
        p.map((v, i) => (p[0] as number) * ((i === 0 ? 1 : 0) - v)),
      );
    }
  });

  test('grad within vmap: the cotangents of a sum over examples are summed, as in JAX', () => {
    const x = f64(1, 2, 3);
    const within = (f: (x: Tensor) => Tensor) => vmap(grad(f), { axisName })(x).toArray();
    expect(within((t) => psum(square(t), 'i'))).toEqual([6, 12, 18]); // 3 examples × 2 x
    expect(within((t) => pmean(square(t), 'i'))).toEqual([2, 4, 6]);
    expect(within(jit((t: Tensor) => pmean(square(t), 'i')))).toEqual([2, 4, 6]);
    expect(within(checkpoint((t: Tensor) => pmean(square(t), 'i')))).toEqual([2, 4, 6]);
  });

  test('gradients averaged over a batch are the gradient of the average', () => {
    const w = f64(0.3);
    const loss = (v: Tensor, x: Tensor): Tensor => sum(sin(multiply(v, x)));
    const xs = f64(1, 2, 3);
    const step = vmap((x: Tensor) => pmean(grad(loss)(w, x), 'i'), { axisName, outAxes: null });
    const whole = grad((v: Tensor) => divide(loss(v, xs), 3))(w);
    expect(step(xs).dataSync()[0]).toBeCloseTo(whole.dataSync()[0] as number, 14);
  });

  test('custom rules may use them', () => {
    const forward = customJvp(
      (x: Tensor) => psum(x, 'i'),
      ([x], [dx]) => [psum(x, 'i'), multiply(7, psum(dx, 'i'))],
    );
    const reverse = customVjp(
      (x: Tensor) => psum(x, 'i'),
      (x: Tensor) => [psum(x, 'i'), null],
      (_, ct) => [multiply(7, psum(ct, 'i'))],
    );
    for (const f of [forward, reverse, jit(forward), jit(reverse)]) {
      expect(vmap(f, { axisName })(f64(1, 2)).toArray()).toEqual([3, 3]);
      expect(grad((x: Tensor) => sum(vmap(f, { axisName })(x)))(f64(1, 2)).toArray()).toEqual([14, 14]);
    }
  });

  test('a jitted function is traced again where the axis has another size', () => {
    const f = jit((x: Tensor) => multiply(x, axisSize('i')));
    const over = (n: number): unknown => vmap(f, { axisName })(ones([n])).toArray();
    expect([over(2), over(3), over(2)]).toEqual([
      [2, 2],
      [3, 3, 3],
      [2, 2],
    ]);
    expect(f.stats.compilations).toBe(2);
  });

  test('a batch of no examples', () => {
    expect(vmap((x: Tensor) => psum(x, 'i'), { axisName, outAxes: null })(zeros([0])).item()).toBe(0);
    expect(vmap((x: Tensor) => add(axisIndex('i'), sum(x)), { axisName })(zeros([0])).shape).toEqual([0]);
  });

  test.each([
    [
      () => psum(1, 'batch'),
      'psum: no vmap around this call has an axis named "batch", and there is none; name it with vmap(f, { axisName: "batch" }).',
    ],
    [
      () => vmap((x: Tensor) => pmean(x, 'batch'), { axisName: 'rows' })(ones([2])),
      'pmean: no vmap around this call has an axis named "batch", and the names here are "rows"; name it with vmap(f, { axisName: "batch" }).',
    ],
    [() => makeProgram(() => axisIndex('i')), 'axisIndex: no vmap around this call has an axis named "i"'],
    [
      () => axisSize(0 as never),
      "axisSize: needs the name of an axis, as in vmap(f, { axisName: 'batch' }).",
    ],
    [() => vmap((x: Tensor) => x, { axisName: 1 } as never), 'vmap: axisName is a string, but got 1.'],
    [
      () => vmap((x: Tensor) => pmin(x, 'i'), { axisName })(tensor([1], 'uint8')),
      'pmin: is not defined for uint8; convert to int32 with astype().',
    ],
  ])('say what is wrong (%#)', (f, text) => {
    expect(f).toThrow(text);
  });
});
