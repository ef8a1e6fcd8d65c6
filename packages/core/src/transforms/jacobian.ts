/** Jacobians: a derivative applied to every direction of a standard basis at once, by `vmap`. */
import { showAval } from '../aval.ts';
import { isFloat } from '../dtype.ts';
import { DTypeError } from '../errors.ts';
import { checkOptions } from '../ops/check.ts';
import { compare, convert } from '../primitives/arithmetic.ts';
import { iota, reshape } from '../primitives/movement.ts';
import type { Tensor } from '../tensor.ts';
import { type Leaf, type Leaves, type Static, treePaths, treeUnflatten } from '../tree.ts';
import {
  type ArgnumsOf,
  AuxFunction,
  type Chosen,
  chooseArguments,
  type Gradient,
  type GradOptions,
  type PrimaryOf,
  type WithAux,
} from './argnums.ts';
import { instantiate, jvpFlat } from './jvp.ts';
import { linearizeFlat } from './linearize.ts';
import { pullBack } from './vjp.ts';
import { placeBatch, vmapFlat } from './vmap.ts';

/** The Jacobian of a result like `R`: at each of its leaves, a tree like the gradient `G`. */
export type Jacobian<R, G> = R extends Leaf
  ? G
  : R extends Static<unknown> | null
    ? R
    : { [K in keyof R]: Jacobian<R[K], G> };

/** What `jacobian` of a function from `A` to `R` gives under options `O`. */
export type JacobianOf<A extends readonly unknown[], R, O> = WithAux<
  O,
  R,
  Jacobian<PrimaryOf<O, R>, Gradient<A, ArgnumsOf<O>>>
>;

/** What `hessian` of a function from `A` to `R` gives under options `O`. */
export type HessianOf<A extends readonly unknown[], R, O> = WithAux<
  O,
  R,
  Jacobian<PrimaryOf<O, R>, Jacobian<Gradient<A, ArgnumsOf<O>>, Gradient<A, ArgnumsOf<O>>>>
>;

/**
 * The Jacobian of `f` by forward mode, a pass for each element of the arguments: for functions with fewer arguments than
 * results.
 *
 * @param f Takes and returns any trees; with `hasAux`, returns `[value, aux]`.
 * @returns `(...args) => jacobian`: the tree of results, with a tree like the argument at each leaf; the leaves of those
 *   have the shape of the result followed by that of the argument. `[jacobian, aux]` with `hasAux`.
 * @throws {DTypeError} if an argument to differentiate, or a result, has a leaf that is no float.
 * @example
 * jacfwd((x: Tensor) => multiply(x, x))(tensor([1, 2]))   // [[2, 0], [0, 4]]
 */
export function jacfwd<A extends readonly unknown[], R, const O extends GradOptions = Record<never, never>>(
  f: (...args: A) => R,
  options?: O,
): (...args: Leaves<A>) => JacobianOf<A, R, O> {
  return jacobianBy('jacfwd', f, options, (call, xs) => {
    let results: readonly Tensor[] | undefined;
    const columns = xs.map((x, j) => {
      const [ys, dys] = overBasis(x, (dx) => {
        const seeds = xs.map((_, i) => (i === j ? dx : null));
        const [primals, tangents] = jvpFlat('jacfwd', call, xs, seeds);
        return [primals, tangents.map((dy, i) => instantiate(dy, (primals[i] as Tensor).aval))];
      });
      results = ys;
      return dys;
    });
    return {
      results: results ?? call(...xs),
      block: (i, j) => columns[j]?.(i, -1) as Tensor,
    };
  });
}

/**
 * The Jacobian of `f` by reverse mode, a pass for each element of the result: for functions with fewer results than
 * arguments. Takes and returns what {@link jacfwd} does.
 *
 * @throws {DTypeError} if an argument to differentiate, or a result, has a leaf that is no float.
 * @example
 * const distance = (p: { x: Tensor; y: Tensor }) => sqrt(add(square(p.x), square(p.y)));
 * jacrev(distance)({ x: tensor(3), y: tensor(4) }).y.item()   // 0.8
 */
export function jacrev<A extends readonly unknown[], R, const O extends GradOptions = Record<never, never>>(
  f: (...args: A) => R,
  options?: O,
): (...args: Leaves<A>) => JacobianOf<A, R, O> {
  return jacobianBy('jacrev', f, options, (call, xs) => {
    const active = xs.map(() => true);
    const [results, map] = linearizeFlat('jacrev', call, xs, active);
    const rows = new Map<number, (j: number, at: number) => Tensor>();
    const row = (i: number): ((j: number, at: number) => Tensor) => {
      const known = rows.get(i);
      if (known) return known;
      const [, gradients] = overBasis(results[i] as Tensor, (ct) => {
        const cts = pullBack(
          map,
          results.map((_, k) => (k === i ? ct : null)),
        );
        return [[], cts.map((g, j) => instantiate(g, (xs[j] as Tensor).aval))];
      });
      rows.set(i, gradients);
      return gradients;
    };
    return { results, block: (i, j) => row(i)(j, 0) };
  });
}

/**
 * The Jacobian of `f`: {@link jacrev}. Where `f` has more results than arguments, {@link jacfwd} is quicker.
 *
 * @throws {DTypeError} if an argument to differentiate, or a result, has a leaf that is no float.
 * @example
 * jacobian((x: Tensor) => outer(x, x))(tensor([1, 2])).shape   // [2, 2, 2]
 */
export function jacobian<A extends readonly unknown[], R, const O extends GradOptions = Record<never, never>>(
  f: (...args: A) => R,
  options?: O,
): (...args: Leaves<A>) => JacobianOf<A, R, O> {
  return jacrev(f, options);
}

/**
 * The Hessian of `f`, forward over reverse: for each leaf of the result and each two leaves of the argument, a tensor of
 * their three shapes one after another. For Hessian-vector products, {@link hvp} needs no matrix.
 *
 * @throws {DTypeError} if an argument to differentiate, or a result, has a leaf that is no float.
 * @example
 * hessian((x: Tensor) => prod(x))(tensor([2, 3, 5]))   // [[0, 5, 3], [5, 0, 2], [3, 2, 0]]
 */
export function hessian<A extends readonly unknown[], R, const O extends GradOptions = Record<never, never>>(
  f: (...args: A) => R,
  options?: O,
): (...args: Leaves<A>) => HessianOf<A, R, O> {
  checkOptions('hessian', options ?? {}, ['argnums', 'hasAux']);
  const first = jacrev(f, options) as (...args: unknown[]) => unknown;
  return jacfwd(first, options) as never;
}

/** The results of a function (value, then aux), and the Jacobian of result i with respect to leaf j. */
interface Blocks {
  readonly results: readonly Tensor[];
  readonly block: (i: number, j: number) => Tensor;
}

function jacobianBy<A extends readonly unknown[], R, O extends GradOptions>(
  op: string,
  f: (...args: A) => R,
  options: O | undefined,
  compute: (call: (...leaves: Tensor[]) => Tensor[], leaves: Chosen['leaves']) => Blocks,
): (...args: Leaves<A>) => JacobianOf<A, R, O> {
  checkOptions(op, options ?? {}, ['argnums', 'hasAux']);
  const { argnums, hasAux = false } = options ?? {};
  return (...args) => {
    const chosen = chooseArguments(op, args, argnums);
    const xs = chosen.leaves;
    const flatF = new AuxFunction(op, f, hasAux);
    const { results, block } = compute((...leaves) => flatF.call(chosen.arguments(leaves)), xs);
    const values = results.slice(0, flatF.count);
    checkFloatResults(op, values, flatF);
    const blocks = values.map((y, i) =>
      chosen.unflatten(xs.map((x, j) => reshape(block(i, j), [...y.shape, ...x.shape]))),
    );
    const jacobian = treeUnflatten(flatF.structure, blocks);
    return (hasAux ? [jacobian, flatF.unflattenAux(results.slice(flatF.count))] : jacobian) as never;
  };
}

function checkFloatResults(op: string, ys: readonly Tensor[], { structure }: AuxFunction): void {
  const at = ys.findIndex((y) => !isFloat(y.dtype));
  if (at < 0) return;
  const path = treePaths(treeUnflatten(structure, ys))[at];
  throw new DTypeError(
    `${op}: the function must return floats, but ${path} of its result is ${showAval((ys[at] as Tensor).aval)}; ` +
      `convert it with astype(), or return it as aux with { hasAux: true }.`,
  );
}

/**
 * Applies a linear map to every direction of the standard basis of tensors like `x`.
 *
 * @param f Results that do not depend on the direction, and those that do.
 * @returns The former, and a function that gives one of the latter with the direction along axis `at`.
 */
function overBasis(
  x: Tensor,
  f: (direction: Tensor) => [readonly Tensor[], readonly Tensor[]],
): [Tensor[], (i: number, at: number) => Tensor] {
  const { size, shape, dtype } = x;
  const [row, column] = [reshape(iota(size, 'int32'), [size, 1]), iota(size, 'int32')];
  const basis = reshape(convert(compare('eq', row, column), dtype), [size, ...shape]);
  let fixed = 0;
  const [ys, axes] = vmapFlat(
    (direction) => {
      const [same, mapped] = f(direction);
      fixed = same.length;
      return [...same, ...mapped];
    },
    [basis],
    [0],
    size,
    null,
  );
  const mapped = (i: number, at: number): Tensor => {
    const y = ys[fixed + i] as Tensor;
    const axis = axes[fixed + i] ?? null;
    return placeBatch(y, axis, at < 0 ? y.ndim - (axis === null ? 0 : 1) : at, size);
  };
  return [ys.slice(0, fixed), mapped];
}
