/** Reverse mode: linearize, then transpose the linear program. */
import { type Aval, showAval } from '../aval.ts';
import { isFloat } from '../dtype.ts';
import { DTypeError, OptionError, ShapeError } from '../errors.ts';
import { checkOptions } from '../ops/check.ts';
import { toTensor } from '../ops/convert.ts';
import { Linear, type Zero } from '../primitive.ts';
import { scalar } from '../primitives/pointwise.ts';
import { sameShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { refusePromise } from '../trace.ts';
import {
  checkSameStructure,
  type Leaves,
  type Tensors,
  treeFlatten,
  treePaths,
  treeUnflatten,
} from '../tree.ts';
import { flatFunction } from './flat.ts';
import { instantiate } from './jvp.ts';
import { type LinearMap, linearizeFlat } from './linearize.ts';
import { transposeProgram } from './transpose.ts';

/** Cotangents of the active inputs of a linear map from those of the function's results. */
function pullBack(map: LinearMap, cotangents: readonly (Tensor | Zero)[]): (Tensor | Zero)[] {
  const { program, captured } = map.recorded;
  const cts = new Array<Tensor | Zero>(program.outputs.length).fill(null);
  for (const [i, place] of map.outputs.entries()) if (place !== null) cts[place] = cotangents[i] ?? null;
  const operands = [...captured, ...map.inputs.map((aval) => new Linear(aval))];
  return transposeProgram(program, operands, cts).slice(captured.length);
}

/**
 * The value of `f` and a function from cotangents of the result to cotangents of the arguments (`ct ↦ f'(x)ᵀ ct`).
 *
 * @throws {TreeError} {ShapeError} from the returned function, if the cotangent does not fit the result.
 * @example
 * const [y, back] = vjp((x: Tensor) => sin(x), tensor([0, 1]));
 * const [dx] = back(ones([2]));   // cos(x)
 */
export function vjp<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...primals: Leaves<A>
): [Tensors<R>, (cotangent: Leaves<R>) => Tensors<A>] {
  const flat = treeFlatten(primals);
  const xs = flat.leaves.map((x) => toTensor(x));
  const flatF = flatFunction(f, flat.structure);
  const active = xs.map((x) => isFloat(x.dtype));
  const [ys, map] = linearizeFlat('vjp', flatF.call, xs, active);
  const back = (cotangent: Leaves<R>): Tensors<A> => {
    const ct = treeFlatten(cotangent);
    checkSameStructure('vjp', 'the result', flatF.structure(), 'the cotangent', ct.structure);
    const cts = ct.leaves.map((c, i) => {
      const y = ys[i] as Tensor;
      const t = toTensor(c, y.dtype);
      if (!sameShape(t.shape, y.shape))
        throw new ShapeError(
          `vjp: the cotangent of ${treePaths(cotangent)[i]} must be ${showAval(y.aval)}, but is ${showAval(t.aval)}.`,
        );
      return t;
    });
    const grads = pullBack(map, cts);
    let next = 0;
    return treeUnflatten(
      flat.structure,
      xs.map((x, i) => instantiate(active[i] ? (grads[next++] ?? null) : null, x.aval)),
    );
  };
  return [flatF.unflatten(ys), back];
}

/** Options of `grad` and `valueAndGrad`. */
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

type ArgnumsOf<O> = O extends { readonly argnums: infer N } ? N : 0;
type ValueOf<O, R> = O extends { readonly hasAux: true }
  ? R extends readonly [unknown, infer X]
    ? [Tensor, Tensors<X>]
    : never
  : Tensor;

/**
 * The value of a scalar function together with its gradient.
 *
 * @param f Returns a float scalar, or `[scalar, aux]` with `hasAux`.
 * @returns `(...args) => [value, gradient]`; `[[value, aux], gradient]` with `hasAux`.
 * @throws {ShapeError} {DTypeError} if the result is not a float scalar; {DTypeError} if an argument to differentiate has an integer or bool leaf.
 * @example
 * const loss = (w: Tensor, x: Tensor) => sum(square(multiply(w, x)));
 * const [value, dw] = valueAndGrad(loss)(tensor(2), tensor([1, 2]));   // 20, 20
 */
export function valueAndGrad<
  A extends readonly unknown[],
  R,
  const O extends GradOptions = Record<never, never>,
>(f: (...args: A) => R, options?: O): (...args: Leaves<A>) => [ValueOf<O, R>, Gradient<A, ArgnumsOf<O>>] {
  checkOptions('grad', options ?? {}, ['argnums', 'hasAux']);
  const { argnums = 0, hasAux = false } = options ?? {};
  const chosen = typeof argnums === 'number' ? [argnums] : [...argnums];
  return (...args) => {
    for (const n of chosen)
      if (!Number.isInteger(n) || n < 0 || n >= args.length)
        throw new OptionError(
          `grad: argnums ${n} needs an argument with that index, but the call has ${args.length}.`,
        );
    const flat = treeFlatten(chosen.map((n) => args[n]));
    const xs = flat.leaves.map((x) => toTensor(x));
    checkFloats(
      xs,
      chosen.map((n) => args[n]),
      chosen,
    );
    let aux: unknown;
    const [ys, map] = linearizeFlat(
      'grad',
      (...leaves) => {
        const replaced = treeUnflatten<unknown[]>(flat.structure, leaves);
        const all = [...args] as unknown[];
        for (const [i, n] of chosen.entries()) all[n] = replaced[i];
        const result: unknown = f(...(all as unknown as A));
        refusePromise(result);
        if (!hasAux) return [scalarResult(result, hasAux)];
        const [value, rest] = result as [unknown, unknown];
        const flatAux = treeFlatten(rest ?? null);
        aux = flatAux.structure;
        return [scalarResult(value, hasAux), ...flatAux.leaves.map((y) => toTensor(y))];
      },
      xs,
      xs.map(() => true),
    );
    const [y, ...auxLeaves] = ys as [Tensor, ...Tensor[]];
    const cts = pullBack(map, [scalar(1, y.dtype)]);
    const gradients = treeUnflatten<unknown[]>(
      flat.structure,
      xs.map((x, i) => instantiate(cts[i] ?? null, x.aval)),
    );
    const value = hasAux ? [y, treeUnflatten(aux as never, auxLeaves)] : y;
    return [value, typeof argnums === 'number' ? gradients[0] : gradients] as never;
  };
}

/**
 * The gradient of a scalar function, with respect to its first argument unless `argnums` says otherwise: a tree like
 * the argument, with its dtypes.
 *
 * @returns `(...args) => gradient`; `[gradient, aux]` with `hasAux`.
 * @throws what {@link valueAndGrad} throws.
 * @example
 * grad((x: Tensor) => multiply(x, multiply(x, x)))(tensor(2)).item()   // 12
 */
export function grad<A extends readonly unknown[], R, const O extends GradOptions = Record<never, never>>(
  f: (...args: A) => R,
  options?: O,
): (
  ...args: Leaves<A>
) => O extends { readonly hasAux: true }
  ? [Gradient<A, ArgnumsOf<O>>, ValueOf<O, R> extends [unknown, infer X] ? X : never]
  : Gradient<A, ArgnumsOf<O>> {
  const both = valueAndGrad(f, options);
  return (...args) => {
    const [value, gradient] = both(...args);
    return (options?.hasAux ? [gradient, (value as unknown as [Tensor, unknown])[1]] : gradient) as never;
  };
}

function checkFloats(xs: readonly Tensor[], args: readonly unknown[], argnums: readonly number[]): void {
  const at = xs.findIndex((x) => !isFloat(x.dtype));
  if (at < 0) return;
  const path = treePaths(args)
    [at]?.replace(/^\[(\d+)\]/, (_, i: string) => `argument ${argnums[Number(i)]} `)
    .trim();
  throw new DTypeError(
    `grad: needs float arguments, but ${path} is ${showAval((xs[at] as Tensor).aval)}; ` +
      `convert it with astype(), or leave it out with argnums.`,
  );
}

function scalarResult(result: unknown, hasAux: boolean): Tensor {
  const flat = treeFlatten(result);
  const y = flat.leaves[0];
  if (flat.structure.kind !== 'leaf' || y === undefined)
    throw new ShapeError(
      `grad: the function must return one scalar${hasAux ? ' first' : ''}, but it returned a tree of ${flat.leaves.length} leaves` +
        `${hasAux ? '.' : '; return [loss, aux] with { hasAux: true } to pass more out.'}`,
    );
  const value = toTensor(y);
  const aval: Aval = value.aval;
  if (aval.shape.length !== 0)
    throw new ShapeError(
      `grad: the function must return a scalar, but returned ${showAval(aval)}; reduce it with sum() or mean().`,
    );
  if (!isFloat(aval.dtype))
    throw new DTypeError(`grad: the function must return a float, but returned ${showAval(aval)}.`);
  return value;
}
