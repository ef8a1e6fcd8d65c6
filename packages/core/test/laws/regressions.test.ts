/** What random programs and laws have found, each as its smallest example. */
import { describe, expect, test } from 'vitest';
import { bind1, type Expr, pointwise, unary } from '../../src/extend.ts';
import {
  add,
  concatenate,
  conv,
  grad,
  jit,
  multiply,
  ones,
  reference,
  reshape,
  setBackend,
  sin,
  slice,
  sum,
  type Tensor,
  take,
  tensor,
  vmap,
  zeros,
} from '../../src/index.ts';
import { pad } from '../../src/primitives/movement.ts';

setBackend(reference());

describe('regressions', () => {
  test('a guarded read of a value keeps its guard when the kernel joins the one that makes the value', () => {
    const weights = ones([2, 3, 1]);
    const f = (x: Tensor): Tensor => sum(multiply(weights, add(x, slice(concatenate([x, x, x]), [[0, 1]]))));
    const x = tensor([0.5]);
    expect(grad(f)(x).toArray()).toEqual([12]);
    expect(jit(grad(f))(x).toArray()).toEqual([12]);
  });

  test('one value seen as two shapes that differ by axes of extent 1 is one operand of a merged kernel', () => {
    const f = (x: Tensor, y: Tensor): Tensor[] => {
      const twice = add(reshape(x, [1]), x);
      return [twice, multiply(twice, y)];
    };
    const results = (g: typeof f): unknown[] => g(tensor(1), tensor(10)).map((t) => t.toArray());
    expect(results(f)).toEqual([[2], [20]]);
    expect(results(jit(f))).toEqual([[2], [20]]);
    const nested = (x: Tensor): Tensor => sum(sin(sin(add(reshape(x, [1]), x))));
    expect(jit(grad(nested))(tensor(0)).item()).toBe(2);
  });

  test('padding between and cropping may leave the extent as it was, and is no identity', () => {
    expect(pad(tensor([1, 2]), [0], [-1], [1]).toArray()).toEqual([1, 0]);
  });

  test('vmap of take finds the table along any axis', () => {
    const tables = tensor([
      [1, 10],
      [2, 20],
      [3, 30],
    ]);
    expect(vmap((table: Tensor) => take(table, [2, 0]), { inAxes: 1 })(tables).toArray()).toEqual([
      [3, 1],
      [30, 10],
    ]);
  });

  test('vmap of no examples gives no results', () => {
    expect(
      vmap((x: Tensor, w: Tensor) => conv(x, w))(zeros([0, 1, 5, 2]), zeros([0, 3, 2, 4])).shape,
    ).toEqual([0, 1, 3, 4]);
    const rows = vmap((x: Tensor, i: Tensor) => take(x, i, { axis: 0 }));
    expect(rows(zeros([0, 4, 3]), zeros([0, 2], 'int32')).shape).toEqual([0, 2, 3]);
  });

  test('primitives of two authors may have one name', () => {
    const named = (op: 'sin' | 'cos') =>
      pointwise({
        name: 'activation',
        dtype: () => 'float32',
        express: ([x]) => unary(op, x as Expr),
        differentials: [null],
      });
    const [first, second] = [named('sin'), named('cos')];
    const x = tensor(0);
    expect([bind1(first, [x]).item(), bind1(second, [x]).item()]).toEqual([0, 1]);
    expect(jit((t: Tensor) => add(bind1(first, [t]), bind1(second, [t])))(x).item()).toBe(1);
  });
});
