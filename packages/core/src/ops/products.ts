/** Products of tensors over chosen axes. */
import { showAval } from '../aval.ts';
import { ShapeError } from '../errors.ts';
import { mul, sub } from '../primitives/arithmetic.ts';
import { concatenate, moveAxis, reshape, slice } from '../primitives/movement.ts';
import { reduceSum } from '../primitives/reduce.ts';
import { broadcastShapes, resolveAxis } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { checkInteger, checkOptions, show } from './check.ts';
import { numericOperand, numericPair, promoteOperands, type TensorLike } from './convert.ts';
import { contract } from './einsum.ts';
import { matmul } from './linalg.ts';
import { broadcastTo } from './shape.ts';

const operands = (op: string, x: TensorLike, y: TensorLike): [Tensor, Tensor] =>
  promoteOperands(op, x, y).map((t) => numericOperand(op, t)) as [Tensor, Tensor];

/**
 * Products summed over some axes of `x` and as many of `y`.
 *
 * @param axes How many: the last ones of `x` with the first ones of `y`; or the two lists of axes.
 * @returns The other axes of `x`, then those of `y`.
 * @throws {ShapeError} if extents differ or an axis is out of range. {OptionError} for anything else as axes.
 * @example tensordot(ones([2, 3, 4]), ones([4, 3, 5]), [[1, 2], [1, 0]])   // [2,5]
 */
export function tensordot(
  x: TensorLike,
  y: TensorLike,
  axes: number | readonly [number | readonly number[], number | readonly number[]] = 2,
): Tensor {
  const [a, b] = operands('tensordot', x, y);
  const [left, right] = axisPairs(axes, a, b);
  const odd = left.findIndex((axis, i) => a.shape[axis] !== b.shape[right[i] as number]);
  if (odd >= 0 || left.length !== right.length)
    throw new ShapeError(
      `tensordot: axes [${left}] of ${showAval(a.aval)} and [${right}] of ${showAval(b.aval)} have different extents.`,
    );
  const name = (i: number, mine: readonly number[], prefix: string): string =>
    mine.includes(i) ? `k${mine.indexOf(i)}` : `${prefix}${i}`;
  return contract(
    { x: a, names: a.shape.map((_, i) => name(i, left, 'x')) },
    { x: b, names: b.shape.map((_, i) => name(i, right, 'y')) },
    (n) => !n.startsWith('k'),
  ).x;
}

function axisPairs(
  axes: number | readonly [number | readonly number[], number | readonly number[]],
  a: Tensor,
  b: Tensor,
): [number[], number[]] {
  if (typeof axes === 'number') {
    checkInteger('tensordot', 'axes', axes, 0);
    if (axes > Math.min(a.ndim, b.ndim))
      throw new ShapeError(
        `tensordot: there are no ${axes} axes to sum over in ${showAval(a.aval)} and ${showAval(b.aval)}.`,
      );
    const count = Array.from({ length: axes }, (_, i) => i);
    return [count.map((i) => a.ndim - axes + i), count];
  }
  const list = (given: number | readonly number[], t: Tensor): number[] =>
    (typeof given === 'number' ? [given] : given).map((axis) => resolveAxis('tensordot', axis, t.ndim));
  if (!Array.isArray(axes) || axes.length !== 2)
    throw new ShapeError(
      `tensordot: axes are a number, or one list for each operand, but got ${show(axes)}.`,
    );
  return [list(axes[0], a), list(axes[1], b)];
}

/**
 * Products summed over the last axis of both.
 * @returns The other axes of `x`, then those of `y`; the plain product if one is a scalar.
 * @throws {ShapeError} if the last extents differ.
 * @example inner(tensor([[1, 2], [3, 4]]), tensor([1, 1]))   // [3, 7]
 */
export function inner(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = operands('inner', x, y);
  return a.ndim === 0 || b.ndim === 0 ? mul(a, b) : tensordot(a, b, [-1, -1]);
}

/**
 * The inner product of all elements, in row-major order.
 * @throws {ShapeError} if the numbers of elements differ.
 * @example vdot(tensor([[1, 2]]), tensor([[3], [4]]))        // 11
 */
export function vdot(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = operands('vdot', x, y);
  if (a.size !== b.size)
    throw new ShapeError(
      `vdot: needs as many elements on both sides, but got ${showAval(a.aval)} and ${showAval(b.aval)}.`,
    );
  return reduceSum(mul(reshape(a, [a.size]), reshape(b, [a.size])), [0]);
}

/**
 * The inner products of vectors along an axis; the others broadcast.
 * @param options.axis The last one by default.
 * @throws {ShapeError} if the shapes do not broadcast, or the extents along the axis differ.
 * @example vecdot(tensor([[1, 2], [3, 4]]), tensor([1, 1]))  // [3, 7]
 */
export function vecdot(
  x: TensorLike,
  y: TensorLike,
  options: { readonly axis?: number | undefined } = {},
): Tensor {
  checkOptions('vecdot', options, ['axis']);
  const [a, b] = operands('vecdot', x, y);
  const last = (t: Tensor): Tensor =>
    moveAxis(t, resolveAxis('vecdot', options.axis ?? -1, t.ndim), t.ndim - 1);
  const [left, right] = [last(a), last(b)];
  if (left.shape.at(-1) !== right.shape.at(-1))
    throw new ShapeError(
      `vecdot: vectors of one length are needed, but got ${showAval(a.aval)} and ${showAval(b.aval)}.`,
    );
  const product = mul(...numericPair('vecdot', left, right));
  return reduceSum(product, [product.ndim - 1]);
}

/**
 * The products of matrices and vectors; leading axes broadcast.
 * @param x Floats `[…, M, K]`. @param y Floats `[…, K]`.
 * @throws {ShapeError} if the inner extents differ.
 * @example matvec(tensor([[1, 2], [3, 4]]), tensor([1, 1]))  // [3, 7]
 */
export function matvec(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = operands('matvec', x, y);
  if (a.ndim < 2 || b.ndim < 1) refuse('matvec', 'x is […,M,K] and y is […,K]', a, b);
  const z = matmul(a, reshape(b, [...b.shape, 1]));
  return reshape(z, z.shape.slice(0, -1));
}

/**
 * The products of vectors and matrices; leading axes broadcast.
 * @param x Floats `[…, K]`. @param y Floats `[…, K, N]`.
 * @throws {ShapeError} if the inner extents differ.
 * @example vecmat(tensor([1, 1]), tensor([[1, 2], [3, 4]]))  // [4, 6]
 */
export function vecmat(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = operands('vecmat', x, y);
  if (a.ndim < 1 || b.ndim < 2) refuse('vecmat', 'x is […,K] and y is […,K,N]', a, b);
  const z = matmul(reshape(a, [...a.shape.slice(0, -1), 1, a.shape.at(-1) as number]), b);
  return reshape(z, [...z.shape.slice(0, -2), z.shape.at(-1) as number]);
}

function refuse(op: string, wanted: string, a: Tensor, b: Tensor): never {
  throw new ShapeError(`${op}: ${wanted}, but got ${showAval(a.aval)} and ${showAval(b.aval)}.`);
}

/**
 * The Kronecker product: each element of `x` times the whole of `y`, as blocks.
 * @returns Extents are products of those of `x` and `y`, aligned at the right.
 * @example kron(tensor([1, 10]), tensor([1, 2]))             // [1, 2, 10, 20]
 */
export function kron(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = operands('kron', x, y);
  const rank = Math.max(a.ndim, b.ndim);
  const full = (t: Tensor): number[] => [...new Array<number>(rank - t.ndim).fill(1), ...t.shape];
  const [left, right] = [full(a), full(b)];
  const product = mul(
    reshape(
      a,
      left.flatMap((n) => [n, 1]),
    ),
    reshape(
      b,
      right.flatMap((n) => [1, n]),
    ),
  );
  return reshape(
    product,
    left.map((n, i) => n * (right[i] as number)),
  );
}

/**
 * The vector products of vectors with three elements; leading axes broadcast.
 * @param x `[…, 3]`. @param y `[…, 3]`.
 * @throws {ShapeError} unless the vectors have three elements (pad one of two with a 0).
 * @example cross(tensor([1, 0, 0]), tensor([0, 1, 0]))       // [0, 0, 1]
 */
export function cross(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = operands('cross', x, y);
  if (a.shape.at(-1) !== 3 || b.shape.at(-1) !== 3)
    throw new ShapeError(
      `cross: vectors have three elements along the last axis, but got ${showAval(a.aval)} and ${showAval(b.aval)}.`,
    );
  const shape = broadcastShapes('cross', a.shape, b.shape);
  const turn = (t: Tensor, by: number): Tensor => {
    const part = (from: number, to: number): Tensor =>
      slice(
        t,
        t.shape.map((_, i) => (i === t.ndim - 1 ? from : 0)),
        [...t.shape.slice(0, -1), to],
        t.shape.map(() => 1),
      );
    return concatenate([part(by, 3), part(0, by)], t.ndim - 1);
  };
  const [u, v] = [broadcastTo(a, shape), broadcastTo(b, shape)];
  return sub(mul(turn(u, 1), turn(v, 2)), mul(turn(u, 2), turn(v, 1)));
}
