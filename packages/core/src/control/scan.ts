import { showAval } from '../aval.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { checkInteger, checkOptions } from '../ops/check.ts';
import { toTensor } from '../ops/convert.ts';
import { scanPrimitive } from '../primitives/scan.ts';
import type { Tensor } from '../tensor.ts';
import { bind, refusePromise } from '../trace.ts';
import { type Leaves, type Tensors, type TreeStructure, treeFlatten } from '../tree.ts';
import {
  checkFunction,
  describe,
  nextCarry,
  type Operands,
  operandsOf,
  traceBody,
  unflatten,
  withCarry,
} from './body.ts';

/** Options of {@link scan}. */
export interface ScanOptions {
  /** Number of passes; needed only if `xs` has no leaves. */
  readonly length?: number | undefined;
  /** From the last row to the first. */
  readonly reverse?: boolean | undefined;
}

/**
 * A loop that carries a value and goes through the rows of `xs`: `[carry, y] = f(carry, xs[i])` for each i.
 *
 * `f` is traced once, whatever the length; inside `jit` the loop is part of the one compiled program and allocates
 * nothing while it runs. It can be differentiated in both modes to any order, and batched.
 *
 * @param f Takes the carry and one row of `xs`, returns `[next carry, y]`; `y` is any tree, `null` for none. What else it
 *   uses from outside is the same in each pass.
 * @param init The first carry: any tree. The carry keeps its structure, shapes and dtypes.
 * @param xs A tree of tensors whose first axis is that of the loop, or `null` with `length`.
 * @returns `[carry, ys]`: the last carry, and the ys stacked along a new first axis.
 * @throws {ShapeError} {DTypeError} {TreeError} if the carry changes, naming the leaf; {ShapeError} if first axes differ;
 *   {TracerError} if `f` reads a traced value or returns a promise.
 * @example
 * const sums = scan((sum, x) => [add(sum, x), add(sum, x)], 0, tensor([1, 2, 3]));
 * sums[0].item()      // 6
 * sums[1].toArray()   // [1, 3, 6]
 */
export function scan<C, X, Y>(
  f: (carry: Tensors<NoInfer<C>>, x: Tensors<NoInfer<X>>) => readonly [Leaves<Tensors<NoInfer<C>>>, Y],
  init: C,
  xs: X,
  options: ScanOptions = {},
): [Tensors<C>, Tensors<Y>] {
  checkFunction('scan', 'the body', f);
  checkOptions('scan', options, ['length', 'reverse']);
  const carry = operandsOf('carry', init);
  const stacks = operandsOf('xs', xs ?? null);
  const length = lengthOf(stacks, options.length);
  const { results, ys } = runScan('scan', carry, stacks, length, options.reverse ?? false, (c, x) => {
    const returned: unknown = f(unflatten(carry, c), unflatten(stacks, x));
    refusePromise(returned);
    if (!Array.isArray(returned) || returned.length !== 2)
      throw new OptionError(
        `scan: the body must return [carry, y], but returned ${describe(returned)}; y may be null.`,
      );
    return returned as [unknown, unknown];
  });
  const count = carry.tensors.length;
  return [unflatten(carry, results.slice(0, count)), unflatten({ structure: ys }, results.slice(count))];
}

/** The loop of `scan` and `forLoop`: its last carries, then stacks of what it returns beside them. */
export function runScan(
  op: string,
  init: Operands,
  stacks: Operands,
  length: number,
  reverse: boolean,
  f: (carry: readonly Tensor[], row: readonly Tensor[]) => readonly [carry: unknown, y: unknown],
): { results: Tensor[]; ys: TreeStructure } {
  const carries = init.tensors.length;
  const rows = stacks.tensors.map(({ shape, dtype }) => ({ shape: shape.slice(1), dtype }));
  let ys: TreeStructure = { kind: 'null' };
  return withCarry(init, (carry) => {
    const body = traceBody(op, [...carry.tensors.map((x) => x.aval), ...rows], (all) => {
      const [next, y] = f(all.slice(0, carries), all.slice(carries));
      const flat = treeFlatten(y ?? null);
      ys = flat.structure;
      return [...nextCarry(op, carry, next), ...flat.leaves.map((leaf) => toTensor(leaf))];
    });
    const params = { body: body.program, consts: body.captured.length, carries, length, reverse };
    const inputs = [...body.captured, ...carry.tensors, ...stacks.tensors];
    return { results: bind(scanPrimitive, inputs, params), ys };
  });
}

function lengthOf(stacks: Operands, wanted: number | undefined): number {
  if (wanted !== undefined) checkInteger('scan', 'length', wanted, 0);
  const scalar = stacks.tensors.findIndex((x) => x.ndim === 0);
  if (scalar >= 0)
    throw new ShapeError(
      `scan: goes through the first axis of xs, but ${stacks.paths[scalar]} is ${showAval((stacks.tensors[scalar] as Tensor).aval)}; ` +
        `use it inside the body, or repeat it with broadcastTo().`,
    );
  const [first] = stacks.tensors;
  const length = wanted ?? first?.shape[0];
  if (length === undefined) throw new OptionError('scan: needs xs with at least one leaf, or { length }.');
  const odd = stacks.tensors.findIndex((x) => x.shape[0] !== length);
  if (odd >= 0)
    throw new ShapeError(
      `scan: all xs must have ${wanted === undefined ? `as many rows as ${stacks.paths[0]}` : 'length rows'}, ${length}, ` +
        `but ${stacks.paths[odd]} is ${showAval((stacks.tensors[odd] as Tensor).aval)}.`,
    );
  return length;
}
