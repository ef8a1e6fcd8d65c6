import type { Tensor } from '@neumann/core';
import { belowOne, checkOptions, type RulesOf } from '../options.ts';
import { chain, type GradientTransformation, type Scalar } from '../protocol.ts';
import { type ScaleByScheduleState, scaleByLearningRate } from '../transforms/scale.ts';
import { type ScaleByAdamState, scaleByAdam } from '../transforms/scaleByAdam.ts';
import {
  muonRules,
  type ScaleByMuonOptions,
  type ScaleByMuonState,
  scaleByMuon,
} from '../transforms/scaleByMuon.ts';
import { type PartitionState, partition } from '../wrappers/partition.ts';
import { type DecayOptions, decay, decayRules, type RateOptions, rateRules } from './rate.ts';

/** Options of {@link muon}. */
export interface MuonOptions extends ScaleByMuonOptions, RateOptions, DecayOptions {
  /** Which tensors Muon takes; by default those of at least two axes. */
  readonly muonMask?: (path: string, leaf: Tensor) => boolean;
  /** Adam's decay of the average of gradients; 0.9. */
  readonly adamB1?: Scalar;
  /** Adam's decay of the average of their squares; 0.999. */
  readonly adamB2?: Scalar;
}

/** State of {@link muon}. */
export type MuonState = PartitionState<{
  readonly muon: readonly [ScaleByMuonState, null, ScaleByScheduleState];
  readonly adam: readonly [ScaleByAdamState, null, ScaleByScheduleState];
}>;

const rules: RulesOf<Pick<MuonOptions, 'muonMask' | 'adamB1' | 'adamB2'>> = {
  muonMask: { allows: (x) => typeof x === 'function', range: 'a function of path and tensor' },
  adamB1: belowOne,
  adamB2: belowOne,
};

/**
 * Muon (Jordan 2024, https://kellerjordan.github.io/posts/muon): the momentum of each matrix of weights, made nearly orthogonal, so
 * that all its directions move alike: `w = w - η (√max(1, out/in) orthogonalize(m) + weightDecay w)`. Vectors and scalars are
 * given to Adam with the same learning rate; weight decay is 0 by default. See {@link scaleByMuon}.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const tx = muon({ learningRate: 0.02, muonMask: (path, w) => w.ndim >= 2 && !path.includes('embedding') });
 */
export function muon(options: MuonOptions): GradientTransformation<MuonState> {
  checkOptions('muon', options, { ...rateRules, ...muonRules, ...decayRules, ...rules });
  const { learningRate, weightDecay = 0, mask, muonMask, adamB1 = 0.9, adamB2 = 0.999, ...rest } = options;
  const isMuon = muonMask ?? ((_: string, leaf: Tensor) => leaf.ndim >= 2);
  const after = [decay(weightDecay, mask), scaleByLearningRate(learningRate)] as const;
  return partition(
    {
      muon: chain(scaleByMuon(rest), ...after),
      adam: chain(scaleByAdam({ b1: adamB1, b2: adamB2 }), ...after),
    },
    (path, leaf) => (isMuon(path, leaf) ? 'muon' : 'adam'),
  );
}
