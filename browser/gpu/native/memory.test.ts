import process from 'node:process';
import { expect, test } from 'vitest';
import { afterFilling, fill, startFilling } from '../memory.ts';
import { mode } from '../mode.ts';
import { canLimit, limitMemory } from '../shortage.ts';

// WebGPU shares this process's memory, which may be what ends first.
test.runIf(mode === 'headlessgl' && canLimit)('memory that is used up takes nothing else along', async () => {
  await startFilling(mode);
  const lift = limitMemory(process.pid, 224); // three tensors, and half of one for all else
  const [right, refused] = await fill(16).finally(lift);
  expect(right).toBeGreaterThanOrEqual(2);
  expect(refused).toBe(1);
  expect(await afterFilling(mode)).toBe('the same');
});
