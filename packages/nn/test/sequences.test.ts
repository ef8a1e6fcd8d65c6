import { cpu } from '@neumann/backend-cpu';
import {
  type Aval,
  concatenate,
  flip,
  getBackend,
  jit,
  multiply,
  random,
  setBackend,
  slice,
  subtract,
  type Tensor,
  treeMap,
  valueAndGrad,
  zeros,
} from '@neumann/core';
import { crossEntropy, encoderBlock, type Layer, repeat, serial, summary } from '@neumann/nn';
import { gpt, seq2seq } from '@neumann/nn/models';
import { afterAll, beforeAll, expect, test } from 'vitest';

const home = getBackend();
beforeAll(async () => setBackend(await cpu({ memoryMB: 256 })));
afterAll(() => setBackend(home));

/** Plain gradient descent on one batch: the loss before and after. */
function descend<P extends object>(
  params: P,
  loss: (p: P) => Tensor,
  { steps = 60, rate = 0.5 } = {},
): [number, number] {
  const step = jit((p: P) => {
    const [value, grads] = valueAndGrad(loss)(p as never);
    return [
      value,
      treeMap((w: Tensor, g: Tensor) => subtract(w, multiply(rate, g)), p, grads as never),
    ] as const;
  });
  let [value, p] = step(params as never) as unknown as [Tensor, P];
  const first = value.item();
  for (let i = 0; i < steps; i++) [value, p] = step(p as never) as unknown as [Tensor, P];
  return [first, value.item()];
}

test('a GPT learns which token comes next, and sees no later one', () => {
  const model = gpt({ vocabulary: 6, maxLength: 8, layers: 2, heads: 2, features: 16 });
  const tokens = random.randint(random.key(1), [4, 8], { max: 6 });
  const { params } = model.init(random.key(0), tokens.aval);
  const logitsOf = (x: Tensor): Tensor => model.apply(params, null, x)[0];
  const changed = concatenate([slice(tokens, [null, [0, 5]]), zeros([4, 3], 'int32')], { axis: 1 });
  const before = (x: Tensor) => slice(logitsOf(x), [null, [0, 5]]).toArray();
  expect(before(changed)).toEqual(before(tokens));
  const loss = (p: typeof params) =>
    crossEntropy(slice(model.apply(p, null, tokens)[0], [null, [0, 7]]), slice(tokens, [null, [1, 8]]));
  const [first, last] = descend(params, loss);
  expect(first).toBeGreaterThan(1);
  expect(last).toBeLessThan(first / 2);
});

test('a sequence-to-sequence network learns to reverse', () => {
  const model = seq2seq({ sourceVocabulary: 5, targetVocabulary: 5, features: 24 });
  const source = random.randint(random.key(1), [8, 4], { min: 1, max: 5 });
  const reversed = flip(source, { axis: 1 });
  const target = concatenate([zeros([8, 1], 'int32'), slice(reversed, [null, [0, 3]])], { axis: 1 });
  const { params } = model.init(random.key(0), { source: source.aval, target: target.aval });
  const loss = (p: typeof params) => crossEntropy(model.apply(p, null, { source, target })[0], reversed);
  const [first, last] = descend(params, loss, { steps: 150 });
  expect(last).toBeLessThan(first / 4);
});

test('repeated blocks have the parameters and the operations of blocks in a row', () => {
  const block = encoderBlock({ heads: 2 });
  const x: Aval = { shape: [2, 5, 8], dtype: 'float32' };
  const row = summary(serial({ a: block, b: block, c: block }), x);
  const loop = summary(repeat(block as Layer, 3), x);
  expect([loop.parameters, loop.flops]).toEqual([row.parameters, row.flops]);
});
