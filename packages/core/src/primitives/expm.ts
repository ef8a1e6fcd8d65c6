import type { Aval } from '../aval.ts';
import { expm as exponential } from '../dense/expm.ts';
import { Matrix } from '../dense/matrix.ts';
import { Linear, type Primitive } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind1 } from '../trace.ts';
import { add } from './arithmetic.ts';
import { hostPrimitive } from './host.ts';
import { transposed } from './matrices.ts';

/**
 * Operands A, E₁, …, E_k: the k-th derivative of exp at A in the directions E, exp(A) itself without any. It is linear
 * in each E, and the corner of the exponential of a matrix of 2^k by 2^k blocks, with A on the diagonal and E_i where
 * the column has bit i and the row has not (Higham, Functions of Matrices, §3.2, for k = 1).
 */
const expmPrimitive: Primitive = /* @__PURE__ */ hostPrimitive({
  name: 'expm',
  ranks: [2],
  shape: ([a]) => [a as Aval],
  run: ([a, ...directions], [y], { inputs: [aval] }) => {
    const n = (aval as Aval).shape[0] as number;
    const count = 2 ** directions.length;
    const blocks = new Matrix(count * n, count * n);
    const put = (from: ArrayLike<number>, row: number, column: number): void => {
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) blocks.set(row * n + i, column * n + j, from[i * n + j] as number);
    };
    for (let row = 0; row < count; row++) {
      put(a as ArrayLike<number>, row, row);
      for (const [i, direction] of directions.entries())
        if ((row & (1 << i)) === 0) put(direction, row, row | (1 << i));
    }
    const whole = exponential(blocks);
    for (let i = 0; i < n; i++) y?.set(whole.row(i).subarray((count - 1) * n), i * n);
  },
  jvp: ([a, ...directions], [da, ...changes]) => {
    const terms: Tensor[] = [];
    if (da) terms.push(derivative(a as Tensor, [...directions, da]));
    for (const [i, change] of changes.entries())
      if (change) terms.push(derivative(a as Tensor, directions.with(i, change)));
    return [[derivative(a as Tensor, directions)], [terms.reduce(add)]];
  },
  // tr(Yᵀ D^k exp(A)[…, E, …]) = tr(Eᵀ D^k exp(Aᵀ)[…ᵀ, Y, …ᵀ]), because traces do not change when factors cycle.
  transpose: ([ct], [a, ...directions]) => [
    null,
    ...directions.map((x, i) =>
      x instanceof Linear
        ? derivative(
            transposed(a as Tensor),
            directions.map((e, j) => (j === i ? (ct as Tensor) : transposed(e as Tensor))),
          )
        : null,
    ),
  ],
});

const derivative = (a: Tensor, directions: readonly Tensor[]): Tensor =>
  bind1(expmPrimitive, [a, ...directions]);

/** The exponential of square matrices. */
export const expm = (a: Tensor): Tensor => derivative(a, []);
