import { cpu } from '@neumann/backend-cpu';
import {
  type Aval,
  flip,
  getBackend,
  jit,
  matmul,
  mean,
  random,
  reshape,
  ShapeError,
  setBackend,
  square,
  subtract,
  type Tensor,
  tensor,
  treeLeaves,
  valueAndGrad,
  vmap,
} from '@neumann/core';
import {
  batchNorm,
  type Cell,
  crossEntropy,
  dense,
  gruCell,
  lstmCell,
  microbatched,
  recurrent,
  relu,
  serial,
} from '@neumann/nn';
import { expect, test } from 'vitest';

const numbers = (t: unknown): number[] =>
  (treeLeaves(t) as Tensor[]).flatMap((x) => Array.from(x.dataSync()));
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Parameters with plain numbers, for one input and one feature. */
const one = (values: readonly number[], shape: readonly number[]) =>
  reshape(tensor(values, 'float64'), shape);

test('the LSTM is that of the formulas', () => {
  const cell = lstmCell({ features: 1 });
  const params = {
    w: one([0.1, 0.2, 0.3, 0.4], [1, 4]),
    u: one([0.5, -0.6, 0.7, 0.8], [1, 4]),
    b: one([0.1, 1, -0.1, 0.2], [4]),
  };
  const [y] = recurrent(cell).apply(params, null, one([1, -2], [1, 2, 1]));
  let [h, c] = [0, 0];
  const expected = [1, -2].map((x) => {
    const gate = (w: number, u: number, b: number) => x * w + h * u + b;
    c = sigmoid(gate(0.2, -0.6, 1)) * c + sigmoid(gate(0.1, 0.5, 0.1)) * Math.tanh(gate(0.3, 0.7, -0.1));
    const o = sigmoid(gate(0.4, 0.8, 0.2));
    h = o * Math.tanh(c);
    return h;
  });
  for (const [i, v] of numbers(y).entries()) expect(v).toBeCloseTo(expected[i] as number, 14);
});

test('the GRU is that of the formulas', () => {
  const cell = gruCell({ features: 1 });
  const params = {
    w: one([0.1, 0.2, 0.3], [1, 3]),
    u: one([0.5, -0.6, 0.7], [1, 3]),
    b: one([0.1, 0.3, -0.1], [3]),
    bn: one([0.4], [1]),
  };
  const [y] = recurrent(cell).apply(params, null, one([1, -2], [1, 2, 1]));
  let h = 0;
  const expected = [1, -2].map((x) => {
    const r = sigmoid(0.1 * x + 0.5 * h + 0.1);
    const z = sigmoid(0.2 * x - 0.6 * h + 0.3);
    const n = Math.tanh(0.3 * x - 0.1 + r * (0.7 * h + 0.4));
    h = (1 - z) * n + z * h;
    return h;
  });
  for (const [i, v] of numbers(y).entries()) expect(v).toBeCloseTo(expected[i] as number, 14);
});

test('reversed, a sequence is read from its end', () => {
  const cell = gruCell({ features: 3 }) as Cell<unknown, Tensor>;
  const params = cell.init(random.key(0), 2, 'float32');
  const x = random.normal(random.key(1), [2, 5, 2]);
  const [forward] = recurrent(cell).apply(params, null, flip(x, { axis: 1 }));
  const [backward] = recurrent(cell, { reverse: true }).apply(params, null, x);
  expect(numbers(flip(backward, { axis: 1 }))).toEqual(numbers(forward));
  expect(() => recurrent(cell).apply(params, null, tensor([1]))).toThrow(ShapeError);
});

const loss = (w: Tensor, { x, y }: { readonly x: Tensor; readonly y: Tensor }) =>
  mean(square(subtract(matmul(x, w), y)));

test('microbatched gradients are those of the whole batch', () => {
  const batch = {
    x: random.normal(random.key(0), [24, 3], { dtype: 'float64' }),
    y: random.normal(random.key(1), [24], { dtype: 'float64' }),
  };
  const w = tensor([1, 2, 3], 'float64');
  const whole = valueAndGrad(loss)(w, batch);
  for (const size of [1, 4, 24]) {
    const parts = jit(microbatched(valueAndGrad(loss), size))(w, batch);
    for (const [i, v] of numbers(parts).entries()) expect(v).toBeCloseTo(numbers(whole)[i] as number, 13);
  }
  expect(() => microbatched(valueAndGrad(loss), 5)(w, batch)).toThrow(
    'microbatched: parts of 5 must divide the first axis of the batch, but it has f64[24,3].',
  );
});

test('a batch of 32,000 is differentiated in the memory of 32', async () => {
  const n = 32_000;
  const model = serial({ hidden: dense({ features: 64 }), relu, out: dense({ features: 4 }) });
  /** Scratch memory of a compiled gradient of `examples`, and the gradient of the weights. */
  const run = async (examples: number, size: number) => {
    const backend = await cpu({ memoryMB: 256, threads: 1 });
    setBackend(backend);
    const { params } = model.init(random.key(0), { shape: [1, 16], dtype: 'float32' });
    const x = random.normal(random.key(1), [examples, 16]);
    const y = random.randint(random.key(2), [examples], { max: 4 });
    const before = backend.memory().regionBytes;
    const mistake = (p: typeof params, b: { readonly x: Tensor; readonly y: Tensor }) =>
      crossEntropy(model.apply(p, null, b.x)[0], b.y);
    const whole = size === examples ? valueAndGrad(mistake) : microbatched(valueAndGrad(mistake), size);
    const result = jit(whole)(params, { x, y });
    return { scratch: Math.max(backend.memory().regionBytes, before), gradient: numbers(result) };
  };
  const home = getBackend();
  const [large, small, one] = [await run(n, n), await run(n, 32), await run(32, 32)];
  setBackend(home);
  expect(large.scratch).toBeGreaterThan(4 * n * 64); // at least the hidden layer
  expect(small.scratch).toBeLessThan(large.scratch / 4);
  expect(small.scratch - one.scratch).toBeLessThan(2 ** 20);
  // Sums of 32,000 float32 numbers in another order.
  for (const [i, g] of small.gradient.entries())
    expect(Math.abs(g - (large.gradient[i] as number))).toBeLessThan(1e-5);
});

test('synchronised batch normalisation is that of all members together', () => {
  const [alone, shared] = [batchNorm(), batchNorm({ axisName: 'devices' })];
  const x = random.normal(random.key(3), [8, 4], { dtype: 'float64' });
  const { params, state } = alone.init(random.key(0), { shape: [8, 4], dtype: 'float64' } satisfies Aval);
  const [y, next] = alone.apply(params, state, x, { training: true });
  const member = (part: Tensor) => shared.apply(params, state, part, { training: true });
  const [ys, nexts] = vmap(member, { axisName: 'devices' })(reshape(x, [2, 4, 4]));
  for (const [i, v] of numbers(reshape(ys, [8, 4])).entries())
    expect(v).toBeCloseTo(numbers(y)[i] as number, 13);
  expect(
    numbers(nexts.mean)
      .slice(0, 4)
      .map((v) => v.toFixed(12)),
  ).toEqual(numbers(next.mean).map((v) => v.toFixed(12)));
});
