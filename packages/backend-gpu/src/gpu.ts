import {
  type Backend,
  BackendError,
  constant,
  type DType,
  type Kernel,
  OptionError,
} from '@neumann/core/backend';
import { memoryOf, upload } from './buffer.ts';
import type { Device } from './device.ts';
import { emit } from './emit/emit.ts';
import { executable } from './executable.ts';
import { type GpuJs, loadGpuJs, messageOf } from './gpujs.ts';
import { headlessDevice } from './headless.ts';
import { Kernels } from './kernels.ts';
import { gpuDtypes, maxElements, maxInteger } from './limits.ts';
import { Residents } from './resident.ts';
import { wasmMachine } from './wasm.ts';
import { webglDevice } from './webgl.ts';
import { webgpuDevice } from './webgpu.ts';

/**
 * How gpu.js runs kernels. On a graphics processor: `webgpu` where there is a `navigator.gpu`, `webgl2` in browsers,
 * `headlessgl` with the package `gl` outside of them. Everywhere: `webasm`, WebAssembly SIMD on one thread of the CPU.
 */
export type GpuMode = 'webgpu' | 'webgl2' | 'headlessgl' | 'webasm';

/** In the order in which `'auto'` tries them. */
const modes: readonly GpuMode[] = ['webgpu', 'webgl2', 'headlessgl', 'webasm'];

export interface GpuOptions {
  /**
   * The mode. `'auto'`, the default, is the first of `webgpu`, `webgl2`, `headlessgl` and `webasm` that runs here. WebGPU gives
   * values only to those who wait: a program that calls `dataSync()` asks for another mode by name.
   */
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
  /** Of every number in a kernel. */
  readonly precision: 'float32';
  /** Whether numbers below 2^-126 are kept; if not, they may be 0. */
  readonly denormals: boolean;
  /** Whether values can be had without waiting: `dataSync()`. */
  readonly sync: boolean;
  /** Elements of the largest tensor. */
  readonly maxElements: number;
  /** int32 is exact from `-maxInteger` to `maxInteger`; what leaves this range is an error. */
  readonly maxInteger: number;
  /** The modes that `'auto'` tried before, and why they do not run here. */
  readonly passedOver: Readonly<Partial<Record<GpuMode, string>>>;
}

export interface GpuBackend extends Backend {
  readonly mode: GpuMode;
  describe(): GpuDescription;
}

/**
 * The gpu.js backend.
 *
 * It has float32, uint32, uint8, bool, and int32 up to ±(2^24 - 1).
 * A kernel that gpu.js cannot compute exactly is a `BackendError` when it is compiled, an integer beyond the range when
 * it appears; neither ever becomes a wrong number. A device that was lost, or that refused a command, is a `BackendError`
 * when something is run or read.
 *
 * @throws {OptionError} for an unknown option or mode.
 * @throws {BackendError} if gpu.js is not installed, or does not run in the mode.
 * @example
 * setBackend(await gpu({ mode: 'webasm' }));
 * (await gpu({ mode: 'webasm' })).describe().device   // 'one CPU thread, WebAssembly SIMD'
 */
export async function gpu(options: GpuOptions = {}): Promise<GpuBackend> {
  const { mode, memoryMB } = checkOptions(options);
  const library = await loadGpuJs();
  if (mode !== 'auto') return await start(library, mode, memoryMB, {});
  const passedOver: Partial<Record<GpuMode, string>> = {};
  for (const candidate of modes.slice(0, -1))
    try {
      return await start(library, candidate, memoryMB, passedOver);
    } catch (cause) {
      if (!(cause instanceof BackendError)) throw cause;
      passedOver[candidate] = cause.message;
    }
  return await start(library, 'webasm', memoryMB, passedOver);
}

type Parts = Omit<Backend, 'name' | 'dtypes' | 'multipleOutputs'> &
  Pick<GpuDescription, 'device' | 'denormals' | 'sync' | 'maxElements'>;

const partsOf: Record<GpuMode, (library: GpuJs, memoryMB: number) => Promise<Parts>> = {
  webgpu: async (library, memoryMB) => onDevice(await webgpuDevice(library), memoryMB),
  webgl2: async (library, memoryMB) => onDevice(webglDevice(library), memoryMB),
  headlessgl: async (library, memoryMB) => onDevice(await headlessDevice(library), memoryMB),
  webasm: onWasm,
};

async function start(
  library: GpuJs,
  mode: GpuMode,
  memoryMB: number,
  passedOver: GpuDescription['passedOver'],
): Promise<GpuBackend> {
  const { device, denormals, sync, maxElements, ...methods } = await partsOf[mode](library, memoryMB).catch(
    (cause: unknown) => {
      if (cause instanceof BackendError) throw cause;
      throw new BackendError(`gpu: gpu.js has no mode ${mode} here (${messageOf(cause)}).`, { cause });
    },
  );
  const description: GpuDescription = Object.freeze({
    mode,
    device,
    library: 'gpu.js 2.24.1',
    dtypes: gpuDtypes,
    precision: 'float32',
    denormals,
    sync,
    maxElements,
    maxInteger,
    passedOver,
  });
  return {
    name: `gpu(${mode})`,
    mode,
    dtypes: new Set(gpuDtypes),
    multipleOutputs: false,
    ...methods,
    describe: () => description,
  };
}

async function onWasm(library: GpuJs): Promise<Parts> {
  const mode = 'webasm';
  const kernels = new Kernels(new library.GPU({ mode }), mode);
  kernels.run(emit(probe), []);
  const machine = wasmMachine(kernels);
  return {
    device: 'one CPU thread, WebAssembly SIMD',
    denormals: true,
    sync: true,
    maxElements,
    upload,
    download: async (buffer) => memoryOf(buffer).slice(),
    downloadSync: (buffer) => memoryOf(buffer).slice(),
    compile: (plan) => executable(plan, machine),
  };
}

async function onDevice(device: Device, memoryMB: number): Promise<Parts> {
  const answer = await device.read(device.run(emit(probe), []));
  if (answer[0] !== 1)
    throw new BackendError(`gpu: ${device.device} computes ${answer[0]} for 1; use another mode.`);
  const residents = new Residents(device, memoryMB * 2 ** 20);
  return {
    device: device.device,
    denormals: false,
    sync: device.readSync !== undefined,
    maxElements: device.maxElements,
    upload: (dtype, values) => residents.upload(dtype, values),
    download: (buffer) => residents.download(buffer),
    downloadSync: (buffer) => residents.downloadSync(buffer),
    compile: (plan) => executable(plan, residents),
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
  if (mode !== 'auto' && !modes.includes(mode))
    throw new OptionError(
      `gpu: mode is ${typeof mode === 'string' ? `'${String(mode)}'` : String(mode)}, but must be 'auto', ` +
        `${modes
          .map((name) => `'${name}'`)
          .join(', ')
          .replace(/, (?='webasm')/, ' or ')}.`,
    );
  if (!(memoryMB > 0))
    throw new OptionError(`gpu: memoryMB must be a positive number, but is ${String(memoryMB)}.`);
  return { mode, memoryMB };
}
