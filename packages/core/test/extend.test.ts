import { expect, test } from 'vitest';
import { binary, bind1, constant, type Expr, floatOperand, pointwise, scalar, unary } from '../src/extend.ts';
import { multiply, sum, type Tensor, type TensorLike, tensor, vmap } from '../src/index.ts';
import { jit } from '../src/transforms/jit.ts';
import { grad } from '../src/transforms/vjp.ts';

/** The Gaussian e^(-x²) as one primitive, made with what `extend` offers. */
const gaussianPrimitive = pointwise({
  name: 'gaussian',
  dtype: ([x]) => x?.dtype ?? 'float32',
  express: ([x]) =>
    unary('exp', binary('mul', constant((x as Expr).dtype, -1), binary('mul', x as Expr, x as Expr))),
  differentials: [(dx, [x], y) => multiply(dx, multiply(multiply(scalar(-2, y.dtype), x as Tensor), y))],
});
const gaussian = (x: TensorLike): Tensor => bind1(gaussianPrimitive, [floatOperand('gaussian', x)]);

test('an operation made outside of core is differentiated, batched and compiled like any other', () => {
  const x = tensor([0, 1], 'float64');
  const slope = (x: number): number => -2 * x * Math.exp(-x * x);
  const total = (x: Tensor): Tensor => sum(gaussian(x));
  expect(gaussian(x).toArray()).toEqual([1, Math.exp(-1)]);
  expect(jit(grad(total))(x).toArray()).toEqual([-0, expect.closeTo(slope(1), 15)]);
  expect(vmap(grad(gaussian))(x).toArray()).toEqual([-0, expect.closeTo(slope(1), 15)]);
  expect(grad((x: Tensor) => sum(grad(total)(x)))(x).toArray()).toEqual([
    -2,
    expect.closeTo(2 * Math.exp(-1), 15),
  ]);
});
