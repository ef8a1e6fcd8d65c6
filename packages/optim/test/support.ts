import { readFileSync } from 'node:fs';
import {
  add,
  grad,
  logSumExp,
  matmul,
  mean,
  multiply,
  oneHot,
  square,
  subtract,
  sum,
  Tensor,
  tensor,
  transpose,
  treeLeaves,
} from '@neumann/core';
import { expect } from 'vitest';
import {
  exponentialDecay,
  inverseTimeDecay,
  type NeumannOptions,
  rampStep,
  type Schedule,
} from '../src/index.ts';

type Nested = number | Nested[];
type NestedTree = Readonly<Record<string, Nested>>;
export type Params = Readonly<Record<string, Tensor>>;

export interface VectorCase {
  readonly name: string;
  readonly problem: 'quad5' | 'softmax2' | 'recorded2';
  readonly config: {
    readonly lr: {
      readonly kind: string;
      readonly value: number;
      readonly ramp: number;
      readonly factor: number;
      readonly every: number;
    };
    readonly alpha: number;
    readonly beta_per_var: number;
    readonly beta_count: 'elements' | 'tensors' | 'one';
    readonly norm: 'global' | 'per_tensor';
    readonly gamma: number;
    readonly mu:
      | { readonly kind: 'clip' | 'affine'; readonly tau: number; readonly min: number; readonly max: number }
      | { readonly kind: 'constant'; readonly value: number };
    readonly mu_restart: boolean;
    readonly K: number;
    readonly k_mode: keyof typeof intervals;
    readonly reset: keyof typeof modes;
    readonly burn_in: number;
    readonly burn_in_v: 'frozen' | 'ema';
    readonly eps: number;
  };
  readonly trajectory: readonly {
    readonly count: number;
    readonly t: number;
    readonly eta: number;
    readonly mu: number;
    readonly reset: boolean;
    readonly K: number;
    readonly disp: number;
    readonly grads: NestedTree;
    readonly w: NestedTree;
    readonly m: NestedTree;
    readonly v: NestedTree;
    readonly eval: NestedTree;
  }[];
}

interface Vectors {
  readonly problems: {
    readonly quad5: { readonly H: number[][]; readonly xstar: number[]; readonly init: NestedTree };
    readonly softmax2: {
      readonly X: number[][];
      readonly y: number[];
      readonly l2: number;
      readonly init: NestedTree;
    };
    readonly recorded2: { readonly init: NestedTree };
  };
  readonly algorithm2_cases: readonly VectorCase[];
  readonly algorithm1: readonly {
    readonly problem: 'quad5' | 'softmax2';
    readonly K: number;
    readonly eta_in: number;
    readonly eta_out: number;
    readonly outer: readonly { readonly m: readonly NestedTree[]; readonly w: NestedTree }[];
  }[];
  readonly convexified: {
    readonly H: number[][];
    readonly xstar: number[];
    readonly x: number[];
    readonly lambda_min: number;
    readonly lambda_max: number;
    readonly mu: number;
    readonly eta: number;
    readonly m: readonly NestedTree[];
    readonly fixed_point: number[];
  };
  readonly regularizer: readonly {
    readonly alpha: number;
    readonly beta_per_var: number;
    readonly norm: 'global' | 'per_tensor';
    readonly w: NestedTree;
    readonly v: NestedTree;
    readonly grad: NestedTree;
  }[];
  readonly lanczos: {
    readonly A: number[][];
    readonly q0: number[];
    readonly k: number;
    readonly alphas: number[];
    readonly betas: number[];
    readonly ritz: number[];
    readonly shift: number;
    readonly shifted_alphas: number[];
    readonly shifted_betas: number[];
    readonly shifted_ritz: number[];
    readonly lambda_min_estimate: number;
    readonly eigenvalues: number[];
  };
  readonly cg: { readonly b: number[]; readonly x: readonly number[][] };
  readonly schedules: {
    readonly mu_clip_tau1: number[];
    readonly mu_clip_tau5: number[];
    readonly mu_affine_tau1: number[];
    readonly lr_ramp_step: ScheduleVector;
    readonly lr_staircase: ScheduleVector;
    readonly lr_inverse_t: ScheduleVector;
    readonly reset_steps: Readonly<
      Record<keyof typeof intervals, { readonly K: number; readonly T: number; readonly t: number[] }>
    >;
  };
}

interface ScheduleVector {
  readonly spec: VectorCase['config']['lr'];
  readonly count: number[];
  readonly value: number[];
}

/** Trajectories of an independent NumPy reference in float64; a note inside explains the fields. */
export const vectors: Vectors = JSON.parse(
  readFileSync(new URL('vectors/neumann.json', import.meta.url), 'utf8'),
);

export const intervals = {
  double_interval: 'doubleInterval',
  double_modulo: 'doubleModulo',
  constant: 'constant',
  never: 'never',
} as const;

const modes = { skip: 'skip', step: 'step', step_reg: 'stepReg', none: 'none' } as const;

/** The options that a case's `config` describes. */
export function optionsOf({ config }: VectorCase): NeumannOptions {
  return {
    learningRate: rateOf(config.lr),
    alpha: config.alpha,
    betaPerVariable: config.beta_per_var,
    betaCount: config.beta_count,
    norm: config.norm === 'global' ? 'global' : 'perTensor',
    gamma: config.gamma,
    mu: config.mu,
    muRestart: config.mu_restart,
    resetSteps: config.K,
    resetInterval: intervals[config.k_mode],
    resetMode: modes[config.reset],
    burnInSteps: config.burn_in,
    burnInAnchor: config.burn_in_v,
    eps: config.eps,
  };
}

export function rateOf({ kind, value, ramp, factor, every }: VectorCase['config']['lr']): number | Schedule {
  switch (kind) {
    case 'constant':
      return value;
    case 'ramp_step':
      return rampStep({ value, ramp, factor, every });
    case 'staircase':
      return exponentialDecay({
        initValue: value,
        transitionSteps: every,
        decayRate: factor,
        staircase: true,
      });
    case 'inverse_t':
      return inverseTimeDecay({ initValue: value });
    default:
      throw new Error(`unknown schedule ${kind}`);
  }
}

/** float64 tensors at the leaves. */
export const float64 = (tree: NestedTree): Params =>
  Object.fromEntries(Object.entries(tree).map(([key, x]) => [key, tensor(x, 'float64')]));

export const initOf = (problem: keyof Vectors['problems']): Params => float64(vectors.problems[problem].init);

const { quad5, softmax2 } = vectors.problems;

/** ½ (x - x*)ᵀ H (x - x*) */
export function quadratic(h: number[][], xstar: number[]): (p: Params) => Tensor {
  const [H, center] = [tensor(h, 'float64'), tensor(xstar, 'float64')];
  return ({ x }) => {
    const u = subtract(x as Tensor, center);
    return multiply(0.5, sum(multiply(u, matmul(H, u))));
  };
}

const X = tensor(softmax2.X, 'float64');
const labels = oneHot(tensor(softmax2.y, 'int32'), 3, 'float64');

/** The losses of the problems that have one. */
const losses: Record<'quad5' | 'softmax2', (p: Params) => Tensor> = {
  quad5: quadratic(quad5.H, quad5.xstar),
  softmax2: ({ W, b }) => {
    const logits = add(matmul(X, transpose(W as Tensor)), b as Tensor);
    const nll = subtract(logSumExp(logits, { axis: -1 }), sum(multiply(labels, logits), { axis: -1 }));
    const penalty = add(sum(square(W as Tensor)), sum(square(b as Tensor)));
    return add(mean(nll), multiply(softmax2.l2 / 2, penalty));
  },
};

export const gradients: Record<'quad5' | 'softmax2', (p: Params) => Params> = {
  quad5: grad(losses.quad5),
  softmax2: grad(losses.softmax2),
};

/** All elements of a tree of tensors or of nested arrays, in the order of its leaves. */
export const elements = (tree: unknown): number[] =>
  treeLeaves(tree).flatMap((x) => (x instanceof Tensor ? Array.from(x.dataSync()) : [x as number]));

/** The vectors' tolerance: |x - y| ≤ 1e-12 (1 + |y|) is safe in all cases (see their note on rounding sensitivity). */
const tight = 1e-12;

/** Expects |x - y| ≤ tolerance (1 + |y|) for every element. */
export function expectClose(
  actual: unknown,
  expected: unknown,
  tolerance: number = tight,
  what = 'result',
): void {
  const [xs, ys] = [elements(actual), elements(expected)];
  expect(xs.length, what).toBe(ys.length);
  const close = (x: number, y: number) => Math.abs(x - y) <= tolerance * (1 + Math.abs(y));
  const at = xs.findIndex((x, i) => !close(x, ys[i] as number));
  if (at >= 0) expect.fail(`${what}: element ${at} is ${xs[at]} instead of ${ys[at]}`);
}
