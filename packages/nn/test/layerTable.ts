/** One row for each layer: what the laws of layerLaws.test.ts run over. */
import { type Aval, add, type DType, tanh, zeros } from '@neumann/core';
import {
  adaptiveAvgPool,
  adaptiveMaxPool,
  avgPool,
  batchNorm,
  bidirectional,
  branch,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  decoderBlock,
  dense,
  depthwiseConv2d,
  dropout,
  dropPath,
  embedding,
  encoderBlock,
  flatten,
  gelu,
  globalAvgPool,
  globalMaxPool,
  groupNorm,
  gruCell,
  instanceNorm,
  type Layer,
  layerNorm,
  learnedPositions,
  lstmCell,
  maxPool,
  multiHeadAttention,
  parallel,
  recurrent,
  relu,
  repeat,
  residual,
  rmsNorm,
  rotaryPositions,
  separableConv2d,
  serial,
  shaped,
  sinusoidalPositions,
  spatialDropout,
  spectralNorm,
  squeezeExcite,
  upsample,
  weightNorm,
  withState,
} from '@neumann/nn';

/** A layer, an input (a shape, or a tree of shapes), and what it must come to. */
export interface LayerRow {
  readonly name: string;
  /** Its types are those of the layer; the laws need none of them. */
  readonly layer: Layer<unknown, unknown, never, unknown>;
  readonly x: InputOf;
  readonly y: InputOf;
  /** Numbers in the parameters. */
  readonly parameters: number;
  /** Of the input; floats of any width by default. */
  readonly dtype?: DType;
  /** Examples do not see each other, in training neither: then a batch by `vmap` is the same as one by its shape. */
  readonly perExample?: false;
  /** Something counts as constant by definition, which finite differences do not know. */
  readonly differences?: false;
}

export type InputOf = readonly number[] | { readonly [name: string]: readonly number[] };

const row = (
  name: string,
  layer: unknown,
  x: InputOf,
  y: InputOf,
  parameters: number,
  more: Partial<LayerRow> = {},
): LayerRow => ({
  name,
  layer: layer as LayerRow['layer'],
  x,
  y,
  parameters,
  ...more,
});

const image = [2, 6, 5, 4];

export const layerRows: readonly LayerRow[] = [
  row('dense', dense({ features: 3 }), [2, 4], [2, 3], 15),
  row('dense without bias', dense({ features: 3, bias: false }), [2, 5, 4], [2, 5, 3], 12),
  row('conv1d', conv1d({ features: 3, kernel: 3, stride: 2 }), [2, 7, 4], [2, 4, 3], 39),
  row('conv2d', conv2d({ features: 3, kernel: [3, 2], padding: 'valid' }), image, [2, 4, 4, 3], 75),
  row('conv2d, grouped', conv2d({ features: 6, kernel: 3, groups: 2 }), image, [2, 6, 5, 6], 114),
  row('conv3d', conv3d({ features: 2, kernel: 2 }), [1, 3, 3, 3, 2], [1, 3, 3, 3, 2], 34),
  row('depthwiseConv2d', depthwiseConv2d({ kernel: 3, multiplier: 2 }), image, [2, 6, 5, 8], 80),
  row('separableConv2d', separableConv2d({ features: 3, kernel: 3, stride: 2 }), image, [2, 3, 3, 3], 51),
  row('batchNorm', batchNorm(), image, image, 8, { perExample: false }),
  row('layerNorm', layerNorm(), [2, 3, 4], [2, 3, 4], 8),
  row('groupNorm', groupNorm({ groups: 2 }), image, image, 8),
  row('instanceNorm', instanceNorm(), image, image, 8),
  row('rmsNorm', rmsNorm(), [2, 3, 4], [2, 3, 4], 4),
  row('dropout', dropout({ rate: 0.3 }), [2, 6], [2, 6], 0, { perExample: false }),
  row('spatialDropout', spatialDropout({ rate: 0.3 }), image, image, 0, { perExample: false }),
  row('dropPath', dropPath({ rate: 0.3 }), [4, 3], [4, 3], 0, { perExample: false }),
  row('embedding', embedding({ vocabulary: 7, features: 3 }), [2, 4], [2, 4, 3], 21, { dtype: 'int32' }),
  row('maxPool', serial(maxPool({ window: 2 })), image, [2, 3, 2, 4], 0),
  row('avgPool', serial(avgPool({ window: 3, stride: 2, padding: 'same' })), image, [2, 3, 3, 4], 0),
  row('globalAvgPool', serial(globalAvgPool), image, [2, 4], 0),
  row('globalMaxPool', serial(globalMaxPool), image, [2, 4], 0),
  row('adaptiveAvgPool', serial(adaptiveAvgPool([4, 2])), image, [2, 4, 2, 4], 0),
  row('adaptiveMaxPool', serial(adaptiveMaxPool(2)), image, [2, 2, 2, 4], 0),
  row('multiHeadAttention', multiHeadAttention({ heads: 2 }), [2, 3, 4], [2, 3, 4], 80),
  row(
    'multiHeadAttention, causal, other features',
    multiHeadAttention({ heads: 2, inner: 6, features: 3, causal: true }),
    [2, 3, 4],
    [2, 3, 3],
    111,
  ),
  row(
    'multiHeadAttention, memory',
    multiHeadAttention({ heads: 2 }),
    { x: [2, 3, 4], memory: [2, 5, 6] },
    [2, 3, 4],
    96,
  ),
  row('encoderBlock', encoderBlock({ heads: 2, hidden: 5 }), [2, 3, 4], [2, 3, 4], 80 + 16 + 49),
  row(
    'decoderBlock',
    decoderBlock({ heads: 2, hidden: 5 }),
    { x: [2, 3, 4], memory: [2, 5, 6] },
    [2, 3, 4],
    80 + 96 + 24 + 49,
  ),
  row('sinusoidalPositions', serial(sinusoidalPositions), [2, 3, 4], [2, 3, 4], 0),
  row(
    'rotaryPositions',
    serial((x) => rotaryPositions(x)),
    [2, 3, 4],
    [2, 3, 4],
    0,
  ),
  row('learnedPositions', learnedPositions({ maxLength: 5 }), [2, 3, 4], [2, 3, 4], 20),
  row('squeezeExcite', squeezeExcite({ ratio: 2 }), image, image, 22),
  row('weightNorm', weightNorm(dense({ features: 3 })), [2, 4], [2, 3], 18),
  row('spectralNorm', spectralNorm(conv2d({ features: 3, kernel: 2 })), image, [2, 6, 5, 3], 51, {
    differences: false,
  }),
  row('convTranspose1d', convTranspose1d({ features: 2, kernel: 4, stride: 3 }), [2, 4, 3], [2, 12, 2], 26),
  row(
    'convTranspose2d',
    convTranspose2d({ features: 2, kernel: 3, stride: 2 }),
    [2, 3, 2, 3],
    [2, 6, 4, 2],
    56,
  ),
  row(
    'convTranspose3d',
    convTranspose3d({ features: 1, kernel: 2, padding: 'valid' }),
    [1, 2, 2, 2, 2],
    [1, 3, 3, 3, 1],
    17,
  ),
  row('upsample', serial(upsample({ scale: 2 })), [1, 3, 2, 2], [1, 6, 4, 2], 0),
  row(
    'upsample, linear',
    serial(upsample({ scale: [1, 3], method: 'linear' })),
    [1, 3, 2, 2],
    [1, 3, 6, 2],
    0,
  ),
  row('lstm', recurrent(lstmCell({ features: 3 })), [2, 4, 5], [2, 4, 3], 108),
  row('gru', recurrent(gruCell({ features: 3 }), { reverse: true }), [2, 4, 5], [2, 4, 3], 84),
  row('bidirectional', bidirectional(gruCell({ features: 2 })), [2, 3, 4], [2, 3, 4], 88),
  row('repeat', repeat(serial({ linear: dense({ features: 4 }), tanh }), 3), [2, 4], [2, 4], 60),
  row('repeat with state', repeat(serial(dense({ features: 4 }), batchNorm()), 2), [3, 4], [3, 4], 56, {
    perExample: false,
  }),
  row('serial', serial({ a: dense({ features: 3 }), tanh, b: dense({ features: 2 }) }), [2, 4], [2, 2], 23),
  row('residual', residual({ body: serial(dense({ features: 4 }), gelu) }), [2, 4], [2, 4], 20),
  row(
    'residual with shortcut',
    residual({ body: dense({ features: 3 }), shortcut: dense({ features: 3, bias: false }) }),
    [2, 4],
    [2, 3],
    27,
  ),
  row('branch', branch({ a: dense({ features: 3 }), b: relu, c: serial(batchNorm()) }), [3, 4], [3, 11], 23, {
    perExample: false,
  }),
  row(
    'parallel',
    parallel({ a: dense({ features: 3 }), b: flatten }),
    { a: [2, 4], b: [2, 3, 2] },
    { a: [2, 3], b: [2, 6] },
    15,
  ),
  row(
    'shaped',
    shaped((x: Aval) => dense({ features: x.shape.length })),
    [2, 4],
    [2, 2],
    10,
  ),
  row(
    'withState',
    withState(zeros([]), (count, x) => [x, add(count, 1)]),
    [2, 4],
    [2, 4],
    0,
  ),
];
