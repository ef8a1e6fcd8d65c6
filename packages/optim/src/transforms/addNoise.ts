import { add, astype, multiply, power, random, sqrt, Tensor, zeros } from '@neumann/core';
import { checkOptions, finite, nonNegative, type RulesOf, required } from '../options.ts';
import type { GradientTransformation, Scalar } from '../protocol.ts';
import { beside, countFor, leavesOf, zipTrees } from '../trees.ts';

/** Options of {@link addNoise}. */
export interface AddNoiseOptions {
  /** η, the variance of the noise in the first step. */
  readonly eta: Scalar;
  /** γ, how fast the variance falls. */
  readonly gamma: Scalar;
  /** From `random.key(seed)`. */
  readonly key: Tensor;
}

/** State of {@link addNoise}. */
export interface AddNoiseState {
  /** `i32[]`, updates made. */
  readonly count: Tensor;
  /** `u32[2]`, for the next step. */
  readonly key: Tensor;
}

export const noiseRules: RulesOf<AddNoiseOptions> = {
  eta: required(nonNegative),
  gamma: required(finite),
  key: required({
    allows: (x) => x instanceof Tensor && x.dtype === 'uint32',
    range: 'a key of random.key(seed)',
  }),
};

/**
 * Adds Gaussian noise of variance `η / (1 + t)^γ` in step t = 0, 1, … (Neelakantan et al. 2015,
 * https://arxiv.org/abs/1511.06807).
 *
 * @example
 * const tx = chain(addNoise({ eta: 0.01, gamma: 0.55, key: random.key(0) }), scaleByLearningRate(0.1));
 */
export function addNoise(options: AddNoiseOptions): GradientTransformation<AddNoiseState> {
  checkOptions('addNoise', options, noiseRules);
  const { eta, gamma, key } = options;
  return {
    // A key of the state's own: who donates the state keeps the key.
    init: () => ({ count: zeros([], 'int32'), key: random.foldIn(key, 0) }),
    update: (updates, state) => {
      const time = add(countFor(updates, state.count), 1);
      const deviation = sqrt(multiply(beside(time, eta), power(time, multiply(-1, beside(time, gamma)))));
      const leaves = leavesOf(updates);
      const [next, ...keys] = random.split(state.key, leaves.length + 1) as [Tensor, ...Tensor[]];
      const noisy = zipTrees('addNoise', { updates }, {}, (u) => {
        const noise = random.normal(keys.shift() as Tensor, u.shape, { dtype: u.dtype });
        return add(u, multiply(astype(deviation, u.dtype), noise));
      });
      return [noisy, { count: add(state.count, 1), key: next }];
    },
  };
}
