/**
 * Residual networks: version 1 (He et al. 2015, with the stride on the 3 × 3 convolution as everybody has it, "v1.5")
 * and version 2 with normalisation before each convolution (He et al. 2016). Names of layers are those of torchvision.
 */
import { OptionError } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { residual } from '../beside.ts';
import { conv2d } from '../conv.ts';
import { dense } from '../dense.ts';
import { relu } from '../functions.ts';
import { globalAvgPool } from '../globalPool.ts';
import { heNormal } from '../initializers.ts';
import type { Layer, LayerLike } from '../layer.ts';
import { batchNorm } from '../norms.ts';
import { positiveInteger } from '../options.ts';
import { maxPool } from '../pool.ts';
import { serial } from '../serial.ts';

/** What a residual network is made of. */
export interface ResnetOptions {
  /** Blocks of each stage; from stage to stage the image is halved and the channels doubled. */
  readonly blocks: readonly number[];
  /** Two 3 × 3 convolutions, or 1 × 1, 3 × 3, 1 × 1 with four times as many channels in the end. */
  readonly block: 'basic' | 'bottleneck';
  readonly classes: number;
  /** 1 by default; 2 normalises before each convolution. */
  readonly version?: 1 | 2;
  /** Channels of the first stage; 64 by default. */
  readonly width?: number;
}

/** A model with trees of parameters and state that types do not describe. */
export type Model = Layer<object, object>;

const around = (n: number): [number, number][] => [
  [n, n],
  [n, n],
];

const conv = (features: number, kernel: number, stride = 1): Layer =>
  conv2d({
    features,
    kernel,
    stride,
    padding: around((kernel - 1) / 2),
    bias: false,
    kernelInit: heNormal,
  });

/**
 * A residual network for images `[N, H, W, 3]`, 224 × 224 in the paper, to logits `[N, classes]`.
 *
 * @throws {OptionError} for bad options.
 * @example
 * const model = resnet({ blocks: [1, 1], block: 'basic', width: 8, classes: 10 });
 * const { params, state } = model.init(random.key(0), new ShapeDtype([1, 64, 64, 3]));
 * model.apply(params, state, ones([2, 64, 64, 3]))[0]   // f32[2,10]
 */
export function resnet(options: ResnetOptions): Model {
  checkOptions('resnet', options, ['blocks', 'block', 'classes', 'version', 'width']);
  const { blocks, block, version = 1, width = 64 } = options;
  const classes = positiveInteger('resnet', 'classes', options.classes);
  if (!Array.isArray(blocks) || blocks.length === 0)
    throw new OptionError('resnet: blocks must name at least one stage, but is [].');
  const makeBlock = blockMakers[block]?.[version];
  if (!makeBlock)
    throw new OptionError(
      `resnet: block must be 'basic' or 'bottleneck' and version 1 or 2, but they are ${block} and ${version}.`,
    );
  const expansion = block === 'basic' ? 1 : 4;
  const stages = blocks.map((count, stage): [string, LayerLike] => {
    positiveInteger('resnet', `blocks[${stage}]`, count);
    const channels = width * 2 ** stage;
    const parts = Array.from({ length: count }, (_, i): [string, LayerLike] => {
      const stride = i === 0 && stage > 0 ? 2 : 1;
      const changes = i === 0 && (stage > 0 || expansion > 1);
      return [`block${i}`, makeBlock(channels, channels * expansion, stride, changes)];
    });
    return [`layer${stage + 1}`, serial(Object.fromEntries(parts)) as LayerLike];
  });
  const pool = maxPool({ window: 3, stride: 2, padding: around(1) });
  return serial({
    conv1: conv(width, 7, 2),
    ...(version === 1 ? { bn1: batchNorm(), relu } : {}),
    pool,
    ...Object.fromEntries(stages),
    ...(version === 2 ? { bn: batchNorm(), relu } : {}),
    mean: globalAvgPool,
    fc: dense({ features: classes }),
  });
}

type BlockMaker = (inner: number, outer: number, stride: number, changes: boolean) => LayerLike;

const shortcutOf = (outer: number, stride: number): Layer =>
  serial({ conv: conv(outer, 1, stride), bn: batchNorm() }) as Layer;

/** `relu(x + body(x))` */
const after = (body: LayerLike, shortcut: Layer | undefined): LayerLike =>
  serial({ sum: residual(shortcut ? { body, shortcut } : { body }), relu }) as LayerLike;

const basic1: BlockMaker = (inner, _, stride, changes) =>
  after(
    serial({
      conv1: conv(inner, 3, stride),
      bn1: batchNorm(),
      relu,
      conv2: conv(inner, 3),
      bn2: batchNorm(),
    }) as LayerLike,
    changes ? shortcutOf(inner, stride) : undefined,
  );

const bottleneck1: BlockMaker = (inner, outer, stride, changes) =>
  after(
    serial({
      conv1: conv(inner, 1),
      bn1: batchNorm(),
      relu1: relu,
      conv2: conv(inner, 3, stride),
      bn2: batchNorm(),
      relu2: relu,
      conv3: conv(outer, 1),
      bn3: batchNorm(),
    }) as LayerLike,
    changes ? shortcutOf(outer, stride) : undefined,
  );

/** `x + body(relu(norm(x)))`; where the shape changes, the shortcut begins after the first normalisation. */
const before = (first: { readonly bn: Layer }, body: LayerLike, shortcut: Layer | undefined): LayerLike =>
  shortcut
    ? (serial({ bn: first.bn, relu, sum: residual({ body, shortcut }) }) as LayerLike)
    : residual({ body: serial({ bn: first.bn, relu, body }) as LayerLike });

const basic2: BlockMaker = (inner, _, stride, changes) =>
  before(
    { bn: batchNorm() },
    serial({ conv1: conv(inner, 3, stride), bn2: batchNorm(), relu, conv2: conv(inner, 3) }) as LayerLike,
    changes ? conv(inner, 1, stride) : undefined,
  );

const bottleneck2: BlockMaker = (inner, outer, stride, changes) =>
  before(
    { bn: batchNorm() },
    serial({
      conv1: conv(inner, 1),
      bn2: batchNorm(),
      relu2: relu,
      conv2: conv(inner, 3, stride),
      bn3: batchNorm(),
      relu3: relu,
      conv3: conv(outer, 1),
    }) as LayerLike,
    changes ? conv(outer, 1, stride) : undefined,
  );

const blockMakers: Readonly<Record<string, Readonly<Record<number, BlockMaker>>>> = {
  basic: { 1: basic1, 2: basic2 },
  bottleneck: { 1: bottleneck1, 2: bottleneck2 },
};

/** Options of the residual networks with names. */
export interface ImageModelOptions {
  /** 1,000 by default, as in ImageNet. */
  readonly classes?: number;
}

/** Options of {@link resnet18} to {@link resnet152}. */
export interface ResnetVersion extends ImageModelOptions {
  /** 1 by default. */
  readonly version?: 1 | 2;
}

const sized =
  (op: string, block: ResnetOptions['block'], blocks: readonly number[]) =>
  (options: ResnetVersion = {}): Model => {
    checkOptions(op, options, ['classes', 'version']);
    const { classes = 1000, version = 1 } = options;
    return resnet({ block, blocks, classes, version });
  };

/** ResNet-18: 11,689,512 parameters. */
export const resnet18: (options?: ResnetVersion) => Model = sized('resnet18', 'basic', [2, 2, 2, 2]);

/** ResNet-34: 21,797,672 parameters. */
export const resnet34: (options?: ResnetVersion) => Model = sized('resnet34', 'basic', [3, 4, 6, 3]);

/** ResNet-50: 25,557,032 parameters. */
export const resnet50: (options?: ResnetVersion) => Model = sized('resnet50', 'bottleneck', [3, 4, 6, 3]);

/** ResNet-101: 44,549,160 parameters. */
export const resnet101: (options?: ResnetVersion) => Model = sized('resnet101', 'bottleneck', [3, 4, 23, 3]);

/** ResNet-152: 60,192,808 parameters. */
export const resnet152: (options?: ResnetVersion) => Model = sized('resnet152', 'bottleneck', [3, 8, 36, 3]);
