import type { Mask } from '../masks.ts';
import { finite, nonNegative, type RulesOf, required, scheduled } from '../options.ts';
import type { GradientTransformation, Scalar, Schedule } from '../protocol.ts';
import { addDecayedWeights, maskRule } from '../transforms/addDecayedWeights.ts';

/** The option that every optimizer with a learning rate has. */
export interface RateOptions {
  /** A number, or a schedule: a function of the step. */
  readonly learningRate: Scalar | Schedule;
}

export const rateRules: RulesOf<RateOptions> = { learningRate: required(scheduled(nonNegative)) };

/** Options of decoupled weight decay. */
export interface DecayOptions {
  /** How much of the parameters is taken away in a step, times the learning rate. */
  readonly weightDecay?: Scalar;
  /** Which parameters decay; all by default. */
  readonly mask?: Mask;
}

export const decayRules: RulesOf<DecayOptions> = { weightDecay: finite, mask: maskRule };

/** `addDecayedWeights`, of a mask that may be missing. */
export function decay(weightDecay: Scalar, mask: Mask | undefined): GradientTransformation<null> {
  return addDecayedWeights(weightDecay, mask === undefined ? {} : { mask });
}
