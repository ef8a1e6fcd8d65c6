import { type Backend, reference } from '@neumann/core/backend';
import { setBackend } from '@neumann/core';
import { type BackendName, UsageError } from './options.ts';

/** Loaded when they are asked for. */
const backends: Record<BackendName, () => Promise<Backend>> = {
  cpu: async () => (await import('@neumann/backend-cpu')).cpu(),
  reference: async () => reference(),
  gpu: async () => {
    const module: Record<string, unknown> = await import('@neumann/backend-gpu');
    if (typeof module['gpu'] !== 'function')
      throw new UsageError('--backend gpu is not yet available in this version; use cpu or reference');
    return (module['gpu'] as () => Promise<Backend>)();
  },
};

/** Makes new tensors live on a backend. */
export async function useBackend(name: BackendName): Promise<void> {
  setBackend(await backends[name]());
}
