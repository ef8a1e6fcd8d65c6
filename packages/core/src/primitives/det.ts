import type { Aval } from '../aval.ts';
import { lu, parity } from '../dense/lu.ts';
import { addMultiple, Matrix } from '../dense/matrix.ts';
import { svd } from '../dense/svd.ts';
import type { Primitive } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind, bind1 } from '../trace.ts';
import { mul, sub } from './arithmetic.ts';
import { hostPrimitive } from './host.ts';
import { linearSolve } from './lu.ts';
import { asColumn, diagonalOf, identity, times, transposed } from './matrices.ts';
import { broadcastTo } from './movement.ts';
import { reduceSum } from './reduce.ts';

const scalarOf = ([a]: readonly Aval[]): Aval => ({ shape: [], dtype: (a as Aval).dtype });

/** The determinant is the product of the pivots, with a sign. */
function factors(a: Parameters<typeof Matrix.from>[0], n: number): { sign: number; pivots: number[] } {
  const matrix = Matrix.from(a, n, n);
  const sign = parity(lu(matrix));
  return { sign, pivots: Array.from({ length: n }, (_, i) => matrix.get(i, i)) };
}

const detPrimitive: Primitive = /* @__PURE__ */ hostPrimitive({
  name: 'det',
  ranks: [2],
  shape: (inputs) => [scalarOf(inputs)],
  run: ([a], [d], { inputs: [aval] }) => {
    const { sign, pivots } = factors(a, (aval as Aval).shape[0] as number);
    d?.set([pivots.reduce((product, x) => product * x, sign)]);
  },
  // tr(adj(A) A')
  jvp: ([a], [da]) => {
    const x = a as Tensor;
    const products = mul(transposed(adjugate(x)), da as Tensor);
    return [[det(x)], [reduceSum(products, [x.ndim - 2, x.ndim - 1])]];
  },
});

/** Determinants of square matrices. */
export const det = (a: Tensor): Tensor => bind1(detPrimitive, [a]);

const adjugatePrimitive: Primitive = /* @__PURE__ */ hostPrimitive({
  name: 'adjugate',
  ranks: [2],
  shape: ([a]) => [a as Aval],
  run: ([a], [y], { inputs: [aval] }) => {
    const n = (aval as Aval).shape[0] as number;
    const { u, s, v } = svd(Matrix.from(a, n, n), n, n);
    const sign = signOf(u) * signOf(v);
    const result = new Matrix(n, n);
    const columns = u.transposed();
    for (let i = 0; i < n; i++) {
      const others = s.reduce((product, x, j) => (j === i ? product : product * x), sign);
      for (let j = 0; j < n; j++) addMultiple(result.row(j), v.get(i, j) * others, columns.row(i));
    }
    y?.set(result.values);
  },
  // adj = det A⁻¹: adj' = tr(adj A') A⁻¹ - A⁻¹ A' adj
  jvp: ([a], [da]) => {
    const [x, dx] = [a as Tensor, da as Tensor];
    const y = adjugate(x);
    const n = x.shape.at(-1) as number;
    const inverse = linearSolve(x, broadcastTo(identity(n, x.dtype), x.shape));
    const trace = reduceSum(mul(transposed(y), dx), [x.ndim - 2, x.ndim - 1]);
    return [[y], [sub(mul(asColumn(asColumn(trace)), inverse), times(inverse, times(dx, y)))]];
  },
});

/** Transposed cofactors, right also where the matrix is singular. */
export const adjugate = (a: Tensor): Tensor => bind1(adjugatePrimitive, [a]);

/** The determinant of an orthogonal matrix. */
function signOf(q: Matrix): number {
  const { sign, pivots } = factors(q.values, q.rows);
  return pivots.reduce((product, x) => product * Math.sign(x), sign);
}

const slogdetPrimitive: Primitive = /* @__PURE__ */ hostPrimitive({
  name: 'slogdet',
  ranks: [2],
  shape: (inputs) => [scalarOf(inputs), scalarOf(inputs)],
  run: ([a], [sign, log], { inputs: [aval] }) => {
    const found = factors(a, (aval as Aval).shape[0] as number);
    sign?.set([found.pivots.reduce((product, x) => product * Math.sign(x), found.sign) + 0]);
    log?.set([found.pivots.reduce((total, x) => total + Math.log(Math.abs(x)), 0)]);
  },
  // (log |det A|)' = tr(A⁻¹ A')
  jvp: ([a], [da]) => {
    const d = diagonalOf(linearSolve(a as Tensor, da as Tensor));
    return [slogdet(a as Tensor), [null, reduceSum(d, [d.ndim - 1])]];
  },
});

/** Sign and logarithm of the absolute value of determinants. */
export const slogdet = (a: Tensor): [sign: Tensor, logAbs: Tensor] =>
  bind(slogdetPrimitive, [a]) as [Tensor, Tensor];
