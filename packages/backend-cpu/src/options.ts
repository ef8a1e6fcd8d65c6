import { OptionError } from '@neumann/core/backend';

/** Options of {@link cpu}. */
export interface CpuOptions {
  /**
   * Budget of WebAssembly memory for tensors and scratch, in MB of 2^20 bytes, from 1 to 4000; 1024 by default. Tensors
   * beyond it move to ordinary JavaScript memory and back as they are used.
   */
  readonly memoryMB?: number;
  /**
   * Fused multiply-add instructions: faster, and their results differ in the last bits between processors that have
   * them and those that have not. `'auto'` (the default) uses them where the engine has them.
   */
  readonly relaxedSimd?: boolean | 'auto';
}

const MAX_MEMORY_MB = 4000;

/** Fills in defaults and refuses what is unknown or out of range. */
export function resolveOptions(options: CpuOptions): Required<CpuOptions> {
  for (const name of Object.keys(options))
    if (name !== 'memoryMB' && name !== 'relaxedSimd')
      throw new OptionError(
        `cpu: ${JSON.stringify(name)} is not an option; the options are memoryMB and relaxedSimd.`,
      );
  const { memoryMB = 1024, relaxedSimd = 'auto' } = options;
  if (!Number.isInteger(memoryMB) || memoryMB < 1 || memoryMB > MAX_MEMORY_MB)
    throw new OptionError(
      `cpu: memoryMB is ${show(memoryMB)}; it must be an integer from 1 to ${MAX_MEMORY_MB}.`,
    );
  if (relaxedSimd !== true && relaxedSimd !== false && relaxedSimd !== 'auto')
    throw new OptionError(`cpu: relaxedSimd is ${show(relaxedSimd)}; it must be true, false or 'auto'.`);
  return { memoryMB, relaxedSimd };
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
