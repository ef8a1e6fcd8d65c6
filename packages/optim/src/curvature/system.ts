/** A linear system A x = b on trees: what its iterations take, start from and return. */
import {
  divide,
  equal,
  full,
  greater,
  maximum,
  multiply,
  subtract,
  type Tensor,
  type Tensors,
  where,
  zeros,
} from '@neumann/core';
import { integerFrom, nonNegative, type Rule, type RulesOf, required } from '../options.ts';
import type { Scalar } from '../protocol.ts';
import { scalarOf } from '../trees.ts';
import { length, type Matvec, unit, type VectorSpace, vectorSpace } from './vectors.ts';

/** What an iteration for A x = b came to. */
export interface Solution<T> {
  /** x, in the form of b. */
  readonly x: Tensors<T>;
  /** `i32[]`, iterations made: each is one product with A. */
  readonly steps: Tensor;
  /** ‖b - A x‖/‖b‖, or ‖b - A x‖ if b is 0, as the iteration knows it. Large or NaN where it diverged. */
  readonly residual: Tensor;
}

/** Where an iteration starts, and when it ends. */
export interface SystemOptions<T> {
  /** Iterations at most. */
  readonly maxIter: Scalar;
  /** The relative residual ‖b - A x‖/‖b‖ to stop at; 1e-5. The spacing of the dtype's numbers at 1 is the least. */
  readonly tolerance?: Scalar;
  /** The x to start from, in the form of b; 0. */
  readonly init?: T;
}

/** A tree, which the methods check themselves. */
const tree: Rule = { allows: () => true, range: 'a tree' };

/** Rules of {@link SystemOptions}. */
export const systemRules: RulesOf<SystemOptions<unknown>> = {
  maxIter: required(integerFrom(1)),
  tolerance: nonNegative,
  init: tree,
};

/** The system as vectors, divided by ‖b‖ so that no square overflows or vanishes, and the start of an iteration. */
export interface System<T> {
  readonly space: VectorSpace<T>;
  readonly apply: (x: Tensor) => Tensor;
  /** x, its residual b - A x, and the steps made. */
  readonly start: { readonly x: Tensor; readonly r: Tensor; readonly steps: Tensor };
  /** Whether a residual is above the tolerance. It is not if it is NaN. */
  unsolved(this: void, r: Tensor): Tensor;
  solution(this: void, x: Tensor, r: Tensor, steps: Tensor): Solution<T>;
}

/** @throws {TreeError} {ShapeError} naming the leaf where `init` or A x has another form than b. */
export function systemOf<T>(
  op: string,
  matvec: Matvec<T>,
  b: T,
  { tolerance = 1e-5, init }: SystemOptions<T>,
): System<T> {
  const space = vectorSpace(op, 'b', b);
  const { dtype } = space;
  const apply = space.map(matvec);
  const right = space.vector('b', b);
  const [unitRight, norm] = unit(right);
  const scale = where(equal(norm, 0), 1, norm);
  const x = init === undefined ? zeros([space.size], dtype) : divide(space.vector('init', init), scale);
  const r = init === undefined ? unitRight : subtract(unitRight, apply(x));
  const least = maximum(scalarOf(tolerance, dtype), dtype === 'float64' ? 2 ** -52 : 2 ** -23);
  return {
    space,
    apply,
    start: { x, r, steps: full([], 0, 'int32') },
    unsolved: (residual) => greater(length(residual), least),
    solution: (found, residual, steps) => ({
      x: space.tree(multiply(scale, found)),
      steps,
      residual: length(residual),
    }),
  };
}
