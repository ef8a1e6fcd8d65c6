/** What runs in the browser: the backend in one mode, compared with the reference. */
import { type GpuMode, gpu } from '@neumann/backend-gpu';
import { setBackend } from '@neumann/core';
import { type Backend, BackendError, DTypeError } from '@neumann/core/backend';
import fc from 'fast-check';
import type { HostTensor } from '../../packages/testing/src/host.ts';
import { anySamples, expectEqual, run, yardstick } from '../../packages/testing/src/laws/common.ts';
import type { Row, Sample } from '../../packages/testing/src/row.ts';
import { operationRows } from '../../packages/testing/src/rows/operations.ts';
import { primitiveRows } from '../../packages/testing/src/rows/primitives.ts';
import { checkContractions } from './contractions.ts';
import { checkFours } from './fours.ts';
import { refusal } from './limits.ts';
import { structure } from './structure.ts';

export interface Outcome {
  readonly device: string;
  /** How many things were right. */
  readonly passed: number;
  /** Rows and dtypes that have no result here, but errors that give the reason. */
  readonly refused: readonly string[];
  /** What was wrong. */
  readonly failures: readonly string[];
}

/** Rows, and how many right results each has to give for each dtype. */
const primitives = primitiveRows.map((row) => [row, 2] as const);
const operations = operationRows.map((row) => [row, 1] as const);

/** Compares a mode with the reference, on samples of which up to eight may be refused. */
export async function check(mode: GpuMode, only?: string, withOperations = true): Promise<Outcome> {
  const failures: string[] = [];
  const nothing: string[] = [];
  let passed = 0;
  const attempt = async (name: string, holds: () => unknown, mayBeRefused = false): Promise<void> => {
    try {
      await holds();
      passed++;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const isRefusal = error instanceof BackendError || error instanceof DTypeError;
      if (!mayBeRefused || !isRefusal || !refusal.test(message))
        failures.push(`${name}: ${message}`.slice(0, 600));
    }
  };
  const backend = await gpu({ mode });
  for (const [row, enough] of withOperations ? [...primitives, ...operations] : primitives) {
    if (only !== undefined && row.name !== only) continue;
    for (const dtype of row.dtypes) {
      const samples = anySamples({ ...row, dtypes: [dtype] }, backend);
      if (!samples) continue; // a dtype that is missing
      const before = passed;
      for (const sample of fc.sample(samples, { numRuns: 8, seed: 1 }).filter(isNormal))
        if (passed < before + enough)
          await attempt(`${row.name} ${dtype}`, () => compare(sample, row, backend), true);
      if (passed === before) nothing.push(`${row.name} ${dtype}`);
    }
  }
  setBackend(backend);
  for (const [name, holds] of Object.entries(structure))
    if (only === undefined || only === 'structure') await attempt(name, holds);
  if (only === undefined || only === 'contractions') await checkContractions(backend, attempt);
  if (only === undefined || only === 'fours') await checkFours(backend, attempt);
  return { device: backend.describe().device, passed, refused: nothing, failures };
}

/** @throws if the result is not the reference's, but for denormal numbers, which are 0. */
async function compare(sample: Sample, row: Row, backend: Backend): Promise<void> {
  const { f } = sample.form;
  const [got, want] = [await run(backend, f, sample.inputs), await run(yardstick, f, sample.inputs)];
  await expectEqual(got.map(flush), want.map(flush), row.error, sample);
}

const flush = (x: HostTensor): HostTensor => ({
  ...x,
  values: x.values.map((v) => (v !== 0 && Math.abs(v) < 2 ** -126 ? (v < 0 ? -0 : 0) : v)),
});

/** Whether no product of two of the numbers is denormal: devices flush those to zero on the way. */
const isNormal = ({ inputs }: Sample): boolean =>
  inputs.every(({ values }) => [...values].every((x) => x === 0 || !(Math.abs(x) < 2 ** -60)));
