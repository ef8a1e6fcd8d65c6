/** Every primitive on every dtype, and where that was. */
import { gpu } from '@neumann/backend-gpu';
import { expect, test } from 'vitest';
import { primitiveRows } from '../../packages/testing/src/rows/primitives.ts';
import { mode } from './mode.ts';
import { compareRows } from './rows.ts';

const backend = await gpu({ mode });

test('the mode runs on a device', ({ task }) => {
  const { mode: ran, device } = backend.describe();
  task.meta.device = device;
  expect(ran).toBe(mode);
});

compareRows(backend, primitiveRows, 2);
