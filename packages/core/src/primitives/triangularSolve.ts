import type { Aval } from '../aval.ts';
import { substitute, type TriangleOptions } from '../dense/lu.ts';
import { Matrix } from '../dense/matrix.ts';
import type { Primitive } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind1 } from '../trace.ts';
import { neg, sub } from './arithmetic.ts';
import { batchExamples, hostPrimitive } from './host.ts';
import { batchColumns, lowerTriangle, times, transposedTimes, upperTriangle } from './matrices.ts';

type SolveParams = { readonly options: TriangleOptions };

const solvePrimitive: Primitive<SolveParams> = /* @__PURE__ */ hostPrimitive<SolveParams>({
  name: 'triangularSolve',
  ranks: [2, 2],
  shape: ([, b]) => [b as Aval],
  run: ([a, b], [x], { inputs: [, aval], params: { options } }) => {
    const [n, k] = (aval as Aval).shape as [number, number];
    const result = Matrix.from(b, n, k);
    substitute(Matrix.from(a, n, n), result, options);
    x?.set(result.values);
  },
  // A x' = b' - A' x
  jvp: ([a, b], [da, db], { options }) => {
    const x = triangularSolve(a as Tensor, b as Tensor, options);
    const solve = (columns: Tensor): Tensor => triangularSolve(a as Tensor, columns, options);
    const read = da && triangleOf(da, options);
    const moved = read && (options.transpose ? transposedTimes(read, x) : times(read, x));
    const change = db && moved ? sub(db, moved) : (db ?? (moved && neg(moved)));
    return [[x], [change ? solve(change) : null]];
  },
  transpose: ([ct], [a], { options }) => [
    null,
    triangularSolve(a as Tensor, ct as Tensor, { ...options, transpose: !options.transpose }),
  ],
  batch: (inputs, axes, size, { options }) => {
    const [a, b] = inputs as [Tensor, Tensor];
    if (axes[0] === null && axes[1] !== null)
      return batchColumns(b, axes[1] as number, size, (columns) => triangularSolve(a, columns, options));
    return batchExamples(solvePrimitive, inputs, axes, size, { options });
  },
});

/** The elements that count. */
function triangleOf(a: Tensor, { lower, unitDiagonal }: TriangleOptions): Tensor {
  const inside = unitDiagonal ? 1 : 0;
  return lower ? lowerTriangle(a, -inside) : upperTriangle(a, inside);
}

/** Solves A x = b for columns, or Aᵀ x = b with `transpose`; of A one triangle is read. */
export const triangularSolve = (a: Tensor, b: Tensor, options: TriangleOptions): Tensor =>
  bind1(solvePrimitive, [a, b], { options });
