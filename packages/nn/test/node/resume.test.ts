import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpu } from '@neumann/backend-cpu';
import {
  add,
  getBackend,
  jit,
  multiply,
  random,
  setBackend,
  subtract,
  type Tensor,
  treeLeaves,
  treeMap,
  valueAndGrad,
  zerosLike,
} from '@neumann/core';
import { batchNorm, crossEntropy, dense, dropout, type FitCallback, fit, relu, serial } from '@neumann/nn';
import { batches, hostArray, type Position } from '@neumann/nn/data';
import { checkpoints, loadCheckpoint } from '@neumann/nn/node';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

const home = getBackend();
let folder: string;
beforeAll(async () => {
  setBackend(await cpu({ memoryMB: 64 }));
  folder = await mkdtemp(join(tmpdir(), 'resume-'));
});
afterAll(async () => {
  setBackend(home);
  await rm(folder, { recursive: true });
});

const data = {
  x: hostArray(
    Float32Array.from({ length: 40 }, (_, i) => Math.sin(i)),
    [20, 2],
  ),
  y: hostArray(
    Int32Array.from({ length: 20 }, (_, i) => i % 3),
    [20],
  ),
};
const model = serial({
  hidden: dense({ features: 5 }),
  norm: batchNorm(),
  relu,
  drop: dropout({ rate: 0.3 }),
  out: dense({ features: 3 }),
});

/** Parameters, running statistics, momentum and a key: all that a training changes. */
function fresh() {
  const { params, state } = model.init(random.key(0), { shape: [1, 2], dtype: 'float32' });
  return { params, state, momentum: treeMap(zerosLike, params), key: random.key(1) };
}
type State = ReturnType<typeof fresh>;

const step = jit(
  ({ params, state, momentum, key }: State, { x, y }: { readonly x: Tensor; readonly y: Tensor }) => {
    const [use, keep] = random.split(key) as [Tensor, Tensor];
    const loss = (p: typeof params) => {
      const [logits, next] = model.apply(p, state, x, { training: true, key: use });
      return [crossEntropy(logits, y), next] as [Tensor, typeof state];
    };
    const [[value, next], grads] = valueAndGrad(loss, { hasAux: true })(params);
    const moved = treeMap((m: Tensor, g: Tensor) => add(multiply(0.9, m), g), momentum, grads);
    const after = treeMap((p: Tensor, m: Tensor) => subtract(p, multiply(0.1, m)), params, moved);
    return { state: { params: after, state: next, momentum: moved, key: keep }, metrics: { loss: value } };
  },
  { donate: [0] },
);

const numbers = (tree: unknown): number[] =>
  (treeLeaves(tree) as Tensor[]).flatMap((t) => Array.from(t.dataSync()));
const run = (state: State, from: Position, done: number, callbacks: FitCallback<State>[]) =>
  fit<State, { x: Tensor; y: Tensor }>({
    state,
    step: (s, batch) => step(s, batch),
    data: batches(data, { size: 4, key: random.key(2), from }),
    epochs: 3,
    stepsDone: done,
    callbacks,
  });

test('a run that is stopped at any step and goes on from its checkpoint is the uninterrupted run, bit for bit', async () => {
  const whole = await run(fresh(), { epoch: 0, batch: 0 }, 0, []);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 14 }), async (at) => {
      const own = join(folder, String(at));
      const stopping: FitCallback<State> = {
        onStep: ({ step: now, stop }) => (now === at ? stop('stopped') : undefined),
      };
      await run(fresh(), { epoch: 0, batch: 0 }, 0, [stopping, checkpoints(own, { everySteps: 5 })]);
      const saved = await loadCheckpoint(own, fresh());
      if (!saved) throw new Error('there is no checkpoint');
      expect(saved.step).toBe(at);
      const { position } = saved.info as { position: Position };
      const rest = await run(saved.state, position, at, []);
      expect(rest.step).toBe(15);
      expect(numbers(rest.state)).toEqual(numbers(whole.state));
    }),
    { numRuns: 6 },
  );
});
