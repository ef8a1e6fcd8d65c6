/** Work on a device, and what is to come of it when the device is lost: no zeros, nobody waits forever. */
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

export const lost = /^gpu: the .+ was lost, with every tensor on it; make a new backend with gpu\(\)/;
export const twice = jit((x: Tensor) => add(multiply(x, 2), 1));
/** Integers whose range is checked while it runs. */
const squared = jit((n: Tensor) => multiply(n, n));

const twos = new Float32Array(100).fill(2);
export const floats = (): Tensor => tensor(Float32Array.of(1, 2, 3));
const integers = (): Tensor => tensor(Int32Array.of(1, 2, 3));

/** Loops of 100 passes, each of one kernel at least, and what they make of 1, 2, 3. */
export const loops: Readonly<
  Record<string, { readonly run: (x: Tensor) => Tensor; readonly want: number[] }>
> = {
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

export async function start(mode: GpuMode): Promise<GpuBackend> {
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
export async function expectError(what: string, says: RegExp, f: () => unknown): Promise<void> {
  let result: unknown;
  try {
    result = await within(10, Promise.resolve(f()));
  } catch (error) {
    if (says.test((error as Error).message)) return;
    throw new Error(`${what}: ${String(error)}`, { cause: error });
  }
  throw new Error(`${what} gave ${String(result)} instead of an error`);
}

export async function expectValues(
  what: string,
  want: string,
  result: Promise<Iterable<number>>,
): Promise<void> {
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

/** Everything works, as on the first day. */
export async function expectNewBackend(mode: GpuMode): Promise<void> {
  await start(mode);
  await expectValues('a new backend', '3,5,7', twice(floats()).data());
  await expectValues('a new backend', '1,4,9', squared(integers()).data());
}

/** Work whose device is going to be taken away. */
export async function startWork(mode: GpuMode, newProgram = false): Promise<() => Promise<void>> {
  const backend = await start(mode);
  const [x, n] = [floats(), integers()];
  const [y, m] = [twice(x), squared(n)];
  await expectValues('the device', '3,5,7', y.data());
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
    if (newProgram)
      await expectError('a program that was never run', lost, () => multiply(add(x, 3), 4).data());
    await expectError('a run after the loss', lost, () => twice(x).data());
    await expectError('a run on what was there', lost, () => twice(later).data());
    await expectError('a run with integers', lost, () => squared(n).data());
    await expectError('an operation', lost, () => add(x, 1).data());
    await expectError('reading what was there', lost, () => y.data());
    await expectError('reading integers', lost, () => m.data());
    await expectValues('what the host has too', '1,2,3', x.data());
    await expectError('a new tensor', lost, () => multiply(floats(), 3).data());
    await expectError('a run without reading', lost, () => twice(x));
    if (mode === 'webgl2') await expectError('reading at once', lost, () => later.dataSync());
    await expectNewBackend(mode);
    setBackend(backend);
    await expectError('the old backend beside a new one', lost, () => twice(x).data());
  };
}
