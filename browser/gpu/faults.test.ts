/** A device that is lost, or has no memory, in the middle of work. */
import { gpu } from '@neumann/backend-gpu';
import { add, multiply, tensor } from '@neumann/core';
import { expect, test } from 'vitest';
import {
  expectError,
  expectNewBackend,
  expectValues,
  floats,
  loops,
  lost,
  start,
  startWork,
  twice,
} from './loss.ts';
import { mode } from './mode.ts';
import { enoughMemory, lose, loseAfter, shortOfMemory, withoutAdapters } from './spy.ts';

const memory =
  /^gpu: the device refused a command \(.+\), and this value may come from it; compute it again/s;

async function withoutMemory<T>(f: () => Promise<T>): Promise<T> {
  shortOfMemory();
  try {
    return await f();
  } finally {
    enoughMemory();
  }
}

test('auto is the first mode that runs, and says why the others do not', async () => {
  const { GPU: before } = globalThis as { GPU?: unknown };
  const backend = await (mode === 'webgl2' ? withoutAdapters(() => gpu()) : gpu());
  const { passedOver, ...rest } = backend.describe();
  expect(rest).toMatchObject({ mode, sync: mode === 'webgl2' });
  expect(Object.entries(passedOver).flat().join(': ')).toMatch(
    mode === 'webgl2' ? /^webgpu: gpu: .*no (adapter|navigator\.gpu)/ : /^$/,
  );
  expect((globalThis as { GPU?: unknown }).GPU).toBe(before); // WebGPU's, which gpu.js replaces
});

test('a lost device is an error at every run and read, and a new backend works', async () => {
  const checkLoss = await startWork(mode);
  lose(mode);
  await checkLoss();
});

test('a device that is lost in the middle of a loop is an error, and a new backend runs the loop', async () => {
  for (const [name, { run, want }] of Object.entries(loops))
    for (const launches of [1, 42]) {
      await start(mode);
      const x = floats();
      await expectValues(name, String(want), run(x).data());
      loseAfter(launches, mode);
      await expectError(name, lost, () => run(x).data());
      await expectError('what comes from it', lost, () => add(run(x), 1).data());
      await start(mode);
      await expectValues(`${name} on a new backend`, String(want), run(floats()).data());
    }
  await expectNewBackend(mode);
});

test('a new backend can be made in the turn of the loss', async () => {
  await start(mode);
  lose(mode);
  await expectNewBackend(mode);
});

test('no memory for a new tensor is an error, for that tensor alone', async () => {
  await start(mode);
  const y = twice(floats());
  await expectValues('before', '3,5,7', y.data());
  const large = tensor(new Float32Array(5000));
  await withoutMemory(() => expectError('a new tensor', memory, () => add(large, 1).data()));
  await expectValues('what was there before', '3,5,7', y.data());
  await expectValues('new work', '7,11,15', twice(y).data());
  await expectValues(
    'the tensor',
    '1,1',
    add(large, 1)
      .data()
      .then((values) => values.slice(0, 2)),
  );
});

test('no memory for a result is an error, for what comes from it alone', async () => {
  await start(mode);
  const x = tensor(new Float32Array(6000).fill(1));
  const y = add(x, 1);
  await y.data();
  const bad = await withoutMemory(async () => {
    const result = multiply(y, 3);
    const other = add(result, 1);
    await expectError('a result', memory, () => result.data());
    await expectError('reading it again', memory, () => result.data());
    await expectError('what comes from it', memory, () => other.data());
    return result;
  });
  await expectError('reading it later', memory, () => bad.data());
  await expectError('a run on it', memory, () => add(bad, 1).data());
  await expectValues(
    'what was there before',
    '2,2',
    y.data().then((values) => values.slice(0, 2)),
  );
  await expectValues(
    'the same anew',
    '6,6',
    multiply(y, 3)
      .data()
      .then((values) => values.slice(0, 2)),
  );
});

test('no memory for reading is an error, until there is some', async () => {
  await start(mode);
  const y = twice(floats());
  await expectValues('before', '3,5,7', y.data());
  await withoutMemory(() => expectError('reading', memory, () => y.data()));
  await expectValues('reading later', '3,5,7', y.data());
});
