import { cpu } from '@neumann/backend-cpu';
import { operationRows, primitiveRows, runLaws } from '@neumann/testing';

const backend = await cpu();

runLaws(backend, { rows: primitiveRows });
runLaws(backend, { rows: operationRows, runs: 0.3 });
