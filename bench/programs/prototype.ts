/**
 * The workloads in kernels written by hand and called directly: no tensors, no derivatives, no dispatch, new memory never.
 * They are a ceiling for what the library makes of the same work.
 */
import { gemm, gemmWork } from '../prototype/gemm.ts';
import { Memory } from '../prototype/memory.ts';
import { adam } from '../prototype/pointwise.ts';
import { smallNetStep } from '../prototype/step.ts';
import { flipped, POINTS, winograd, winogradWork } from '../prototype/winograd.ts';
import type { ConvParams, MatmulParams, OptimizerParams } from '../workloads.ts';

export const workloads = {
  step: ({ batch }: { batch: number }) => smallNetStep(batch),
  optimizer: ({ name, size }: OptimizerParams) => {
    if (name !== 'adam') throw new Error('has no such optimizer');
    const memory = new Memory();
    const places = ['p', 'm', 'v', 'g'].map(() => memory.take(size));
    for (const place of places) memory.floats(place, size).fill(1);
    const { adam: update } = memory.load(adam);
    return () => update(...places, Math.floor(size / 16), 0.9, 0.1, 0.999, 0.001, 1e-3, 1e-8);
  },
  matmul: ({ m, n, k, transposeX, transposeY }: MatmulParams) => {
    const memory = new Memory();
    const [x, y, out, work] = [m * k, k * n, m * n, gemmWork(n)].map((size) => filled(memory, size)) as Five;
    const a = transposeX ? { row: 1, column: m } : { row: k, column: 1 };
    const b = transposeY ? { row: 1, column: k } : { row: n, column: 1 };
    const { forward } = memory.load((builder) => gemm(builder, { m, n, k, a, b }, 'forward'));
    return () => forward(x, y, out, work);
  },
  /** By Winograd's algorithm. */
  conv: ({ n, size, c, f, kernel, stride, target }: ConvParams) => {
    if (kernel !== 3 || stride !== 1 || c % 8 > 0 || f % 8 > 0) throw new Error('has no such convolution');
    const memory = new Memory();
    const shape = target === 'x' ? { size, from: f, to: c } : { size, from: c, to: f };
    const points = POINTS * c * f;
    const [x, y, w, wBack, u] = [n * size ** 2 * shape.from, n * size ** 2 * shape.to, 9 * c * f, points].map(
      (count) => filled(memory, count),
    ) as Five;
    const [bias, work] = [memory.take(shape.to), memory.take(winogradWork(shape))];
    const kernels = memory.load((builder) => winograd(builder, shape));
    const [weights, turned, transformed] = [
      memory.floats(w, 9 * c * f),
      memory.floats(wBack, 9 * c * f),
      memory.floats(u, points),
    ];
    if (target === 'w')
      return () => {
        transformed.fill(0);
        kernels.weights(x, y, n, work, u);
        kernels.unpack(u, w, work);
      };
    return () => {
      if (target === 'x') flipped(weights, c, f, turned);
      kernels.pack(target === 'x' ? wBack : w, u, work);
      kernels.forward(x, y, n, work, u, bias);
    };
  },
};

type Five = [number, number, number, number, number];

function filled(memory: Memory, size: number): number {
  const place = memory.take(size);
  const values = memory.floats(place, size);
  for (let i = 0; i < size; i++) values[i] = Math.random() - 0.5;
  return place;
}
