import { conv, jit, random, type Tensor, vjp } from '@neumann/core';
import { alternate, type Contender, table } from '../measure.ts';

/** [N, size, C, F, kernel] */
const shapes = [
  [128, 28, 1, 16, 3],
  [128, 14, 16, 32, 3],
  [8, 32, 64, 64, 3],
  [8, 32, 64, 128, 1],
] as const;

/** Convolution and both gradients, float32, stride 1, same padding. */
export function convolution(): string {
  const keys = random.split(random.key(0), 3) as [Tensor, Tensor, Tensor];
  const options = { padding: 'same' } as const;
  const forward = jit((x: Tensor, w: Tensor) => conv(x, w, options));
  const inputGradient = jit((x: Tensor, w: Tensor, y: Tensor) =>
    vjp((t: Tensor) => conv(t, w, options), x)[1](y),
  );
  const weightGradient = jit((x: Tensor, w: Tensor, y: Tensor) =>
    vjp((t: Tensor) => conv(x, t, options), w)[1](y),
  );
  const contenders = shapes.flatMap(([n, size, c, f, k]): Contender[] => {
    const x = random.normal(keys[0], [n, size, size, c]);
    const w = random.normal(keys[1], [k, k, c, f]);
    const y = random.normal(keys[2], [n, size, size, f]);
    const name = `${n}×${size}×${size}, ${c} → ${f}, ${k}×${k}`;
    const flops = 2 * n * size * size * c * f * k * k;
    return [
      { name: `${name}: forward`, flops, run: () => forward(x, w) },
      { name: `${name}: input gradient`, flops, run: () => inputGradient(x, w, y) },
      { name: `${name}: weight gradient`, flops, run: () => weightGradient(x, w, y) },
    ];
  });
  return table('conv, float32', alternate(contenders));
}
