import { add, grad, jit, multiply, ones, sum, type Tensor } from '@neumann/core';
import { alternate, table } from '../measure.ts';

/** What one call costs before any arithmetic. */
export function overhead(): string {
  const x = ones([16]);
  const twice = jit((y: Tensor) => add(y, y));
  const energy = (y: Tensor) => sum(multiply(y, y));
  const jitted = jit(grad(energy));
  return table(
    'overhead, 16 elements',
    alternate([
      { name: 'eager add', run: () => add(x, x) },
      { name: 'jit(add)', run: () => twice(x) },
      { name: 'eager grad(sum(x·x))', run: () => grad(energy)(x) },
      { name: 'jit(grad(sum(x·x)))', run: () => jitted(x) },
    ]),
  );
}
