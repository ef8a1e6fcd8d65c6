import { ShapeDtype } from '../aval.ts';
import type { TypedArray } from '../dtype.ts';
import type { Program } from '../ir/program.ts';
import { record } from '../ir/record.ts';
import { toTensor } from '../ops/convert.ts';
import type { Tensor } from '../tensor.ts';
import { type Leaf, type Static, treeFlatten } from '../tree.ts';
import { type FlatFunction, flatFunction } from './flat.ts';

/** `T` where any leaf may also be a {@link ShapeDtype}, a number, boolean or typed array. */
export type ShapeArguments<T> = T extends Tensor
  ? Leaf
  : T extends Static<unknown> | null | number | boolean | TypedArray | ShapeDtype
    ? T
    : T extends (...args: never[]) => unknown
      ? T
      : { [K in keyof T]: ShapeArguments<T[K]> };

/** `T` with a {@link ShapeDtype} at every leaf. */
export type Shapes<T> = T extends Leaf
  ? ShapeDtype
  : T extends Static<unknown> | null
    ? T
    : { [K in keyof T]: Shapes<T[K]> };

/**
 * The shapes and dtypes of what `f` would return, without computing anything: `f` is traced, as by `jit`.
 *
 * @param args Trees whose leaves are tensors, numbers, or {@link ShapeDtype}s, which need no data.
 * @returns The tree that `f` returns, with a {@link ShapeDtype} at every leaf.
 * @throws {TracerError} if `f` reads a value or returns a promise, and whatever `f` throws for these shapes.
 * @example
 * evalShape(matmul, new ShapeDtype([8, 3]), new ShapeDtype([3, 4]))   // f32[8,4]
 */
export function evalShape<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...args: ShapeArguments<A>
): Shapes<R> {
  const { program, flat } = recordShapes('evalShape', f, args);
  return flat.unflatten(program.outputs.map(({ aval }) => new ShapeDtype(aval.shape, aval.dtype)));
}

/** Traces `f` for trees of tensors, numbers or shapes. */
export function recordShapes<A extends readonly unknown[]>(
  name: string,
  f: (...args: A) => unknown,
  args: ShapeArguments<A>,
): { program: Program; flat: FlatFunction } {
  const { leaves, structure } = treeFlatten(args);
  const flat = flatFunction(name, f, structure);
  const avals = leaves.map((x) => (x instanceof ShapeDtype ? x : toTensor(x).aval));
  const { program } = record(name, avals, (inputs) => flat.call(...inputs));
  return { program, flat };
}
