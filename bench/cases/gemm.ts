import { jit, matmul, random, type Tensor } from '@neumann/core';
import { alternate, table } from '../measure.ts';

const sizes = [
  [64, 64, 64],
  [255, 255, 255],
  [256, 256, 256],
  [257, 257, 257],
  [512, 512, 512],
  [128, 10, 1568],
  [1568, 10, 128],
] as const;

/** Matrix products M×K by K×N in float32. */
export function gemm(): string {
  const [a, b] = random.split(random.key(0)) as [Tensor, Tensor];
  const product = jit((x: Tensor, y: Tensor) => matmul(x, y));
  return table(
    'matmul, float32 (M × N × K)',
    alternate(
      sizes.map(([m, n, k]) => {
        const [x, y] = [random.normal(a, [m, k]), random.normal(b, [k, n])];
        return { name: `${m} × ${n} × ${k}`, flops: 2 * m * n * k, run: () => product(x, y) };
      }),
    ),
  );
}
