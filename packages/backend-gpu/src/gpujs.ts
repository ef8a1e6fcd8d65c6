/**
 * The part of gpu.js 2.24.1 that this package uses. Its own declarations need the DOM and lack several settings.
 */
import { BackendError, type TypedArray } from '@neumann/core/backend';
import type { Emitted } from './emit/emit.ts';

interface GpuJs {
  readonly GPU: new (settings: { readonly mode: string }) => Gpu;
}

export interface Gpu {
  createKernel(source: string, settings: KernelSettings): KernelRun;
}

export interface KernelRun {
  (...inputs: readonly TypedArray[]): unknown;
  /** The kernel that ran last: gpu.js replaces it when it falls back to another mode. */
  readonly kernel: {
    readonly constructor: { readonly mode?: string };
    readonly fallbackReason?: string | null;
  };
  destroy(): void;
}

interface KernelSettings {
  readonly output: readonly [size: number];
  readonly constants: Readonly<Record<string, TypedArray>>;
  readonly functions: readonly {
    readonly source: string;
    readonly settings: { readonly argumentTypes: readonly string[]; readonly returnType: string };
  }[];
  /** A loop whose bound is not a literal stops here without a word; the default is 1000. */
  readonly loopMaxIterations: number;
  readonly immutable: boolean;
  readonly precision: 'single';
  readonly tactic: 'precision';
}

/** @throws {BackendError} if gpu.js is not installed. */
export async function loadGpuJs(): Promise<GpuJs> {
  try {
    const loaded: unknown = await import('gpu.js');
    return loaded as GpuJs; // see the top of this file
  } catch (cause) {
    throw new BackendError(
      `gpu: the package gpu.js could not be loaded (${messageOf(cause)}); install it with npm install gpu.js@2.24.1.`,
      { cause },
    );
  }
}

/** Compiles with gpu.js; it translates at the first call. */
export function createKernel(gpu: Gpu, { source, size, constants, functions }: Emitted): KernelRun {
  return gpu.createKernel(source, {
    output: [size],
    constants,
    functions: functions.map(({ source, arity }) => ({
      source,
      settings: { argumentTypes: new Array<string>(arity).fill('Number'), returnType: 'Number' },
    })),
    loopMaxIterations: 2 ** 30,
    immutable: true,
    precision: 'single',
    tactic: 'precision',
  });
}

/**
 * gpu.js falls back to plain JavaScript, in float64 and with other rules, when it cannot run a kernel as asked.
 * @throws {BackendError} if it did.
 */
export function assertMode(name: string, run: KernelRun, mode: string): void {
  const { kernel } = run;
  const ran = kernel.constructor.mode;
  if (ran === mode && !kernel.fallbackReason) return;
  throw new BackendError(
    `gpu: kernel ${name} was to run in mode ${mode}, but gpu.js ran it in mode ${ran}` +
      `${kernel.fallbackReason ? ` (${kernel.fallbackReason})` : ''}; its results were dropped. Use another backend.`,
  );
}

export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
