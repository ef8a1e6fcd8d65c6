import fc from 'fast-check';
import { describe } from 'vitest';
import { difference, type ErrorModel } from './compare.ts';
import { type Backend, checkpoint, grad, jit, reference, setBackend, type Tensor, vmap } from './core.ts';
import { download, type HostTensor, stack, upload } from './host.ts';
import { law } from './law.ts';
import { type RandomProgram, randomPrograms } from './randomProgram.ts';

/**
 * What 30 steps on numbers of ordinary size may lose: each rounds by a few units, and the next may multiply that by up
 * to 10 or so where it cancels or adds up; a wrong element is off by much more.
 */
const errors = { float32: { units: 2 ** 13, floor: 1 }, float64: { units: 2 ** 20, floor: 1 } } as const;

const yardstick = reference();

/** A way to transform a program, with what the reference says that it should give. */
interface Nesting {
  readonly name: string;
  readonly of: (program: RandomProgram) => (...xs: Tensor[]) => Tensor[];
  /** The same for each of two examples, which become a batch. */
  readonly batched?: true;
  /** Run twice: the second run finds what the first one left in memory. */
  readonly twice?: true;
}

type F = (...xs: Tensor[]) => Tensor[];

const donating = (f: F, program: RandomProgram): F => jit(f, { donate: argnums(program) });
const throughJit = (program: RandomProgram): F => {
  const loss = jit(program.loss);
  return gradientOf(program, (...xs) => loss(...xs));
};

/** What each program is compared under besides eager and jit; one or two of them for each. */
const ofF: readonly Nesting[] = [
  { name: 'jit(f, donate)', of: (p) => donating(p.f, p), twice: true },
  { name: 'vmap(f)', of: (p) => vmap(p.f), batched: true },
  { name: 'jit(vmap(f))', of: (p) => jit(vmap(p.f)), batched: true },
  { name: 'vmap(jit(f))', of: (p) => vmap(jit(p.f)), batched: true },
  { name: 'jit(checkpoint(f))', of: (p) => jit(checkpoint(p.f)) },
];
const ofGradient: readonly Nesting[] = [
  { name: 'grad(loss)', of: (p) => gradient(p) },
  { name: 'jit(grad(loss))', of: (p) => jit(gradient(p)) },
  { name: 'jit(grad(loss), donate)', of: (p) => donating(gradient(p), p), twice: true },
  { name: 'grad(jit(loss))', of: throughJit },
  { name: 'jit(grad(jit(loss)))', of: (p) => jit(throughJit(p)) },
  { name: 'grad(checkpoint(loss))', of: (p) => gradientOf(p, checkpoint(p.loss)) },
  { name: 'jit(grad(checkpoint(loss)))', of: (p) => jit(gradientOf(p, checkpoint(p.loss))) },
  { name: 'vmap(grad(loss))', of: (p) => vmap(gradient(p)), batched: true },
  { name: 'jit(vmap(grad(loss)))', of: (p) => jit(vmap(gradient(p))), batched: true },
  { name: 'vmap(jit(grad(loss)))', of: (p) => vmap(jit(gradient(p))), batched: true },
  { name: 'vmap(grad(jit(loss)))', of: (p) => vmap(throughJit(p)), batched: true },
];

/** Options of {@link runFuzz}. */
export interface FuzzOptions {
  /** Programs of both dtypes together; 150 by default. */
  readonly runs?: number;
  /** Both by default; files that share the work take one each. */
  readonly dtypes?: readonly ('float32' | 'float64')[];
}

/** Programs in one test: short enough to tell soon where it fails. */
const programsPerTest = 125;

/**
 * Random programs of 3 to 30 operations on a backend, against the reference, which runs them with loops and branches
 * written out: each eagerly and jitted, and under one of
 * the nestings of `grad`, `vmap`, `jit`, donation and `checkpoint`. The titles tell the seeds.
 *
 * `NEUMANN_RUNS=20` runs twenty times as many; see {@link law}.
 */
export function runFuzz(
  backend: Backend,
  { runs = 150, dtypes = ['float32', 'float64'] }: FuzzOptions = {},
): void {
  describe(`random programs on ${backend.name}`, () => {
    for (const dtype of dtypes) {
      if (!backend.dtypes.has(dtype)) continue;
      const agree = agreement(errors[dtype]);
      const programs = Math.ceil(dtype === 'float32' ? runs * (2 / 3) : runs / 3);
      const tests = Math.ceil(programs / programsPerTest);
      for (let part = 1; part <= tests; part++)
        law(
          `${dtype}: eager, jit, grad and vmap agree, ${part} of ${tests}`,
          fc.tuple(randomPrograms(dtype), fc.constantFrom(...ofF, ...ofGradient)),
          async ([program, nesting]) => {
            const expected = await run(yardstick, program.withoutLoops.f, program.inputs);
            agree('f ≡ reference', await run(backend, program.f, program.inputs), expected);
            agree('jit(f) ≡ reference', await run(backend, jit(program.f), program.inputs), expected);
            await checkNesting(backend, program, nesting, agree);
          },
          { runs: programs / tests, showSeed: true },
        );
    }
  });
}

async function checkNesting(
  backend: Backend,
  program: RandomProgram,
  nesting: Nesting,
  agree: ReturnType<typeof agreement>,
): Promise<void> {
  const { name, of, batched, twice } = nesting;
  const { withoutLoops } = program;
  const plain = ofF.includes(nesting) ? withoutLoops.f : gradient(withoutLoops);
  const { inputs } = program;
  let expected = await run(yardstick, plain, inputs);
  let operands: readonly HostTensor[] = inputs;
  if (batched) {
    const others = inputs.map(another);
    operands = inputs.map((x, i) => stack([x, others[i] as HostTensor], 0));
    const second = await run(yardstick, plain, others);
    expected = expected.map((y, i) => stack([y, second[i] as HostTensor], 0));
  }
  const f = of(program);
  agree(`${name} ≡ reference`, await run(backend, f, operands), expected);
  if (twice) agree(`${name} again`, await run(backend, f, operands), expected);
}

const argnums = ({ inputs }: RandomProgram): number[] => inputs.map((_, i) => i);

const gradientOf = (program: RandomProgram, loss: (...xs: Tensor[]) => Tensor): F =>
  grad((...xs: Tensor[]) => loss(...xs), { argnums: argnums(program) }) as F;

const gradient = (program: RandomProgram): F => gradientOf(program, program.loss);

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
