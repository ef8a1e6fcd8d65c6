import { type Case, convRows, elements, type MatmulParams, type Row } from '../workloads.ts';

const product = (m: number, n: number, k: number): Row => ({
  name: `matmul ${m} × ${n} × ${k}`,
  workload: 'matmul',
  params: { m, n, k } satisfies MatmulParams,
});

const convolution = (n: number, shape: Parameters<typeof convRows>[1]): Row[] =>
  convRows(n, shape).map((row) => ({ ...row, name: `conv ${row.name}` }));

/** Smaller than those for the CPU: software devices compute a few GFLOP/s at best. */
export const gpuCase: Case = {
  title: 'Graphics backends, float32',
  rounds: 5,
  rows: [
    product(64, 64, 64),
    product(256, 256, 256),
    product(512, 512, 512),
    ...convolution(8, [28, 16, 32, 3, 1]),
    ...convolution(32, [28, 1, 16, 3, 1]),
    elements('relu(a·b + c), 10^6', 'chain', { rows: 1e6, columns: 1 }, 16),
    elements('sum, 10^6', 'sum', { rows: 1e6, columns: 1 }, 4),
    elements('softmax, 1024 × 256', 'softmax', { rows: 1024, columns: 256 }, 8),
    { name: 'x + x, 16 elements', workload: 'eager', params: {} },
    { name: 'training step of a small conv net, 32 × 28×28×1', workload: 'step', params: { batch: 32 } },
  ],
};
