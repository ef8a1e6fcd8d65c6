/** What other libraries of this kind get wrong without saying so, or cannot do: each is a test that we pass. */
import { garbageCollector } from '@neumann/testing';
import { describe, expect, test } from 'vitest';
import * as nm from '../src/index.ts';
import { planProgram } from '../src/ir/execute.ts';

const { add, divide, exp, grad, jit, multiply, ones, sin, sum, tensor, vmap, zeros } = nm;
type Tensor = nm.Tensor;

nm.setBackend(nm.reference());

const f64 = (values: number | number[]): Tensor => tensor(values, 'float64');
const slope = (f: (x: Tensor) => Tensor, x: number): number => grad(f)(f64(x)).item();

describe('what is compiled', () => {
  test('dtypes are part of a signature, and of constants', () => {
    const f = jit((x: Tensor) => add(x, x));
    expect([f(tensor([1])).dtype, f(tensor([1], 'int32')).dtype]).toEqual(['float32', 'int32']);
    expect(jit(() => tensor(1))().item()).toBe(1);
    const integer = jit(() => tensor(1, 'int32'))();
    expect([integer.dtype, integer.item()]).toEqual(['int32', 1]);
  });

  test('static functions, NaN and infinities are told apart', () => {
    const apply = jit((x: Tensor, f: (x: Tensor) => Tensor) => f(x), { staticArgs: [1] });
    expect([apply(tensor(0), sin).item(), apply(tensor(0), nm.cos).item()]).toEqual([0, 1]);
    const fill = jit((x: Tensor, v: number) => add(x, v), { staticArgs: [1] });
    expect(fill(tensor(0), Number.POSITIVE_INFINITY).item()).toBe(Number.POSITIVE_INFINITY);
    expect(fill(tensor(0), Number.NaN).item()).toBeNaN();
  });

  test('constants are computed with in their dtype: eager, small, large and jitted agree', () => {
    const f = (x: Tensor): Tensor => nm.subtract(add(x, 1), 1e8);
    expect(f(tensor([1e8])).toArray()).toEqual([0]);
    expect(jit(() => f(tensor([1e8])))().toArray()).toEqual([0]);
    expect(f(nm.full([200], 1e8)).toArray()).toEqual(new Array(200).fill(0));
    for (const g of [nm.softplus, jit(nm.softplus)])
      expect(g(tensor([100, 50])).toArray()).toEqual([100, 50]);
  });

  test('forty steps on a large tensor need the memory of few', () => {
    const f = (x: Tensor): Tensor => {
      let y = x;
      for (let i = 0; i < 40; i++) y = nm.matmul(y, y);
      return y;
    };
    expect(planProgram(nm.makeProgram(f, ones([32, 32]))).arenaBytes).toBeLessThanOrEqual(2 * 32 * 32 * 4);
  });

  test('gradients of a jitted network leave nothing behind', async () => {
    const collect = await garbageCollector();
    const network = jit((x: Tensor) => sum(nm.tanh(nm.tanh(nm.tanh(nm.tanh(x))))));
    const heapAfter = (calls: number): number => {
      for (let i = 0; i < calls; i++) grad(network)(ones([4]));
      collect();
      return process.memoryUsage().heapUsed;
    };
    heapAfter(300);
    const before = heapAfter(100);
    expect((heapAfter(600) - before) / 600).toBeLessThan(500); // bytes a call
  });
});

describe('derivatives', () => {
  test('the value is right while it is differentiated', () => {
    const [y, dy] = nm.jvp((x: Tensor) => nm.remainder(x, 7), [f64(23)], [f64(1)]);
    expect([y.item(), dy.item()]).toEqual([2, 1]);
    const [value] = nm.valueAndGrad((x: Tensor) => multiply(x, nm.remainder(tensor(23, 'int32'), 7)))(f64(3));
    expect(value.item()).toBe(6);
  });

  test('casts have gradients, which come back in the dtype of the argument', () => {
    const g = grad((x: Tensor) => sum(nm.astype(multiply(nm.astype(x, 'float64'), 3), 'float32')))(ones([2]));
    expect([g.dtype, g.toArray()]).toEqual(['float32', [3, 3]]);
  });

  test.each<[string, () => number, number]>([
    ['sigmoid at -100', () => slope(nm.sigmoid, -100), Math.exp(-100)],
    ['x sigmoid(x) at -100', () => slope((x) => multiply(x, nm.sigmoid(x)), -100), -99 * Math.exp(-100)],
    ['softplus at 100', () => slope(nm.softplus, 100), 1],
    ['x² as a power at 0', () => slope((x) => nm.power(x, 2), 0), 0],
    ['a product with a zero', () => slope((x) => nm.prod(nm.stack([x, f64(2), f64(3)])), 0), 6],
    [
      'a cumulative product with a zero',
      () => slope((x) => sum(nm.cumprod(nm.stack([f64(2), x, f64(3)]))), 0),
      8,
    ],
    ['logSigmoid at -200', () => slope(nm.logSigmoid, -200), 1],
  ])('%s', (_, f, expected) => {
    expect(f()).toBeCloseTo(expected, 12);
    expect(Math.abs(f() / (expected || 1) - (expected ? 1 : 0))).toBeLessThan(1e-12);
  });

  test('powers of integers are exact', () => {
    expect([nm.power(tensor(3), 3).item(), nm.power(tensor(3, 'int32'), 3).item()]).toEqual([27, 27]);
  });

  test('the standard deviation of equal numbers has a finite gradient', () => {
    const g = grad((x: Tensor) => nm.std(x))(f64([2, 2, 2])).toArray() as number[];
    expect(g.every(Number.isFinite)).toBe(true);
  });

  test('second derivatives work for matrices and trees', () => {
    const h = nm.hessian((p: { m: Tensor }) => sum(multiply(p.m, multiply(p.m, p.m))))({ m: ones([2, 2]) });
    expect(h.m.m.shape).toEqual([2, 2, 2, 2]);
    expect(sum(h.m.m).item()).toBe(24);
  });

  test('gathering rows, sorting and windows have gradients, also under vmap', () => {
    const table = f64([1, 2, 3]);
    expect(grad((t: Tensor) => sum(nm.take(t, [0, 2, 2])))(table).toArray()).toEqual([1, 0, 2]);
    expect(
      grad((t: Tensor) => sum(multiply(nm.sort(t), f64([1, 10, 100]))))(f64([3, 1, 2])).toArray(),
    ).toEqual([100, 1, 10]);
    const images = nm.reshape(nm.astype(nm.arange(32), 'float32'), [2, 1, 4, 4, 1]);
    const pooled = vmap((x: Tensor) => nm.windowMax(x, { window: 2 }))(images);
    expect(pooled.shape).toEqual([2, 1, 2, 2, 1]);
    expect(vmap(grad((x: Tensor) => sum(nm.windowMax(x, { window: 2 }))))(images).shape).toEqual(
      images.shape,
    );
  });
});

describe('indices', () => {
  const x = tensor([10, 20, 30]);

  test('negative ones count from the end, those out of range are refused', () => {
    expect(nm.take(x, [-1, 0]).toArray()).toEqual([30, 10]);
    expect(() => nm.take(x, [3])).toThrow('take: index 3 is out of range for f32[3]');
  });

  test('floats are refused, and booleans do not count as 0 and 1', () => {
    expect(() => nm.take(x, tensor([0.5]))).toThrow(nm.DTypeError);
    expect(() => nm.take(x, tensor([true, false, true]))).toThrow(nm.NeumannError);
  });
});

describe('conditions on traced values', () => {
  test('are refused, not false', () => {
    expect(() => jit((x: Tensor) => ((x as never) > 0 ? x : zeros([])))(1)).toThrow(nm.TracerError);
    expect(() => jit((x: Tensor) => ((x as never) < 0 ? x : zeros([])))(1)).toThrow(nm.TracerError);
  });
});

describe('trees', () => {
  test('the order of keys makes no difference', () => {
    const sums = nm.treeMap((a, b) => add(a, b), { a: 1, b: 2 }, { b: 10, a: 20 });
    expect([sums.a.item(), sums.b.item()]).toEqual([21, 12]);
  });

  test('trees that differ are refused, null is an empty tree', () => {
    expect(() => nm.treeMap((a, b) => add(a, b), { a: 1, b: 2 }, { a: 1 })).toThrow(nm.TreeError);
    const g = grad((p: { w: Tensor; bias: null }) => multiply(p.w, p.w))({ w: tensor(3), bias: null });
    expect([g.w.item(), g.bias]).toEqual([6, null]);
  });
});

describe('values', () => {
  test('nothing is consumed, and nothing needs to be freed', () => {
    const x = ones([2]);
    for (let i = 0; i < 3; i++)
      expect([sum(x).item(), x.toArray(), `${x}`]).toEqual([2, [1, 1], 'f32[2] [1, 1]']);
  });

  test('joining keeps -0', () => {
    expect(nm.concatenate([tensor([-0]), tensor([1])]).toArray()).toEqual([-0, 1]);
    expect(jit((a: Tensor) => nm.concatenate([a, ones([1])]))(tensor([-0])).toArray()).toEqual([-0, 1]);
  });

  test('float64 has the accuracy of float64', () => {
    for (const [f, g] of [
      [exp, Math.exp],
      [nm.log, Math.log],
      [sin, Math.sin],
    ] as const)
      expect(Math.abs(f(f64(0.7)).item() / g(0.7) - 1)).toBeLessThan(4e-16);
    expect(divide(f64(1), 3).item()).toBe(1 / 3);
  });
});
