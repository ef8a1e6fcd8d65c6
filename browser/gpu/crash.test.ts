/** The whole process of the devices dies, of which the page is told later than it asks; or it gets no more memory. */
import { gpu } from '@neumann/backend-gpu';
import { describe, expect, test } from 'vitest';
import { commands } from 'vitest/browser';
import { startWork } from './loss.ts';
import { afterFilling, fill, startFilling } from './memory.ts';

declare module 'vitest/browser' {
  interface BrowserCommands {
    crashGpuProcess(): Promise<void>;
    /** @returns whether that can be had here. */
    limitGpuProcess(): Promise<boolean>;
    liftLimit(): Promise<void>;
  }
}

describe.each(['webgl2', 'webgpu'] as const)('after a crash of %s', (mode) => {
  test.each([
    ['a read', false],
    ['a new program', true],
  ])('%s is an error, and a new backend works', async (_, newProgram) => {
    const checkLoss = await startWork(mode, newProgram);
    await commands.crashGpuProcess();
    await checkLoss();
  });
});

describe.each(['webgl2', 'webgpu'] as const)('in 224 MB of %s', (mode) => {
  test('tensors of 64 MB are right or errors, and work goes on', async ({ skip }) => {
    const { device } = (await gpu({ mode })).describe();
    skip(!/swiftshader/i.test(device), 'its memory is not that of a process');
    await startFilling(mode);
    skip(!(await commands.limitGpuProcess()), 'prlimit is missing');
    const filled = await fill(16).catch((error: unknown) => error);
    await commands.liftLimit();
    expect(filled).toEqual([expect.any(Number), expect.any(Number)]);
    expect(filled).not.toHaveProperty('1', 0); // none refused
    await afterFilling(mode);
  });
});
