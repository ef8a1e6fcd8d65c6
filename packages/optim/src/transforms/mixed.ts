import { add, divide, multiply, sqrt, subtract, type Tensor } from '@neumann/core';
import type { Scalar } from '../protocol.ts';
import { beside } from '../trees.ts';

/** `decay * x + (1 - decay) * y` */
export function mixed(decay: Scalar, x: Tensor, y: Tensor): Tensor {
  return add(multiply(beside(x, decay), x), multiply(beside(y, restOf(decay)), y));
}

/** `1 - decay`, in double precision for a number. */
export function restOf(decay: Scalar): Scalar {
  return typeof decay === 'number' ? 1 - decay : subtract(1, decay);
}

/** `x / (√(squares + epsRoot) + eps)` */
export function overRoot(
  x: Tensor,
  squares: Tensor,
  { eps = 1e-8, epsRoot = 0 }: { readonly eps?: Scalar; readonly epsRoot?: Scalar },
): Tensor {
  const under = epsRoot === 0 ? squares : add(squares, beside(squares, epsRoot));
  const root = sqrt(under);
  return divide(x, eps === 0 ? root : add(root, beside(squares, eps)));
}
