/** Reverse mode: linearize, then transpose the linear program. */
import { showAval } from '../aval.ts';
import { isFloat } from '../dtype.ts';
import { DTypeError, ShapeError } from '../errors.ts';
import { checkFunction, checkOptions } from '../ops/check.ts';
import { toTensor } from '../ops/convert.ts';
import { Linear, type Zero } from '../primitive.ts';
import { scalar } from '../primitives/pointwise.ts';
import type { Tensor } from '../tensor.ts';
import { type Leaves, type Tensors, treeFlatten, treeUnflatten } from '../tree.ts';
import {
  type ArgnumsOf,
  AuxFunction,
  chooseArguments,
  type Gradient,
  type GradOptions,
  type WithAux,
} from './argnums.ts';
import { cotangentsOf } from './cotangents.ts';
import { flatFunction } from './flat.ts';
import { instantiate } from './jvp.ts';
import { type LinearMap, linearizeFlat } from './linearize.ts';
import { transposeProgram } from './transpose.ts';

/** Cotangents of the active inputs of a linear map from those of the function's results. */
export function pullBack(map: LinearMap, cotangents: readonly (Tensor | Zero)[]): (Tensor | Zero)[] {
  const { program, captured } = map.recorded;
  const cts = new Array<Tensor | Zero>(program.outputs.length).fill(null);
  for (const [i, place] of map.outputs.entries()) if (place !== null) cts[place] = cotangents[i] ?? null;
  const operands = [...captured, ...map.inputs.map((aval) => new Linear(aval))];
  return transposeProgram(program, operands, cts).slice(captured.length);
}

/**
 * The value of `f` and a function from cotangents of the result to cotangents of the arguments (`ct ↦ f'(x)ᵀ ct`).
 *
 * @throws {TreeError} {ShapeError} {DTypeError} from the returned function, if the cotangent does not fit the result.
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
  const flatF = flatFunction('vjp', f, flat.structure);
  const active = xs.map((x) => isFloat(x.dtype));
  const [ys, map] = linearizeFlat('vjp', flatF.call, xs, active);
  const back = (cotangent: Leaves<R>): Tensors<A> => {
    const grads = pullBack(map, cotangentsOf('vjp', flatF.structure(), ys, cotangent));
    let next = 0;
    return treeUnflatten(
      flat.structure,
      xs.map((x, i) => instantiate(active[i] ? (grads[next++] ?? null) : null, x.aval)),
    );
  };
  return [flatF.unflatten(ys), back];
}

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
>(
  f: (...args: A) => R,
  options?: O,
): (...args: Leaves<A>) => [WithAux<O, R, Tensor>, Gradient<A, ArgnumsOf<O>>] {
  checkFunction('grad', f);
  checkOptions('grad', options ?? {}, ['argnums', 'hasAux']);
  const { argnums, hasAux = false } = options ?? {};
  return (...args) => {
    const chosen = chooseArguments('grad', args, argnums);
    const scalarF = new AuxFunction('grad', f, hasAux);
    const [ys, map] = linearizeFlat(
      'grad',
      (...leaves) => {
        const results = scalarF.call(chosen.arguments(leaves));
        checkScalar(scalarF, results[0], hasAux);
        return results;
      },
      chosen.leaves,
      chosen.leaves.map(() => true),
    );
    const [y, ...aux] = ys as [Tensor, ...Tensor[]];
    const cts = pullBack(map, [scalar(1, y.dtype)]);
    const gradient = chosen.unflatten(chosen.leaves.map((x, i) => instantiate(cts[i] ?? null, x.aval)));
    return [hasAux ? [y, scalarF.unflattenAux(aux)] : y, gradient] as never;
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
): (...args: Leaves<A>) => WithAux<O, R, Gradient<A, ArgnumsOf<O>>> {
  const both = valueAndGrad(f, options);
  return (...args) => {
    const [value, gradient] = both(...args);
    return (options?.hasAux ? [gradient, (value as unknown as [Tensor, unknown])[1]] : gradient) as never;
  };
}

function checkScalar({ structure, count }: AuxFunction, y: Tensor | undefined, hasAux: boolean): void {
  if (structure.kind !== 'leaf' || y === undefined)
    throw new ShapeError(
      `grad: the function must return one scalar${hasAux ? ' first' : ''}, but it returned a tree of ${count} leaves` +
        `${hasAux ? '.' : '; return [loss, aux] with { hasAux: true } to pass more out.'}`,
    );
  if (y.ndim !== 0)
    throw new ShapeError(
      `grad: the function must return a scalar, but returned ${showAval(y.aval)}; reduce it with sum() or mean().`,
    );
  if (!isFloat(y.dtype))
    throw new DTypeError(`grad: the function must return a float, but returned ${showAval(y.aval)}.`);
}
