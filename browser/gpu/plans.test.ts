/** Plans that ask more of a device than one kernel: many arrays, long folds, loops, branches, host routines. */
import { gpu } from '@neumann/backend-gpu';
import {
  abs,
  add,
  arange,
  argmax,
  argmin,
  bitwiseAnd,
  concatenate,
  cond,
  forLoop,
  grad,
  greater,
  jit,
  less,
  linalg,
  max,
  maximum,
  min,
  minimum,
  multiply,
  prod,
  remainder,
  reshape,
  scan,
  setBackend,
  sign,
  slice,
  sort,
  subtract,
  sum,
  type Tensor,
  tensor,
  transpose,
  where,
  whileLoop,
} from '@neumann/core';
import { expect, test } from 'vitest';
import { mode } from './mode.ts';

setBackend(await gpu({ mode }));

const floats = (...values: number[]): Tensor => tensor(Float32Array.from(values));

async function expectElements(x: Tensor, want: readonly number[]): Promise<void> {
  expect(Array.from(await x.data())).toEqual(want.map(Math.fround));
}

async function expectWords(x: Tensor, want: readonly number[]): Promise<void> {
  expect(Array.from(await x.data())).toEqual(want);
}

/** Pseudorandom numbers from 0 to 1. */
function noise(size: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return 0.5 + state / 2 ** 32;
  });
}

test('a kernel of 40 arrays', async () => {
  const xs = Array.from({ length: 40 }, (_, i) => floats(i, 2 * i));
  const total = jit((ys: Tensor[]) => ys.reduce((x, y) => add(multiply(x, 0.5), y)));
  await expectElements(
    total(xs),
    [1, 2].map((k) => xs.reduce((x, _, i) => x * 0.5 + k * i, 0)),
  );
  await expectElements(
    concatenate(xs),
    xs.flatMap((_, i) => [i, 2 * i]),
  );
});

test('long folds', async () => {
  for (const size of [1_000_003]) {
    const values = noise(size);
    values[size - 5] = 2;
    const want = values.reduce((x, y) => x + y);
    const x = tensor(values);
    const got = Number((await sum(x).data())[0]);
    expect(Math.abs(got / want - 1)).toBeLessThan(8 * 2 ** -24);
    await expectElements(argmax(x), [size - 5]);
    await expectElements(max(x), [2]);
    const ones = tensor(values.map((_, i) => (i % 500_000 === 7 ? -2 : 1)));
    await expectElements(prod(ones), [(-2) ** Math.ceil((size - 7) / 500_000)]);
  }
});

test('folds over uint32', async () => {
  for (const [rows, size] of [
    [1, 100_003],
    [3, 50],
  ] as const) {
    const words = Uint32Array.from({ length: rows * size }, (_, i) => Math.imul(i + 7, 2654435761) | 1);
    const x = reshape(tensor(words), [rows, size]);
    const of = (f: (row: number[]) => number): number[] =>
      Array.from({ length: rows }, (_, r) => f([...words.subarray(r * size, (r + 1) * size)]));
    const least = (row: number[]): number => row.reduce((a, b) => Math.min(a, b));
    const greatest = (row: number[]): number => row.reduce((a, b) => Math.max(a, b));
    await expectWords(
      sum(x, { axis: 1 }),
      of((row) => row.reduce((a, b) => (a + b) % 2 ** 32)),
    );
    await expectWords(
      prod(x, { axis: 1 }),
      of((row) => row.reduce((a, b) => Math.imul(a, b) >>> 0)),
    );
    await expectWords(max(x, { axis: 1 }), of(greatest));
    await expectWords(min(x, { axis: 1 }), of(least));
    await expectWords(
      argmax(x, { axis: 1 }),
      of((row) => row.indexOf(greatest(row))),
    );
    await expectWords(
      argmin(x, { axis: 1 }),
      of((row) => row.indexOf(least(row))),
    );
  }
});

test('positions as numbers', async () => {
  const of: Record<
    string,
    readonly [f: (x: Tensor, i: Tensor) => Tensor, want: (x: number, i: number) => number]
  > = {
    where: [(x, i) => where(less(x, 3), i, x), (x, i) => (x < 3 ? i : x)],
    'where not': [(x, i) => where(less(x, 3), x, i), (x, i) => (x < 3 ? x : i)],
    maximum: [maximum, (x, i) => Math.max(x, i)],
    minimum: [(x, i) => minimum(i, x), (x, i) => Math.min(x, i)],
    remainder: [(x, i) => remainder(i, x), (x, i) => i % x],
    'bitwise and': [bitwiseAnd, (x, i) => x & i],
    sign: [(x, i) => add(sign(i), x), (x, i) => Math.sign(i) + x],
    abs: [(x, i) => add(abs(i), x), (x, i) => i + x],
  };
  const xs = [5, 1, 2, 4, 3, 7];
  for (const [name, [f, want]] of Object.entries(of)) {
    const got = await jit((x: Tensor) => f(x, arange(6)))(tensor(Int32Array.from(xs))).data();
    expect(Array.from(got), name).toEqual(xs.map(want));
  }
});

test('a scan and its gradient', async () => {
  const f = (xs: Tensor): [Tensor, Tensor] =>
    scan((c: Tensor, x: Tensor) => [add(multiply(c, 0.5), x), multiply(c, x)], tensor(0, 'float32'), xs);
  const xs = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
  const [last, products] = jit(f)(floats(...xs));
  let carry = 0;
  const want = xs.map((x) => {
    const product = carry * x;
    carry = carry * 0.5 + x;
    return product;
  });
  await expectElements(last, [carry]);
  await expectElements(products, want);
  const gradient = jit(grad((ys: Tensor) => f(ys)[0]))(floats(...xs));
  await expectElements(
    gradient,
    xs.map((_, i) => 0.5 ** (xs.length - 1 - i)),
  );
});

test('loops that values end, and branches', async () => {
  const double = (x: Tensor): Tensor =>
    whileLoop(
      (y: Tensor) => less(y, 1000),
      (y: Tensor) => multiply(y, 2),
      x,
    );
  await expectElements(jit(double)(tensor(3, 'float32')), [1536]);
  const pick = jit((x: Tensor) =>
    cond(
      greater(sum(x), 0),
      () => multiply(x, 10),
      () => multiply(x, -1),
    ),
  );
  await expectElements(add(pick(pick(floats(-1, -2))), 1), [11, 21]);
  const power = jit((x: Tensor) => forLoop(0, 5, (_: Tensor, y: Tensor) => multiply(y, x), x));
  await expectElements(power(floats(1, 2)), [1, 64]);
});

test('one tensor donated twice', async () => {
  const f = jit((x: Tensor, y: Tensor) => subtract(multiply(x, 3), y), { donate: [0, 1] });
  const x = add(floats(1, 2), 1);
  await expectElements(f(x, x), [4, 6]);
  await expectElements(x, [2, 3]);
  expect(String(x)).toMatch(/^f32\[2\] /);
});

test('host routines in the middle', async () => {
  const f = jit((a: Tensor) => add(linalg.cholesky(multiply(a, 4)), 1));
  await expectElements(
    f(
      tensor([
        [1, 0],
        [0, 4],
      ]),
    ),
    [3, 1, 1, 5],
  );
  await expectElements(add(sort(multiply(sort(add(floats(3, 1, 2), 0)), -1)), 0), [-3, -2, -1]);
});

test('tensors of more than 2^24 elements', async () => {
  const [rows, columns] = [4099, 4101];
  const size = rows * columns;
  /** Neighbours, and elements 2^24 apart, differ. */
  const mark = (i: number): number => (i % 16381) + Math.floor(i / 16381) * 7;
  const x = reshape(tensor(new Float32Array(size).map((_, i) => mark(i))), [rows, columns]);
  const turned = await transpose(x).data();
  for (let i = 0; i < size; i++)
    if (turned[i] !== mark((i % rows) * columns + Math.floor(i / rows)))
      throw new Error(`transposed: element ${i}`);
  const shifted = await jit((y: Tensor) => subtract(slice(reshape(y, [size]), [[3, size]]), 1))(x).data();
  for (let i = 0; i < size - 3; i++)
    if (shifted[i] !== mark(i + 3) - 1) throw new Error(`shifted: element ${i}`);
  const odd = new Float32Array(size).map((_, i) => i % 2);
  await expectElements(sum(tensor(odd)), [(size - 1) / 2]);
  await expectElements(sum(reshape(tensor(odd), [rows, columns]), { axis: [0, 1] }), [(size - 1) / 2]);
  odd[2 ** 24 - 2] = 3;
  odd[2 ** 24 + 4] = 3;
  await expectElements(argmax(tensor(odd)), [2 ** 24 - 2]);
  odd[2 ** 24 - 2] = 1;
  await expect(async () => argmax(tensor(odd)).data()).rejects.toThrow(/int32 is exact only up to/);
});
