/** This library: `node neumann.ts <threads> [wide]`. */
import process from 'node:process';
import { type CpuBackend, cpu, profile } from '@neumann/backend-cpu';
import { add, ones, setBackend } from '@neumann/core';
import { workloads } from '../programs/neumann.ts';
import { serve } from './serve.mjs';

const [threads, wide] = process.argv.slice(2);
const backend: CpuBackend = await cpu({
  threads: Number(threads),
  memoryMB: 3000,
  revectorize: wide === 'wide',
});
setBackend(backend);

await serve({
  peak: () => async () => {
    const small = ones([16]);
    return { answer: (await profile(() => add(small, small))).peak };
  },
  ...workloads,
});
