import { OptionError } from '@neumann/core/backend';
import { availableThreads, MOST_THREADS } from './threads/pool.ts';

/** Options of {@link cpu}. */
export interface CpuOptions {
  /**
   * Budget of WebAssembly memory for tensors and scratch, in MB of 2^20 bytes, from 1 to 4000; 1024 by default. Tensors
   * beyond it move to ordinary JavaScript memory and back as they are used; so do those that have not been used for long,
   * before it is reached.
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
  /**
   * Threads that share the work, from 1 to 64; by default as many as there are cores for this process. Where threads
   * cannot share memory there is one.
   */
  readonly threads?: number;
  /**
   * Lets V8 turn pairs of 128-bit instructions into 256-bit ones, in Node 24 and newer: matrix products and
   * convolutions are up to twice as fast. An experimental flag of V8 for the whole process, which may compile wrongly or
   * crash; all WebAssembly that was compiled before stays as it is, so it comes before the first compilation. Off by default.
   */
  readonly revectorize?: boolean;
}

const MAX_MEMORY_MB = 4000;

/** Fills in defaults and refuses what is unknown or out of range. */
export function resolveOptions(options: CpuOptions): Required<CpuOptions> {
  const {
    memoryMB = 1024,
    relaxedSimd = 'auto',
    winograd = 'auto',
    threads = availableThreads(),
    revectorize = false,
  } = options;
  const resolved = { memoryMB, relaxedSimd, winograd, threads, revectorize };
  for (const name of Object.keys(options))
    if (!Object.hasOwn(resolved, name))
      throw new OptionError(
        `cpu: ${JSON.stringify(name)} is not an option; the options are ${Object.keys(resolved).join(', ')}.`,
      );
  checkInteger('memoryMB', memoryMB, MAX_MEMORY_MB);
  checkInteger('threads', threads, MOST_THREADS);
  if (relaxedSimd !== true && relaxedSimd !== false && relaxedSimd !== 'auto')
    throw new OptionError(`cpu: relaxedSimd is ${show(relaxedSimd)}; it must be true, false or 'auto'.`);
  if (winograd !== 'auto' && winograd !== false)
    throw new OptionError(`cpu: winograd is ${show(winograd)}; it must be 'auto' or false.`);
  if (revectorize !== true && revectorize !== false)
    throw new OptionError(`cpu: revectorize is ${show(revectorize)}; it must be true or false.`);
  return resolved;
}

function checkInteger(name: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new OptionError(`cpu: ${name} is ${show(value)}; it must be an integer from 1 to ${most}.`);
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
