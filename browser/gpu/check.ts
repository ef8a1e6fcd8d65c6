/** What runs in the browser: the backend in one mode, compared with the reference. */
import { type GpuMode, gpu } from '@neumann/backend-gpu';
import { BackendError, DTypeError } from '@neumann/core/backend';
import fc from 'fast-check';
import { laws } from '../../packages/testing/src/laws/laws.ts';
import { primitiveRows } from '../../packages/testing/src/rows/primitives.ts';
import { limits, refusal } from './limits.ts';

export interface Outcome {
  readonly device: string;
  /** How many things were right. */
  readonly passed: number;
  /** Rows that have no result here, and the reason that the backend gives. */
  readonly refused: readonly string[];
  /** What was wrong. */
  readonly failures: readonly string[];
}

/** Compares a mode with the reference, few samples for each primitive. */
export async function check(mode: GpuMode, only?: string): Promise<Outcome> {
  const failures: string[] = [];
  const refused = new Set<string>();
  let passed = 0;
  const attempt = async (name: string, row: string, holds: () => unknown): Promise<void> => {
    try {
      await holds();
      passed++;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if ((error instanceof BackendError || error instanceof DTypeError) && refusal.test(message))
        refused.add(row);
      else failures.push(`${name}: ${message}`.slice(0, 600));
    }
  };
  const backend = await gpu({ mode });
  const law = laws.find(({ name }) => name === 'result ≡ reference');
  for (const row of primitiveRows) {
    if (only !== undefined && row.name !== only) continue;
    const samples = law?.samples(row, backend);
    if (!law || !samples || limits.has(row.name)) continue;
    for (const sample of fc.sample(samples, { numRuns: 3, seed: 1 }).filter(isNormal))
      await attempt(`${law.name}: ${row.name}`, row.name, () => law.holds(sample, row, backend));
  }
  return { device: backend.describe().device, passed, refused: [...refused], failures };
}

/** Devices flush denormal numbers to zero; samples that hold one say nothing. */
function isNormal({
  inputs,
}: {
  readonly inputs: readonly { readonly values: Iterable<number> }[];
}): boolean {
  return inputs.every(({ values }) => [...values].every((x) => x === 0 || !(Math.abs(x) < 2 ** -126)));
}
