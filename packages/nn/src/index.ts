export { type Conv2dOptions, conv2d } from './conv2d.ts';
export { type DenseOptions, dense } from './dense.ts';
export { type DropoutOptions, dropout } from './dropout.ts';
export { type EarlyStoppingOptions, earlyStopping } from './earlyStopping.ts';
export {
  type FitCallback,
  type FitEvent,
  type FitItem,
  type FitOptions,
  type FitResult,
  fit,
  type Metrics,
} from './fit.ts';
export { type AxisOptions, flatten, gelu, logSoftmax, relu, silu, softmax } from './functions.ts';
export type { Initializer, VarianceScalingOptions } from './initializers.ts';
export * as initializers from './initializers.ts';
export type { Context, Layer, LayerLike, ParamsOf, StateOf } from './layer.ts';
export { accuracy, crossEntropy } from './losses.ts';
export type { Pair } from './options.ts';
export { avgPool, maxPool, type PoolOptions } from './pool.ts';
export { decodeSafetensors, encodeSafetensors, loadInto, safetensorsMetadata } from './safetensors.ts';
export { type ListedParams, type ListedState, type NamedParams, type NamedState, serial } from './serial.ts';
export type { Weights } from './weights.ts';
