import { checkOptions, finite, nonNegative } from '../options.ts';
import { chain, type GradientTransformation } from '../protocol.ts';
import { type AddNoiseOptions, type AddNoiseState, addNoise, noiseRules } from '../transforms/addNoise.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import { type RateOptions, rateRules } from './rate.ts';

/** Options of {@link noisySgd}: η is 0.01 and γ 0.55 by default. */
export interface NoisySgdOptions extends RateOptions, Partial<AddNoiseOptions> {
  readonly key: AddNoiseOptions['key'];
}

/**
 * Gradient descent with annealed Gaussian noise on gradients (Neelakantan et al. 2015, https://arxiv.org/abs/1511.06807):
 * `w = w - lr (g + N(0, η/(1 + t)^γ))`. Noise leaves saddle points and bad minima of very deep networks.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = noisySgd({ learningRate: 0.1, key: random.key(0) });
 */
export function noisySgd(
  options: NoisySgdOptions,
): GradientTransformation<readonly [AddNoiseState, ScaleByScheduleState]> {
  checkOptions('noisySgd', options, { ...rateRules, ...noiseRules, eta: nonNegative, gamma: finite });
  const { learningRate, eta = 0.01, gamma = 0.55, key } = options;
  return chain(addNoise({ eta, gamma, key }), scaleByLearningRate(learningRate));
}
