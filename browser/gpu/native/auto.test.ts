import { gpu } from '@neumann/backend-gpu';
import { expect, test } from 'vitest';
import { mode } from '../mode.ts';

test("'auto' finds the mode", async () => {
  const found = await gpu();
  expect(found.mode, JSON.stringify(found.describe())).toBe(mode);
});
