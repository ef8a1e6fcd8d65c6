/** Rows compared with the reference, dtype by dtype, on a backend that refuses what would not be exact. */
import { type Backend, BackendError, DTypeError } from '@neumann/core/backend';
import fc from 'fast-check';
import type { HostTensor } from '../../packages/testing/src/host.ts';
import { law } from '../../packages/testing/src/law.ts';
import { anySamples, expectEqual, run, yardstick } from '../../packages/testing/src/laws/common.ts';
import type { Row, Sample } from '../../packages/testing/src/row.ts';

/** A law for each row and dtype that gives `runs` results. */
export function compareRows(backend: Backend, rows: readonly Row[], runs: number): void {
  for (const row of rows)
    for (const dtype of row.dtypes) {
      const name = `${row.name} ${dtype}`;
      const samples = anySamples({ ...row, dtypes: [dtype] }, backend)?.filter(isNormal);
      if (!samples) continue; // a dtype that is missing
      const holds = (sample: Sample): Promise<void> => compare(sample, row, backend, mostlyRefused.has(name));
      law(`${name} ≡ reference`, samples, holds, { runs });
    }
}

/** What has no exact result for most of its values, but an error that says so. */
const mostlyRefused = new Set(['gcd int32', 'gcd uint32', 'lcm int32', 'lcm uint32', 'nextAfter float32']);

/** Why a sample may have no result on a device: integers beyond 2^24, missing words and dtypes. */
const refusal = /^gpu: .* (is exact only up to|cannot compute exactly)|^gpu\(\w+\): has no float64/;

/** @throws if the result is not the reference's, but for denormal numbers, which are 0. */
async function compare(sample: Sample, row: Row, backend: Backend, mayRefuse: boolean): Promise<void> {
  const { f } = sample.form;
  let got: HostTensor[];
  try {
    got = await run(backend, f, sample.inputs);
  } catch (error) {
    const refused = error instanceof BackendError || error instanceof DTypeError;
    if (!refused || !refusal.test(error.message)) throw error;
    fc.pre(mayRefuse); // or another sample is drawn
    return;
  }
  const want = await run(yardstick, f, sample.inputs);
  await expectEqual(got.map(flush), want.map(flush), row.error, sample);
}

function flush(x: HostTensor): HostTensor {
  return {
    ...x,
    values: x.values.map((v) => (v !== 0 && Math.abs(v) < 2 ** -126 ? (v < 0 ? -0 : 0) : v)),
  };
}

/** Whether no product of two of the numbers is denormal: devices flush those to zero on the way. */
function isNormal({ inputs }: Sample): boolean {
  return inputs.every(({ values }) => [...values].every((x) => x === 0 || !(Math.abs(x) < 2 ** -60)));
}
