import type { Aval } from '../aval.ts';
import { eigh as decompose } from '../dense/eigh.ts';
import { Matrix } from '../dense/matrix.ts';
import type { Primitive } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind } from '../trace.ts';
import { div, mul, select, sub } from './arithmetic.ts';
import { hostPrimitive } from './host.ts';
import { asColumn, asRow, diagonalOf, onDiagonal, times, transposedTimes } from './matrices.ts';
import { scalar } from './pointwise.ts';

const eighPrimitive: Primitive = /* @__PURE__ */ hostPrimitive({
  name: 'eigh',
  ranks: [2],
  shape: ([a]) => {
    const { shape, dtype } = a as Aval;
    return [
      { shape: shape.slice(1), dtype },
      { shape, dtype },
    ];
  },
  run: ([a], [w, v], { inputs: [aval] }) => {
    const n = (aval as Aval).shape[0] as number;
    const { values, vectors } = decompose(Matrix.from(a, n, n));
    w?.set(values);
    v?.set(vectors.transposed().values);
  },
  // With S = Vᵀ A' V: w' = diag(S), V' = V (S / (wⱼ - wᵢ) off the diagonal).
  jvp: ([a], [da]) => {
    const [w, v] = eigh(a as Tensor);
    const s = transposedTimes(v, times(da as Tensor, v));
    return [
      [w, v],
      [diagonalOf(s), times(v, mul(inverseGaps(w), s))],
    ];
  },
});

/** 1 / (xⱼ - xᵢ) at [i, j], and 0 on the diagonal. */
export function inverseGaps(x: Tensor): Tensor {
  const n = x.shape.at(-1) as number;
  const [zero, one] = [scalar(0, x.dtype), scalar(1, x.dtype)];
  const diagonal = onDiagonal(n, n);
  const gaps = sub(asRow(x), asColumn(x));
  return select(diagonal, zero, div(one, select(diagonal, one, gaps)));
}

/** Ascending eigenvalues of symmetric matrices, and eigenvectors as columns. */
export const eigh = (a: Tensor): [w: Tensor, v: Tensor] => bind(eighPrimitive, [a]) as [Tensor, Tensor];
