/** Every operation on every dtype. */
import { gpu } from '@neumann/backend-gpu';
import { operationRows } from '../../packages/testing/src/rows/operations.ts';
import { mode } from './mode.ts';
import { compareRows } from './rows.ts';

compareRows(await gpu({ mode }), operationRows, 1);
