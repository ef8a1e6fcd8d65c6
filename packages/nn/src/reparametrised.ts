/** Layers whose weights are made of other parameters. */
import {
  divide,
  matmul,
  multiply,
  norm,
  random,
  reshape,
  stopGradient,
  type Tensor,
  TreeError,
  vdot,
} from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import type { Layer } from './layer.ts';
import { positiveInteger } from './options.ts';
import type { Weights } from './weights.ts';

/** The parameters of {@link weightNorm}. */
export interface WeightNormParams extends Weights {
  /** `[F]`, the lengths of the weights of each output. */
  readonly g: Tensor;
}

/**
 * A linear layer (dense, conv) with weights `g w / ‖w‖`, a length and a direction for each output. Salimans and Kingma
 * 2016.
 *
 * @throws {TreeError} if the layer has not the parameters `{ w, b }`.
 * @example
 * const layer = weightNorm(dense({ features: 4 }));
 * const { params } = layer.init(random.key(0), new ShapeDtype([1, 3]));
 * params.g   // f32[4]
 */
export function weightNorm<S>(layer: Layer<Weights, S>): Layer<WeightNormParams, S> {
  const lengths = (w: Tensor): Tensor => norm(reshape(w, [-1, w.shape.at(-1) as number]), { axis: 0 });
  return {
    init(key, x) {
      const { params, state } = layer.init(key, x);
      return { params: { ...params, g: lengths(weightsOf('weightNorm', params)) }, state };
    },
    apply({ g, ...params }, state, x, context) {
      const w = multiply(params.w, divide(g, lengths(params.w)));
      return layer.apply({ ...params, w }, state, x, context);
    },
  };
}

/** The state of {@link spectralNorm}. */
export interface SpectralState<S> {
  /** `[F]`, an estimate of the first right singular vector. */
  readonly v: Tensor;
  readonly layer: S;
}

/**
 * A linear layer with weights divided by their greatest singular value, which power iteration follows from step to step
 * of training. Miyato et al. 2018.
 *
 * @param options.iterations Of power iteration in each step; 1 by default.
 * @throws {TreeError} if the layer has not the parameters `{ w, b }`. {OptionError} for bad options.
 * @example
 * const layer = spectralNorm(dense({ features: 4 }));
 * const { params, state } = layer.init(random.key(0), new ShapeDtype([1, 3]));
 * const [y, next] = layer.apply(params, state, ones([2, 3]), { training: true });
 */
export function spectralNorm<S>(
  layer: Layer<Weights, S>,
  options: { readonly iterations?: number } = {},
): Layer<Weights, SpectralState<S>> {
  checkOptions('spectralNorm', options, ['iterations']);
  const iterations = positiveInteger('spectralNorm', 'iterations', options.iterations ?? 1);
  const unit = (t: Tensor): Tensor => divide(t, norm(t));
  return {
    init(key, x) {
      const { params, state } = layer.init(key, x);
      const w = weightsOf('spectralNorm', params);
      const v = unit(random.normal(random.foldIn(key, 2), [w.shape.at(-1) as number], { dtype: w.dtype }));
      return { params, state: { v, layer: state } };
    },
    apply(params, state, x, context) {
      const matrix = reshape(params.w, [-1, params.w.shape.at(-1) as number]); // [rest, F]
      const fixed = stopGradient(matrix);
      let { v } = state;
      let u = unit(matmul(fixed, v));
      if (context?.training)
        for (let i = 0; i < iterations; i++) {
          v = unit(matmul(u, fixed));
          u = unit(matmul(fixed, v));
        }
      const greatest = vdot(u, matmul(matrix, v));
      const [y, next] = layer.apply({ ...params, w: divide(params.w, greatest) }, state.layer, x, context);
      return [y, { v, layer: next }];
    },
  };
}

function weightsOf(name: string, params: Weights): Tensor {
  if (!params?.w)
    throw new TreeError(`${name}: needs a layer with parameters { w, b }, such as dense or conv2d.`);
  return params.w;
}
