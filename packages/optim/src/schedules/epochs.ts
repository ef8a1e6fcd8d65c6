import { checkOptions, checkValue, knownPositive, type RulesOf, required } from '../options.ts';

/** The size of a data set, and of the batches it is taken in. */
export interface DataSize {
  readonly examples: number;
  readonly batch: number;
}

export const dataRules: RulesOf<DataSize> = {
  examples: required(knownPositive),
  batch: required(knownPositive),
};

/**
 * The number of steps in `n` epochs, rounded: `n * examples / batch`.
 *
 * @example
 * epochs(5, { examples: 60000, batch: 128 })   // 2344
 */
export function epochs(n: number, data: DataSize): number {
  checkValue('epochs', 'n', n, {
    allows: (x) => typeof x === 'number' && x >= 0,
    range: 'a number of at least 0',
  });
  checkOptions('epochs', data, dataRules);
  return Math.round((n * data.examples) / data.batch);
}

/** The number of steps in one epoch, rounded, and at least 1. */
export function stepsPerEpoch(data: DataSize): number {
  return Math.max(1, epochs(1, data));
}
