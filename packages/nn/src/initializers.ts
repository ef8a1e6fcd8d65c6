/** How parameters start: the distributions of `jax.nn.initializers`. */
import {
  type DType,
  full,
  multiply,
  OptionError,
  random,
  ShapeError,
  type Tensor,
  zeros as tensorOfZeros,
} from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { oneOf } from './options.ts';

/** Parameters of a shape and dtype, drawn with a key. */
export type Initializer = (key: Tensor, shape: readonly number[], dtype: DType) => Tensor;

/** Options of {@link varianceScaling}. */
export interface VarianceScalingOptions {
  /** The variance is `scale / fan`. */
  readonly scale: number;
  /** Which fan: that of the inputs, of the outputs, or their mean. */
  readonly mode: 'fanIn' | 'fanOut' | 'fanAvg';
  /** `truncatedNormal` is cut at two standard deviations and then has the stated variance. */
  readonly distribution: 'truncatedNormal' | 'normal' | 'uniform';
}

/** Standard deviation of a standard normal variable that is cut at ±2. */
const truncatedStddev = 0.87962566103423978;

/**
 * Random numbers with mean 0 and variance `scale / fan`, so that signals keep their size through a layer.
 *
 * For w `[..., I, O]` the fans are I and O times the product of the leading extents (the window of a convolution).
 *
 * @throws {OptionError} for bad options; {ShapeError} from the initializer for shapes with fewer than two axes.
 */
export function varianceScaling(options: VarianceScalingOptions): Initializer {
  checkOptions('varianceScaling', options, ['scale', 'mode', 'distribution']);
  const { scale, mode, distribution } = options;
  if (!(scale > 0)) throw new OptionError(`varianceScaling: scale must be positive, but is ${scale}.`);
  oneOf('varianceScaling', 'mode', mode, ['fanIn', 'fanOut', 'fanAvg']);
  oneOf('varianceScaling', 'distribution', distribution, ['truncatedNormal', 'normal', 'uniform']);
  return (key, shape, dtype) => {
    const variance = scale / fanOf(shape, mode);
    switch (distribution) {
      case 'truncatedNormal': {
        const draw = random.truncatedNormal(key, -2, 2, shape, { dtype });
        return multiply(draw, Math.sqrt(variance) / truncatedStddev);
      }
      case 'normal':
        return multiply(random.normal(key, shape, { dtype }), Math.sqrt(variance));
      case 'uniform':
        return multiply(random.uniform(key, shape, { min: -1, dtype }), Math.sqrt(3 * variance));
      default:
        return distribution satisfies never;
    }
  };
}

function fanOf(shape: readonly number[], mode: VarianceScalingOptions['mode']): number {
  const [inputs, outputs] = shape.slice(-2);
  if (inputs === undefined || outputs === undefined)
    throw new ShapeError(
      `initializers: [${shape.join(',')}] has no fans, which need the axes [..., inputs, outputs]; use zeros or normal.`,
    );
  const window = shape.slice(0, -2).reduce((n, extent) => n * extent, 1);
  return window * { fanIn: inputs, fanOut: outputs, fanAvg: (inputs + outputs) / 2 }[mode];
}

/** Truncated normal, variance `2 / fanIn`: for layers before a relu. He et al. 2015. */
export const heNormal: Initializer = varianceScaling({
  scale: 2,
  mode: 'fanIn',
  distribution: 'truncatedNormal',
});

/** Uniform, variance `2 / fanIn`. He et al. 2015. */
export const heUniform: Initializer = varianceScaling({ scale: 2, mode: 'fanIn', distribution: 'uniform' });

/** Truncated normal, variance `2 / (fanIn + fanOut)`. Glorot and Bengio 2010. */
export const glorotNormal: Initializer = varianceScaling({
  scale: 1,
  mode: 'fanAvg',
  distribution: 'truncatedNormal',
});

/** Uniform, variance `2 / (fanIn + fanOut)`. Glorot and Bengio 2010. */
export const glorotUniform: Initializer = varianceScaling({
  scale: 1,
  mode: 'fanAvg',
  distribution: 'uniform',
});

/** Truncated normal, variance `1 / fanIn`: what the layers use unless told otherwise. LeCun et al. 1998. */
export const lecunNormal: Initializer = varianceScaling({
  scale: 1,
  mode: 'fanIn',
  distribution: 'truncatedNormal',
});

/** Uniform, variance `1 / fanIn`. LeCun et al. 1998. */
export const lecunUniform: Initializer = varianceScaling({
  scale: 1,
  mode: 'fanIn',
  distribution: 'uniform',
});

/** Normal with mean 0; `stddev` is 0.01 unless given. */
export function normal(options: { readonly stddev?: number } = {}): Initializer {
  checkOptions('normal', options, ['stddev']);
  const { stddev = 1e-2 } = options;
  return (key, shape, dtype) => multiply(random.normal(key, shape, { dtype }), stddev);
}

/** One number everywhere. */
export function constant(value: number): Initializer {
  return (_, shape, dtype) => full(shape, value, dtype);
}

/** Zeros. */
export const zeros: Initializer = (_, shape, dtype) => tensorOfZeros(shape, dtype);
