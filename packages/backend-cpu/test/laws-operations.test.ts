import { cpu } from '@neumann/backend-cpu';
import { operationRows, runLaws } from '@neumann/testing';

runLaws(await cpu({ threads: 1 }), { rows: operationRows, runs: 0.3 });
