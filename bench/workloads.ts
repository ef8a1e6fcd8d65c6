/** What is measured. Every subject implements workloads of these names, as far as it can. */

export interface MatmulParams {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Whether x is stored as [K,M], and y as [N,K]. */
  readonly transposeX?: boolean;
  readonly transposeY?: boolean;
}

/** Square images and kernels, same padding; `target` is what is computed from the other two. */
export interface ConvParams {
  readonly n: number;
  readonly size: number;
  readonly c: number;
  readonly f: number;
  readonly kernel: number;
  readonly stride: number;
  readonly target: 'x' | 'w' | 'y';
}

export interface RowsParams {
  readonly rows: number;
  readonly columns: number;
  readonly axis?: number;
}

/** Square images; windows, if there are any, of 2×2. */
export interface ImagesParams {
  readonly n: number;
  readonly size: number;
  readonly c: number;
}

export interface OptimizerParams {
  readonly name: 'sgd' | 'adam' | 'neumann';
  /** Parameters, in 25 tensors. */
  readonly size: number;
}

/** One row of a table. */
export interface Row {
  readonly name: string;
  readonly workload: string;
  readonly params: object;
  /** Float operations of one run, where they are what limits it. */
  readonly flops?: number;
  /** Bytes read and written at least, where they are. */
  readonly bytes?: number;
}

/** One table. */
export interface Case {
  readonly title: string;
  readonly rows: readonly Row[];
  /** Of alternating measurements; 7 by default. */
  readonly rounds?: number;
}

const gemm: Case = {
  title: 'Matrix product, float32, M × N × K',
  rows: [
    ...[63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512, 513, 1024].map((n) => [n, n, n] as const),
    ...([
      [1, 1024, 1024],
      [4, 1024, 1024],
      [8, 1024, 1024],
      [16, 1024, 1024],
      [1024, 1, 1024],
      [1024, 4, 1024],
      [1024, 8, 1024],
      [1024, 1024, 8],
      [128, 10, 1568],
      [512, 512, 512, 'x'],
      [512, 512, 512, 'y'],
      [1, 1024, 1024, 'y'],
      [1568, 10, 128, 'x'],
    ] as const),
  ].map(([m, n, k, transposed]): Row => {
    const transpose = { x: { transposeX: true }, y: { transposeY: true } };
    const params: MatmulParams = { m, n, k, ...(transposed && transpose[transposed]) };
    const name = `${m} × ${n} × ${k}${transposed ? `, ${transposed} transposed` : ''}`;
    return { name, workload: 'matmul', params, flops: 2 * m * n * k };
  }),
};

/** [size, channels in, channels out, kernel, stride] of every distinct convolution of ResNet-50. */
const resnet50 = [
  [224, 3, 64, 7, 2],
  [56, 64, 64, 1, 1],
  [56, 64, 64, 3, 1],
  [56, 64, 256, 1, 1],
  [56, 256, 64, 1, 1],
  [56, 256, 128, 1, 1],
  [56, 128, 128, 3, 2],
  [56, 256, 512, 1, 2],
  [28, 128, 512, 1, 1],
  [28, 512, 128, 1, 1],
  [28, 128, 128, 3, 1],
  [28, 512, 256, 1, 1],
  [28, 256, 256, 3, 2],
  [28, 512, 1024, 1, 2],
  [14, 256, 1024, 1, 1],
  [14, 1024, 256, 1, 1],
  [14, 256, 256, 3, 1],
  [14, 1024, 512, 1, 1],
  [14, 512, 512, 3, 2],
  [14, 1024, 2048, 1, 2],
  [7, 512, 2048, 1, 1],
  [7, 2048, 512, 1, 1],
  [7, 512, 512, 3, 1],
] as const;

const passes = { y: 'forward', x: 'input gradient', w: 'weight gradient' } as const;

export function convRows(
  n: number,
  [size, c, f, kernel, stride]: readonly [number, number, number, number, number],
): Row[] {
  return (['y', 'x', 'w'] as const).map((target) => {
    const params: ConvParams = { n, size, c, f, kernel, stride, target };
    const name = `${n}×${size}×${size}, ${c} → ${f}, ${kernel}×${kernel}${stride > 1 ? `, stride ${stride}` : ''}: ${passes[target]}`;
    return {
      name,
      workload: 'conv',
      params,
      flops: 2 * n * Math.ceil(size / stride) ** 2 * c * f * kernel ** 2,
    };
  });
}

export const elements = (name: string, workload: string, params: RowsParams, bytesEach: number): Row => ({
  name,
  workload,
  params,
  bytes: bytesEach * params.rows * params.columns,
});

export const cases: Readonly<Record<string, Case>> = {
  gemm,
  conv: {
    title: 'Convolution, float32, same padding: images, channels in → out, kernel',
    rows: [
      convRows(32, [32, 64, 64, 3, 1]),
      convRows(128, [28, 1, 16, 3, 1]),
      convRows(128, [14, 16, 32, 3, 1]),
    ].flat(),
  },
  resnet50: {
    title: 'The distinct convolutions of ResNet-50, float32, 4 images',
    rows: resnet50.flatMap((shape) => convRows(4, shape)),
    rounds: 3,
  },
  memory: {
    title: 'Elementwise, reductions, rows, windows, random numbers, float32',
    rows: [
      elements('relu(a·b + c), 10^6', 'chain', { rows: 1e6, columns: 1 }, 16),
      elements('relu(a·b + c), 10^7', 'chain', { rows: 1e7, columns: 1 }, 16),
      elements('sum, 10^7', 'sum', { rows: 1e7, columns: 1 }, 4),
      elements('sum over rows, 4096 × 1024', 'sum', { rows: 4096, columns: 1024, axis: 0 }, 4),
      elements('sum over columns, 4096 × 1024', 'sum', { rows: 4096, columns: 1024, axis: 1 }, 4),
      elements('max over rows, 4096 × 1024', 'max', { rows: 4096, columns: 1024, axis: 0 }, 4),
      elements('max over columns, 4096 × 1024', 'max', { rows: 4096, columns: 1024, axis: 1 }, 4),
      elements(
        'running sums along rows, 4096 × 1024',
        'runningSum',
        { rows: 4096, columns: 1024, axis: 1 },
        8,
      ),
      elements(
        'running sums along columns, 4096 × 1024',
        'runningSum',
        { rows: 4096, columns: 1024, axis: 0 },
        8,
      ),
      elements('transpose, 4096 × 1024', 'transpose', { rows: 4096, columns: 1024 }, 8),
      elements('gelu, 4096 × 1024', 'gelu', { rows: 4096, columns: 1024 }, 8),
      elements('softmax, 4096 × 1024', 'softmax', { rows: 4096, columns: 1024 }, 8),
      elements('layer norm, 4096 × 1024', 'layerNorm', { rows: 4096, columns: 1024 }, 8),
      {
        name: 'batch norm and its gradient, 64×32×32×64',
        workload: 'batchNorm',
        params: { n: 64, size: 32, c: 64 } satisfies ImagesParams,
        bytes: 4 * 64 * 32 * 32 * 64 * 8,
      },
      {
        name: 'max pool 2×2 and its gradient, 128×28×28×16',
        workload: 'maxPool',
        params: { n: 128, size: 28, c: 16 } satisfies ImagesParams,
        bytes: 4 * 128 * 28 * 28 * 16 * 2.5,
      },
      elements('normal random numbers, 10^6', 'normal', { rows: 1e6, columns: 1 }, 4),
    ],
  },
  optimizer: {
    title: 'Update of 25 million parameters in 25 tensors, float32',
    rows: (['sgd', 'adam', 'neumann'] as const).map((name) => ({
      name: name === 'sgd' ? 'sgd, momentum' : name,
      workload: 'optimizer',
      params: { name, size: 25e6 } satisfies OptimizerParams,
      bytes: 25e6 * 4 * (name === 'sgd' ? 5 : 7),
    })),
    rounds: 5,
  },
  step: {
    title: 'One training step',
    rows: [
      { name: 'small conv net, 128 × 28×28×1', workload: 'step', params: { batch: 128 } },
      { name: 'ResNet-18 for CIFAR, 16 × 32×32×3', workload: 'resnet18', params: { batch: 16 } },
    ],
    rounds: 9,
  },
  overhead: {
    title: 'Overhead: 16 elements; a net of 200 layers',
    rows: [
      { name: 'x + x', workload: 'eager', params: {} },
      { name: 'jitted x·x + x', workload: 'jitted', params: {} },
      { name: 'trace, compile and run 200 layers', workload: 'trace', params: { layers: 200 } },
    ],
  },
};
