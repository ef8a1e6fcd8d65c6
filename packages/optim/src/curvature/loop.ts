/** Loops of the iterations of this folder. */
import { logicalAnd, type Tensor, type Tensors, tensor, treeMap, where } from '@neumann/core';

/**
 * `body` while `goes` holds, `maxIter` times at most.
 *
 * @param state A tree of tensors, whose form `body` keeps.
 */
export function loop<S>(maxIter: number, state: S, goes: (state: S) => Tensor, body: (state: S) => S): S {
  let current = state;
  let going = goes(current);
  for (let k = 0; k < maxIter; k++) {
    const on = going;
    current = treeMap((next, old) => where(on, next, old), body(current), current) as S & Tensors<S>;
    going = logicalAnd(on, goes(current));
  }
  return current;
}

/** `body` `times` times, with the number of times before as `i32[]`. */
export function repeat<S>(times: number, state: S, body: (state: S, i: Tensor) => S): S {
  let current = state;
  for (let i = 0; i < times; i++) current = body(current, tensor(i, 'int32'));
  return current;
}
