import { OptionError } from '@neumann/core';
import {
  checkOptions,
  flag,
  fraction,
  integerFrom,
  nonNegative,
  oneOf,
  type RulesOf,
  required,
  scheduled,
} from '../options.ts';
import type { Scalar, Schedule } from '../protocol.ts';
import { checkMomentum, type NeumannMomentum } from './momentum.ts';

/** What β is multiplied by: see {@link NeumannOptions}. */
export type BetaCount = 'tensors' | 'elements' | 'one';

/** When the iterate is reset: see {@link NeumannOptions}. */
export type ResetInterval = 'doubleInterval' | 'doubleModulo' | 'constant' | 'never';

/** What a reset does: see {@link NeumannOptions}. */
export type ResetMode = 'skip' | 'step' | 'stepReg' | 'none';

interface CommonOptions {
  /** η(t): the one hyperparameter that needs tuning. Its clock runs from the first step, burn-in included. */
  readonly learningRate: Scalar | Schedule;
  /**
   * Steps of plain gradient descent at the start (Algorithm 2 line 2). The paper has 5 epochs:
   * `...neumannEpochs({ examples, batch })` gives these and `resetSteps`.
   */
  readonly burnInSteps: Scalar;
  /** α of the cubic, attractive regulariser; 1e-7. */
  readonly alpha?: Scalar;
  /** β of the repulsive regulariser. Given, it overrides `betaPerVariable` and `betaCount`. */
  readonly beta?: Scalar;
  /** β for each of the "variables" (Table 1); 1e-5. */
  readonly betaPerVariable?: Scalar;
  /**
   * What Table 1's "num variables" counts: `'tensors'` (default), as TensorFlow calls its parameter tensors variables;
   * `'elements'`, the scalars, which acts as an undecayed learning rate and hurts small models; `'one'`.
   */
  readonly betaCount?: BetaCount;
  /** γ, the decay of the moving average of weights; 0.99. Shorter memories let the repulsion take over. */
  readonly gamma?: Scalar;
  /**
   * μ(t): a number, a form of {@link NeumannMomentum}, or a schedule. By default `{ kind: 'clip', tau: 1 }`, from 0.5 at
   * t = 1 to 0.9 at t = 9. t counts from 1, without the burn-in.
   */
  readonly mu?: Scalar | NeumannMomentum | Schedule;
  /** Whether μ's clock starts again at each reset; false. */
  readonly muRestart?: boolean;
  /**
   * The anchor v during the burn-in: `'frozen'` at the initial weights (default, as in the paper, where line 2 comes after
   * line 1), or their moving average, `'ema'`.
   */
  readonly burnInAnchor?: 'frozen' | 'ema';
  /**
   * What a reset does. `'skip'` (default, the literal lines 6-7): m = -η ∇f, weights and anchor stay. `'step'`: forgets m
   * and steps with d = ∇f. `'stepReg'`: the same with the regulariser in d. `'none'`: nothing.
   */
  readonly resetMode?: ResetMode;
  /**
   * Whether the distance ‖w - v‖ is that of all weights together, `'global'` (default, as in Eq. 8; splitting a tensor
   * changes nothing), or of each tensor for itself, `'perTensor'`, with β counted within that tensor.
   */
  readonly norm?: 'global' | 'perTensor';
  /**
   * The regulariser is 0 up to this distance; 0. At distance 0 it always is. Above 0 it bounds the repulsion β/r², which
   * overflows float32 below a distance of about 1e-14.
   */
  readonly eps?: Scalar;
}

/** When resets happen; t counts steps after the burn-in from 1. */
type ResetOptions =
  | {
      /** K, the steps from the first reset to the second. The paper has 10 epochs: see {@link neumannEpochs}. */
      readonly resetSteps: Scalar;
      /**
       * `'doubleInterval'` (default): inner loops of K, 2K, 4K, … steps, so resets at t = 1, 1+K, 1+3K, 1+7K, …
       * `'doubleModulo'`: t = 1 mod K, K doubled after each reset but the first: t = 1, 1+K, 1+2K, 1+4K, …
       * `'constant'`: t = 1, 1+K, 1+2K, 1+3K, … `'never'`.
       */
      readonly resetInterval?: Exclude<ResetInterval, 'never'>;
    }
  | { readonly resetSteps?: Scalar; readonly resetInterval: 'never' };

/**
 * Options of the Neumann optimizer. Only `learningRate`, `burnInSteps` and `resetSteps` are required; the others default
 * to the paper's Table 1, and where its text is ambiguous to the literal reading.
 */
export type NeumannOptions = CommonOptions & ResetOptions;

const rules: RulesOf<NeumannOptions> = {
  learningRate: required(scheduled(nonNegative)),
  burnInSteps: integerFrom(0),
  alpha: nonNegative,
  beta: nonNegative,
  betaPerVariable: nonNegative,
  betaCount: oneOf('tensors', 'elements', 'one'),
  gamma: fraction,
  mu: { allows: () => true, range: '' }, // checkMomentum knows
  muRestart: flag,
  burnInAnchor: oneOf('frozen', 'ema'),
  resetSteps: integerFrom(1),
  resetInterval: oneOf('doubleInterval', 'doubleModulo', 'constant', 'never'),
  resetMode: oneOf('skip', 'step', 'stepReg', 'none'),
  norm: oneOf('global', 'perTensor'),
  eps: nonNegative,
};

/** @throws {OptionError} for options that are unknown, missing or out of range. */
export function checkNeumannOptions(op: string, options: NeumannOptions): void {
  checkOptions(op, options, rules);
  if (options.mu !== undefined) checkMomentum(op, options.mu);
  missing(op, options, 'burnInSteps', '5 epochs', ', or 0 for none');
  if (options.resetInterval !== 'never')
    missing(op, options, 'resetSteps', '10 epochs', `, or resetInterval: 'never'`);
}

function missing(
  op: string,
  options: NeumannOptions,
  name: keyof NeumannOptions,
  paper: string,
  other: string,
): void {
  if (options[name] === undefined)
    throw new OptionError(
      `${op}: needs ${name}, a number of steps. The paper has ${paper}, which depends on the data: ` +
        `spread ...neumannEpochs({ examples, batch }) into the options, or give a number${other}.`,
    );
}
