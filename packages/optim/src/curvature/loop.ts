import { add, less, logicalAnd, type Tensor, type Tensors, whileLoop } from '@neumann/core';
import type { Scalar } from '../protocol.ts';
import { scalarOf } from '../trees.ts';

/**
 * `body` while `goes` holds, `maxIter` times at most.
 *
 * @param state A tree of tensors, whose form `body` keeps.
 */
export function loop<S>(maxIter: Scalar, state: S, goes: (state: S) => Tensor, body: (state: S) => S): S {
  const limit = scalarOf(maxIter, 'int32');
  const end = whileLoop(
    (carry) => logicalAnd(less(carry.k, limit), goes(carry.state as S)),
    (carry) => ({ k: add(carry.k, 1), state: body(carry.state as S) }) as never,
    { k: scalarOf(0, 'int32'), state },
  );
  return end.state as S & Tensors<S>;
}
