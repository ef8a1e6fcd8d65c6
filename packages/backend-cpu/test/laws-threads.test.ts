/** What kernels do, with two threads that share everything that can be shared, however small. */
import { laws, operationRows, primitiveRows, runFuzz, runLaws } from '@neumann/testing';
import { createCpu } from '../src/backend.ts';
import { noLimits } from '../src/emit/cost.ts';

const backend = await createCpu({ threads: 2 }, noLimits);
const named = (...names: string[]) => laws.filter(({ name }) => names.includes(name));

runLaws(backend, {
  rows: primitiveRows,
  laws: named('result ≡ reference', 'donated ≡ not donated'),
  runs: 0.2,
});
runLaws(backend, { rows: operationRows, laws: named('jit ≡ eager'), runs: 0.02 });
runFuzz(backend, { runs: 60 });
