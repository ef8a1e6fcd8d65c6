import { setBackend } from '@neumann/core';
import { type Backend, reference } from '@neumann/core/backend';
import { UsageError } from '../shared/command.ts';
import type { BackendName } from './options.ts';

/** Loaded when they are asked for. */
const backends: Record<BackendName, () => Promise<Backend>> = {
  cpu: async () => (await import('@neumann/backend-cpu')).cpu(),
  reference: async () => reference(),
  gpu: async () => (await import('@neumann/backend-gpu')).gpu(),
};

/**
 * Makes new tensors live on a backend.
 * @throws {UsageError} for one without the integers that random numbers are made of.
 */
export async function useBackend(name: BackendName): Promise<void> {
  const backend = await backends[name]();
  if (!backend.dtypes.has('uint32'))
    throw new UsageError(
      `--backend ${name} cannot run this example yet: it has no uint32 for random numbers; use cpu`,
    );
  setBackend(backend);
}
