import { checkOptions, knownPositive, nonNegative } from '../options.ts';
import { type DataSize, dataRules, epochs } from '../schedules/epochs.ts';
import type { NeumannMomentum } from './momentum.ts';

/** Options of {@link neumannEpochs}. */
export interface NeumannEpochsOptions extends DataSize {
  /** Epochs of plain gradient descent; 5. */
  readonly burnIn?: number;
  /** Epochs from the first reset to the second; 10. */
  readonly reset?: number;
  /**
   * Epochs in μ's unit of time. Without it μ is the paper's literal formula, whose unit is a step: it reaches 0.9 nine steps
   * after the burn-in, and the effective learning rate jumps tenfold. If that upsets training, 1 is a good value.
   */
  readonly tau?: number;
}

/** Options of the optimizer that are numbers of steps. */
export interface NeumannSteps {
  readonly burnInSteps: number;
  readonly resetSteps: number;
  readonly mu?: NeumannMomentum;
}

/**
 * The paper's durations (Table 1: 5 epochs of burn-in, resets starting at 10 epochs) as the numbers of steps that
 * {@link neumannInit} takes.
 *
 * @example
 * neumannEpochs({ examples: 60000, batch: 128 })   // { burnInSteps: 2344, resetSteps: 4688 }
 */
export function neumannEpochs(options: NeumannEpochsOptions): NeumannSteps {
  const known = {
    allows: (x: unknown) => typeof x === 'number' && nonNegative.allows(x),
    range: 'a number of at least 0',
  };
  checkOptions('neumannEpochs', options, {
    ...dataRules,
    burnIn: known,
    reset: knownPositive,
    tau: knownPositive,
  });
  const { examples, batch, burnIn = 5, reset = 10, tau } = options;
  const data = { examples, batch };
  const steps = { burnInSteps: epochs(burnIn, data), resetSteps: Math.max(1, epochs(reset, data)) };
  return tau === undefined ? steps : { ...steps, mu: { kind: 'clip', tau: (tau * examples) / batch } };
}
