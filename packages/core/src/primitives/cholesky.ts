import type { Aval } from '../aval.ts';
import { cholesky as factor } from '../dense/cholesky.ts';
import { Matrix } from '../dense/matrix.ts';
import type { Primitive } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind1 } from '../trace.ts';
import { mul, select, sub } from './arithmetic.ts';
import { hostPrimitive } from './host.ts';
import { lowerTriangle, onDiagonal, times, transposed } from './matrices.ts';
import { scalar } from './pointwise.ts';
import { triangularSolve } from './triangularSolve.ts';

const choleskyPrimitive: Primitive = /* @__PURE__ */ hostPrimitive({
  name: 'cholesky',
  ranks: [2],
  shape: ([a]) => [a as Aval],
  run: ([a], [l], { inputs: [aval] }) => {
    const n = (aval as Aval).shape[0] as number;
    const matrix = Matrix.from(a, n, n);
    factor(matrix);
    l?.set(matrix.values);
  },
  // L' = L Φ(L⁻¹ A' L⁻ᵀ), where Φ keeps the lower triangle and half of the diagonal.
  jvp: ([a], [da]) => {
    const l = cholesky(a as Tensor);
    const solved = triangularSolve(l, da as Tensor, { lower: true, transpose: false, unitDiagonal: false });
    const both = triangularSolve(l, transposed(solved), {
      lower: true,
      transpose: false,
      unitDiagonal: false,
    });
    return [[l], [times(l, halfLower(both))]];
  },
});

function halfLower(x: Tensor): Tensor {
  const n = x.shape.at(-1) as number;
  const half = mul(scalar(0.5, x.dtype), x);
  return lowerTriangle(sub(x, select(onDiagonal(n, n), half, scalar(0, x.dtype))));
}

/** The lower Cholesky factor of symmetric matrices; NaN where one is not positive definite. */
export const cholesky = (a: Tensor): Tensor => bind1(choleskyPrimitive, [a]);
