import { cpu } from '@neumann/backend-cpu';
import { setBackend } from '@neumann/core';
import { expect, test } from 'vitest';
import { evaluate } from '../evaluate.ts';
import { loadDigits } from '../loadDigits.ts';
import { type EpochMetrics, train } from '../train.ts';

setBackend(await cpu());
const split = await loadDigits(400);
const options = { batch: 32, epochs: 3, seed: 0 };

test.each(['neumann', 'sgd', 'adam', 'rmsprop'] as const)(
  '%s learns from a few images, and its weights do what the run says',
  async (name) => {
    const seen: EpochMetrics[] = [];
    const run = await train(name, split, options, (metrics) => seen.push(metrics));
    expect(seen).toEqual(run.history);
    expect(run.history.map((m) => m.epoch)).toEqual([1, 2, 3]);
    expect(run.history[2]?.trainLoss).toBeLessThan(0.9 * (run.history[0]?.trainLoss ?? 0));
    expect(await evaluate(run.params, split.test)).toEqual(run.test);
  },
);

test('a loss that is no number ends the training', async () => {
  const labels = new Uint8Array(320).fill(10); // no such class: the loss is NaN
  const broken = { ...split, training: { ...split.training, labels } };
  await expect(train('sgd', broken, options, () => {})).rejects.toThrow(
    'sgd: the loss is NaN after epoch 1; try a larger --batch.',
  );
});
