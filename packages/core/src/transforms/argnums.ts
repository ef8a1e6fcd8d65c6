/** The arguments that a derivative is taken with respect to, as a flat list of leaves. */
import { showAval } from '../aval.ts';
import { isFloat } from '../dtype.ts';
import { DTypeError, OptionError, TreeError } from '../errors.ts';
import { toTensor } from '../ops/convert.ts';
import type { Tensor } from '../tensor.ts';
import { refusePromise } from '../trace.ts';
import { type Tensors, type TreeStructure, treeFlatten, treePaths, treeUnflatten } from '../tree.ts';

/** Options of the transformations that differentiate with respect to some arguments. */
export interface GradOptions {
  /** Which argument, or arguments, to differentiate with respect to; the first by default. */
  readonly argnums?: number | readonly number[];
  /** The function returns `[value, aux]`; aux is passed through. */
  readonly hasAux?: boolean;
}

/** What the gradient looks like: a tree like the argument, or an array of them for an array of argnums. */
export type Gradient<A extends readonly unknown[], N> = N extends readonly number[]
  ? { [I in keyof N]: Tensors<A[N[I] & keyof A]> }
  : Tensors<A[N & keyof A]>;

/** The argnums of options of type `O`. */
export type ArgnumsOf<O> = O extends { readonly argnums: infer N } ? N : 0;

/** What a function that returns `R` computes, without its aux. */
export type PrimaryOf<O, R> = O extends { readonly hasAux: true }
  ? R extends readonly [infer V, unknown]
    ? V
    : never
  : R;

/** `T`, or `[T, aux]` if the options say that there is aux. */
export type WithAux<O, R, T> = O extends { readonly hasAux: true }
  ? R extends readonly [unknown, infer X]
    ? [T, Tensors<X>]
    : never
  : T;

/** The chosen arguments of one call. */
export interface Chosen {
  /** Leaves of the chosen arguments; all are floats. */
  readonly leaves: readonly Tensor[];
  /** All arguments of the call, with other leaves in the chosen ones. */
  readonly arguments: (leaves: readonly Tensor[]) => unknown[];
  /** All arguments of the call, with another tree (or array of trees) for the chosen ones. */
  readonly replace: (chosen: unknown) => unknown[];
  /** A tree like the chosen argument, or an array of them for an array of argnums. */
  readonly unflatten: <T>(leaves: readonly unknown[]) => T;
}

/** @throws {OptionError} {DTypeError} if there is no such argument, or it has a leaf that is no float. */
export function chooseArguments(
  op: string,
  args: readonly unknown[],
  argnums: number | readonly number[] = 0,
): Chosen {
  const chosen = typeof argnums === 'number' ? [argnums] : argnums;
  for (const n of chosen)
    if (!Number.isInteger(n) || n < 0 || n >= args.length)
      throw new OptionError(
        `${op}: argnums ${n} needs an argument with that index, but the call has ${args.length}.`,
      );
  const trees = chosen.map((n) => args[n]);
  const flat = treeFlatten(trees);
  const leaves = flat.leaves.map((x) => toTensor(x));
  checkFloats(op, leaves, trees, chosen);
  const unflatten = <T>(replaced: readonly unknown[]): T => {
    const built = treeUnflatten<unknown[]>(flat.structure, replaced);
    return (typeof argnums === 'number' ? built[0] : built) as T;
  };
  const replace = (tree: unknown): unknown[] => {
    const all = [...args];
    const built = typeof argnums === 'number' ? [tree] : (tree as readonly unknown[]);
    for (const [i, n] of chosen.entries()) all[n] = built[i];
    return all;
  };
  return {
    leaves,
    unflatten,
    replace,
    arguments: (replaced) => replace(unflatten(replaced)),
  };
}

function checkFloats(
  op: string,
  xs: readonly Tensor[],
  trees: readonly unknown[],
  argnums: readonly number[],
): void {
  const at = xs.findIndex((x) => !isFloat(x.dtype));
  if (at < 0) return;
  const path = treePaths(trees)
    [at]?.replace(/^\[(\d+)\]/, (_, i: string) => `argument ${argnums[Number(i)]} `)
    .trim();
  throw new DTypeError(
    `${op}: needs float arguments, but ${path} is ${showAval((xs[at] as Tensor).aval)}; ` +
      `convert it with astype(), or leave it out with argnums.`,
  );
}

/** A function that may return `[value, aux]`, as one of leaves; keeps the structures of its last result. */
export class AuxFunction {
  readonly #f: (...args: never[]) => unknown;
  readonly #hasAux: boolean;
  #count = 0;
  #value: TreeStructure = { kind: 'null' };
  #aux: TreeStructure = { kind: 'null' };
  readonly #op: string;

  constructor(op: string, f: (...args: never[]) => unknown, hasAux: boolean) {
    this.#op = op;
    this.#f = f;
    this.#hasAux = hasAux;
  }

  /** Leaves of the value, then those of aux. */
  call(args: readonly unknown[]): Tensor[] {
    const result = this.#f(...(args as never[]));
    refusePromise(result);
    if (this.#hasAux && !(Array.isArray(result) && result.length === 2))
      throw new TreeError(`${this.#op}: with { hasAux: true } the function must return [value, aux].`);
    const [value, aux] = this.#hasAux ? (result as [unknown, unknown]) : [result, null];
    const [flat, flatAux] = [treeFlatten(value), treeFlatten(aux ?? null)];
    this.#value = flat.structure;
    this.#aux = flatAux.structure;
    this.#count = flat.leaves.length;
    return [...flat.leaves, ...flatAux.leaves].map((y) => toTensor(y));
  }

  /** How many leaves the value has. */
  get count(): number {
    return this.#count;
  }

  get structure(): TreeStructure {
    return this.#value;
  }

  unflattenAux(leaves: readonly Tensor[]): unknown {
    return treeUnflatten(this.#aux, leaves);
  }
}
