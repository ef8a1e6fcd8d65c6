/** A device whose values arrive later, like those of WebGPU, with programs that run as WebAssembly. */
import type { Backend, TypedArray } from '@neumann/core/backend';
import type { Device, Handle } from '../src/device.ts';
import { executable } from '../src/executable.ts';
import { loadGpuJs } from '../src/gpujs.ts';
import { Kernels } from '../src/kernels.ts';
import { gpuDtypes, maxElements } from '../src/limits.ts';
import { Residents } from '../src/resident.ts';

interface Late extends Handle {
  floats: Float32Array | undefined;
}

const library = await loadGpuJs();

/** Programs that `lateBackend`s have in common, so that tests compile each once. */
const kernels = new Kernels(new library.GPU({ mode: 'webasm' }), 'webasm');

export interface LateBackend extends Backend {
  /** What lies on the device, the most that did, how often something was read from it, and how many programs ran. */
  readonly count: { alive: number; most: number; reads: number; runs: number };
  readonly residents: Residents;
}

/** Memory that was freed cannot be used, and a reading that `fails` rejects. */
export function lateBackend({
  maxInputs = 6,
  maxBytes = 2 ** 30,
  fails = () => undefined,
}: {
  readonly maxInputs?: number;
  readonly maxBytes?: number;
  readonly fails?: () => Error | undefined;
} = {}): LateBackend {
  const count = { alive: 0, most: 0, reads: 0, runs: 0 };
  const held = (handle: Handle): Float32Array => {
    const { floats } = handle as Late;
    if (!floats) throw new Error('memory was used after it was freed');
    return floats;
  };
  const keep = (floats: Float32Array): Late => {
    count.alive++;
    count.most = Math.max(count.most, count.alive);
    return { size: floats.length, floats };
  };
  const device: Device = {
    dialect: 'exact',
    contractionGain: undefined,
    device: 'a device that answers late',
    maxInputs,
    maxElements,
    check: () => undefined,
    usable: () => true,
    upload: (values) => keep(values.slice()),
    run(program, handles) {
      if (handles.length > maxInputs) throw new Error(`${program.name} reads ${handles.length} arrays`);
      count.runs++;
      const operands: TypedArray[] = [];
      for (const [i, { input }] of program.inputs.entries()) operands[input] = held(handles[i] as Handle);
      return keep(kernels.run(program, operands).slice());
    },
    async read(handle) {
      count.reads++;
      const floats = held(handle).slice();
      await new Promise((resolve) => setTimeout(resolve));
      const error = fails();
      if (error) throw error;
      return floats;
    },
    free(handle) {
      held(handle);
      (handle as Late).floats = undefined;
      count.alive--;
    },
  };
  const residents = new Residents(device, maxBytes);
  return {
    name: 'late',
    dtypes: new Set(gpuDtypes),
    multipleOutputs: false,
    upload: (dtype, values) => residents.upload(dtype, values),
    download: (buffer) => residents.download(buffer),
    downloadSync: (buffer) => residents.downloadSync(buffer),
    compile: (plan) => executable(plan, residents),
    count,
    residents,
  };
}
