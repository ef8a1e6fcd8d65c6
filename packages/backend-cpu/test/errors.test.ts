import { binary, reference } from '@neumann/core/backend';
import { expect, test } from 'vitest';
import { cpu } from '../src/index.ts';
import { elementwise, planOf } from './kernels.ts';

const message = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => undefined,
    (reason: Error) => reason,
  );
  return `${error?.name}: ${error?.message}`;
};

test('options are checked by name and range', async () => {
  expect(await message(cpu({ thread: 2 } as never))).toBe(
    'OptionError: cpu: "thread" is not an option; the options are memoryMB, relaxedSimd, winograd, threads, revectorize.',
  );
  expect(await message(cpu({ threads: 65 }))).toBe(
    'OptionError: cpu: threads is 65; it must be an integer from 1 to 64.',
  );
  expect(await message(cpu({ threads: 1.5 }))).toBe(
    'OptionError: cpu: threads is 1.5; it must be an integer from 1 to 64.',
  );
  expect(await message(cpu({ revectorize: 1 as never }))).toBe(
    'OptionError: cpu: revectorize is 1; it must be true or false.',
  );
  expect(await message(cpu({ memoryMB: 0 }))).toBe(
    'OptionError: cpu: memoryMB is 0; it must be an integer from 1 to 4000.',
  );
  expect(await message(cpu({ memoryMB: '64' as never }))).toBe(
    'OptionError: cpu: memoryMB is "64"; it must be an integer from 1 to 4000.',
  );
  expect(await message(cpu({ relaxedSimd: 'yes' as never }))).toBe(
    `OptionError: cpu: relaxedSimd is "yes"; it must be true, false or 'auto'.`,
  );
});

test('what cannot fit is refused with the bytes, the budget and the remedy', async () => {
  const backend = await cpu({ memoryMB: 4 });
  expect(() => backend.upload('float32', new Float32Array(2 ** 21))).toThrow(
    'cpu: upload needs a buffer of 8 MB, but the budget is 4 MB; ' +
      'create the backend with cpu({ memoryMB: 8 }) or more (at most 4000), or work on smaller batches.',
  );
  const size = 2 ** 19;
  const executable = backend.compile(
    planOf(elementwise([size], ['float32', 'float32'], (x, y) => [binary('add', x, y)])),
  );
  const [x, y] = [
    backend.upload('float32', new Float32Array(size)),
    backend.upload('float32', new Float32Array(size)),
  ];
  expect(() => executable.run([x, y])).toThrow(
    'cpu: a compiled program needs 6 MB at once (inputs 4 MB, outputs 2 MB, scratch 0 MB), but the budget is 4 MB; ' +
      'create the backend with cpu({ memoryMB: 7 }) or more (at most 4000), or work on smaller batches.',
  );
});

test('what core would never do is reported as broken', async () => {
  const backend = await cpu();
  const executable = backend.compile(
    planOf(elementwise([3], ['float32', 'float32'], (x, y) => [binary('add', x, y)])),
  );
  const three = backend.upload('float32', new Float32Array(3));
  expect(() => executable.run([three])).toThrow(
    'cpu: argument 1 of a compiled program is no buffer of this backend.',
  );
  expect(() => executable.run([three, backend.upload('int32', new Int32Array(3))])).toThrow(
    'cpu: argument 1 of a compiled program must be 3 × float32, but is 3 × int32.',
  );
  expect(() => backend.downloadSync(reference().upload('int32', new Int32Array(1)))).toThrow(
    'cpu: what is downloaded is no buffer of this backend.',
  );
  expect(() => backend.upload('float32', new Int32Array(1))).toThrow(
    'upload: a float32 buffer is made from a Float32Array, but got a int32 array.',
  );
});

test('relaxed SIMD can be switched off', async () => {
  expect((await cpu({ relaxedSimd: false })).features.relaxedSimd).toBe(false);
});

test('256-bit mode comes before everything else, in Node 24 and newer, or not at all', async () => {
  await cpu();
  const asked = message(cpu({ revectorize: true }));
  expect(await asked).toMatch(/^OptionError: cpu: revectorize (comes too late|needs Node 24)/);
});
