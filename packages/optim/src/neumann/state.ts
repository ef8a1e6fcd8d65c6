import { multiply, Static, Tensor, type Tensors, treeMap, zeros, zerosLike } from '@neumann/core';
import { checkState } from '../options.ts';
import type { Scalar, Schedule, TensorTree } from '../protocol.ts';
import {
  checkFloats,
  type FloatDType,
  floatDType,
  leavesOf,
  scalarOf,
  tensorsOf,
  zipTrees,
} from '../trees.ts';
import type { NeumannMomentum } from './momentum.ts';
import {
  type BetaCount,
  checkNeumannOptions,
  type NeumannOptions,
  type ResetInterval,
  type ResetMode,
} from './options.ts';
import { warnOfRepulsion } from './warn.ts';

/**
 * What the optimizer remembers beside the weights. A plain tree: numbers are tensors, so they can be batched over and
 * differentiated, and choices and schedules are `Static`. Each step keeps its structure, shapes and dtypes.
 */
export interface NeumannMemory<P = TensorTree> {
  /** `i32[]`, steps taken, burn-in included. */
  readonly count: Tensor;
  /** m, the Neumann iterate. */
  readonly momentum: P;
  /** u = w - v: how far the weights are from v, their moving average, which regularisation is about. */
  readonly offset: P;
  /** ‖u‖² of each leaf, scalars in its place: a step sums them up while it has the new u at hand, for the next one. */
  readonly squares: P;
  /** How many m the weights are displaced by: μ(t) of the last step; 0 in the burn-in and after a reset that skips. */
  readonly displacement: Tensor;
  readonly hyper: NeumannHyper;
  readonly settings: NeumannSettings;
}

/** @throws {OptionError} unless `state` has the parts of a memory. */
export function checkMemory(op: string, state: unknown): void {
  checkState(op, state, ['count', 'momentum', 'offset', 'squares', 'displacement', 'hyper', 'settings']);
}

/** Memory and weights. */
export interface NeumannState<P> extends NeumannMemory<P> {
  /** w, displaced: the weights to take gradients at. */
  readonly params: P;
}

/**
 * Numeric hyperparameters: scalars in the widest float dtype of the parameters, and `i32[]`. Another value in a copy of the
 * state takes effect at the next step, which need not be compiled again.
 */
export interface NeumannHyper {
  readonly learningRate: Tensor | Static<Schedule>;
  readonly alpha: Tensor;
  /** β for each of what `betaCount` counts. */
  readonly beta: Tensor;
  readonly gamma: Tensor;
  readonly eps: Tensor;
  readonly mu:
    | {
        readonly kind: Static<'clip' | 'affine'>;
        readonly tau: Tensor;
        readonly min: Tensor;
        readonly max: Tensor;
      }
    | { readonly kind: Static<'constant'>; readonly value: Tensor }
    | Static<Schedule>;
  readonly burnInSteps: Tensor;
  /** K. */
  readonly resetSteps: Tensor;
}

/** Choices: part of the structure, so another choice is another compiled step. */
export interface NeumannSettings {
  readonly betaCount: Static<BetaCount>;
  readonly burnInAnchor: Static<'frozen' | 'ema'>;
  readonly muRestart: Static<boolean>;
  readonly norm: Static<'global' | 'perTensor'>;
  readonly resetInterval: Static<ResetInterval>;
  readonly resetMode: Static<ResetMode>;
}

/**
 * The state before the first step (Algorithm 2 line 1): v = w, m = 0.
 *
 * @param params A tree of float tensors.
 * @throws {OptionError} for options that are unknown, missing or out of range; {DTypeError} for integer parameters.
 * @example
 * const params = { w: zeros([28 * 28, 10]), b: zeros([10]) };
 * const state = neumannInit(params, { learningRate: 0.1, ...neumannEpochs({ examples: 60000, batch: 128 }) });
 */
export function neumannInit<P>(params: P, options: NeumannOptions): NeumannState<Tensors<P>> {
  checkNeumannOptions('neumannInit', options);
  const state = stateOf('neumannInit', params, options);
  // The state is made to be donated, and the parameters remain the caller's.
  return { ...state, params: treeMap((w) => multiply(w, 1), state.params) as Tensors<P> };
}

/** `neumannInit` of options that were checked. */
export function stateOf<P>(op: string, params: P, options: NeumannOptions): NeumannState<Tensors<P>> {
  warnOfRepulsion(op, options);
  checkFloats(op, params);
  const dtype = floatDType(leavesOf(params));
  const zerosOf = () => zipTrees(op, { params }, {}, (w) => zerosLike(w));
  return {
    params: tensorsOf(params),
    count: scalarOf(0, 'int32'),
    momentum: zerosOf(),
    offset: zerosOf(),
    squares: zipTrees(op, { params }, {}, (w) => zeros([], w.dtype)),
    displacement: scalarOf(0, dtype),
    hyper: hyperOf(options, dtype),
    settings: settingsOf(options),
  };
}

/** Numbers as scalar tensors. */
export function hyperOf(options: NeumannOptions, dtype: FloatDType): NeumannHyper {
  const {
    learningRate,
    alpha = 1e-7,
    betaPerVariable = 1e-5,
    beta = betaPerVariable,
    gamma = 0.99,
    eps = 0,
  } = options;
  return {
    learningRate:
      typeof learningRate === 'function' ? new Static(learningRate) : scalarOf(learningRate, dtype),
    alpha: scalarOf(alpha, dtype),
    beta: scalarOf(beta, dtype),
    gamma: scalarOf(gamma, dtype),
    eps: scalarOf(eps, dtype),
    mu: momentumOf(options.mu ?? { kind: 'clip' }, dtype),
    burnInSteps: scalarOf(options.burnInSteps, 'int32'),
    resetSteps: scalarOf(options.resetSteps ?? 1, 'int32'),
  };
}

function momentumOf(mu: Scalar | NeumannMomentum | Schedule, dtype: FloatDType): NeumannHyper['mu'] {
  if (typeof mu === 'function') return new Static(mu);
  if (typeof mu === 'number' || mu instanceof Tensor)
    return { kind: new Static('constant'), value: scalarOf(mu, dtype) };
  if (mu.kind === 'constant') return { kind: new Static(mu.kind), value: scalarOf(mu.value, dtype) };
  const { kind, tau = 1, min = 0.5, max = 0.9 } = mu;
  return {
    kind: new Static(kind),
    tau: scalarOf(tau, dtype),
    min: scalarOf(min, dtype),
    max: scalarOf(max, dtype),
  };
}

/** Choices, with their defaults. */
export function settingsOf(options: NeumannOptions): NeumannSettings {
  const { beta, betaCount = 'tensors', burnInAnchor = 'frozen', muRestart = false } = options;
  const { norm = 'global', resetInterval = 'doubleInterval', resetMode = 'skip' } = options;
  return {
    betaCount: new Static(beta === undefined ? betaCount : 'one'),
    burnInAnchor: new Static(burnInAnchor),
    muRestart: new Static(muRestart),
    norm: new Static(norm),
    resetInterval: new Static(resetInterval),
    resetMode: new Static(resetMode),
  };
}
