import { add, subtract, type Tensors } from '@neumann/core';
import { checkOptions, knownInteger, required } from '../options.ts';
import { tensorsOf, zipTrees } from '../trees.ts';
import type { Matvec } from './vectors.ts';

/**
 * The first `terms` of the Neumann series for A⁻¹ b: Σ (I - A)ⁱ b, summed by z ← z - A z + b from z = b (Eq. 4 of
 * https://arxiv.org/abs/1712.03298). It is {@link richardson} with step 1 from zero, `terms` times.
 *
 * Its error is (I - A)^terms A⁻¹ b: it converges where all eigenvalues of a symmetric A are between 0 and 2, by a factor of
 * max |1 - λ| a term, and diverges elsewhere.
 *
 * @param matvec z ↦ A z, on trees like `b`.
 * @throws {OptionError} unless `terms` is an integer of at least 1. {TreeError} {ShapeError} naming the leaf where A z has
 *   another form than b.
 * @example
 * neumannSeries((z) => multiply(0.5, z), tensor([1]), { terms: 20 })   // [2], nearly
 */
export function neumannSeries<T>(matvec: Matvec<T>, b: T, options: { readonly terms: number }): Tensors<T> {
  checkOptions('neumannSeries', options, { terms: required(knownInteger(1)) });
  let z = tensorsOf(b);
  for (let i = 1; i < options.terms; i++) {
    const az = matvec(z);
    z = zipTrees('neumannSeries', { b }, { z, 'matvec(z)': az }, (constant, x, ax) =>
      add(subtract(x, ax), constant),
    );
  }
  return z;
}
