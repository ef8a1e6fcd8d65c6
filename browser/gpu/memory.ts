/** A device whose memory is really used up. What it could not compute is an error; everything else is right. */
import { type GpuMode, gpu } from '@neumann/backend-gpu';
import { add, jit, max, min, setBackend, type Tensor, tensor } from '@neumann/core';

/** How an error may begin, where memory is short: software devices die of it in browsers. */
const named =
  /^BackendError: gpu: (the .+ was lost, with every tensor on it|the device refused a command \(.+\), and this value may come from it)/s;

const next = jit((x: Tensor) => add(x, 1));
const ends = jit((x: Tensor) => [min(x), max(x)] as const);

const zeros = (): Tensor => tensor(new Float32Array(2 ** 24));

/** Tensors of 64 MB, of which each holds its own number. */
let all: Tensor[] = [];

async function check(x: Tensor, want: number): Promise<void> {
  for (const end of ends(x)) {
    const [got] = await end.data();
    if (got !== want) throw new Error(`tensor ${want} holds ${got}`);
  }
}

/** @returns whether it is right; if not, it is an error that says why. */
const isRight = (f: () => Tensor, want: number): Promise<boolean> =>
  Promise.resolve()
    .then(() => check(f(), want))
    .then(
      () => true,
      (error: unknown) => {
        if (!named.test(String(error))) throw error as Error;
        return false;
      },
    );

/** Everything is compiled before memory is short. */
export async function startFilling(mode: GpuMode): Promise<void> {
  setBackend(await gpu({ mode, memoryMB: 2 ** 20 }));
  all = [zeros()];
  await check(next(all[0] as Tensor), 1);
}

/** Makes tensors until there is no room. Returns how many are right then, and how many are errors. */
export async function fill(most: number): Promise<readonly [right: number, refused: number]> {
  const make = (i: number) => (): Tensor => {
    const x = next(all[i - 1] as Tensor);
    all.push(x);
    return x;
  };
  let isFull = false;
  for (let i = 1; i < most && !isFull; i++) isFull = !(await isRight(make(i), i));
  let right = 0;
  for (const [i, x] of all.entries()) if (await isRight(() => x, i)) right++;
  return [right, all.length - right + Number(isFull && right === all.length)];
}

/** When there is memory again, the backend goes on, or else a new one does. Returns which. */
export async function afterFilling(mode: GpuMode): Promise<'the same' | 'a new one'> {
  const second = all[1] as Tensor;
  all = [];
  if (await isRight(() => next(second), 2)) return 'the same';
  setBackend(await gpu({ mode }));
  await check(next(next(zeros())), 2);
  return 'a new one';
}
