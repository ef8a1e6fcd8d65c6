import { BackendError, DTypeError } from '@neumann/core/backend';
import { laws, operationRows, primitiveRows, runLaws } from '@neumann/testing';
import { gpu } from '../src/index.ts';

/** Why a sample may have no result here: an integer beyond 2^24, or a word or dtype that is missing. */
const refusal = /^gpu: .* (is exact only up to|cannot compute exactly)|^gpu\(webasm\): has no float64/;

/** The laws for results of kernels. A result that cannot be exact is an error that says so, never another number. */
runLaws(await gpu({ mode: 'webasm' }), {
  rows: [...primitiveRows, ...operationRows.map((row) => ({ ...row, runs: 0.1 * (row.runs ?? 1) }))],
  laws: laws
    .filter(({ name }) => name === 'result ≡ reference')
    .map((law) => ({
      ...law,
      holds: async (sample, row, backend) => {
        try {
          await law.holds(sample, row, backend);
        } catch (error) {
          const refused = error instanceof BackendError || error instanceof DTypeError;
          if (!refused || !refusal.test(error.message)) throw error;
        }
      },
    })),
  runs: 0.4, // compiling takes the time: a few milliseconds for each sample
});
