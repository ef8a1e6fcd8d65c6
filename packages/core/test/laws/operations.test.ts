import { operationRows, runLaws } from '@neumann/testing';
import { reference } from '../../src/reference/backend.ts';

runLaws(reference(), { rows: operationRows, runs: 0.5 });
