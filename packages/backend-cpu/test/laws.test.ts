import { cpu } from '@neumann/backend-cpu';
import { operationRows, primitiveRows, runLaws } from '@neumann/testing';

const backend = await cpu({ threads: 1 });

runLaws(backend, { rows: primitiveRows });
runLaws(backend, { rows: operationRows, runs: 0.3 });
