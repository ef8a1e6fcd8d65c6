/** Sums of products that are large enough for the programs in blocks, and of sizes that do not fit these. */
import { gpu } from '@neumann/backend-gpu';
import { conv, jit, matmul, reshape, setBackend, type Tensor, tensor, transpose, vjp } from '@neumann/core';
import { type Backend, reference } from '@neumann/core/backend';
import { expect, test } from 'vitest';
import { mode } from './mode.ts';

interface Example {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  readonly f: (...xs: Tensor[]) => Tensor;
  /** Terms of a sum, each below 1. */
  readonly terms: number;
}

/** The three passes of a convolution. */
function passes(x: number[], w: number[], y: number[], options: Parameters<typeof conv>[2]): Example[] {
  const name = `conv ${x.join('×')} * ${w.join('×')} ${JSON.stringify(options)}`;
  const each = (shape: number[]): number => shape.reduce((a, b) => a * b);
  const [c = 1, f = 1] = w.slice(-2);
  const taps = each(w) / c / f;
  return [
    { name, shapes: [x, w], f: (a, b) => conv(a, b, options), terms: taps * c },
    {
      name: `${name}: input gradient`,
      shapes: [x, w, y],
      f: (a, b, d) => vjp((t: Tensor) => conv(t, b, options), a)[1](d)[0],
      terms: taps * f,
    },
    {
      name: `${name}: weight gradient`,
      shapes: [x, w, y],
      f: (a, b, d) => vjp((t: Tensor) => conv(a, t, options), b)[1](d)[0],
      terms: each(y) / f,
    },
  ];
}

const product = (x: number[], y: number[], terms: number): Example => ({
  name: `matmul ${x.join('×')} · ${y.join('×')}`,
  shapes: [x, y],
  f: (a, b) => matmul(a, b),
  terms,
});

/** The rows of the left operand side by side, as for the gradient of weights. */
const transposed = (x: number[], y: number[]): Example => ({
  name: `transposed matmul ${x.join('×')} · ${y.join('×')}`,
  shapes: [x, y],
  f: (a, b) => matmul(transpose(a), b),
  terms: x[0] as number,
});

const examples: readonly Example[] = [
  product([64, 64], [64, 64], 64),
  product([37, 530], [530, 29], 530),
  product([9, 1100], [1100, 70], 1100),
  product([3, 40, 45], [3, 45, 34], 45),
  transposed([130, 72], [130, 40]),
  transposed([701, 44], [701, 29]),
  ...passes([4, 13, 11, 6], [3, 3, 6, 10], [4, 13, 11, 10], { padding: 'same' }),
  ...passes([3, 15, 14, 8], [5, 3, 8, 12], [3, 8, 7, 12], { stride: 2, padding: 'same' }),
  ...passes([2, 300, 7], [3, 7, 9], [2, 296, 9], { dilation: 2 }),
];

const backend = await gpu({ mode });

test.each(examples)('$name', async ({ shapes, f, terms }) => {
  const run = async (on: Backend): Promise<ArrayLike<number>> => {
    setBackend(on);
    const inputs = shapes.map((shape, i) => noise(shape, i + 1));
    return await jit(f)(...inputs).data();
  };
  const [want, got] = [await run(reference()), await run(backend)];
  expect(got).toHaveLength(want.length);
  // Each term is rounded, and every sum of up to 512 of them.
  const bound = 2 ** -24 * terms * Math.min(terms, 600) ** 0.5;
  for (let i = 0; i < want.length; i++)
    if (!(Math.abs((got[i] as number) - (want[i] as number)) <= bound))
      expect.fail(`element ${i} is ${got[i]}, not ${want[i]} ± ${bound}`);
});

/** Pseudorandom numbers in [-1, 1). */
function noise(shape: readonly number[], seed: number): Tensor {
  let state = seed;
  const size = shape.reduce((n, extent) => n * extent, 1);
  const values = Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
  return reshape(tensor(values), [...shape]);
}
