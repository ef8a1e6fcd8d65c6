/** What kernels do, with two threads that share everything that can be shared, however small. */
import { laws, operationRows, primitiveRows, runFuzz, runLaws } from '@neumann/testing';
import { createCpu } from '../src/backend.ts';

const backend = await createCpu({ threads: 2 }, 0);

const chosen = laws.filter(({ name }) =>
  ['result ≡ reference', 'jit ≡ eager', 'donated ≡ not donated'].includes(name),
);
runLaws(backend, { rows: [...primitiveRows, ...operationRows], laws: chosen, runs: 0.2 });
runFuzz(backend, { runs: 60 });
