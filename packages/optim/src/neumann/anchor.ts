/** The regulariser around the moving average of the weights (Section 3.1, Eq. 8). */
import {
  add,
  astype,
  divide,
  equal,
  full,
  lessEqual,
  logicalOr,
  multiply,
  sqrt,
  subtract,
  type Tensor,
  where,
} from '@neumann/core';
import type { BetaCount } from './options.ts';

export interface AnchorOptions {
  readonly alpha: Tensor;
  /** For each of what `betaCount` counts. */
  readonly beta: Tensor;
  readonly eps: Tensor;
  readonly betaCount: BetaCount;
  readonly norm: 'global' | 'perTensor';
}

/**
 * For each leaf, c in ∇(α/3 r³ + β/r) = c (w - v), where r = ‖w - v‖: c = (α r² - β/r²)/r. Eq. 8 as printed divides by r²
 * once more; Algorithm 2 line 9, which is this, is the gradient.
 *
 * Exactly 0, with derivatives that are 0 and not NaN, at r = 0 (the first step, and a tensor that never moves), and 0 for
 * r ≤ eps. A NaN distance stays one.
 *
 * @param ws The leaves of w.
 * @param squares ‖w - v‖² of each leaf, scalars.
 */
export function anchorCoefficients(
  ws: readonly Tensor[],
  squares: readonly Tensor[],
  { alpha, beta, eps, betaCount, norm }: AnchorOptions,
): Tensor[] {
  const coefficient = (group: readonly Tensor[], parts: readonly Tensor[]): Tensor => {
    const r2 = parts.map((x) => astype(x, alpha.dtype)).reduce(add, full([], 0, alpha.dtype));
    const isZero = equal(r2, 0);
    const squared = where(isZero, 1, r2); // the root and quotients below have finite derivatives for it
    const r = sqrt(squared);
    const strength = multiply(beta, countOf(group, betaCount));
    const c = divide(subtract(multiply(alpha, squared), divide(strength, squared)), r);
    return where(logicalOr(isZero, lessEqual(r, eps)), 0, c);
  };
  if (norm === 'perTensor') return ws.map((w, i) => coefficient([w], squares.slice(i, i + 1)));
  const shared = coefficient(ws, squares);
  return ws.map(() => shared);
}

function countOf(group: readonly Tensor[], betaCount: BetaCount): number {
  switch (betaCount) {
    case 'tensors':
      return group.length;
    case 'elements':
      return group.reduce((n, x) => n + x.size, 0);
    case 'one':
      return 1;
    default:
      return betaCount satisfies never;
  }
}
