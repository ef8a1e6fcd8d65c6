/** What a law is, and what laws share: samples, running on a backend, comparing. */
import fc from 'fast-check';
import { difference, type ErrorModel } from '../compare.ts';
import { type Backend, getBackend, isFloat, reference, setBackend, Tensor } from '../core.ts';
import { download, type HostTensor, upload } from '../host.ts';
import { directions } from '../random.ts';
import { draw, type Form, type Row, type Sample } from '../row.ts';

/** A sentence that holds for the samples of every row that it says something about. */
export interface Law {
  readonly name: string;
  /** Samples drawn for each row. */
  readonly runs: number;
  /** `undefined` if the law says nothing about the row. */
  readonly samples: (row: Row, backend: Backend) => fc.Arbitrary<Sample> | undefined;
  /** @throws if the law does not hold. */
  readonly holds: (sample: Sample, row: Row, backend: Backend) => void | Promise<void>;
}

/** What every backend is compared with. */
export const yardstick: Backend = reference();

/** Forms with any values, of the dtypes that row and backend share. */
export function anyForms(row: Row, backend: Backend): fc.Arbitrary<Form> | undefined {
  const dtypes = row.dtypes.filter((d) => backend.dtypes.has(d));
  return dtypes.length === 0 ? undefined : fc.constantFrom(...dtypes).chain((dtype) => row.values(dtype));
}

/** Samples with any values. */
export function anySamples(row: Row, backend: Backend): fc.Arbitrary<Sample> | undefined {
  const forms = anyForms(row, backend);
  return forms && draw(forms);
}

/** float64 samples for laws about derivatives. */
export function smoothSamples({ smooth }: Row, backend: Backend): fc.Arbitrary<Sample> | undefined {
  return smooth && backend.dtypes.has('float64') ? draw(smooth) : undefined;
}

/** A form of the row: whether it has operands, or a definition, is the same for all. */
export function exampleOf(forms: fc.Arbitrary<Form>): Form {
  return fc.sample(forms, { numRuns: 1, seed: 1 })[0] as Form;
}

/** What a function under test returns. */
export type Results = Tensor | readonly Tensor[];

/** Results as an array. */
export const list = (results: Results): Tensor[] => (results instanceof Tensor ? [results] : [...results]);

/** Runs `f` with `backend` as the current one. */
export function on<T>(backend: Backend, f: () => T): T {
  const before = getBackend();
  setBackend(backend);
  try {
    return f();
  } finally {
    setBackend(before);
  }
}

/** The results of `f` on a backend. */
export function run(
  backend: Backend,
  f: (...xs: Tensor[]) => Results,
  inputs: readonly HostTensor[],
): Promise<HostTensor[]> {
  return download(on(backend, () => list(f(...upload(backend, inputs)))));
}

/** @throws where two results of a sample differ by more than the model allows. */
export async function expectEqual(
  actual: readonly HostTensor[],
  expected: readonly HostTensor[],
  model: ErrorModel,
  sample: Sample,
): Promise<void> {
  const scale = model === 'sum' ? await scaleOf(sample) : undefined;
  const found = difference(actual, expected, model, scale);
  if (found !== undefined) throw new Error(found);
}

/** The same function of absolute values, and a bound for the number of terms in one element of the result. */
async function scaleOf({ form, inputs }: Sample): Promise<{ of: HostTensor[]; terms: number }> {
  // Beside floats, integers are positions.
  const areTerms = inputs.some((x) => isFloat(x.dtype)) ? isFloat : () => true;
  const absolute = inputs.map((x) => (areTerms(x.dtype) ? { ...x, values: x.values.map(Math.abs) } : x));
  return {
    of: await run(yardstick, form.f, absolute),
    terms: 2 + Math.max(...inputs.map((x) => x.values.length)),
  };
}

/** Directions as large as `like`; the same for the same numbers. */
export function directionsLike(like: readonly HostTensor[], seed: number): HostTensor[] {
  const random = directions(seed);
  return like.map((x) => (isFloat(x.dtype) ? { ...x, values: x.values.map(() => random()) } : x));
}

/** Near the results of one computation in float64, made in another order. */
export const sameMath: ErrorModel = { units: 2 ** 17 };

/** The same for functions that round to float32 on the way. */
export const sameMathRounded: ErrorModel = { units: 2 ** 33 };

/** `f` for `makeProgram` and `jit`: always a tuple. */
export function asTuple(f: Form['f']): (...xs: Tensor[]) => Tensor[] {
  return (...xs) => list(f(...xs));
}

/** {@link on} for what waits. */
export async function onAsync(backend: Backend, f: () => Promise<void>): Promise<void> {
  const before = getBackend();
  setBackend(backend);
  try {
    await f();
  } finally {
    setBackend(before);
  }
}
