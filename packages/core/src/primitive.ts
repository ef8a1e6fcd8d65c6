import type { Aval } from './aval.ts';
import { RuleError } from './errors.ts';
import type { HostFunction } from './ir/host.ts';
import type { Kernel } from './ir/kernel.ts';
import type { Tensor } from './tensor.ts';

/** What a primitive is told besides its operands: plain data, compared by value (programs and functions by identity). */
export type Params = Readonly<Record<string, unknown>>;

/** How a program with the primitive in it is compiled. What may fuse is read off the kernels themselves. */
export type Kind =
  /** A kernel with one element of the result from the elements at the same place (operands broadcast). */
  | 'pointwise'
  /** Any other kernel. */
  | 'kernel'
  /** Plain JavaScript, where there is no loop nest. */
  | 'host'
  /** The same bytes, perhaps in another shape. */
  | 'alias'
  /** A program, written out where it is called. */
  | 'call'
  /** A function with rules of its own, kept together until it is compiled ({@link BlockRules}). */
  | 'block'
  /** Programs in a loop or in branches. */
  | 'control';

/** A symbolic zero tangent or cotangent. */
export type Zero = null;

/** The place of an operand that a linear primitive is transposed with respect to. */
export class Linear {
  readonly aval: Aval;
  constructor(aval: Aval) {
    this.aval = aval;
  }
}

/**
 * An operation that interpreters know. All rules are written with other primitives, so they compose to any order.
 * Each rule runs in the interpreter below the one that asked.
 */
export interface Primitive<P extends Params = Params> {
  readonly name: string;
  readonly kind: Kind;
  /** The shape rule: avals of the results. Inputs have been checked by the op that users call. */
  shape(inputs: readonly Aval[], params: P): Aval[];
  /** Results and their tangents; only called with at least one tangent that is not zero. */
  jvp(
    primals: readonly Tensor[],
    tangents: readonly (Tensor | Zero)[],
    params: P,
  ): [Tensor[], (Tensor | Zero)[]];
  /**
   * Cotangents of the `Linear` inputs (zero for the others) from those of the results; the primitive is linear in
   * them. At least one cotangent is not zero.
   */
  transpose?(
    cotangents: readonly (Tensor | Zero)[],
    inputs: readonly (Tensor | Linear)[],
    params: P,
  ): (Tensor | Zero)[];
  /** Results for inputs of which some carry a batch of `size` examples along `axes[i]`; `null` is no batch. */
  batch(
    inputs: readonly Tensor[],
    axes: readonly (number | null)[],
    size: number,
    params: P,
  ): [Tensor[], (number | null)[]];
  /** Nothing is computed across it, and it gives its operands unchanged. */
  readonly barrier?: true;
  /**
   * Takes in how an operand was made: given the equation that made each operand (if one did), which operand to replace by
   * the first operand of its equation, and the parameters that make up for that.
   */
  takesIn?(
    params: P,
    made: readonly (
      | { readonly primitive: { readonly name: string }; readonly params: unknown }
      | undefined
    )[],
  ): { operand: number; params: P } | undefined;
  /** A uniform operand (every element the same number) gives a uniform result of the same number. */
  readonly keepsUniform?: true;
  /** With 1 as the right operand, or as either, the result is the other operand. */
  readonly unit?: 'right' | 'either';
  /** The kernel. Absent for `alias` that only renames, for `host` and for `call` and `control`. */
  lower?(inputs: readonly Aval[], params: P): Kernel;
  /** What computes a primitive of kind `host`. */
  readonly host?: HostFunction;
}

/** What a primitive of kind `block` has besides. */
export interface BlockRules<P extends Params = Params> {
  /** The results, by other primitives. */
  apply(inputs: readonly Tensor[], params: P): Tensor[];
  /** Inputs and params with a `program`, as they are written into another program. */
  stage(inputs: readonly Tensor[], params: P): [readonly Tensor[], P];
}

/** The jvp rule of what has no derivative: comparisons, integers, random bits. */
export function noTangent(apply: (primals: readonly Tensor[], params: never) => Tensor[]): Primitive['jvp'] {
  return (primals, _, params) => {
    const outputs = apply(primals, params as never);
    return [outputs, outputs.map(() => null)];
  };
}

/** @throws {RuleError} for rules that do not exist, saying what to do instead. */
export function noRule(primitive: string, rule: string, remedy: string): never {
  throw new RuleError(`${primitive}: has no ${rule} rule; ${remedy}`);
}
