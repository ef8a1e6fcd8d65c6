import { add, divide, forLoop, multiply, random, type Tensor, type Tensors, zeros } from '@neumann/core';
import { checkOptions, keyRule, knownInteger, required } from '../options.ts';
import { leavesOf, tensorsOf } from '../trees.ts';
import { expand } from './expand.ts';
import { signs } from './probes.ts';
import { vectorSpace } from './vectors.ts';

/** Options of {@link hessianDiagonal}. */
export interface HessianDiagonalOptions {
  /** Of the probes: see `random.key`. */
  readonly key: Tensor;
  /** How many probes to average over; 1. Each is one product with the Hessian. */
  readonly samples?: number;
}

/**
 * An unbiased estimate of the diagonal of the Hessian of `f`: the mean of z ⊙ H z over random z = ±1 (Hutchinson; Bekas,
 * Kokiopoulou and Saad 2007).
 *
 * The variance of entry i with one sample is Σ H²ᵢⱼ over j ≠ i: exact for a diagonal Hessian.
 *
 * @param f params ↦ scalar.
 * @returns A tree like `params`.
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const f = (w: Tensor) => sum(multiply(tensor([1, 2]), square(w)));
 * hessianDiagonal(f, tensor([3, 4]), { key: random.key(0) })   // [2, 4]
 */
export function hessianDiagonal<P>(
  f: (params: Tensors<P>) => Tensor,
  params: P,
  options: HessianDiagonalOptions,
): Tensors<P> {
  const op = 'hessianDiagonal';
  checkOptions(op, options, { key: required(keyRule), samples: knownInteger(1) });
  const { key, samples = 1 } = options;
  if (leavesOf(params).length === 0) return tensorsOf(params);
  const space = vectorSpace(op, 'params', params);
  const apply = space.map(expand(f, params).hessian);
  const sample = (i: Tensor, sum: Tensor) => {
    const z = signs(random.foldIn(key, i), space.size, space.dtype);
    return add(sum, multiply(z, apply(z)));
  };
  const total = forLoop(0, samples, sample, zeros([space.size], space.dtype));
  return space.tree(divide(total, samples));
}
