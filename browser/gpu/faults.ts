/** What runs in the browser: a device that is lost, or has no memory, in the middle of work. No zeros, nobody waits forever. */
import { type GpuBackend, type GpuMode, gpu } from '@neumann/backend-gpu';
import {
  add,
  forLoop,
  jit,
  less,
  multiply,
  scan,
  setBackend,
  sum,
  type Tensor,
  tensor,
  whileLoop,
} from '@neumann/core';
import { enoughMemory, lose, loseAfter, shortOfMemory, withoutAdapters } from './spy.ts';

const lost = /^gpu: the .+ was lost, with every tensor on it; make a new backend with gpu\(\)/;
const memory =
  /^gpu: the device refused a command \(.+\), and this value may come from it; compute it again/s;

const twice = jit((x: Tensor) => add(multiply(x, 2), 1));
/** Integers whose range is checked while it runs. */
const squared = jit((n: Tensor) => multiply(n, n));

const twos = new Float32Array(100).fill(2);
const floats = (): Tensor => tensor(Float32Array.of(1, 2, 3));
const integers = (): Tensor => tensor(Int32Array.of(1, 2, 3));

/** Loops of 100 passes, each of one kernel at least, and what they make of 1, 2, 3. */
const loops: Readonly<Record<string, { readonly run: (x: Tensor) => Tensor; readonly want: number[] }>> = {
  forLoop: {
    run: jit((x: Tensor) => forLoop(0, 100, (_, y: Tensor) => multiply(y, 2), x)),
    want: [2 ** 100, 2 ** 101, 3 * 2 ** 100],
  },
  whileLoop: {
    run: jit((x: Tensor) =>
      whileLoop(
        (y: Tensor) => less(sum(y), 6 * 2 ** 100),
        (y: Tensor) => multiply(y, 2),
        x,
      ),
    ),
    want: [2 ** 100, 2 ** 101, 3 * 2 ** 100],
  },
  scan: {
    run: jit((x: Tensor) => scan((y: Tensor, z: Tensor) => [multiply(y, z), add(y, z)], x, twos)[0]),
    want: [2 ** 100, 2 ** 101, 3 * 2 ** 100],
  },
};

async function start(mode: GpuMode): Promise<GpuBackend> {
  const backend = await gpu({ mode });
  setBackend(backend);
  return backend;
}

function within<T>(seconds: number, promise: Promise<T>): Promise<T> {
  return Promise.race([
    promise,
    new Promise<T>((_, reject) => {
      setTimeout(() => reject(new Error(`nothing came in ${seconds} seconds`)), 1000 * seconds);
    }),
  ]);
}

/** It throws, or its promise rejects, and says so. */
async function fails(what: string, says: RegExp, f: () => unknown): Promise<void> {
  let result: unknown;
  try {
    result = await within(10, Promise.resolve(f()));
  } catch (error) {
    if (says.test((error as Error).message)) return;
    throw new Error(`${what}: ${String(error)}`, { cause: error });
  }
  throw new Error(`${what} gave ${String(result)} instead of an error`);
}

async function gives(what: string, want: string, result: Promise<Iterable<number>>): Promise<void> {
  const got = String([...(await within(10, result))]);
  if (got !== want) throw new Error(`${what} gave ${got} instead of ${want}`);
}

/** Values as they come, or the error that they were lost: what was asked for before the loss. */
const settled = (promise: Promise<Iterable<number>>, want: string): Promise<unknown> =>
  promise.then(
    (values) => {
      if (String([...values]) !== want)
        throw new Error(`a read gave ${String([...values])} instead of ${want}`);
    },
    (error: unknown) => {
      if (!lost.test((error as Error).message)) throw error as Error;
    },
  );

async function withoutMemory<T>(f: () => Promise<T>): Promise<T> {
  shortOfMemory();
  try {
    return await f();
  } finally {
    enoughMemory();
  }
}

/** Everything works, as on the first day. */
async function works(mode: GpuMode): Promise<void> {
  await start(mode);
  await gives('a new backend', '3,5,7', twice(floats()).data());
  await gives('a new backend', '1,4,9', squared(integers()).data());
}

/** Work whose device is going to be taken away. */
export async function startWork(mode: GpuMode, newProgram = false): Promise<() => Promise<void>> {
  const backend = await start(mode);
  const [x, n] = [floats(), integers()];
  const [y, m] = [twice(x), squared(n)];
  await gives('the device', '3,5,7', y.data());
  const [later, squares] = [twice(y), squared(m)];
  const pending = [
    settled(later.data(), '7,11,15'),
    settled(squares.data(), '1,16,81'),
    settled(add(y, y).data(), '6,10,14'),
    ...Object.values(loops).map(({ run, want }) => settled(run(x).data(), String(want))),
  ];
  return async () => {
    await within(10, Promise.all(pending));
    setBackend(backend);
    if (newProgram) await fails('a program that was never run', lost, () => multiply(add(x, 3), 4).data());
    await fails('a run after the loss', lost, () => twice(x).data());
    await fails('a run on what was there', lost, () => twice(later).data());
    await fails('a run with integers', lost, () => squared(n).data());
    await fails('an operation', lost, () => add(x, 1).data());
    await fails('reading what was there', lost, () => y.data());
    await fails('reading integers', lost, () => m.data());
    await gives('what the host has too', '1,2,3', x.data());
    await fails('a new tensor', lost, () => multiply(floats(), 3).data());
    await fails('a run without reading', lost, () => twice(x));
    if (mode === 'webgl2') await fails('reading at once', lost, () => later.dataSync());
    await works(mode);
    setBackend(backend);
    await fails('the old backend beside a new one', lost, () => twice(x).data());
  };
}

export const faults: Readonly<Record<string, (mode: GpuMode) => Promise<void>>> = {
  'auto is the first mode that runs, and says why the others do not': async (mode) => {
    const { GPU: before } = globalThis as { GPU?: unknown };
    const backend = await (mode === 'webgl2' ? withoutAdapters(() => gpu()) : gpu());
    const { passedOver, ...rest } = backend.describe();
    const why = Object.entries(passedOver).flat().join(': ');
    if (rest.mode !== mode || rest.sync !== (mode === 'webgl2')) throw new Error(JSON.stringify(rest));
    if (!(mode === 'webgl2' ? /^webgpu: gpu: .*no adapter/ : /^$/).test(why)) throw new Error(why);
    if ((globalThis as { GPU?: unknown }).GPU !== before)
      throw new Error('gpu.js replaces the GPU of WebGPU');
  },
  'a lost device is an error at every run and read, and a new backend works': async (mode) => {
    const after = await startWork(mode);
    lose(mode);
    await after();
  },
  'a device that is lost in the middle of a loop is an error, and a new backend runs the loop': async (
    mode,
  ) => {
    for (const [name, { run, want }] of Object.entries(loops))
      for (const launches of [1, 42]) {
        await start(mode);
        const x = floats();
        await gives(name, String(want), run(x).data());
        loseAfter(launches, mode);
        await fails(name, lost, () => run(x).data());
        await fails('what comes from it', lost, () => add(run(x), 1).data());
        await start(mode);
        await gives(`${name} on a new backend`, String(want), run(floats()).data());
      }
    await works(mode);
  },
  'a new backend can be made in the turn of the loss': async (mode) => {
    await start(mode);
    lose(mode);
    await works(mode);
  },
  'no memory for a new tensor is an error, for that tensor alone': async (mode) => {
    await start(mode);
    const y = twice(floats());
    await gives('before', '3,5,7', y.data());
    const large = tensor(new Float32Array(5000));
    await withoutMemory(() => fails('a new tensor', memory, () => add(large, 1).data()));
    await gives('what was there before', '3,5,7', y.data());
    await gives('new work', '7,11,15', twice(y).data());
    await gives(
      'the tensor',
      '1,1',
      add(large, 1)
        .data()
        .then((values) => values.slice(0, 2)),
    );
  },
  'no memory for a result is an error, for what comes from it alone': async (mode) => {
    await start(mode);
    const x = tensor(new Float32Array(6000).fill(1));
    const y = add(x, 1);
    await y.data();
    const bad = await withoutMemory(async () => {
      const result = multiply(y, 3);
      const other = add(result, 1);
      await fails('a result', memory, () => result.data());
      await fails('reading it again', memory, () => result.data());
      await fails('what comes from it', memory, () => other.data());
      return result;
    });
    await fails('reading it later', memory, () => bad.data());
    await fails('a run on it', memory, () => add(bad, 1).data());
    await gives(
      'what was there before',
      '2,2',
      y.data().then((values) => values.slice(0, 2)),
    );
    await gives(
      'the same anew',
      '6,6',
      multiply(y, 3)
        .data()
        .then((values) => values.slice(0, 2)),
    );
  },
  'no memory for reading is an error, until there is some': async (mode) => {
    await start(mode);
    const y = twice(floats());
    await gives('before', '3,5,7', y.data());
    await withoutMemory(() => fails('reading', memory, () => y.data()));
    await gives('reading later', '3,5,7', y.data());
  },
};
