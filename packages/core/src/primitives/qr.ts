import type { Aval } from '../aval.ts';
import { Matrix } from '../dense/matrix.ts';
import { qr as factor } from '../dense/qr.ts';
import { noRule, type Primitive } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind } from '../trace.ts';
import { add, sub } from './arithmetic.ts';
import { hostPrimitive } from './host.ts';
import { lowerTriangle, times, transposed, transposedTimes } from './matrices.ts';
import { triangularSolve } from './triangularSolve.ts';

type QrParams = { readonly complete: boolean };

const qrPrimitive: Primitive<QrParams> = /* @__PURE__ */ hostPrimitive<QrParams>({
  name: 'qr',
  ranks: [2],
  shape: ([a], { complete }) => {
    const { shape, dtype } = a as Aval;
    const [m, n] = shape as [number, number];
    const count = complete ? m : Math.min(m, n);
    return [
      { shape: [m, count], dtype },
      { shape: [count, n], dtype },
    ];
  },
  run: ([a], [q, r], { inputs: [aval], outputs }) => {
    const [m, n] = (aval as Aval).shape as [number, number];
    const factors = factor(Matrix.from(a, m, n), (outputs[0] as Aval).shape[1] as number);
    q?.set(factors.q.values);
    r?.set(factors.r.values);
  },
  // With S = A' R⁻¹ and K = lower(Qᵀ S) - lower(Qᵀ S)ᵀ: Q' = Q (K - Qᵀ S) + S, R' = (Qᵀ S - K) R.
  jvp: ([a], [da], params) => {
    const [m, n] = (a as Tensor).shape.slice(-2) as [number, number];
    if (m < n || (params.complete && m > n))
      noRule(
        'qr',
        'derivative',
        `the matrix is ${m}×${n}; a complete Q of a tall matrix is not determined by it. Use mode 'reduced'.`,
      );
    const [q, r] = qr(a as Tensor, params.complete);
    const upper = { lower: false, transpose: true, unitDiagonal: false };
    const s = transposed(triangularSolve(r, transposed(da as Tensor), upper));
    const turned = transposedTimes(q, s);
    const below = lowerTriangle(turned, -1);
    const k = sub(below, transposed(below));
    return [
      [q, r],
      [add(times(q, sub(k, turned)), s), times(sub(turned, k), r)],
    ];
  },
});

/** A = Q R with orthonormal columns of Q, as many as rows if `complete`, and R upper triangular. */
export const qr = (a: Tensor, complete: boolean): [q: Tensor, r: Tensor] =>
  bind(qrPrimitive, [a], { complete }) as [Tensor, Tensor];
