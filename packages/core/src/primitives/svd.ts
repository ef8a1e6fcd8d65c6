import type { Aval } from '../aval.ts';
import { Matrix } from '../dense/matrix.ts';
import { svd as decompose } from '../dense/svd.ts';
import { noRule, type Primitive } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind } from '../trace.ts';
import { add, div, mul, sub } from './arithmetic.ts';
import { inverseGaps } from './eigh.ts';
import { hostPrimitive } from './host.ts';
import {
  asColumn,
  asRow,
  diagonalOf,
  times,
  timesTransposed,
  transposed,
  transposedTimes,
} from './matrices.ts';

type SvdParams = { readonly full: boolean };

const svdPrimitive: Primitive<SvdParams> = /* @__PURE__ */ hostPrimitive<SvdParams>({
  name: 'svd',
  ranks: [2],
  shape: ([a], { full }) => {
    const { shape, dtype } = a as Aval;
    const [m, n] = shape as [number, number];
    const k = Math.min(m, n);
    return [
      { shape: [m, full ? m : k], dtype },
      { shape: [k], dtype },
      { shape: [full ? n : k, n], dtype },
    ];
  },
  run: ([a], [u, s, v], { inputs: [aval], outputs }) => {
    const [m, n] = (aval as Aval).shape as [number, number];
    const [uAval, , vAval] = outputs as [Aval, Aval, Aval];
    const found = decompose(Matrix.from(a, m, n), uAval.shape[1] as number, vAval.shape[0] as number);
    u?.set(found.u.values);
    s?.set(found.s);
    v?.set(found.v.values);
  },
  // With S = Uᵀ A' V: s' = diag(S), U' = U F∘(S s + s Sᵀ), V' = V F∘(s S + Sᵀ s), F = 1 / (sⱼ² - sᵢ²); and for
  // the longer side the part of the tangent outside of the space that the vectors span.
  jvp: ([a], [da], params) => {
    const [m, n] = (a as Tensor).shape.slice(-2) as [number, number];
    if (params.full && m !== n)
      noRule(
        'svd',
        'derivative',
        `the vectors that complete those of a ${m}×${n} matrix are not determined by it; ` +
          'use { fullMatrices: false }.',
      );
    const [u, s, vt] = svd(a as Tensor, params.full);
    const dav = timesTransposed(da as Tensor, vt); // [m, k]
    const core = transposedTimes(u, dav);
    const back = transposed(core);
    const [row, column] = [asRow(s), asColumn(s)];
    const gaps = inverseGaps(mul(s, s));
    let du = times(u, mul(gaps, add(mul(core, row), mul(column, back))));
    let dv = times(transposed(vt), mul(gaps, add(mul(column, core), mul(back, row))));
    if (m > n) du = add(du, div(sub(dav, times(u, core)), row));
    if (n > m) {
      const dau = transposedTimes(da as Tensor, u); // [n, k]
      dv = add(dv, div(sub(dau, transposedTimes(vt, times(vt, dau))), row));
    }
    return [
      [u, s, vt],
      [du, diagonalOf(core), transposed(dv)],
    ];
  },
});

/** A = U diag(s) Vᵀ with descending s; U and Vᵀ are square if `full`. */
export const svd = (a: Tensor, full: boolean): [u: Tensor, s: Tensor, vt: Tensor] =>
  bind(svdPrimitive, [a], { full }) as [Tensor, Tensor, Tensor];
