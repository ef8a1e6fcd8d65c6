import {
  add,
  cond,
  forLoop,
  grad,
  jit,
  less,
  matmul,
  multiply,
  ones,
  scan,
  setBackend,
  sin,
  sum,
  type Tensor,
  tanh,
  tensor,
  zeros,
} from '@neumann/core';
import { expect, test } from 'vitest';
import { cpu } from '../src/index.ts';

const backend = await cpu();
setBackend(backend);

const net = (u: Tensor, x: Tensor): Tensor => {
  const [last, ys] = scan(
    (h, row) => {
      const next = tanh(
        add(
          matmul(h, u),
          cond(
            less(sum(row), 1),
            (r) => r,
            (r) => multiply(r, 2),
            row,
          ),
        ),
      );
      return [next, sin(next)];
    },
    zeros([2, 8]),
    x,
  );
  return add(sum(last), sum(ys));
};

test('a loop in a jitted program allocates nothing while it runs', () => {
  const step = jit(grad(net));
  const [u, x] = [multiply(0.1, ones([8, 8])), ones([50, 2, 8])];
  step(u, x).dataSync();
  const before = backend.memory();
  for (let i = 0; i < 20; i++) step(u, x);
  const after = backend.memory();
  expect([after.regionBytes, after.heapBytes]).toEqual([before.regionBytes, before.heapBytes]);
  // Each call makes one result; the passes of its loops make none.
  expect(after.residentBytes - before.residentBytes).toBeLessThanOrEqual(20 * u.size * 4);
});

test('a million passes are one call', () => {
  const count = jit((x: Tensor) => forLoop(0, 1_000_000, (i, y) => add(y, less(i, 500_000)), x));
  expect(count(tensor(0, 'int32')).item()).toBe(500_000);
});
