import { checkOptions, checkValue, knownPositive, required } from '../options.ts';

/**
 * A learning rate for another batch size, by the linear scaling rule (Goyal et al. 2017, https://arxiv.org/abs/1706.02677; used
 * in Section 4.1 of https://arxiv.org/abs/1712.03298): k times the batch, k times the rate, after a ramp.
 *
 * @throws {OptionError} unless all are numbers above 0.
 * @example
 * const data = { examples: 1281167, batch: 1600 };
 * const value = linearScaling(0.045, { from: 32, to: data.batch });   // 2.25
 * const rate = rampStep({ value, ramp: epochs(5, data), every: epochs(40, data) });
 */
export function linearScaling(
  learningRate: number,
  batch: { readonly from: number; readonly to: number },
): number {
  checkValue('linearScaling', 'learningRate', learningRate, knownPositive);
  checkOptions('linearScaling', batch, { from: required(knownPositive), to: required(knownPositive) });
  return (learningRate * batch.to) / batch.from;
}
