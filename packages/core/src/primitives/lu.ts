import type { Aval } from '../aval.ts';
import { lu as eliminate, solveFactored } from '../dense/lu.ts';
import { addMultiple, Matrix } from '../dense/matrix.ts';
import { noTangent, type Primitive } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind, bind1 } from '../trace.ts';
import { add, compare, convert, neg, select, sub } from './arithmetic.ts';
import { batchExamples, hostPrimitive } from './host.ts';
import {
  asColumn,
  batchColumns,
  identity,
  lowerTriangle,
  times,
  transposed,
  transposedTimes,
  upperTriangle,
} from './matrices.ts';
import { iota, pad, slice, stop } from './movement.ts';
import { scalar } from './pointwise.ts';
import { triangularSolve } from './triangularSolve.ts';

const luPrimitive: Primitive = /* @__PURE__ */ hostPrimitive({
  name: 'lu',
  ranks: [2],
  shape: ([a]) => [a as Aval, { shape: [(a as Aval).shape[0] as number], dtype: 'int32' }],
  run: ([a], [factors, order], { inputs: [aval] }) => {
    const [m, n] = (aval as Aval).shape as [number, number];
    const matrix = Matrix.from(a, m, n);
    order?.set(eliminate(matrix));
    factors?.set(matrix.values);
  },
  jvp: ([a], [da]) => {
    const [factors, order] = lu(a as Tensor);
    return [
      [factors, order],
      [luTangent(factors, permuteRows(da as Tensor, order)), null],
    ];
  },
});

/**
 * With S = L⁻¹ P A' U⁻¹: L' = L (S below the diagonal), U' = (S on and above it) U; L and U are made square first, with an
 * identity in the new corner.
 */
function luTangent(factors: Tensor, da: Tensor): Tensor {
  const [m, n] = factors.shape.slice(-2) as [number, number];
  const size = Math.max(m, n);
  const square = (x: Tensor): Tensor => {
    const zeros = x.shape.map(() => 0);
    return pad(x, zeros, [...zeros.slice(0, -2), size - m, size - n], zeros);
  };
  const corner = Math.min(m, n);
  const whole = square(factors);
  const below = compare('le', scalar(corner, 'int32'), asColumn(iota(size, 'int32')));
  const eye = identity(size, factors.dtype);
  const u = upperTriangle(select(below, eye, whole));
  const l = add(lowerTriangle(whole, -1), eye);
  const left = triangularSolve(l, square(da), { lower: true, transpose: false, unitDiagonal: true });
  const s = transposed(
    triangularSolve(u, transposed(left), { lower: false, transpose: true, unitDiagonal: false }),
  );
  const tangent = add(times(l, lowerTriangle(s, -1)), times(upperTriangle(s), u));
  return slice(
    tangent,
    tangent.shape.map(() => 0),
    factors.shape,
    tangent.shape.map(() => 1),
  );
}

/** Rows in another order, by a product with a permutation matrix. */
function permuteRows(x: Tensor, order: Tensor): Tensor {
  const m = x.shape.at(-2) as number;
  return times(permutationMatrix(order, m, x.dtype), x);
}

/** [m, m]: row i has its 1 in column `order[i]`. */
export const permutationMatrix = (order: Tensor, m: number, dtype: Aval['dtype']): Tensor =>
  convert(compare('eq', asColumn(order), iota(m, 'int32')), dtype);

/** L (below the diagonal, whose ones are left out) and U in one matrix, and where each row came from: L U = A[order]. */
export const lu = (a: Tensor): [factors: Tensor, order: Tensor] => bind(luPrimitive, [a]) as [Tensor, Tensor];

/* ---- a system of equations ---- */

/**
 * The factors of square matrices for {@link linearSolve}: [parts, N, N], in float32 with their rounding errors as a second part, so that
 * systems are solved in float64.
 */
const luPartsPrimitive: Primitive = /* @__PURE__ */ hostPrimitive({
  name: 'luParts',
  ranks: [2],
  shape: ([a]) => {
    const { shape, dtype } = a as Aval;
    return [
      { shape: [dtype === 'float32' ? 2 : 1, ...shape], dtype },
      { shape: shape.slice(1), dtype: 'int32' },
    ];
  },
  run: ([a], [parts, order], { inputs: [aval] }) => {
    const n = (aval as Aval).shape[0] as number;
    const matrix = Matrix.from(a, n, n);
    order?.set(eliminate(matrix));
    parts?.set(matrix.values);
    if ((aval as Aval).dtype === 'float32')
      parts?.set(
        matrix.values.map((x) => x - Math.fround(x)),
        n * n,
      );
  },
  jvp: noTangent(([a]) => luParts(a as Tensor)),
});

/** The factors, and where each row came from. */
export const luParts = (a: Tensor): Tensor[] => bind(luPartsPrimitive, [a]);

type SolveParams = { readonly transpose: boolean };

/** x of A x = b is a function of A and b; the factors of A are at hand and count as constants. */
const solvePrimitive: Primitive<SolveParams> = /* @__PURE__ */ hostPrimitive<SolveParams>({
  name: 'linearSolve',
  ranks: [2, 3, 1, 2],
  shape: ([, , , b]) => [b as Aval],
  run: ([, parts, order, b], [x], { inputs, params }) => {
    const [n, k] = (inputs[3] as Aval).shape as [number, number];
    const factors = Matrix.from(parts?.subarray(0, n * n), n, n);
    if (inputs[1]?.shape[0] === 2)
      addMultiple(factors.values, 1, Float64Array.from(parts?.subarray(n * n) ?? []));
    x?.set(solveFactored(factors, order as Int32Array, Matrix.from(b, n, k), params.transpose).values);
  },
  jvp: ([a, factors, order, b], [da, , , db], params) => {
    const system = [a, factors, order] as Tensor[];
    const solve = (columns: Tensor): Tensor => bind1(solvePrimitive, [...system, columns], params);
    const x = solve(b as Tensor);
    const moved = da && (params.transpose ? transposedTimes(da, x) : times(da, x));
    const change = db && moved ? sub(db, moved) : (db ?? (moved && neg(moved)));
    return [[x], [change ? solve(change) : null]]; // A x' = b' - A' x
  },
  transpose: ([ct], [a, factors, order], { transpose }) => [
    null,
    null,
    null,
    bind1(solvePrimitive, [a, factors, order, ct] as Tensor[], { transpose: !transpose }),
  ],
  batch: (inputs, axes, size, params) => {
    const [a, factors, order, b] = inputs as [Tensor, Tensor, Tensor, Tensor];
    const [bAxis] = axes.slice(3) as [number | null];
    if (bAxis !== null && axes.slice(0, 3).every((axis) => axis === null))
      return batchColumns(b, bAxis, size, (columns) =>
        bind1(solvePrimitive, [a, factors, order, columns], params),
      );
    return batchExamples(solvePrimitive, inputs, axes, size, params);
  },
});

/** Solves A x = b for columns; A is factored once, for all derivatives too. */
export function linearSolve(a: Tensor, b: Tensor): Tensor {
  return bind1(solvePrimitive, [a, ...luParts(stop(a)), b], { transpose: false });
}
