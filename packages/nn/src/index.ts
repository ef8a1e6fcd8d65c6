export {
  celu,
  elu,
  gelu,
  glu,
  hardSigmoid,
  hardSwish,
  hardTanh,
  leakyRelu,
  logMeanExp,
  mish,
  relu6,
  selu,
  softSign,
  sparsePlus,
  sparseSigmoid,
  squareplus,
  standardize,
} from './activations.ts';
export {
  type Attended,
  type AttentionOptions,
  attention,
  causalMask,
  multiHeadAttention,
} from './attention.ts';
export {
  type ColorJitterOptions,
  colorJitter,
  cutout,
  mixup,
  normalizeImages,
  type ResizedCropOptions,
  randomCrop,
  randomFlip,
  randomResizedCrop,
} from './augment.ts';
export { branch, type Each, parallel, type ResidualParts, residual } from './beside.ts';
export { type ConvLayerOptions, conv1d, conv2d, conv3d } from './conv.ts';
export {
  type ConvTransposeLayerOptions,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
} from './convTranspose.ts';
export { type DenseOptions, dense } from './dense.ts';
export {
  type DepthwiseOptions,
  depthwiseConv2d,
  type SeparableOptions,
  separableConv2d,
} from './depthwise.ts';
export { type DropoutOptions, dropout, dropPath, spatialDropout } from './dropout.ts';
export { type EarlyStoppingOptions, earlyStopping } from './earlyStopping.ts';
export { type EmbeddingOptions, type EmbeddingParams, embedding } from './embedding.ts';
export {
  type FitCallback,
  type FitEvent,
  type FitItem,
  type FitOptions,
  type FitResult,
  fit,
  type Metrics,
} from './fit.ts';
export { type AxisOptions, flatten, logSoftmax, relu, silu, softmax } from './functions.ts';
export { adaptiveAvgPool, adaptiveMaxPool, globalAvgPool, globalMaxPool } from './globalPool.ts';
export type { Initializer, VarianceScalingOptions } from './initializers.ts';
export * as initializers from './initializers.ts';
export type { AvalsOf, Context, Layer, LayerLike, Observed, ParamsOf, StateOf } from './layer.ts';
export {
  diceLoss,
  type FocalOptions,
  fenchelYoungLoss,
  hingeLoss,
  klDivergence,
  polyLoss,
  sigmoidBinaryCrossEntropy,
  sigmoidFocalLoss,
  smoothLabels,
  softmaxCrossEntropy,
} from './losses/classification.ts';
export { type CtcOptions, ctcLoss } from './losses/ctc.ts';
export { ntxent, type TripletOptions, tripletMarginLoss } from './losses/embedding.ts';
export {
  absoluteError,
  cosineDistance,
  cosineSimilarity,
  huberLoss,
  l2Loss,
  logCosh,
  squaredError,
} from './losses/regression.ts';
export { sparsemax, sparsemaxLoss } from './losses/sparsemax.ts';
export { accuracy, crossEntropy } from './losses.ts';
export { calibrationError, confusionMatrix, topKAccuracy } from './metrics.ts';
export { microbatched } from './microbatched.ts';
export {
  type BatchNormOptions,
  type BatchStatistics,
  batchNorm,
  type GroupNormOptions,
  groupNorm,
  instanceNorm,
  layerNorm,
  type NormOptions,
  rmsNorm,
  type ScaleAndShift,
} from './norms.ts';
export type { Pair, PerAxis } from './options.ts';
export type { ListedParams, ListedState, Named, NamedParams, NamedState } from './places.ts';
export { avgPool, maxPool, type PoolOptions } from './pool.ts';
export { learnedPositions, type PositionParams, rotaryPositions, sinusoidalPositions } from './positions.ts';
export {
  bidirectional,
  type Cell,
  type CellOptions,
  type GruParams,
  gruCell,
  type LstmCarry,
  type LstmParams,
  lstmCell,
  type RecurrentOptions,
  recurrent,
  runCell,
} from './recurrent.ts';
export { type SpectralState, spectralNorm, type WeightNormParams, weightNorm } from './reparametrised.ts';
export { repeat } from './repeat.ts';
export { decodeSafetensors, encodeSafetensors, loadInto, safetensorsMetadata } from './safetensors.ts';
export { serial } from './serial.ts';
export { shaped } from './shaped.ts';
export { type SqueezeExciteParams, squeezeExcite } from './squeezeExcite.ts';
export { type Summary, type SummaryRow, summary } from './summary.ts';
export {
  type DecoderInput,
  type DecoderParams,
  decoderBlock,
  type EncoderOptions,
  encoderBlock,
  type TransformerOptions,
} from './transformer.ts';
export { type UpsampleOptions, upsample } from './upsample.ts';
export type { Weights } from './weights.ts';
export { withState } from './withState.ts';
