import type { Padding } from '@neumann/core';
import { conv2d } from '../conv.ts';
import { relu } from '../functions.ts';
import { batchNorm } from '../norms.ts';
import type { Pair } from '../options.ts';
import { serial } from '../serial.ts';

/** Options of {@link convBn}. */
interface ConvBnOptions {
  readonly features: number;
  readonly kernel: Pair;
  readonly stride?: Pair;
  readonly padding?: Padding;
  readonly epsilon?: number;
}

/** A convolution without bias, batch normalisation, and `max(x, 0)`: what the networks of 2015 to 2017 are made of. */
export const convBn = ({ features, kernel, stride = 1, padding = 'same', epsilon = 1e-3 }: ConvBnOptions) =>
  serial({
    conv: conv2d({ features, kernel, stride, padding, bias: false }),
    bn: batchNorm({ epsilon }),
    relu,
  });
