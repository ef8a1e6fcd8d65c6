/** Functions with derivatives of their own. */
import { showAval } from '../aval.ts';
import { isFloat } from '../dtype.ts';
import { DTypeError, OptionError, ShapeError, TreeError } from '../errors.ts';
import { checkFunction, checkOptions, nameOf } from '../ops/check.ts';
import { toTensor } from '../ops/convert.ts';
import type { Zero } from '../primitive.ts';
import { customJvpPrimitive, customVjpPrimitive } from '../primitives/custom.ts';
import { sameShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { bind, refusePromise } from '../trace.ts';
import {
  checkSameStructure,
  type Leaves,
  Static,
  type Tensors,
  type TreeStructure,
  treeFlatten,
  treePaths,
  treeUnflatten,
} from '../tree.ts';

/** Options of {@link customJvp} and {@link customVjp}. */
export interface CustomOptions {
  /**
   * Arguments that are not data, such as functions and names: they are passed on as they are, and where the rules
   * have tangents and cotangents, theirs are `null`.
   */
  readonly staticArgs?: readonly number[];
}

/** Tangents or cotangents of arguments: trees like them, or `null` for none. */
export type Differentials<A extends readonly unknown[]> = { [I in keyof A]: Leaves<A[I]> | null };

/**
 * `f` with a forward derivative of its own, from which reverse mode follows too.
 *
 * The rule holds under every transformation: `vmap` maps it, `jit` compiles it, and higher derivatives differentiate it.
 * It must be linear in the tangents. Tangents of integer leaves are zeros.
 *
 * @param f The function. A value from outside that is differentiated must be an argument.
 * @param rule `(primals, tangents) => [f(...primals), tangent of the result]`.
 * @throws {TreeError} {ShapeError} {DTypeError} where the rule's tangent does not fit the result; {RuleError} if a value
 *   from outside is differentiated.
 * @example
 * const softplus = customJvp(
 *   (x: Tensor) => log(add(1, exp(x))),
 *   ([x], [dx]) => [log(add(1, exp(x))), multiply(sigmoid(x), dx)],
 * );
 * grad(softplus)(tensor(0))   // 0.5
 */
export function customJvp<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  rule: (primals: A, tangents: Tensors<A>) => readonly [R | Tensors<R>, Leaves<R> | Tensors<R>],
  options: CustomOptions = {},
): (...args: Leaves<A>) => Tensors<R> {
  const name = nameOf('customJvp', f);
  checkFunction(`${name}: the rule`, rule);
  const isStatic = checkStatic(name, options);
  return (...args) => {
    const call = new CustomCall(name, f, args, isStatic);
    const flatRule = (primals: readonly Tensor[], tangents: readonly Tensor[]): [Tensor[], Tensor[]] => {
      const dxs = call.arguments(tangents).map((dx, i) => (isStatic.has(i) ? null : dx));
      const result: unknown = rule(call.arguments(primals) as unknown as A, dxs as never);
      const [y, dy] = pairOf(name, 'the rule must return [result, tangent]', result);
      const ys = call.results(y);
      return [ys, fitting(`${name}: the tangent of the result`, dy, call.structure, ys)];
    };
    const { f: flatF, inputs } = call;
    return call.unflatten(bind(customJvpPrimitive, inputs, { name, f: flatF, captured: 0, rule: flatRule }));
  };
}

/**
 * `f` with a reverse derivative of its own, for functions that only reverse mode differentiates.
 *
 * The rules hold under every transformation: `vmap` maps them, `jit` compiles them, and higher derivatives differentiate
 * them.
 *
 * @param f The function. A value from outside that is differentiated must be an argument.
 * @param forward `(...args) => [f(...args), residuals]`, where residuals are any tree that `backward` needs.
 * @param backward `(residuals, cotangent of the result) => [cotangent of each argument]`; `null` is zero.
 * @throws {TreeError} {ShapeError} {DTypeError} where a cotangent does not fit its argument; {RuleError} if forward mode
 *   is asked for, or a value from outside is differentiated.
 * @example
 * const clipped = customVjp(
 *   (x: Tensor) => x,
 *   (x: Tensor) => [x, null],
 *   (_, ct: Tensor) => [clip(ct, { min: -1, max: 1 })],
 * );
 * grad((x: Tensor) => multiply(100, clipped(x)))(tensor(3))   // 1
 */
export function customVjp<A extends readonly unknown[], R, S>(
  f: (...args: A) => R,
  forward: (...args: A) => readonly [R | Tensors<R>, S],
  backward: (residuals: Tensors<S>, cotangent: Tensors<R>) => Differentials<A>,
  options: CustomOptions = {},
): (...args: Leaves<A>) => Tensors<R> {
  const name = nameOf('customVjp', f);
  checkFunction(`${name}: forward`, forward);
  checkFunction(`${name}: backward`, backward);
  const isStatic = checkStatic(name, options);
  return (...args) => {
    const call = new CustomCall(name, f, args, isStatic);
    let residualStructure: TreeStructure = { kind: 'null' };
    const { f: flatF, inputs } = call;
    const results = bind(customVjpPrimitive, inputs, {
      name,
      f: flatF,
      captured: 0,
      forward: (primals: readonly Tensor[]): [Tensor[], Tensor[]] => {
        const result: unknown = forward(...(call.arguments(primals) as unknown as A));
        const [y, residuals] = pairOf(name, 'forward must return [result, residuals]', result);
        const ys = call.results(y);
        const flat = treeFlatten(residuals);
        residualStructure = flat.structure;
        return [ys, flat.leaves.map((x) => toTensor(x))];
      },
      backward: (residuals: readonly Tensor[], cts: readonly Tensor[]) => {
        const given: unknown = backward(
          treeUnflatten(residualStructure, residuals),
          treeUnflatten(call.structure, cts),
        );
        return call.cotangents(given);
      },
    });
    return call.unflatten(results);
  };
}

/** One call of a function with rules: between trees and flat lists. */
class CustomCall {
  readonly inputs: readonly Tensor[];
  readonly #name: string;
  readonly #function: (...args: never[]) => unknown;
  readonly #args: readonly unknown[];
  readonly #isStatic: ReadonlySet<number>;
  readonly #trees: readonly ReturnType<typeof treeFlatten>[];
  #structure: TreeStructure | undefined;

  constructor(
    name: string,
    f: (...args: never[]) => unknown,
    args: readonly unknown[],
    isStatic: ReadonlySet<number>,
  ) {
    this.#name = name;
    this.#function = f;
    this.#args = args;
    this.#isStatic = isStatic;
    this.#trees = args.map((arg, i) => treeFlatten(isStatic.has(i) ? new Static(arg) : arg));
    this.inputs = this.#trees.flatMap(({ leaves }) => leaves.map((x) => toTensor(x)));
  }

  /** The function on leaves. */
  readonly f = (xs: readonly Tensor[]): Tensor[] =>
    this.results(this.#function(...(this.arguments(xs) as never[])));

  /** The arguments with other leaves; static ones as they are. */
  arguments(leaves: readonly Tensor[]): unknown[] {
    let next = 0;
    return this.#trees.map(({ structure, leaves: own }, i) => {
      if (this.#isStatic.has(i)) return this.#args[i];
      const tree: unknown = treeUnflatten(structure, leaves.slice(next, next + own.length));
      next += own.length;
      return tree;
    });
  }

  /** Leaves of a result. @throws {TreeError} if the function and its rule return different trees. */
  results(tree: unknown): Tensor[] {
    refusePromise(tree);
    const flat = treeFlatten(tree);
    if (this.#structure)
      checkSameStructure(this.#name, 'the function', this.#structure, 'its rule', flat.structure);
    this.#structure = flat.structure;
    return flat.leaves.map((y) => toTensor(y));
  }

  get structure(): TreeStructure {
    return this.#structure as TreeStructure;
  }

  unflatten<T>(leaves: readonly Tensor[]): T {
    return treeUnflatten(this.structure, leaves);
  }

  /** Leaves of what `backward` gave for each argument. */
  cotangents(given: unknown): (Tensor | Zero)[] {
    const count = this.#args.length;
    if (!Array.isArray(given) || given.length !== count)
      throw new TreeError(
        `${this.#name}: backward must return an array with a cotangent (or null) for each of ${count} arguments.`,
      );
    let next = 0;
    return this.#trees.flatMap(({ structure, leaves }, i) => {
      const primals = this.inputs.slice(next, next + leaves.length);
      next += leaves.length;
      const ct: unknown = given[i] ?? null;
      if (ct === null) return primals.map(() => null);
      return fitting(`${this.#name}: the cotangent of argument ${i}`, ct, structure, primals);
    });
  }
}

/** Leaves of a tangent or cotangent of `like`. @throws where structure, shape or dtype differ. */
function fitting(what: string, tree: unknown, structure: TreeStructure, like: readonly Tensor[]): Tensor[] {
  const flat = treeFlatten(tree);
  checkSameStructure(what, 'the value', structure, 'the differential', flat.structure);
  return flat.leaves.map((leaf, i) => {
    const x = like[i] as Tensor;
    const t = toTensor(leaf, isFloat(x.dtype) ? x.dtype : undefined);
    if (!isFloat(x.dtype)) return t;
    if (t.dtype === x.dtype && sameShape(t.shape, x.shape)) return t;
    const path = treePaths(tree)[i] as string;
    const message = `${what}${path === '(root)' ? '' : ` ${path}`} must be ${showAval(x.aval)}, but is ${showAval(t.aval)}.`;
    throw t.dtype === x.dtype ? new ShapeError(message) : new DTypeError(message);
  });
}

function pairOf(name: string, requirement: string, result: unknown): [unknown, unknown] {
  refusePromise(result);
  if (!Array.isArray(result) || result.length !== 2) throw new TreeError(`${name}: ${requirement}.`);
  return result as [unknown, unknown];
}

function checkStatic(name: string, options: CustomOptions): ReadonlySet<number> {
  checkOptions(name, options, ['staticArgs']);
  const { staticArgs = [] } = options;
  if (!Array.isArray(staticArgs) || !staticArgs.every((i) => Number.isInteger(i) && i >= 0))
    throw new OptionError(
      `${name}: staticArgs is an array of argument indices, but got ${JSON.stringify(staticArgs)}.`,
    );
  return new Set(staticArgs);
}
