import { getBackend, setBackend } from '@neumann/core';
import { reference } from '@neumann/core/backend';

/**
 * Draws random numbers. Their keys are 32-bit integers, which backends that compute in float32 have not: there they come
 * from the reference backend, and tensors made of them are copied where they meet others.
 */
export async function draw<T>(f: () => T | Promise<T>): Promise<T> {
  const backend = getBackend();
  if (backend.dtypes.has('uint32')) return f();
  setBackend(reference());
  try {
    return await f();
  } finally {
    setBackend(backend);
  }
}
