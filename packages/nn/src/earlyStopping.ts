import { OptionError } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import type { FitCallback } from './fit.ts';

/** Options of {@link earlyStopping}. */
export interface EarlyStoppingOptions {
  /** The metric of an epoch that must go down. */
  readonly metric: string;
  /** How many epochs may pass without a new best. */
  readonly patience: number;
  /** By how much the best must be beaten; 0 by default. */
  readonly minDelta?: number;
}

/**
 * A callback of `fit` that ends the training when a metric has not gone down for some epochs.
 *
 * @throws {OptionError} for bad options, or a metric that there is not.
 * @example earlyStopping({ metric: 'validationLoss', patience: 3 })
 */
export function earlyStopping(options: EarlyStoppingOptions): FitCallback {
  checkOptions('earlyStopping', options, ['metric', 'patience', 'minDelta']);
  const { metric, patience, minDelta = 0 } = options;
  if (!Number.isInteger(patience) || patience < 1)
    throw new OptionError(`earlyStopping: patience must be an integer of at least 1, but is ${patience}.`);
  let best = Number.POSITIVE_INFINITY;
  let since = 0;
  return {
    onEpoch({ metrics, stop }) {
      const value = metrics[metric];
      if (value === undefined)
        throw new OptionError(
          `earlyStopping: there is no metric ${JSON.stringify(metric)}; there are ${Object.keys(metrics).join(', ')}.`,
        );
      if (value < best - minDelta) [best, since] = [value, 0];
      else since++;
      if (since >= patience) stop(`${metric} has not gone down for ${patience} epochs`);
    },
  };
}
