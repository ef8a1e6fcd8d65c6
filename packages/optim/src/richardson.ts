import { add, subtract, type Tensors } from '@neumann/core';
import { checkOptions, knownInteger, required } from './options.ts';
import { tensorsOf, zipTrees } from './trees.ts';

/**
 * The first `terms` of the Neumann series for A⁻¹ b: Σ (I - A)ⁱ b, by Richardson's iteration z ← z - A z + b from z = b
 * (Eq. 4 of https://arxiv.org/abs/1712.03298).
 *
 * Its error is (I - A)^terms A⁻¹ b: it converges where all eigenvalues of a symmetric A are between 0 and 2, by a factor of
 * max |1 - λ| a term, and diverges elsewhere.
 *
 * @param matvec z ↦ A z, on trees like `b`.
 * @example
 * richardson((z) => multiply(0.5, z), tensor([1]), { terms: 20 })   // [2], nearly
 */
export function richardson<T>(
  matvec: (z: Tensors<T>) => unknown,
  b: T,
  options: { readonly terms: number },
): Tensors<T> {
  checkOptions('richardson', options, { terms: required(knownInteger(1)) });
  let z = tensorsOf(b);
  for (let i = 1; i < options.terms; i++) {
    const az = matvec(z);
    z = zipTrees('richardson', { b }, { z, 'matvec(z)': az }, (constant, x, ax) =>
      add(subtract(x, ax), constant),
    );
  }
  return z;
}
