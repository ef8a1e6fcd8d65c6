/** What both Inceptions begin with and are made of. */
import type { LayerLike } from '../layer.ts';
import type { Pair } from '../options.ts';
import { maxPool } from '../pool.ts';
import { convBn } from './convBn.ts';

export const unit = (features: number, kernel: Pair, stride = 1): LayerLike =>
  convBn({ features, kernel, stride, padding: stride === 1 ? 'same' : 'valid' });

export const halved = maxPool({ window: 3, stride: 2 });

/** `[N, 299, 299, 3] -> [N, 35, 35, 192]` */
export const inceptionStem = {
  conv1: convBn({ features: 32, kernel: 3, stride: 2, padding: 'valid' }),
  conv2: convBn({ features: 32, kernel: 3, padding: 'valid' }),
  conv3: unit(64, 3),
  pool1: halved,
  conv4: unit(80, 1),
  conv5: convBn({ features: 192, kernel: 3, padding: 'valid' }),
  pool2: halved,
};
