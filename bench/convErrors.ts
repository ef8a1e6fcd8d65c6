import { type CpuBackend, cpu } from '@neumann/backend-cpu';
import { conv, jit, random, reshape, setBackend, type Tensor, tensor, vjp } from '@neumann/core';

/** [images, size, channels] */
const shapes = [
  [4, 28, 16],
  [4, 28, 64],
  [2, 28, 128],
  [2, 14, 256],
  [2, 14, 512],
] as const;

/** Rows of a table: the greatest errors of 3×3 convolutions of float32, plain and by Winograd, against those of float64. */
export async function convErrors(): Promise<string[]> {
  const [plain, winograd] = [await cpu({ winograd: false }), await cpu()];
  const rows: string[] = [];
  for (const [n, size, c] of shapes) {
    setBackend(plain);
    const image = [n, size, size, c];
    const operands: number[][] = [];
    for (const [i, shape] of [image, [3, 3, c, c], image].entries())
      operands.push([...((await random.normal(random.key(i), shape).data()) as Float32Array)]);
    const shaped = (dtype: 'float32' | 'float64') =>
      operands.map((values, i) => reshape(tensor(values, dtype), i === 1 ? [3, 3, c, c] : image));
    const exact = await passes(plain, shaped('float64'));
    const errors = async (backend: CpuBackend) => {
      setBackend(backend);
      const got = await passes(backend, shaped('float32'));
      return got.map((values, i) => distance(values, exact[i] ?? []).toExponential(0)).join(', ');
    };
    rows.push(`| ${c} → ${c}, ${n} × ${size}×${size} | ${await errors(plain)} | ${await errors(winograd)} |`);
  }
  return rows;
}

/** The result, the input gradient and the weight gradient. */
async function passes(backend: CpuBackend, [x, w, dy]: readonly Tensor[]): Promise<ArrayLike<number>[]> {
  setBackend(backend);
  const options = { padding: 'same' } as const;
  const all = jit((a: Tensor, b: Tensor, d: Tensor) => [
    conv(a, b, options),
    ...vjp((t: Tensor) => conv(t, b, options), a)[1](d),
    ...vjp((t: Tensor) => conv(a, t, options), b)[1](d),
  ]);
  const results = all(x as Tensor, w as Tensor, dy as Tensor);
  return Promise.all(results.map((result) => result.data() as Promise<ArrayLike<number>>));
}

/** The greatest difference relative to the greatest element. */
function distance(got: ArrayLike<number>, exact: ArrayLike<number>): number {
  let [error, most] = [0, 0];
  for (let i = 0; i < exact.length; i++) {
    error = Math.max(error, Math.abs((got[i] ?? 0) - (exact[i] ?? 0)));
    most = Math.max(most, Math.abs(exact[i] ?? 0));
  }
  return error / most;
}
