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
  /**
   * Winograd's algorithm for 3×3 convolutions with stride 1: about twice as fast, with errors about ten times those of a
   * plain sum (still around 1e-5 of the largest result). `'auto'` (the default) uses it where it is faster; `false`
   * never.
   */
  readonly winograd?: 'auto' | false;
}

const MAX_MEMORY_MB = 4000;

/** Fills in defaults and refuses what is unknown or out of range. */
export function resolveOptions(options: CpuOptions): Required<CpuOptions> {
  for (const name of Object.keys(options))
    if (name !== 'memoryMB' && name !== 'relaxedSimd' && name !== 'winograd')
      throw new OptionError(
        `cpu: ${JSON.stringify(name)} is not an option; the options are memoryMB, relaxedSimd and winograd.`,
      );
  const { memoryMB = 1024, relaxedSimd = 'auto', winograd = 'auto' } = options;
  if (!Number.isInteger(memoryMB) || memoryMB < 1 || memoryMB > MAX_MEMORY_MB)
    throw new OptionError(
      `cpu: memoryMB is ${show(memoryMB)}; it must be an integer from 1 to ${MAX_MEMORY_MB}.`,
    );
  if (relaxedSimd !== true && relaxedSimd !== false && relaxedSimd !== 'auto')
    throw new OptionError(`cpu: relaxedSimd is ${show(relaxedSimd)}; it must be true, false or 'auto'.`);
  if (winograd !== 'auto' && winograd !== false)
    throw new OptionError(`cpu: winograd is ${show(winograd)}; it must be 'auto' or false.`);
  return { memoryMB, relaxedSimd, winograd };
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
