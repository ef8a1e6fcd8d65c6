/** Operands of linear algebra: checked, and with equal leading axes. */
import { showAval } from '../aval.ts';
import { isFloat } from '../dtype.ts';
import { ShapeError } from '../errors.ts';
import { floatOperand, promoteOperands, type TensorLike } from '../ops/convert.ts';
import { convert } from '../primitives/arithmetic.ts';
import { broadcastTo, reshape, transpose } from '../primitives/movement.ts';
import { broadcastShapes, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** Units in the last place of 1. */
export const epsilonOf = (x: Tensor): number => (x.dtype === 'float32' ? 2 ** -23 : 2 ** -52);

/** @throws {ShapeError} unless `x` has matrices in its last two axes. */
export function matrices(op: string, x: TensorLike): Tensor {
  const t = floatOperand(`linalg.${op}`, x);
  if (t.ndim < 2) throw new ShapeError(`linalg.${op}: needs matrices […,M,N], but got ${showAval(t.aval)}.`);
  return t;
}

/** @throws {ShapeError} unless `x` has square matrices in its last two axes. */
export function squareMatrices(op: string, x: TensorLike): Tensor {
  const t = matrices(op, x);
  if (t.shape.at(-1) !== t.shape.at(-2))
    throw new ShapeError(`linalg.${op}: needs square matrices […,N,N], but got ${showAval(t.aval)}.`);
  return t;
}

/**
 * Applies `solve` to systems a x = b of equal leading axes: a vector `b` is one column; where all share one matrix, they
 * are columns of one system.
 */
export function withColumns(
  op: string,
  a: TensorLike,
  b: TensorLike,
  rows: (a: Tensor) => number,
  solve: (a: Tensor, b: Tensor) => Tensor,
): Tensor {
  const pair = promoteOperands(`linalg.${op}`, a, b).map((t) =>
    isFloat(t.dtype) ? t : convert(t, 'float32'),
  );
  const [x, given] = pair as [Tensor, Tensor];
  const isVector = given.ndim === 1;
  const y = isVector ? reshape(given, [given.size, 1]) : given;
  if (y.ndim < 2 || y.shape.at(-2) !== rows(x))
    throw new ShapeError(
      `linalg.${op}: a ${showAval(x.aval)} needs b of ${rows(x)} rows, […,${rows(x)},K] or [${rows(x)}], but b is ${showAval(given.aval)}.`,
    );
  const result = solveEach(`linalg.${op}`, x, y, solve);
  return isVector ? reshape(result, result.shape.slice(0, -1)) : result;
}

function solveEach(op: string, a: Tensor, b: Tensor, solve: (a: Tensor, b: Tensor) => Tensor): Tensor {
  const [aLead, bLead] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const lead = broadcastShapes(op, aLead, bLead);
  const [n, k] = b.shape.slice(-2) as [number, number];
  if (sizeOf(aLead) === 1 && sizeOf(bLead) > 1) {
    const count = sizeOf(bLead);
    const columns = reshape(transpose(reshape(b, [count, n, k]), [1, 0, 2]), [n, count * k]);
    const x = solve(reshape(a, a.shape.slice(-2)), columns);
    const rows = x.shape[0] as number;
    return reshape(transpose(reshape(x, [rows, count, k]), [1, 0, 2]), [...lead, rows, k]);
  }
  const spread = (t: Tensor): Tensor => broadcastTo(t, [...lead, ...t.shape.slice(-2)]);
  return solve(spread(a), spread(b));
}
