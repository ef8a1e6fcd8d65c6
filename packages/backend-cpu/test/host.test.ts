import type { HostRoutine, Plan, TypedArray } from '@neumann/core/backend';
import { expect, test } from 'vitest';
import { cpu } from '../src/index.ts';
import { elementwise } from './kernels.ts';

const double = elementwise([4], ['float32'], (x) => [
  { kind: 'binary', op: 'add', dtype: 'float32', x, y: x },
]);

/** x -> 2 x -> [its sum so far, the number of positive elements so far] */
const running: HostRoutine = {
  name: 'running',
  inputs: [{ shape: [4], dtype: 'float32' }],
  outputs: [
    { shape: [4], dtype: 'float64' },
    { shape: [4], dtype: 'int32' },
  ],
  params: {},
  run: ([x], [sums, counts]) => {
    let [total, count] = [0, 0];
    for (const [i, value] of (x as Float32Array).entries()) {
      (sums as TypedArray)[i] = total += value;
      (counts as TypedArray)[i] = count += Number(value > 0);
    }
  },
};

const slot = (dtype: 'float32' | 'float64' | 'int32', place: Plan['slots'][number]['place']) => ({
  dtype,
  size: 4,
  place,
});

const plan: Plan = {
  slots: [
    slot('float32', { kind: 'input', index: 0 }),
    slot('float32', { kind: 'arena', offset: 0 }),
    slot('float64', { kind: 'output' }),
    slot('int32', { kind: 'output' }),
  ],
  steps: [
    { kind: 'kernel', kernel: double, inputs: [0], outputs: [1] },
    { kind: 'host', host: running, inputs: [1], outputs: [2, 3] },
  ],
  inputs: [0],
  outputs: [2, 3],
  arenaBytes: 64,
};

test('host steps see the memory of the module, in the arena and outside of it', async () => {
  const backend = await cpu();
  const executable = backend.compile(plan);
  const results = executable.run([backend.upload('float32', Float32Array.of(1, -2, 3, 0))]);
  expect(results.map((y) => backend.downloadSync(y))).toEqual([
    Float64Array.of(2, -2, 4, 4),
    Int32Array.of(1, 1, 2, 2),
  ]);
});

test('host steps see it also after it has grown', async () => {
  const backend = await cpu({ memoryMB: 64 });
  const executable = backend.compile(plan);
  const before = backend.memory().heapBytes;
  backend.upload('float32', new Float32Array(2 ** 23));
  expect(backend.memory().heapBytes).toBeGreaterThan(before);
  const results = executable.run([backend.upload('float32', Float32Array.of(1, 1, 1, 1))]);
  expect(results.map((y) => [...backend.downloadSync(y)])).toEqual([
    [2, 4, 6, 8],
    [1, 2, 3, 4],
  ]);
});
