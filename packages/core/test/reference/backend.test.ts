import { expect, test } from 'vitest';
import { binary, constant, coord, load } from '../../src/ir/expr.ts';
import type { Kernel } from '../../src/ir/kernel.ts';
import type { Plan, Slot } from '../../src/ir/plan.ts';
import { reference } from '../../src/reference/backend.ts';

const x = load(0, 'float32', [coord(0)]);
const increment: Kernel = {
  name: 'increment',
  inputs: [{ dtype: 'float32', shape: [2] }],
  axes: [2],
  reduceAxes: [],
  reductions: [],
  outputs: [binary('add', x, constant('float32', 1))],
};

const slot = (place: Slot['place']): Slot => ({ dtype: 'float32', size: 2, place });

/** x -> x + 1 -> x + 2, the last in the memory that `place` says. */
const twice = (place: Slot['place'], outputs = [2]): Plan => ({
  slots: [slot({ kind: 'input', index: 0 }), slot({ kind: 'arena', offset: 0 }), slot(place)],
  steps: [
    { kind: 'kernel', kernel: increment, inputs: [0], outputs: [1] },
    { kind: 'kernel', kernel: increment, inputs: [1], outputs: [2] },
  ],
  inputs: [0],
  outputs,
  arenaBytes: 8,
});

test('runs the steps of a plan, as often as asked', () => {
  const backend = reference();
  const executable = backend.compile(twice({ kind: 'output' }));
  const [a, b] = [new Float32Array([1, 2]), new Float32Array([10, 20])].map((v) =>
    backend.upload('float32', v),
  );
  if (!a || !b) throw new Error('unreachable');
  expect(executable.run([a]).map((y) => backend.downloadSync(y))).toEqual([new Float32Array([3, 4])]);
  expect(executable.run([b]).map((y) => backend.downloadSync(y))).toEqual([new Float32Array([12, 22])]);
  expect(backend.downloadSync(a)).toEqual(new Float32Array([1, 2]));
});

test('a result may be an argument, and occur twice', () => {
  const backend = reference();
  const a = backend.upload('float32', new Float32Array([1, 2]));
  const [first, second, third] = backend.compile(twice({ kind: 'output' }, [2, 0, 2])).run([a]);
  expect(second).toBe(a);
  expect(third).toBe(first);
});

test('upload and download copy', async () => {
  const backend = reference();
  const values = new Int32Array([1, 2]);
  const buffer = backend.upload('int32', values);
  values[0] = 9;
  const downloaded = await backend.download(buffer);
  downloaded[1] = 9;
  expect(backend.downloadSync(buffer)).toEqual(new Int32Array([1, 2]));
  expect(() => backend.upload('float32', values)).toThrow('reference: upload of float32 from a Int32Array.');
});

test('every dtype has buffers', () => {
  const backend = reference();
  for (const [dtype, values] of [
    ['float32', new Float32Array(3)],
    ['float64', new Float64Array(3)],
    ['int32', new Int32Array(3)],
    ['uint32', new Uint32Array(3)],
    ['uint8', new Uint8Array(3)],
    ['bool', new Uint8Array(3)],
  ] as const) {
    expect(backend.dtypes.has(dtype)).toBe(true);
    expect(backend.upload(dtype, values)).toMatchObject({ dtype, size: 3 });
  }
});

test('a donated buffer is dead', async () => {
  const backend = reference();
  const executable = backend.compile(twice({ kind: 'donated', index: 0 }));
  const a = backend.upload('float32', new Float32Array([1, 2]));
  const [result] = executable.run([a]);
  expect(backend.downloadSync(result as typeof a)).toEqual(new Float32Array([3, 4]));
  const message = 'reference: a donated buffer (2 of float32) was used again.';
  expect(() => backend.downloadSync(a)).toThrow(message);
  await expect(backend.download(a)).rejects.toThrow(message);
  expect(() => executable.run([a])).toThrow(message);
});

test('arguments must be what the plan says', () => {
  const backend = reference();
  const plan = twice({ kind: 'output' });
  const executable = backend.compile(plan);
  expect(() => executable.run([])).toThrow('reference: the plan takes 1 buffers, but got 0.');
  const other = backend.upload('int32', new Int32Array(2));
  expect(() => executable.run([other])).toThrow(
    'reference: argument 0 must be 2 of float32, but is 2 of int32.',
  );
  expect(() => executable.run([{ dtype: 'float32', size: 2 }])).toThrow(
    'reference: this buffer belongs to another backend.',
  );
  const both: Plan = { ...twice({ kind: 'donated', index: 0 }), inputs: [0, 3] };
  const shared = backend.compile({ ...both, slots: [...both.slots, slot({ kind: 'input', index: 1 })] });
  const a = backend.upload('float32', new Float32Array(2));
  expect(() => shared.run([a, a])).toThrow('reference: argument 0 is donated but is also another argument.');
});

test('an ill-formed plan is refused when it is compiled', () => {
  expect(() => reference().compile({ ...twice({ kind: 'output' }), arenaBytes: 0 })).toThrow(
    'plan: slot 1 ends at 8',
  );
});

test('wide carries float32 as float64 within a kernel', () => {
  const kernel = { ...increment, outputs: [binary('sub', binary('add', x, constant('float32', 1)), x)] };
  const plan: Plan = {
    slots: [slot({ kind: 'input', index: 0 }), slot({ kind: 'output' })],
    steps: [{ kind: 'kernel', kernel, inputs: [0], outputs: [1] }],
    inputs: [0],
    outputs: [1],
    arenaBytes: 0,
  };
  const run = (backend: ReturnType<typeof reference>): number[][] =>
    backend
      .compile(plan)
      .run([backend.upload('float32', new Float32Array([2 ** 24, 0]))])
      .map((y) => [...backend.downloadSync(y)]);
  expect(run(reference())).toEqual([[0, 1]]);
  expect(run(reference({ wide: true }))).toEqual([[1, 1]]);
});
