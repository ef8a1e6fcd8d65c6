import type { Aval } from '../aval.ts';
import { addMultiple, Matrix } from '../dense/matrix.ts';
import { svd } from '../dense/svd.ts';
import type { Primitive } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind1 } from '../trace.ts';
import { add, sub } from './arithmetic.ts';
import { hostPrimitive } from './host.ts';
import { times, timesTransposed, transposed, transposedTimes } from './matrices.ts';

type PinvParams = { readonly cutoff: number };

const pinvPrimitive: Primitive<PinvParams> = /* @__PURE__ */ hostPrimitive<PinvParams>({
  name: 'pinv',
  ranks: [2],
  shape: ([a]) => {
    const { shape, dtype } = a as Aval;
    return [{ shape: shape.toReversed(), dtype }];
  },
  run: ([a], [p], { inputs: [aval], params: { cutoff } }) => {
    const [m, n] = (aval as Aval).shape as [number, number];
    p?.set(pseudoInverse(Matrix.from(a, m, n), cutoff).values);
  },
  // Golub and Pereyra (1973): P' = -P A' P + P Pᵀ A'ᵀ (I - A P) + (I - P A) A'ᵀ Pᵀ P, where the rank stays.
  jvp: ([a], [da], { cutoff }) => {
    const p = pinv(a as Tensor, cutoff);
    const [x, dx] = [a as Tensor, da as Tensor];
    const left = timesTransposed(timesTransposed(p, p), dx); // P Pᵀ A'ᵀ
    const right = transposedTimes(dx, times(transposed(p), p)); // A'ᵀ Pᵀ P
    const inside = times(p, times(dx, p));
    const first = sub(left, times(left, times(x, p)));
    const second = sub(right, times(p, times(x, right)));
    return [[p], [sub(add(first, second), inside)]];
  },
});

function pseudoInverse(a: Matrix, cutoff: number): Matrix {
  const k = Math.min(a.rows, a.columns);
  const { u, s, v } = svd(a, k, k);
  const result = new Matrix(a.columns, a.rows);
  const columns = u.transposed();
  for (let i = 0; i < k; i++) {
    const value = s[i] as number;
    if (value <= cutoff * (s[0] as number)) continue;
    for (let j = 0; j < a.columns; j++) addMultiple(result.row(j), v.get(i, j) / value, columns.row(i));
  }
  return result;
}

/** The pseudo-inverse; singular values up to `cutoff` times the greatest count as 0. */
export const pinv = (a: Tensor, cutoff: number): Tensor => bind1(pinvPrimitive, [a], { cutoff });
