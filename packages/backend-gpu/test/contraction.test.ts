import { conv, jit, matmul, setBackend, type Tensor, vjp, zeros } from '@neumann/core';
import { type Backend, type Kernel, reference } from '@neumann/core/backend';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { contractionOf, type Language, quotient } from '../src/routines/contraction.ts';

const kernels: Kernel[] = [];
/** Takes note of the kernels, and computes zeros. */
const spy: Backend = {
  ...reference(),
  compile: ({ steps, slots, outputs }) => {
    for (const step of steps) if (step.kind === 'kernel') kernels.push(step.kernel);
    const zero = (slot: number) => reference().upload('float32', new Float32Array(slots[slot]?.size ?? 0));
    return { run: () => outputs.map(zero) };
  },
};

/** The contraction of the only sum in what `f` compiles to. */
function found(f: (...xs: Tensor[]) => Tensor, ...shapes: number[][]) {
  setBackend(spy);
  kernels.length = 0;
  jit(f)(...shapes.map((shape) => zeros(shape)));
  const sums = kernels.filter(({ reductions }) => reductions.length > 0);
  expect(sums.length).toBe(1);
  return contractionOf(sums[0] as Kernel, 2);
}

const language = {
  toFloat: (x: string) => `float(${x})`,
  toInteger: (x: string) => `trunc(${x})`,
} as Language;

afterAll(() => setBackend(reference()));

describe('contractions', () => {
  test('are matrix products, of several matrices too', () => {
    const product = found((a, b) => matmul(a, b), [3, 40, 48], [3, 48, 36]);
    expect([product?.batch.size, product?.rows.size, product?.columns.size]).toEqual([3, 40, 36]);
    expect([product?.steps, product?.parts]).toEqual([12, 1]);
  });

  test('are the three passes of a convolution; the longer side is the rows', () => {
    const [x, w, y] = [
      [4, 14, 14, 16],
      [3, 3, 16, 32],
      [4, 14, 14, 32],
    ] as const;
    const f = (a: Tensor, b: Tensor) => conv(a, b, { padding: 'same' });
    const sizes = (pass: ReturnType<typeof found>) => [pass?.rows.size, pass?.columns.size, pass?.parts];
    expect(sizes(found((a, b) => f(a, b), [...x], [...w]))).toEqual([784, 32, 1]);
    const toX = (b: Tensor, d: Tensor) => vjp((t: Tensor) => f(t, b), zeros([...x]))[1](d)[0];
    expect(sizes(found((b, d) => toX(b, d), [...w], [...y]))).toEqual([784, 16, 1]);
    const toW = (a: Tensor, d: Tensor) => vjp((t: Tensor) => f(a, t), zeros([...w]))[1](d)[0];
    expect(sizes(found((a, d) => toW(a, d), [...x], [...y]))).toEqual([144, 32, 2]);
  });

  test('are not what is small, or reads each element once, or needs too much memory', () => {
    // 64 copies of each element of x, one for each window that it is in.
    const points = (n: number) => found((x, w) => conv(x, w), [1, n + 63, 1], [64, 1, 8]);
    expect(points(2 ** 19)).toBeDefined();
    expect(points(2 ** 19 + 1)).toBeUndefined();
    expect(found((a, b) => matmul(a, b), [16, 16], [16, 16])).toBeUndefined();
    expect(found((a, b) => matmul(a, b), [1, 4096], [4096, 64])).toBeUndefined();
  });

  test('take numbers apart exactly, also where a device rounds the inverse and the product to the wrong side', () => {
    const below = 2 ** 20;
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: below }).filter((y) => !Number.isInteger(Math.log2(y))),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom(-1, 0),
        fc.constantFrom(-1, 0, 1),
        (y, at, offset, ulps) => {
          const x = Math.max(0, Math.floor((at * below) / y) * y + offset);
          const text = quotient('x', y, below, language);
          const inverse = Math.fround(Math.fround(1 / y) * (1 + ulps * 2 ** -23));
          expect(text).toBe(`trunc((float(x) + 0.5) * ${1 / y})`);
          const product = Math.fround(Math.fround(x + 0.5) * inverse) * (1 + ulps * 2 ** -24);
          expect(Math.trunc(product)).toBe(Math.floor(x / y));
        },
      ),
      { numRuns: 2000 },
    );
    expect(quotient('x', 12, below + 1, language)).toBe('(x / 12)');
    expect(quotient('x', 16, 2 ** 24, language)).toBe('(x >> 4u)');
  });
});
