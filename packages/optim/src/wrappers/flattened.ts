import {
  astype,
  concatenate,
  ravel,
  reshape,
  split,
  type Tensor,
  treeFlatten,
  treeUnflatten,
  zeros,
} from '@neumann/core';
import type { GradientTransformation } from '../protocol.ts';
import { floatDType, leavesOf } from '../trees.ts';

/**
 * Runs a transformation on one vector of all elements, in the widest dtype of the leaves: fewer, longer operations where
 * there are many small tensors. For transformations that treat elements alike; those that look at tensors (trust ratios,
 * matrices) see one tensor. (optax calls this `flatten`, which here is nn's layer.)
 *
 * @example
 * const tx = flattened(adam({ learningRate: 1e-3 }));
 */
export function flattened<S>(inner: GradientTransformation<S>): GradientTransformation<S> {
  return {
    init: (params) => inner.init(vectorOf(params)),
    update: (updates, state, params, extra) => {
      const own = params === null || params === undefined ? params : vectorOf(params);
      const [vector, next] = inner.update(vectorOf(updates), state, own, extra);
      return [treeOf(updates, vector) as never, next];
    },
  };
}

function vectorOf(tree: unknown): Tensor {
  const leaves = leavesOf(tree);
  const dtype = floatDType(leaves);
  if (leaves.length === 0) return zeros([0], dtype);
  return concatenate(leaves.map((x) => ravel(astype(x, dtype))));
}

function treeOf(like: unknown, vector: Tensor): unknown {
  const leaves = leavesOf(like);
  if (leaves.length === 0) return like;
  const cuts = leaves.slice(1).map((_, i) => leaves.slice(0, i + 1).reduce((n, x) => n + x.size, 0));
  const parts = split(vector, cuts);
  return treeUnflatten(
    treeFlatten(like).structure,
    leaves.map((x, i) => astype(reshape(parts[i] as Tensor, x.shape), x.dtype)),
  );
}
