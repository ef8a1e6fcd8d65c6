import { describe, expect, test } from 'vitest';
import { DonatedError, TracerError } from '../../src/errors.ts';
import { toTensor } from '../../src/ops/convert.ts';
import { add, elementary, mul } from '../../src/primitives/arithmetic.ts';
import { reshape } from '../../src/primitives/movement.ts';
import { scalar } from '../../src/primitives/pointwise.ts';
import { reduceSum } from '../../src/primitives/reduce.ts';
import type { Tensor } from '../../src/tensor.ts';
import { jit, makeProgram } from '../../src/transforms/jit.ts';
import { grad } from '../../src/transforms/vjp.ts';
import { Static } from '../../src/tree.ts';

const vector = (...values: number[]): Tensor => toTensor(new Float32Array(values));
const values = (x: Tensor): number[] => [...x.dataSync()];

describe('the cache', () => {
  test('the second call with the same signature does not compile', () => {
    let traced = 0;
    const f = jit((x: Tensor) => {
      traced++;
      return add(x, x);
    });
    expect(values(f(vector(1, 2)))).toEqual([2, 4]);
    expect(values(f(vector(3, 4)))).toEqual([6, 8]);
    expect([traced, f.stats.compilations]).toEqual([1, 1]);
  });

  test('another shape, dtype or structure compiles anew', () => {
    const f = jit((x: { a: Tensor; b?: Tensor }) => x.a);
    f({ a: vector(1) });
    f({ a: vector(1, 2) });
    f({ a: toTensor(new Int32Array([1])) });
    f({ a: vector(1), b: vector(1) });
    expect(f.stats.compilations).toBe(4);
  });

  test('static arguments count by identity and by exact value', () => {
    const apply = jit((x: Tensor, f: (x: Tensor) => Tensor) => f(x), { staticArgs: [1] });
    expect(apply(vector(0), elementary.sin).item()).toBe(0);
    expect(apply(vector(0), elementary.cos).item()).toBe(1);
    const scale = jit((x: Tensor, by: number) => mul(x, scalar(by, 'float32')), { staticArgs: [1] });
    expect(scale(vector(1), Number.POSITIVE_INFINITY).item()).toBe(Number.POSITIVE_INFINITY);
    expect(scale(vector(1), Number.NaN).item()).toBeNaN();
    expect(Object.is(scale(vector(1), -0).item(), -0)).toBe(true);
    expect(scale(vector(1), 0).item()).toBe(0);
    expect(scale.stats.compilations).toBe(4);
  });

  test('a static part of a tree counts by identity', () => {
    const f = jit((s: { f: Static<(x: Tensor) => Tensor>; x: Tensor }) => s.f.value(s.x));
    expect(f({ f: new Static(elementary.sin), x: vector(0) }).item()).toBe(0);
    expect(f({ f: new Static(elementary.cos), x: vector(0) }).item()).toBe(1);
  });

  test('a function that closes over a traced value is not kept', () => {
    const f = (x: Tensor) => {
      const inner = jit((y: Tensor) => mul(x, y));
      return reduceSum(add(inner(x), inner(x)), [0]);
    };
    expect(values(grad(f)(vector(1, 3)))).toEqual([4, 12]);
    expect(values(grad(f)(vector(2, 5)))).toEqual([8, 20]);
  });
});

describe('results', () => {
  test('an argument, a constant and the same value twice may be returned', () => {
    const x = vector(1, 2);
    const [a, b, c, d] = jit((y: Tensor) => [y, scalar(7, 'int32'), add(y, y), add(y, y)])(x);
    expect([a, b, c, d].map((t) => values(t as Tensor))).toEqual([[1, 2], [7], [2, 4], [2, 4]]);
    expect((b as Tensor).dtype).toBe('int32');
  });

  test('reshapes of arguments and results keep values and shapes', () => {
    const y = jit((x: Tensor) => reshape(reshape(x, [2, 2]), [4, 1]))(vector(1, 2, 3, 4));
    expect(y.shape).toEqual([4, 1]);
    expect(values(y)).toEqual([1, 2, 3, 4]);
  });

  test('tensors that a function closes over are constants of the program', () => {
    const w = vector(10, 20);
    const f = jit((x: Tensor) => add(x, w));
    expect(values(f(vector(1, 2)))).toEqual([11, 22]);
    expect(values(f(vector(3, 4)))).toEqual([13, 24]);
  });

  test('numbers among the arguments are traced: no recompilation for another number', () => {
    const f = jit((x: Tensor, rate: Tensor) => mul(x, rate));
    expect(values(f(vector(1, 2), 2))).toEqual([2, 4]);
    expect(values(f(vector(1, 2), 3))).toEqual([3, 6]);
    expect(f.stats.compilations).toBe(1);
  });
});

describe('donation', () => {
  test('a donated tensor cannot be used again, and the message names the call', () => {
    const step = jit(
      function update(w: Tensor, g: Tensor) {
        return add(w, g);
      },
      { donate: [0] },
    );
    const w = vector(1, 2);
    const view = reshape(w, [2, 1]);
    expect(values(step(w, vector(1, 1)))).toEqual([2, 3]);
    const text =
      'f32[2] was donated to jit(update) and its memory now holds a result of that call; use the returned value, or do not donate this argument.';
    expect(() => w.dataSync()).toThrow(new DonatedError(text));
    expect(() => add(w, w)).toThrow(DonatedError);
    expect(() => view.dataSync()).toThrow(DonatedError);
  });

  test('one tensor in two places of a donated state is copied, not shared', () => {
    const w = vector(1, 2);
    const step = jit((s: { w: Tensor; v: Tensor }) => ({ w: add(s.w, s.w), v: mul(s.v, s.w) }), {
      donate: [0],
    });
    const next = step({ w, v: w });
    expect([values(next.w), values(next.v)]).toEqual([
      [2, 4],
      [1, 4],
    ]);
  });

  test('memory that scalar constants share is copied, however a tensor came by it', () => {
    const step = jit((w: Tensor) => add(w, w), { donate: [0] });
    const one = scalar(1, 'float32');
    expect(values(step(reshape(one, [1])))).toEqual([2]);
    expect(values(step(jit((x: Tensor) => x)(one)))).toEqual([2]);
    expect(add(one, one).item()).toBe(2);
  });

  test('a donated argument that is returned unchanged stays usable as the result', () => {
    const f = jit((x: Tensor) => x, { donate: [0] });
    expect(values(f(vector(5)))).toEqual([5]);
  });
});

describe('what cannot be traced says so', () => {
  test('reading a traced value', () => {
    expect(() =>
      jit(function f(x: Tensor) {
        return x.dataSync() as never;
      })(vector(1)),
    ).toThrow(
      new TracerError(
        'jit(f): dataSync() needs a value, but f32[1] is being traced; return it from the function and read it there, ' +
          'or use where(), cond() or whileLoop() in place of a JavaScript condition.',
      ),
    );
  });

  test('comparing a traced value', () => {
    expect(() => jit((x: Tensor) => ((x as never as number) > 0 ? x : x))(toTensor(1))).toThrow(
      'conversion to a number needs a value',
    );
  });

  test('a promise', () => {
    expect(() => jit((async (x: Tensor) => x) as unknown as (x: Tensor) => Tensor)(vector(1))).toThrow(
      'the function returned a promise',
    );
  });

  test('a tracer that escaped', () => {
    let kept: Tensor | undefined;
    jit((x: Tensor) => {
      kept = x;
      return x;
    })(vector(1));
    expect(() => add(kept as Tensor, kept as Tensor)).toThrow('was used after its function had returned');
  });

  test('bad options', () => {
    expect(() => jit((x: Tensor) => x, { donate: [-1] })).toThrow(
      'jit: donate is an array of argument indices, but got [-1].',
    );
    expect(() => jit((x: Tensor) => x, { donated: [0] } as never)).toThrow('jit: has no option "donated"');
    expect(() => jit((x: Tensor) => x, { donate: [0], staticArgs: [0] })).toThrow(
      'jit: argument 0 is static and cannot be donated.',
    );
  });
});

test('a program prints as typed equations', () => {
  expect(
    String(makeProgram((x: Tensor) => reduceSum(mul(x, scalar(2, 'float32')), [0]), vector(1, 2))),
  ).toMatchInlineSnapshot(`
    "{ a:f32[2] =>
      b:f32[2] = mul a 2
      c:f32[] = reduceSum[axes=[0]] b
      return c }"
  `);
});
