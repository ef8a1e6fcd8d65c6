/** The mode of backend-gpu that a project tests. */
import type { GpuMode } from '@neumann/backend-gpu';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    mode: GpuMode;
  }
  interface TaskMeta {
    /** Where the mode ran. */
    device?: string;
  }
}

export const mode = inject('mode');
