/** This library in a mode of its gpu.js backend. */
import { type GpuMode, gpu } from '@neumann/backend-gpu';
import { add, ones, setBackend } from '@neumann/core';
import { workloads } from '../../programs/neumann.ts';
import type { PageSubject } from '../page.ts';

export async function subject(mode: string): Promise<PageSubject> {
  setBackend(await gpu({ mode: mode as GpuMode }));
  const small = ones([16]);
  return { workloads, finish: () => add(small, small).data() };
}
