import {
  add,
  divide,
  equal,
  greater,
  minimum,
  multiply,
  subtract,
  type Tensor,
  type Tensors,
  where,
  zeros,
} from '@neumann/core';
import { checkOptions, flag, knownInteger, type RulesOf } from '../options.ts';
import type { GradientTransformation, TensorTree } from '../protocol.ts';
import { addScale, vdot } from '../tree/arithmetic.ts';
import {
  beside,
  floatDType,
  globalNorm,
  leavesOf,
  scalarOf,
  stateLike,
  zerosOf,
  zipTrees,
} from '../trees.ts';

/** Options of {@link scaleByLbfgs}. */
export interface ScaleByLbfgsOptions {
  /** How many steps are remembered; 10. */
  readonly memorySize?: number;
  /** Whether the first matrix is the identity times ⟨s, y⟩/⟨y, y⟩ of the last step (true), or the identity. */
  readonly scaleInitPrecond?: boolean;
}

/** One remembered step. */
export interface LbfgsPair {
  /** s, the change of parameters. */
  readonly s: TensorTree;
  /** y, the change of gradients. */
  readonly y: TensorTree;
  /** 1/⟨s, y⟩, or 0 for a step that is not used. */
  readonly rho: Tensor;
}

/** State of {@link scaleByLbfgs}. */
export interface ScaleByLbfgsState {
  /** `i32[]`, updates made. */
  readonly count: Tensor;
  /** The last parameters. */
  readonly params: TensorTree;
  /** The last gradient. */
  readonly updates: TensorTree;
  /** The remembered steps, the last one first. */
  readonly memory: readonly LbfgsPair[];
}

export const lbfgsRules: RulesOf<ScaleByLbfgsOptions> = {
  memorySize: knownInteger(1),
  scaleInitPrecond: flag,
};

/**
 * An estimate of the inverse Hessian, from the last steps s and changes of gradients y, times the gradient (L-BFGS; Liu and
 * Nocedal 1989, https://doi.org/10.1007/BF01589116): the matrix H that is `γ I`, updated in turn, the oldest first, by
 *
 *     H ← (I - ρ s yᵀ) H (I - ρ y sᵀ) + ρ s sᵀ,   ρ = 1/⟨s, y⟩,   γ = ⟨s, y⟩/⟨y, y⟩ of the last step
 *
 * computed by two loops over the memory. A step with ⟨s, y⟩ ≤ 0 is not used. In the first step γ is min(1, 1/‖g‖).
 *
 * @example
 * const tx = chain(scaleByLbfgs(), scaleByLearningRate(0.5));
 */
export function scaleByLbfgs(options: ScaleByLbfgsOptions = {}): GradientTransformation<ScaleByLbfgsState> {
  const op = 'scaleByLbfgs';
  checkOptions(op, options, lbfgsRules);
  const { memorySize = 10, scaleInitPrecond = true } = options;
  return {
    init: (params) => ({
      count: zeros([], 'int32'),
      params: zerosOf(op, params),
      updates: zerosOf(op, params),
      memory: Array.from({ length: memorySize }, () => ({
        s: zerosOf(op, params),
        y: zerosOf(op, params),
        rho: zeros([], floatDType(leavesOf(params))),
      })),
    }),
    update: (updates, state, params) => {
      const isFirst = equal(state.count, 0);
      const difference = (name: string, now: unknown, before: TensorTree): TensorTree =>
        zipTrees(op, { 'the state': before }, { [name]: now }, (b, x) =>
          where(isFirst, 0, subtract(beside(b, x), b)),
        );
      const s = difference('params', params, state.params);
      const y = difference('updates', updates, state.updates);
      const sy = vdot(s, y);
      const isConvex = greater(sy, 0);
      const rho = where(isConvex, divide(1, where(isConvex, sy, 1)), 0);
      const memory = [{ s, y, rho }, ...state.memory.slice(0, -1)];
      const scale = scaleInitPrecond ? firstScale(updates, isFirst, isConvex, sy, y) : scalarOf(1, sy.dtype);
      const direction = twoLoops(updates, memory, scale);
      const keep = (tree: unknown, like: TensorTree): TensorTree =>
        zipTrees(op, { like }, { tree }, (l, x) => beside(l, x));
      const next = { params: keep(params, state.params), updates: keep(updates, state.updates), memory };
      return [direction, { count: add(state.count, 1), ...next }];
    },
  };
}

function firstScale(g: unknown, isFirst: Tensor, isConvex: Tensor, sy: Tensor, y: TensorTree): Tensor {
  const norm = beside(sy, globalNorm(g));
  const capped = minimum(1, divide(1, where(greater(norm, 0), norm, 1)));
  const ratio = where(isConvex, divide(sy, where(isConvex, vdot(y, y), 1)), 1);
  return where(isFirst, capped, ratio);
}

/** H g (Nocedal and Wright 2006, Algorithm 7.4). */
function twoLoops<U>(g: U, memory: readonly LbfgsPair[], scale: Tensor): Tensors<U> {
  const alphas: Tensor[] = [];
  let q = stateLike('scaleByLbfgs', g, (x) => x);
  for (const { s, y, rho } of memory) {
    const alpha = multiply(rho, vdot(s, q));
    alphas.push(alpha);
    q = addScale(q, multiply(-1, alpha), y);
  }
  let r: TensorTree = zipTrees('scaleByLbfgs', { q }, {}, (x) => multiply(beside(x, scale), x));
  for (const [i, { s, y, rho }] of [...memory.entries()].reverse()) {
    const beta = multiply(rho, vdot(y, r));
    r = addScale(r, subtract(alphas[i] as Tensor, beta), s);
  }
  return r as Tensors<U>;
}
