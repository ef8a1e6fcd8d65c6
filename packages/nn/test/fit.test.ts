import { jit, mean, random, subtract, sum, type Tensor, tensor, zeros } from '@neumann/core';
import { earlyStopping, type FitCallback, type FitOptions, fit, type Metrics } from '@neumann/nn';
import { batches, hostArray } from '@neumann/nn/data';
import { expect, test } from 'vitest';

type Batch = { readonly x: Tensor };

const data = {
  x: hostArray(
    Float32Array.from({ length: 6 }, (_, i) => i),
    [6, 1],
  ),
};
const step = jit(
  (w: Tensor, { x }: Batch) => ({ state: subtract(w, mean(x)), metrics: { loss: sum(w), seen: mean(x) } }),
  { donate: [0] },
);
const options = (more: Partial<FitOptions<Tensor, Batch>> = {}): FitOptions<Tensor, Batch> => ({
  state: tensor(10),
  step,
  data: batches(data, { size: 2 }),
  epochs: 2,
  ...more,
});

test('steps through the epochs, and gives means of the metrics', async () => {
  const { state, step: steps, position, history, reason } = await fit(options());
  expect([state.item(), steps, position, reason]).toEqual([10 - 2 * 7.5, 6, { epoch: 2, batch: 0 }, 'done']);
  expect(history).toEqual([
    { loss: (10 + 9.5 + 7) / 3, seen: 2.5 },
    { loss: (2.5 + 2 - 0.5) / 3, seen: 2.5 },
  ]);
});

test('the data may end it', async () => {
  const { step: steps } = await fit({ state: tensor(10), step, data: batches(data, { size: 3, epochs: 3 }) });
  expect(steps).toBe(6);
});

test('callbacks hear of steps, epochs and the end, and add to the metrics of those after them', async () => {
  const heard: string[] = [];
  let last: Metrics = {};
  const first: FitCallback = { onStep: ({ step: s }) => ({ double: 2 * s }), onEpoch: () => ({ extra: 1 }) };
  const second: FitCallback = {
    onStep: ({ step: s, metrics }) => void heard.push(`step ${s} ${metrics['double']}`),
    onEpoch: ({ epoch, metrics }) => {
      heard.push(`epoch ${epoch} ${metrics['double']}`);
      last = metrics;
    },
    onEnd: (_, reason) => void heard.push(reason),
  };
  const { history } = await fit(options({ epochs: 1, callbacks: [first, second] }));
  expect(heard).toEqual(['step 1 2', 'step 2 4', 'step 3 6', 'epoch 0 4', 'done']);
  expect(last).toMatchObject({ extra: 1, seen: 2.5 });
  expect(history).toEqual([last]);
});

test('a run in two parts is the run in one', async () => {
  const key = random.key(5);
  const whole = await fit(options({ data: batches(data, { size: 2, key }), epochs: 3 }));
  const stopAt4: FitCallback = { onStep: ({ step: s, stop }) => (s === 4 ? stop('pause') : undefined) };
  const part = await fit(options({ data: batches(data, { size: 2, key }), epochs: 3, callbacks: [stopAt4] }));
  expect(part).toMatchObject({ reason: 'pause', step: 4, position: { epoch: 1, batch: 1 } });
  const rest = await fit({
    state: part.state,
    step,
    data: batches(data, { size: 2, key, from: part.position }),
    epochs: 3,
    stepsDone: part.step,
  });
  expect([rest.state.item(), rest.step]).toEqual([whole.state.item(), whole.step]);
});

test('early stopping waits, then says why', async () => {
  const scores = [3, 2, 2.5, 2, 1];
  const score: FitCallback = { onEpoch: ({ epoch }) => ({ score: scores[epoch] as number }) };
  const result = await fit(
    options({ epochs: 5, callbacks: [score, earlyStopping({ metric: 'score', patience: 2 })] }),
  );
  expect([result.reason, result.history.length]).toEqual(['score has not gone down for 2 epochs', 4]);
  await expect(fit(options({ callbacks: [earlyStopping({ metric: 'none', patience: 1 })] }))).rejects.toThrow(
    'earlyStopping: there is no metric "none"; there are loss, seen.',
  );
});

test('divergence, metrics that are no scalars and unknown options are errors; callbacks hear of the failure', async () => {
  const reasons: string[] = [];
  const listen: FitCallback = { onEnd: (_, reason) => void reasons.push(reason) };
  const diverge = (w: Tensor) => ({ state: w, metrics: { loss: tensor(Number.NaN) } });
  await expect(fit(options({ step: diverge, callbacks: [listen] }))).rejects.toThrow(
    'fit: loss is NaN after step 1; the training has diverged.',
  );
  expect(reasons).toEqual(['failed']);
  const vector = (w: Tensor) => ({ state: w, metrics: { loss: zeros([2]) } });
  await expect(fit(options({ step: vector }))).rejects.toThrow(
    'fit: metrics are scalars, but loss is float32[2].',
  );
  await expect(fit({ ...options(), epoch: 3 } as FitOptions<Tensor, Batch>)).rejects.toThrow(/epoch/);
});
