/** Products of matrices, and functions that are made of them. */
import { showAval } from '../aval.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { show } from '../ops/check.ts';
import { floatOperand, operand, operandList, type TensorLike } from '../ops/convert.ts';
import { matmul } from '../ops/linalg.ts';
import { expm as expmPrimitive } from '../primitives/expm.ts';
import { identity, times, transposed } from '../primitives/matrices.ts';
import { broadcastTo } from '../primitives/movement.ts';
import type { Tensor } from '../tensor.ts';
import { squareMatrices } from './operands.ts';
import { inv } from './solve.ts';

/**
 * The transposes of matrices: the last two axes change places.
 *
 * @param x `[…, M, N]`
 * @returns `[…, N, M]`
 * @throws {ShapeError} if `x` has fewer than two axes.
 * @example linalg.matrixTranspose(tensor([[1, 2], [3, 4]]))    // [[1, 3], [2, 4]]
 */
export function matrixTranspose(x: TensorLike): Tensor {
  const t = operand('linalg.matrixTranspose', x);
  if (t.ndim < 2)
    throw new ShapeError(`linalg.matrixTranspose: needs matrices […,M,N], but got ${showAval(t.aval)}.`);
  return transposed(t);
}

/**
 * Powers of square matrices by repeated squaring.
 *
 * @param a `[…, N, N]`
 * @param n An integer; 0 gives identities, a negative one powers of the inverse.
 * @returns `[…, N, N]`
 * @throws {ShapeError} unless the matrices are square. {OptionError} unless `n` is an integer.
 * @example linalg.matrixPower(tensor([[1, 1], [1, 0]]), 10)    // [[89, 55], [55, 34]]
 */
export function matrixPower(a: TensorLike, n: number): Tensor {
  if (!Number.isInteger(n))
    throw new OptionError(`linalg.matrixPower: the exponent is an integer, but got ${show(n)}.`);
  const x = squareMatrices('matrixPower', a);
  let power = n < 0 ? inv(x) : x;
  let result: Tensor | undefined;
  for (let rest = Math.abs(n); rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = result ? times(result, power) : power;
    if (rest > 1) power = times(power, power);
  }
  return result ?? broadcastTo(identity(x.shape.at(-1) as number, x.dtype), x.shape);
}

/**
 * The matrix exponential, by scaling and squaring a Padé approximant of order 13; computed in float64.
 *
 * @param a `[…, N, N]`
 * @returns `[…, N, N]`; NaN where `a` is not finite.
 * @throws {ShapeError} unless the matrices are square.
 * @example linalg.expm(tensor([[0, 1], [0, 0]]))               // [[1, 1], [0, 1]]
 */
export function expm(a: TensorLike): Tensor {
  return expmPrimitive(squareMatrices('expm', a));
}

/**
 * The product of several matrices, in the order of fewest multiplications.
 *
 * @param xs At least two: matrices, of which the first may be a row vector and the last a column vector.
 * @throws {ShapeError} if there are fewer than two, or extents do not fit.
 * @example linalg.multiDot([ones([2, 30]), ones([30, 4]), ones([4, 9])])   // [2,9]
 */
export function multiDot(xs: readonly TensorLike[]): Tensor {
  const ts = operandList('linalg.multiDot', xs).map((x) => floatOperand('linalg.multiDot', x));
  const fits = ts.every((t, i) => t.ndim === 2 || (t.ndim === 1 && (i === 0 || i === ts.length - 1)));
  if (ts.length < 2 || !fits)
    throw new ShapeError(
      `linalg.multiDot: needs two or more matrices (vectors at the ends), but got ${ts.map((t) => showAval(t.aval)).join(' ')}.`,
    );
  const extents = ts.map((t) => t.shape[0] as number);
  if (ts[0]?.ndim === 1) extents[0] = 1;
  const last = ts.at(-1) as Tensor;
  extents.push(last.ndim === 1 ? 1 : (last.shape[1] as number));
  const split = cheapestSplits(extents);
  const product = (from: number, to: number): Tensor => {
    if (from === to) return ts[from] as Tensor;
    const at = split[from]?.[to] as number;
    return matmul(product(from, at), product(at + 1, to));
  };
  return product(0, ts.length - 1);
}

/** For each stretch of factors the place after which its last product splits it; factor i is extents[i] by extents[i + 1]. */
function cheapestSplits(extents: readonly number[]): number[][] {
  const n = extents.length - 1;
  const cost = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  const split = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  const at = (i: number, j: number): number => cost[i]?.[j] as number;
  for (let length = 1; length < n; length++)
    for (let i = 0; i + length < n; i++) {
      const j = i + length;
      const costs = Array.from({ length }, (_, step) => {
        const k = i + step;
        const outer = (extents[i] as number) * (extents[k + 1] as number) * (extents[j + 1] as number);
        return at(i, k) + at(k + 1, j) + outer;
      });
      const least = Math.min(...costs);
      (cost[i] as number[])[j] = least;
      (split[i] as number[])[j] = i + costs.indexOf(least);
    }
  return split;
}
