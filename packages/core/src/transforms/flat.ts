import { checkFunction } from '../ops/check.ts';
import { toTensor } from '../ops/convert.ts';
import type { Tensor } from '../tensor.ts';
import { refusePromise } from '../trace.ts';
import { type TreeStructure, treeFlatten, treeUnflatten } from '../tree.ts';

/** A function on trees as one on lists of tensors, which remembers the structure of its last result. */
export interface FlatFunction {
  readonly call: (...leaves: Tensor[]) => Tensor[];
  /** The tree that `f` last returned, with other leaves. */
  readonly unflatten: <T>(leaves: readonly unknown[]) => T;
  readonly structure: () => TreeStructure;
}

/** @throws {OptionError} unless `f` is a function. */
export function flatFunction<A extends readonly unknown[]>(
  op: string,
  f: (...args: A) => unknown,
  args: TreeStructure,
): FlatFunction {
  checkFunction(op, f);
  let result: TreeStructure | undefined;
  const structure = (): TreeStructure => result as TreeStructure;
  return {
    call: (...leaves) => {
      const tree = f(...treeUnflatten<A>(args, leaves));
      refusePromise(tree);
      const flat = treeFlatten(tree);
      result = flat.structure;
      return flat.leaves.map((y) => toTensor(y));
    },
    unflatten: (leaves) => treeUnflatten(structure(), leaves),
    structure,
  };
}
