import { add, astype, divide, multiply, type Tensors } from '@neumann/core';
import { functionOf } from '../extra.ts';
import { checkOptions, checkValue, nonNegative, positive, transformation } from '../options.ts';
import type { GradientTransformation, Scalar } from '../protocol.ts';
import { beside, globalNorm, zipTrees } from '../trees.ts';

/** Options of {@link sam}. */
export interface SamOptions {
  /** ρ, the distance at which the loss is made small as well; 0.05. */
  readonly rho?: Scalar;
  /** Added to the norm of the gradient; 1e-12. */
  readonly eps?: Scalar;
}

/**
 * Sharpness-aware minimisation (Foret et al. 2021, https://arxiv.org/abs/2010.01412): an optimizer of the gradient at
 * `w + ρ g/‖g‖`, the worst of the neighbours, so that it seeks flat minima. Two gradients a step.
 *
 * Needs `extra.gradFn`, the gradient as a function of parameters.
 *
 * @throws {OptionError} for options that are unknown or out of range, and without `extra.gradFn`.
 * @example
 * const gradFn = grad((w: Tensor) => sum(square(w)));
 * const tx = sam(sgd({ learningRate: 0.1 }), { rho: 0.5 });
 * const w = tensor([3, 4]);
 * const [updates] = tx.update(gradFn(w), tx.init(w), w, { gradFn });
 * updates   // [-0.66, -0.88]
 */
export function sam<S>(
  optimizer: GradientTransformation<S>,
  options: SamOptions = {},
): GradientTransformation<S> {
  const op = 'sam';
  checkValue(op, 'optimizer', optimizer, transformation);
  checkOptions(op, options, { rho: positive, eps: nonNegative });
  const { rho = 0.05, eps = 1e-12 } = options;
  return {
    init: optimizer.init,
    update: (updates, state, params, extra) => {
      const gradFn = functionOf<(params: unknown) => unknown>(op, extra, 'gradFn');
      const norm = globalNorm(updates);
      const length = divide(beside(norm, rho), add(norm, beside(norm, eps)));
      const worst = zipTrees(op, { params }, { updates }, (p, u) =>
        add(p, astype(multiply(beside(u, length), u), p.dtype)),
      );
      const there = gradFn(worst);
      const grads = zipTrees(op, { updates }, { 'gradFn()': there }, (u, g) => astype(g, u.dtype));
      const [result, next] = optimizer.update(grads, state, params, { ...extra, grad: grads });
      return [result as Tensors<typeof updates>, next];
    },
  };
}
