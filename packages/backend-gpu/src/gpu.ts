import {
  type Backend,
  BackendError,
  constant,
  type DType,
  type Kernel,
  OptionError,
} from '@neumann/core/backend';
import { memoryOf, upload } from './buffer.ts';
import { emit } from './emit/emit.ts';
import { executable } from './executable.ts';
import { type Gpu, loadGpuJs, messageOf } from './gpujs.ts';
import { Kernels } from './kernels.ts';
import { gpuDtypes, maxElements, maxInteger } from './limits.ts';

/** How gpu.js runs kernels: `webasm` is WebAssembly SIMD on one thread of the CPU, without native code. */
export type GpuMode = 'webasm';

export interface GpuOptions {
  /** `'webasm'`, the only mode of this version. */
  readonly mode?: GpuMode | undefined;
}

/** What a {@link GpuBackend} runs on, and what it cannot do. */
export interface GpuDescription {
  readonly mode: GpuMode;
  /** Where kernels really run. */
  readonly device: string;
  readonly library: string;
  readonly dtypes: readonly DType[];
  /** Elements of the largest tensor. */
  readonly maxElements: number;
  /** int32 is exact from `-maxInteger` to `maxInteger`; what leaves this range is an error. */
  readonly maxInteger: number;
}

export interface GpuBackend extends Backend {
  readonly mode: GpuMode;
  describe(): GpuDescription;
}

/**
 * The gpu.js backend.
 *
 * It has float32, uint8, bool, and int32 up to ±(2^24 - 1); random keys are uint32, so they live on another backend.
 * A kernel that gpu.js cannot compute exactly is a `BackendError` when it is compiled, an integer beyond the range when
 * it appears; neither ever becomes a wrong number.
 *
 * @throws {OptionError} for an unknown option or mode.
 * @throws {BackendError} if gpu.js is not installed, or does not run in the mode.
 * @example
 * setBackend(await gpu());
 * (await gpu()).describe().device   // 'one CPU thread, WebAssembly SIMD'
 */
export async function gpu(options: GpuOptions = {}): Promise<GpuBackend> {
  const mode = checkOptions(options);
  const { GPU } = await loadGpuJs();
  let device: Gpu;
  try {
    device = new GPU({ mode });
  } catch (cause) {
    throw new BackendError(`gpu: gpu.js has no mode ${mode} here (${messageOf(cause)}).`, { cause });
  }
  const kernels = new Kernels(device, mode);
  kernels.run(emit(probe), []);
  const description = Object.freeze({
    mode,
    device: 'one CPU thread, WebAssembly SIMD',
    library: 'gpu.js 2.24.1',
    dtypes: gpuDtypes,
    maxElements,
    maxInteger,
  });
  return {
    name: `gpu(${mode})`,
    mode,
    dtypes: new Set(gpuDtypes),
    multipleOutputs: false,
    upload,
    download: async (buffer) => memoryOf(buffer).slice(),
    downloadSync: (buffer) => memoryOf(buffer).slice(),
    compile: (plan) => executable(plan, kernels),
    describe: () => description,
  };
}

/** Runs once at the start, so that a device that does not run in its mode is found there. */
const probe: Kernel = {
  name: 'probe',
  inputs: [],
  axes: [1],
  reduceAxes: [],
  reductions: [],
  outputs: [constant('float32', 1)],
};

function checkOptions(options: GpuOptions): GpuMode {
  if (typeof options !== 'object' || options === null)
    throw new OptionError(
      `gpu: the options must be an object such as { mode: 'webasm' }, but are ${String(options)}.`,
    );
  for (const option of Object.keys(options))
    if (option !== 'mode') throw new OptionError(`gpu: there is no option ${option}; the only one is mode.`);
  const mode: unknown = options.mode ?? 'webasm';
  if (mode !== 'webasm')
    throw new OptionError(
      `gpu: mode is ${typeof mode === 'string' ? `'${mode}'` : String(mode)}, but this version has only 'webasm' ` +
        `(WebAssembly on the CPU, through gpu.js).`,
    );
  return mode;
}
