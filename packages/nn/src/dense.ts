import { add, matmul, ShapeError, showAval, type Tensor } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { type Initializer, lecunNormal, zeros } from './initializers.ts';
import type { Layer } from './layer.ts';
import { positiveInteger } from './options.ts';
import { checkWeights, makeWeights, parameterDType, type Weights } from './weights.ts';

/** Options of {@link dense}. */
export interface DenseOptions {
  /** Extent of the last axis of the output. */
  readonly features: number;
  /** Whether a vector is added; `true` by default. */
  readonly bias?: boolean;
  /** `lecunNormal` by default. */
  readonly kernelInit?: Initializer;
  /** `zeros` by default. */
  readonly biasInit?: Initializer;
}

/**
 * An affine map of the last axis: `x w + b`.
 *
 * x `[..., D]`, w `[D, F]`, b `[F]` give `[..., F]`.
 *
 * @throws {OptionError} for bad options; {ShapeError} when applied to another D than it was initialised for.
 * @example
 * const layer = dense({ features: 10 });
 * const { params } = layer.init(random.key(0), new ShapeDtype([1, 784]));
 * layer.apply(params, null, ones([32, 784]))[0]   // f32[32,10]
 */
export function dense(options: DenseOptions): Layer<Weights, null> {
  checkOptions('dense', options, ['features', 'bias', 'kernelInit', 'biasInit']);
  const { bias = true, kernelInit = lecunNormal, biasInit = zeros } = options;
  const features = positiveInteger('dense', 'features', options.features);
  return {
    init(key, x) {
      const inputs = x.shape.at(-1);
      if (inputs === undefined) throw new ShapeError(`dense: x must be [..., D], but is ${showAval(x)}.`);
      return {
        params: makeWeights(key, [inputs, features], parameterDType(x.dtype), { bias, kernelInit, biasInit }),
        state: null,
      };
    },
    apply(params, state, x) {
      const { w, b } = checkWeights('dense', params);
      const product = matmul(checkInput(x, w), w);
      return [b ? add(product, b) : product, state];
    },
  };
}

function checkInput(x: Tensor, w: Tensor): Tensor {
  if (x.shape.at(-1) !== w.shape[0])
    throw new ShapeError(
      `dense: x ${showAval(x.aval)} has ${x.shape.at(-1)} features but w ${showAval(w.aval)} takes ${w.shape[0]}; ` +
        `x is [..., D] and w is [D, F].`,
    );
  return x;
}
