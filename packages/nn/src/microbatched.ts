import {
  add,
  arange,
  divide,
  evalShape,
  reshape,
  type ShapeDtype,
  ShapeError,
  scan,
  showAval,
  slice,
  Tensor,
  type Tensors,
  treeFlatten,
  treeLeaves,
  treeMap,
  treeUnflatten,
  zeros,
} from '@neumann/core';
import { positiveInteger } from './options.ts';

/**
 * The mean of `f` over small parts of a batch, one after the other in one loop: with `f` a gradient, that of the whole
 * batch up to rounding, in the memory that a part needs.
 *
 * @param f Of parameters, a part of the batch, and its number (an `i32[]`, to fold into a key); to any tree of floats
 *   that are means over the examples, such as `valueAndGrad(loss)`.
 * @param size Examples of a part; it divides the batch.
 * @returns A function of parameters and a batch: any tree of tensors with the examples along the first axis.
 * @throws {OptionError} unless `size` is an integer of at least 1. {ShapeError} if it does not divide the batch.
 * @example
 * const loss = (w: Tensor, x: Tensor) => mean(square(multiply(x, w)));
 * const [value, gradient] = microbatched(valueAndGrad(loss), 2)(tensor(3), tensor([1, 2, 3, 4]));
 * gradient.item()   // 45
 */
export function microbatched<P, B, R>(
  f: (params: P, part: B, index: Tensor) => R,
  size: number,
): (params: P, batch: B) => Tensors<R> {
  positiveInteger('microbatched', 'size', size);
  return (params, batch) => {
    const count = partsOf(batch, size);
    const parts = treeMap((x: Tensor) => reshape(x, [count, size, ...x.shape.slice(1)]), batch as object);
    const first = (p: unknown, b: unknown): object =>
      f(p as P, treeMap((x: Tensor) => slice(x, [0]), b as object) as B, zeros([], 'int32')) as object;
    const shapes = evalShape(first as (p: object, b: object) => object, params as object, parts);
    const sums = zerosOf(shapes);
    const [total] = scan(
      (sum: unknown, row: unknown) => {
        const { part: x, i } = row as { part: B; i: Tensor };
        return [treeMap(add, sum as object, f(params, x, i) as object), null] as never;
      },
      sums,
      { part: parts, i: arange(count) } as never,
    );
    return treeMap((x: Tensor) => divide(x, count), total) as Tensors<R>;
  };
}

function partsOf(batch: unknown, size: number): number {
  const leaves = treeLeaves(batch) as Tensor[];
  const odd = leaves.find(
    (x) => !(x instanceof Tensor) || x.ndim === 0 || (x.shape[0] as number) % size !== 0,
  );
  if (odd !== undefined || leaves.length === 0)
    throw new ShapeError(
      `microbatched: parts of ${size} must divide the first axis of the batch, ${odd instanceof Tensor ? `but it has ${showAval(odd.aval)}` : 'which needs tensors'}.`,
    );
  return (leaves[0]?.shape[0] as number) / size;
}

function zerosOf(shapes: object): object {
  const { leaves, structure } = treeFlatten(shapes);
  return treeUnflatten(
    structure,
    (leaves as unknown as ShapeDtype[]).map(({ shape, dtype }) => zeros(shape, dtype)),
  );
}
