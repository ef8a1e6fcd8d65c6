import { add, astype, equal, fullLike, multiply, square, sum, where, zeros } from '@neumann/core';
import { checkOptions, finite, type RulesOf } from '../options.ts';
import type { GradientTransformation, Scalar } from '../protocol.ts';
import { beside, stateLike, zerosOf, zipStructures, zipTrees } from '../trees.ts';
import { mixed, overRoot } from './mixed.ts';
import { type MomentOptions, momentRules, type ScaleByAdamState } from './scaleByAdam.ts';

/** Options of {@link scaleByNovograd}. */
export interface ScaleByNovogradOptions extends MomentOptions {
  /** Weight decay, inside the momentum; 0. */
  readonly weightDecay?: Scalar;
}

export const novogradRules: RulesOf<ScaleByNovogradOptions> = { ...momentRules, weightDecay: finite };

/**
 * Momentum of gradients that are normalised tensor by tensor (NovoGrad; Ginsburg et al. 2019,
 * https://arxiv.org/abs/1905.11286): with one number v for each tensor, ‖g‖² at first,
 *
 *     v = b2 v + (1 - b2) ‖g‖²,   m = b1 m + g/(√(v + epsRoot) + eps) + weightDecay w,   u = m
 *
 * `b2` is 0.25 and `eps` 1e-6 by default. `nu` of the state is v.
 *
 * @example
 * const tx = chain(scaleByNovograd(), scaleByLearningRate(1e-2));
 */
export function scaleByNovograd(
  options: ScaleByNovogradOptions = {},
): GradientTransformation<ScaleByAdamState> {
  const op = 'scaleByNovograd';
  checkOptions(op, options, novogradRules);
  const { b1 = 0.9, b2 = 0.25, eps = 1e-6, epsRoot = 0, weightDecay = 0 } = options;
  return {
    init: (params) => ({
      count: zeros([], 'int32'),
      mu: zerosOf(op, params),
      nu: stateLike(op, params, (x) => zeros([], x.dtype)),
    }),
    update: (updates, state, params) => {
      const isFirst = equal(state.count, 0);
      const nu = zipStructures(op, { nu: state.nu }, { updates }, (n, u) => {
        const now = astype(sum(square(u)), n.dtype);
        return where(isFirst, now, mixed(b2, n, now));
      });
      const normalised = zipStructures(op, { updates }, { nu }, (u, n) =>
        multiply(u, astype(overRoot(fullLike(n, 1), n, { eps, epsRoot }), u.dtype)),
      );
      const decayed =
        weightDecay === 0
          ? normalised
          : zipTrees(op, { updates: normalised }, { params }, (u, p) =>
              add(u, astype(multiply(beside(p, weightDecay), p), u.dtype)),
            );
      const mu = zipTrees(op, { mu: state.mu }, { updates: decayed }, (m, u) =>
        add(multiply(beside(m, b1), m), astype(u, m.dtype)),
      );
      const result = zipTrees(op, { updates }, { mu }, (u, m) => astype(m, u.dtype));
      return [result, { count: add(state.count, 1), mu, nu }];
    },
  };
}
