import { random, type Tensor, type Tensors, treeFlatten, treeUnflatten } from '@neumann/core';
import { leavesOf } from '../trees.ts';

/**
 * A key of its own for each leaf.
 *
 * @param key From `random.key(seed)`.
 * @example tree.splitKeyLike(random.key(0), { a: zeros([3]), b: zeros([]) }).a   // u32[2]
 */
export function splitKeyLike<T>(key: Tensor, tree: T): Tensors<T> {
  const { leaves, structure } = treeFlatten(tree);
  return treeUnflatten(structure, leaves.length === 0 ? [] : random.split(key, leaves.length));
}

/**
 * Random numbers in the form of a tree, each leaf from a key of its own.
 *
 * @param sampler From key, shape and dtype to a tensor; `random.normal` by default.
 * @example tree.randomLike(random.key(0), { a: zeros([3]) }).a   // f32[3]
 */
export function randomLike<T>(
  key: Tensor,
  tree: T,
  sampler: (
    key: Tensor,
    shape: Tensor['shape'],
    options: { readonly dtype: Tensor['dtype'] },
  ) => Tensor = random.normal,
): Tensors<T> {
  const { structure } = treeFlatten(tree);
  const leaves = leavesOf(tree);
  const keys = leavesOf(splitKeyLike(key, tree));
  return treeUnflatten(
    structure,
    leaves.map((x, i) => sampler(keys[i] as Tensor, x.shape, { dtype: x.dtype })),
  );
}
