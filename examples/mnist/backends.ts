import { setBackend } from '@neumann/core';
import { type Backend, reference } from '@neumann/core/backend';
import type { BackendName } from './options.ts';

/** Loaded when they are asked for. */
const backends: Record<BackendName, () => Promise<Backend>> = {
  cpu: async () => (await import('@neumann/backend-cpu')).cpu(),
  reference: async () => reference(),
  gpu: async () => (await import('@neumann/backend-gpu')).gpu(),
};

/** Makes new tensors live on a backend. */
export async function useBackend(name: BackendName): Promise<void> {
  setBackend(await backends[name]());
}
