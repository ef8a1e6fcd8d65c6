import { describe } from 'vitest';
import { difference, type ErrorModel } from './compare.ts';
import { type Backend, grad, jit, reference, setBackend, type Tensor, vmap } from './core.ts';
import { download, type HostTensor, stack, upload } from './host.ts';
import { law } from './law.ts';
import { type RandomProgram, randomPrograms } from './randomProgram.ts';

/**
 * What 15 steps on numbers of ordinary size may lose: each rounds by a few units, and the next may multiply that by up
 * to 10 or so where it cancels or adds up; a wrong element is off by much more.
 */
const errors = { float32: { units: 2 ** 13, floor: 1 }, float64: { units: 2 ** 20, floor: 1 } } as const;

const yardstick = reference();

/**
 * Random programs on a backend: eager and jitted, with `grad` and `vmap` around them, against the reference.
 *
 * `NEUMANN_RUNS=20` runs twenty times as many; see {@link law}.
 */
export function runFuzz(backend: Backend, { runs = 150 }: { readonly runs?: number } = {}): void {
  describe(`random programs on ${backend.name}`, () => {
    for (const dtype of ['float32', 'float64'] as const) {
      if (!backend.dtypes.has(dtype)) continue;
      const agree = agreement(errors[dtype]);
      law(
        `${dtype}: eager, jit, grad and vmap agree`,
        randomPrograms(dtype),
        async (program) => {
          const { inputs } = program;
          const variants: [string, (...xs: Tensor[]) => Tensor[]][] = [
            ['f', program.f],
            ['grad(loss)', gradient(program)],
          ];
          const others = inputs.map(another);
          const batch = inputs.map((x, i) => stack([x, others[i] as HostTensor], 0));
          for (const [name, f] of variants) {
            const expected = await run(yardstick, f, inputs);
            if (backend.name !== yardstick.name)
              agree(`${name} ≡ reference`, await run(backend, f, inputs), expected);
            agree(`jit(${name}) ≡ reference`, await run(backend, jit(f), inputs), expected);
            // Twice: the second run finds what the first one left in memory.
            const donated = jit(f, { donate: argnums(program) });
            agree(`jit(${name}, donate) ≡ reference`, await run(backend, donated, inputs), expected);
            agree(`jit(${name}, donate) again`, await run(backend, donated, inputs), expected);
            const second = await run(yardstick, f, others);
            const loop = expected.map((y, i) => stack([y, second[i] as HostTensor], 0));
            agree(`vmap(${name}) ≡ loop`, await run(backend, vmap(f), batch), loop);
            agree(`jit(vmap(${name})) ≡ loop`, await run(backend, jit(vmap(f)), batch), loop);
          }
          const whole = grad((...xs: Tensor[]) => jit(program.loss)(...xs), { argnums: argnums(program) });
          const once = await run(backend, whole, inputs);
          agree('grad(jit(loss)) ≡ reference', once, await run(yardstick, gradient(program), inputs));
        },
        { runs: dtype === 'float32' ? runs * (2 / 3) : runs / 3 },
      );
    }
  });
}

const argnums = ({ inputs }: RandomProgram): number[] => inputs.map((_, i) => i);

const gradient = (program: RandomProgram): ((...xs: Tensor[]) => Tensor[]) =>
  grad((...xs: Tensor[]) => program.loss(...xs), { argnums: argnums(program) }) as (
    ...xs: Tensor[]
  ) => Tensor[];

/** Other numbers of the same size. */
const another = (x: HostTensor): HostTensor => ({
  ...x,
  values: x.values.map((v, i) => (i % 2 === 0 ? 0.75 * v : -v)),
});

function run(
  backend: Backend,
  f: (...xs: Tensor[]) => Tensor[],
  inputs: readonly HostTensor[],
): Promise<HostTensor[]> {
  setBackend(backend);
  return download(f(...upload(backend, inputs)));
}

const agreement =
  (model: ErrorModel) =>
  (name: string, actual: readonly HostTensor[], expected: readonly HostTensor[]): void => {
    const found = difference(actual, expected, model);
    if (found !== undefined) throw new Error(`${name}: ${found}`);
  };
