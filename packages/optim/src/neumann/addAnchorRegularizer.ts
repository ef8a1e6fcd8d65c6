import {
  add,
  astype,
  full,
  greater,
  less,
  logicalAnd,
  logicalNot,
  logicalOr,
  multiply,
  OptionError,
  square,
  subtract,
  sum,
  type Tensor,
  type Tensors,
  treeFlatten,
  treeMap,
  treeUnflatten,
  where,
  zeros,
} from '@neumann/core';
import {
  checkOptions,
  fraction,
  integerFrom,
  nonNegative,
  oneOf,
  predicate,
  type RulesOf,
} from '../options.ts';
import type { GradientTransformation, Predicate, Scalar, TensorTree } from '../protocol.ts';
import {
  beside,
  floatDType,
  leavesOf,
  sameForm,
  scalarOf,
  stateLike,
  tensorsOf,
  zipTrees,
} from '../trees.ts';
import { anchorCoefficients } from './anchor.ts';
import type { BetaCount, ResetMode } from './options.ts';

/** Options of {@link addAnchorRegularizer}: those of `NeumannOptions` with the same names. */
export interface AnchorRegularizerOptions {
  /** α of the cubic, attractive term; 1e-7. */
  readonly alpha?: Scalar;
  /** β of the repulsive term. Given, it overrides `betaPerVariable` and `betaCount`. */
  readonly beta?: Scalar;
  /** β for each of the variables; 1e-5. */
  readonly betaPerVariable?: Scalar;
  /** What variables are: `'tensors'` (default), `'elements'` or `'one'`. */
  readonly betaCount?: BetaCount;
  /** γ, the decay of the moving average of weights; 0.99. */
  readonly gamma?: Scalar;
  /** The distance of all weights together, `'global'` (default), or of each tensor, `'perTensor'`. */
  readonly norm?: 'global' | 'perTensor';
  /** The regulariser is 0 up to this distance; 0. */
  readonly eps?: Scalar;
  /** Steps at the start in which nothing is added; 0. */
  readonly burnInSteps?: Scalar;
  /** The anchor in the burn-in: `'frozen'` at the first weights (default), or their moving average, `'ema'`. */
  readonly burnInAnchor?: 'frozen' | 'ema';
  /** Which steps are resets: see {@link neumannResets}. */
  readonly resetAt?: Predicate;
  /**
   * What a reset does. `'skip'` (default): nothing is added, and the anchor stays, since the weights do. `'step'`: nothing is
   * added. `'stepReg'`: it is a step like others.
   */
  readonly resetMode?: Exclude<ResetMode, 'none'>;
}

/** State of {@link addAnchorRegularizer}. */
export interface AnchorState {
  /** `i32[]`, steps taken. */
  readonly count: Tensor;
  /** v, the moving average of the weights up to those before the last step, in the form of the parameters. */
  readonly anchor: TensorTree;
}

const rules: RulesOf<AnchorRegularizerOptions> = {
  alpha: nonNegative,
  beta: nonNegative,
  betaPerVariable: nonNegative,
  betaCount: oneOf('tensors', 'elements', 'one'),
  gamma: fraction,
  norm: oneOf('global', 'perTensor'),
  eps: nonNegative,
  burnInSteps: integerFrom(0),
  burnInAnchor: oneOf('frozen', 'ema'),
  resetAt: predicate,
  resetMode: oneOf('skip', 'step', 'stepReg'),
};

/**
 * Adds to gradients that of α/3 ‖w - v‖³ + β/‖w - v‖ about the moving average v of the weights: (α r² - β/r²) (w - v)/r with
 * r = ‖w - v‖ (Section 3.1 and Algorithm 2 line 9 of https://arxiv.org/abs/1712.03298; Eq. 8 as printed divides by r once
 * more). The first term attracts, the second repels; they balance at r = (β/α)^¼. At r = 0 the sum is 0.
 *
 * Line 12, v = w + γ (v - w), happens at the start of the next update, where `params` already are the new weights. So the
 * transformation need not know what comes after it in a chain. With {@link scaleByLearningRate} and {@link trace} after it,
 * it is the Neumann optimizer: see {@link neumannChain}. With β = 0 it is the pull of Entropy-SGD's outer loop.
 *
 * Clip gradients before it, so that the regulariser is not clipped.
 *
 * @throws {OptionError} for options that are unknown or out of range, and for an update without parameters.
 * @example
 * const tx = chain(addAnchorRegularizer({ alpha: 0.1, beta: 0 }), scaleByLearningRate(0.1));
 * const w = tensor([1, 2]);
 * const [updates] = tx.update(tensor([1, 0]), tx.init(w), w);   // w is v: [-0.1, 0], the gradient alone
 */
export function addAnchorRegularizer(
  options: AnchorRegularizerOptions = {},
): GradientTransformation<AnchorState> {
  const op = 'addAnchorRegularizer';
  checkOptions(op, options, rules);
  const { alpha = 1e-7, betaPerVariable = 1e-5, beta = betaPerVariable, eps = 0, gamma = 0.99 } = options;
  const { norm = 'global', burnInSteps = 0, burnInAnchor = 'frozen', resetMode = 'skip', resetAt } = options;
  const betaCount = options.beta === undefined ? (options.betaCount ?? 'tensors') : 'one';

  const isBurnIn = (count: Tensor) => less(count, scalarOf(burnInSteps, 'int32'));
  const isReset = (count: Tensor) => resetAt?.(count) ?? full([], false);
  const addsNothing = (count: Tensor) =>
    resetMode === 'stepReg' ? isBurnIn(count) : logicalOr(isBurnIn(count), isReset(count));
  /** Whether the anchor took no notice of the weights that the step after `count` others made. */
  const anchored = (count: Tensor) => {
    const frozen = burnInAnchor === 'frozen' ? isBurnIn(count) : full([], false);
    return resetMode === 'skip' ? logicalOr(frozen, isReset(count)) : frozen;
  };

  return {
    init: (params) => ({ count: zeros([], 'int32'), anchor: stateLike(op, params, (x) => x) }),
    update: (updates, { count, anchor }, params) => {
      if (params === undefined || params === null)
        throw new OptionError(
          `${op}: needs the parameters; pass them as the third argument of update(grads, state, params).`,
        );
      const weights = tensorsOf(params);
      const last = subtract(count, 1);
      const follows = logicalAnd(greater(count, 0), logicalNot(anchored(last)));
      const next = zipTrees(op, { params: weights }, { anchor }, (w, v) =>
        where(follows, add(w, multiply(beside(w, gamma), subtract(v, w))), v),
      );
      sameForm(op, 'params', weights, 'updates', updates);
      const { leaves, structure } = treeFlatten(weights);
      const of = (x: Scalar) => scalarOf(x, floatDType(leaves as Tensor[]));
      const squares = leavesOf(treeMap(subtract, weights, next)).map((u) => sum(square(u)));
      const coefficients = anchorCoefficients(leaves as Tensor[], squares, {
        alpha: of(alpha),
        beta: of(beta),
        eps: of(eps),
        betaCount,
        norm,
      }).map((c) => where(addsNothing(count), 0, c));
      // v - w, where the norm has w - v: two expressions, so that jit computes each in place and stores no difference.
      const regularised = treeMap(
        (g, w, v, c) => astype(subtract(g, multiply(beside(w, c), subtract(v, w))), g.dtype),
        tensorsOf(updates),
        weights,
        next,
        treeUnflatten(structure, coefficients),
      );
      return [regularised as Tensors<typeof updates>, { count: add(count, 1), anchor: next }];
    },
  };
}
