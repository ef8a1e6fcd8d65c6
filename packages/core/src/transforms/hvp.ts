import { checkOptions } from '../ops/check.ts';
import type { Leaves } from '../tree.ts';
import { type ArgnumsOf, chooseArguments, type Gradient, type GradOptions } from './argnums.ts';
import { checkArguments, jvpTrees } from './jvp.ts';
import { grad } from './vjp.ts';

/** Options of {@link hvp}. */
export type HvpOptions = Pick<GradOptions, 'argnums'>;

/**
 * The product of the Hessian of a scalar function with a vector: `H(primals) v`, forward over reverse. It costs about
 * as much as two gradients, and the matrix is never formed.
 *
 * @param primals All arguments of `f`.
 * @param v The direction, a tree like the gradient: like the first argument, unless `argnums` says otherwise.
 * @returns A tree like `v`.
 * @throws {TreeError} {ShapeError} {DTypeError} if `v` does not fit the argument, or `f` has no scalar result.
 * @example
 * const f = (x: Tensor) => sum(multiply(x, multiply(x, x)));
 * hvp(f, [tensor([1, 2])], tensor([1, 1]))   // [6, 12]
 */
export function hvp<A extends readonly unknown[], R, const O extends HvpOptions = Record<never, never>>(
  f: (...args: A) => R,
  primals: Leaves<A>,
  v: Leaves<Gradient<A, ArgnumsOf<O>>>,
  options?: O,
): Gradient<A, ArgnumsOf<O>> {
  checkOptions('hvp', options ?? {}, ['argnums']);
  checkArguments('hvp', primals);
  const args = primals as readonly unknown[];
  const chosen = chooseArguments('hvp', args, options?.argnums);
  const gradient = grad(f, options) as unknown as (...args: unknown[]) => unknown;
  const ofChosen = (x: unknown): unknown => gradient(...chosen.replace(x));
  return jvpTrees('hvp', ofChosen, [chosen.unflatten(chosen.leaves)], [v])[1] as Gradient<A, ArgnumsOf<O>>;
}
