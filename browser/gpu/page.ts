import './spy.ts'; // before anything holds a device
import type { GpuMode } from '@neumann/backend-gpu';
import { check } from './check.ts';
import { faults, startWork } from './faults.ts';
import { startSteps, takeSteps } from './life.ts';
import { afterFilling, fill, startFilling } from './memory.ts';
import { held } from './spy.ts';
import { waits } from './waits.ts';

let afterLoss = (): Promise<void> => Promise.reject(new Error('nothing was started'));

/** What is called from outside. */
const calls = {
  check,
  /** What went wrong with the faults that a page can make by itself. */
  async faults(mode: GpuMode): Promise<string[]> {
    const failures: string[] = [];
    for (const [name, holds] of Object.entries({ ...faults, ...waits }))
      await holds(mode).catch((error: unknown) => failures.push(`${name}: ${String(error)}`));
    return failures;
  },
  async startWork(mode: GpuMode, first: string): Promise<void> {
    afterLoss = await startWork(mode, first === 'a new program');
  },
  afterLoss: () => afterLoss(),
  startSteps,
  takeSteps,
  startFilling,
  fill,
  afterFilling,
  held: async () => held(),
};

export type Calls = typeof calls;

Object.assign(globalThis, { calls });
