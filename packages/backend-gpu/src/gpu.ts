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
import { type GpuJs, loadGpuJs, messageOf } from './gpujs.ts';
import { Kernels } from './kernels.ts';
import { gpuDtypes, maxElements, maxInteger } from './limits.ts';
import { Residents } from './resident.ts';
import { wasmMachine } from './wasm.ts';
import { webglDevice } from './webgl.ts';
import { webgpuDevice } from './webgpu.ts';

/**
 * How gpu.js runs kernels: `webgpu` and `webgl2` on a graphics processor, in browsers; `webasm` as WebAssembly SIMD on one
 * thread of the CPU, everywhere.
 */
export type GpuMode = 'webgpu' | 'webgl2' | 'webasm';

export interface GpuOptions {
  /** The mode. `'auto'`, the default, is `'webasm'`: the others are young and are to be asked for by name. */
  readonly mode?: GpuMode | 'auto' | undefined;
  /** Megabytes of values on the device, beyond which those used longest ago move to JavaScript's memory; default 1024. */
  readonly memoryMB?: number | undefined;
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
  const { mode, memoryMB } = checkOptions(options);
  const library = await loadGpuJs();
  return await start(library, mode === 'auto' ? 'webasm' : mode, memoryMB);
}

/** Whether a mode can be asked for; that it runs is seen when it does. */
const isThere: Record<GpuMode, () => boolean> = {
  webgpu: () => 'gpu' in (globalThis.navigator ?? {}),
  webgl2: () => 'WebGL2RenderingContext' in globalThis,
  webasm: () => true,
};

async function start(library: GpuJs, mode: GpuMode, memoryMB: number): Promise<GpuBackend> {
  if (!isThere[mode]())
    throw new BackendError(`gpu: there is no ${mode} here; leave the mode out, or use mode 'webasm'.`);
  try {
    return mode === 'webasm' ? onWasm(library) : await onDevice(library, mode, memoryMB);
  } catch (cause) {
    if (cause instanceof BackendError) throw cause;
    throw new BackendError(`gpu: gpu.js has no mode ${mode} here (${messageOf(cause)}).`, { cause });
  }
}

function describe(mode: GpuMode, device: string, most: number): GpuDescription {
  return Object.freeze({
    mode,
    device,
    library: 'gpu.js 2.24.1',
    dtypes: gpuDtypes,
    maxElements: most,
    maxInteger,
  });
}

function onWasm(library: GpuJs): GpuBackend {
  const mode = 'webasm';
  const kernels = new Kernels(new library.GPU({ mode }), mode);
  kernels.run(emit(probe), []);
  const description = describe(mode, 'one CPU thread, WebAssembly SIMD', maxElements);
  const machine = wasmMachine(kernels);
  return {
    name: `gpu(${mode})`,
    mode,
    dtypes: new Set(gpuDtypes),
    multipleOutputs: false,
    upload,
    download: async (buffer) => memoryOf(buffer).slice(),
    downloadSync: (buffer) => memoryOf(buffer).slice(),
    compile: (plan) => executable(plan, machine),
    describe: () => description,
  };
}

async function onDevice(library: GpuJs, mode: 'webgpu' | 'webgl2', memoryMB: number): Promise<GpuBackend> {
  const device = mode === 'webgpu' ? await webgpuDevice(library) : webglDevice(library);
  const answer = await device.read(device.run(emit(probe), []));
  if (answer[0] !== 1) throw new BackendError(`gpu: ${mode} computes ${answer[0]} for 1; use another mode.`);
  const residents = new Residents(device, memoryMB * 2 ** 20);
  const description = describe(mode, device.device, device.maxElements);
  return {
    name: `gpu(${mode})`,
    mode,
    dtypes: new Set(gpuDtypes),
    multipleOutputs: false,
    upload: (dtype, values) => residents.upload(dtype, values),
    download: (buffer) => residents.download(buffer),
    downloadSync: (buffer) => residents.downloadSync(buffer),
    compile: (plan) => executable(plan, residents),
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

function checkOptions(options: GpuOptions): { mode: GpuMode | 'auto'; memoryMB: number } {
  if (typeof options !== 'object' || options === null)
    throw new OptionError(
      `gpu: the options must be an object such as { mode: 'webasm' }, but are ${String(options)}.`,
    );
  for (const option of Object.keys(options))
    if (option !== 'mode' && option !== 'memoryMB')
      throw new OptionError(`gpu: there is no option ${option}; there are mode and memoryMB.`);
  const { mode = 'auto', memoryMB = 1024 } = options;
  if (mode !== 'auto' && !Object.hasOwn(isThere, mode))
    throw new OptionError(
      `gpu: mode is ${typeof mode === 'string' ? `'${String(mode)}'` : String(mode)}, but must be 'auto', 'webgpu', 'webgl2' or 'webasm'.`,
    );
  if (!(memoryMB > 0))
    throw new OptionError(`gpu: memoryMB must be a positive number, but is ${String(memoryMB)}.`);
  return { mode, memoryMB };
}
