import { BackendError, InternalError, type Load } from '@neumann/core/backend';
import { type Device, type Handle, lostError, type Numbered, Refusals } from './device.ts';
import type { Emitted } from './emit/emit.ts';
import { type WgslProgram, wgslOf } from './emit/wgsl.ts';
import { special } from './emit/words.ts';
import { type Gpu, type GpuContext, type GpuJs, messageOf, type WebGpuBuffer } from './gpujs.ts';
import { maxElements } from './limits.ts';
import { Programs } from './programs.ts';
import type { Contraction } from './routines/contraction.ts';
import {
  type Place as ContractionPlace,
  workgroup as contractionGroup,
  launchesOf,
  maxGroups,
} from './routines/wgsl.ts';

// The numbers of GPUBufferUsage and GPUMapMode, fixed by the standard.
const usage = { mapRead: 0x1, copySource: 0x4, copyTarget: 0x8, uniform: 0x40, storage: 0x80 };

/** So many are told to the device at once, or those of one turn: telling takes longer than launching. */
const maxLaunches = 128;

class GpuMemory implements Numbered {
  readonly size: number;
  readonly number: number;
  readonly buffer: WebGpuBuffer;

  constructor(size: number, number: number, buffer: WebGpuBuffer) {
    this.size = size;
    this.number = number;
    this.buffer = buffer;
  }
}

interface Launch {
  readonly pipeline: unknown;
  readonly layout: unknown;
  /** What it is bound to, in order: memory of its own, or that of a place. */
  readonly bound: readonly (WebGpuBuffer | Place)[];
  readonly groups: readonly [x: number, y: number];
}

interface Bound extends Pick<Launch, 'pipeline' | 'layout' | 'groups'> {
  readonly buffers: readonly (WebGpuBuffer | undefined)[];
}

/** Memory that a run brings along. */
type Place = number | ContractionPlace;

interface Compiled {
  readonly launches: readonly Launch[];
  /** Elements of the places that are only used meanwhile. */
  readonly scratch: readonly (readonly [Place, number])[];
}

/**
 * Programs that gpu.js translates to WGSL, launched on its device from here: nothing waits but the reading of values,
 * and memory is used again.
 */
export async function webgpuDevice(library: GpuJs): Promise<Device> {
  if (!('gpu' in (globalThis.navigator ?? {})))
    throw new BackendError(
      'gpu: there is no navigator.gpu here. Browsers have it on secure pages; in Node the package webgpu gives it: ' +
        'Object.assign(globalThis, globals), and Object.assign(navigator, { gpu: create([]) }).',
    );
  const gpu = new library.GPU({ mode: 'webgpu' });
  const context = await library.WebGPUContext.acquire();
  const device = new WebGpu(gpu, context);
  if (await device.answers()) return device;
  await context.device.lost; // then gpu.js forgets it
  return new WebGpu(gpu, await library.WebGPUContext.acquire());
}

class WebGpu implements Device {
  readonly dialect = 'device';
  readonly contractionGain = 3;
  readonly device: string;
  readonly maxInputs: number;
  readonly maxElements: number;
  readonly #gpu: Gpu;
  readonly #context: GpuContext;
  readonly #programs = new Programs<Compiled>(
    (program) => this.#compile(program),
    ({ launches }) => {
      this.#submit();
      for (const place of launches.flatMap(({ bound }) => bound))
        if (typeof place === 'object') place.destroy();
    },
  );
  /** Memory that nobody uses, by bytes. */
  readonly #free = new Map<number, WebGpuBuffer[]>();
  #freeBytes = 0;
  readonly #refusals = new Refusals();
  /** What the device is told next, all at once, and the number of the first result. */
  #launches: Bound[] = [];
  #first = 0;
  #lost = false;
  /** Settles when the device has judged all that it was told. */
  #judged: Promise<void> = Promise.resolve();

  constructor(gpu: Gpu, context: GpuContext) {
    this.#gpu = gpu;
    this.#context = context;
    const { info } = context.adapter;
    this.device = `WebGPU${info ? ` (${info.vendor} ${info.architecture})` : ''}`;
    const { limits } = context.device;
    this.maxInputs = (limits['maxStorageBuffersPerShaderStage'] as number) - 1; // one is the result
    this.maxElements = Math.min(maxElements, (limits['maxStorageBufferBindingSize'] as number) / 4);
  }

  /** Whether it was not lost in this moment, of which we are told late. */
  async answers(): Promise<boolean> {
    const number = this.upload(Float32Array.of(1));
    try {
      await this.read(number);
    } catch (cause) {
      if (!this.#lost) throw cause;
    }
    this.free(number);
    return !this.#lost;
  }

  usable(handle: Handle): boolean {
    return !this.#refusals.has(handle as GpuMemory);
  }

  check(): void {
    this.#lost ||= this.#context.isLost;
    if (this.#lost) throw lostError('WebGPU device');
  }

  upload(values: Float32Array): Handle {
    this.check();
    const memory = this.#allocate(values.length);
    this.#submit(); // which may still use the memory
    this.#watch(memory.number, () => this.#context.device.queue.writeBuffer(memory.buffer, 0, values));
    return memory;
  }

  run(program: Emitted, inputs: readonly Handle[]): Handle {
    this.check();
    for (const input of inputs) this.#refusals.check(input as GpuMemory);
    const { launches, scratch } = this.#programs.find(program);
    const result = this.#allocate(program.size);
    const places = new Map<Place, GpuMemory>([['result', result]]);
    for (const [i, input] of inputs.entries()) places.set(i, input as GpuMemory);
    const meanwhile = scratch.map(([place, size]) => [place, this.#allocate(size)] as const);
    for (const [place, memory] of meanwhile) places.set(place, memory);
    if (this.#launches.length === 0) {
      this.#first = result.number;
      queueMicrotask(() => this.#submit());
    }
    for (const { bound, ...launch } of launches) {
      const buffers = bound.map((place) => (typeof place === 'object' ? place : places.get(place)?.buffer));
      this.#launches.push({ ...launch, buffers });
    }
    for (const [, memory] of meanwhile) this.free(memory); // whoever takes it comes later
    if (this.#launches.length >= maxLaunches) this.#submit();
    return result;
  }

  #submit(): void {
    const launches = this.#launches;
    if (launches.length === 0) return;
    this.#launches = [];
    const { device } = this.#context;
    this.#watch(this.#first, () => {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (const { pipeline, layout, buffers, groups } of launches) {
        const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
        pass.dispatchWorkgroups(...groups);
      }
      pass.end();
      device.queue.submit([encoder.finish()]);
    });
  }

  async read(handle: Handle): Promise<Float32Array> {
    this.check();
    const { device } = this.#context;
    const { buffer, size } = handle as GpuMemory;
    const bytes = 4 * Math.max(1, size);
    this.#submit();
    const number = this.#refusals.number();
    const staging = this.#watch(number, () => {
      const copy = device.createBuffer({ size: bytes, usage: usage.mapRead | usage.copyTarget });
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(buffer, 0, copy, 0, bytes);
      device.queue.submit([encoder.finish()]);
      return new GpuMemory(size, number, copy);
    });
    const judged = this.#judged;
    const mapped = staging.buffer.mapAsync(1).then(
      () => true,
      () => false,
    );
    await judged;
    try {
      const isMapped = await mapped;
      this.check();
      for (const part of [handle as GpuMemory, staging]) this.#refusals.check(part);
      this.#lost = !isMapped; // what was not refused can be read; that the device is lost may be announced later
      this.check();
      return new Float32Array(staging.buffer.getMappedRange()).slice(0, size);
    } finally {
      staging.buffer.destroy();
    }
  }

  free(handle: Handle): void {
    const { buffer } = handle as GpuMemory;
    if (this.#refusals.has(handle as GpuMemory) || this.#freeBytes + buffer.size > 2 ** 28) {
      this.#submit();
      buffer.destroy();
      return;
    }
    const alike = this.#free.get(buffer.size) ?? [];
    this.#free.set(buffer.size, alike);
    alike.push(buffer);
    this.#freeBytes += buffer.size;
  }

  #allocate(size: number): GpuMemory {
    const bytes = Math.max(256, 2 ** Math.ceil(Math.log2(4 * Math.max(1, size))));
    const known = this.#free.get(bytes)?.pop();
    if (known) this.#freeBytes -= bytes;
    const number = this.#refusals.number();
    const make = (): WebGpuBuffer =>
      this.#context.device.createBuffer({
        size: bytes,
        usage: usage.storage | usage.copySource | usage.copyTarget,
      });
    return new GpuMemory(size, number, known ?? this.#watch(number, make));
  }

  /** Does something for the handle of this number, and those after it, that the device may refuse later. */
  #watch<T>(number: number, f: () => T): T {
    const { device } = this.#context;
    for (const kind of ['validation', 'out-of-memory', 'internal'] as const) device.pushErrorScope(kind);
    try {
      return f();
    } finally {
      const answers = [device.popErrorScope(), device.popErrorScope(), device.popErrorScope()];
      this.#judged = Promise.all([this.#judged, ...answers]).then(
        ([, ...errors]) => {
          const error = errors.find((answer) => answer);
          if (error) this.#refuse(number, error.message);
        },
        () => {
          this.#lost = true; // nobody is there to answer
        },
      );
    }
  }

  #refuse(number: number, why: string): void {
    this.#submit();
    this.#refusals.add(number, why);
    this.#programs.clear();
    for (const buffer of [...this.#free.values()].flat()) buffer.destroy();
    this.#free.clear();
    this.#freeBytes = 0;
  }

  #compile(program: Emitted): Compiled {
    return program.contraction ? this.#contract(program, program.contraction) : this.#compileNest(program);
  }

  #pipeline(code: string): Pick<Launch, 'pipeline' | 'layout'> {
    const { device } = this.#context;
    const pipeline = device.createComputePipeline({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
    });
    return { pipeline, layout: pipeline.getBindGroupLayout(0) };
  }

  #contract(program: Emitted, contraction: Contraction): Compiled {
    const { launches, scratch } = launchesOf(contraction);
    const placeOf = ({ input }: Load): Place => program.inputs.findIndex((read) => read.input === input);
    const operands = { left: placeOf(contraction.left), right: placeOf(contraction.right) };
    return this.#watch(this.#refusals.next, () => ({
      launches: launches.map(({ source, places, threads }) => {
        const groups = Math.ceil(threads / contractionGroup);
        return {
          ...this.#pipeline(source),
          bound: places.map((place) => (place === 'left' || place === 'right' ? operands[place] : place)),
          groups: [Math.min(groups, maxGroups), Math.ceil(groups / maxGroups)] as const,
        };
      }),
      scratch: Object.entries(scratch) as [ContractionPlace, number][],
    }));
  }

  #compileNest(program: Emitted): Compiled {
    const { source, groups, hasSpecial } = this.#translate(program);
    return this.#watch(this.#refusals.next, () => {
      const bound = [...program.inputs.keys(), 'result' as const, ...(hasSpecial ? [this.#special()] : [])];
      return { launches: [{ ...this.#pipeline(source), bound, groups }], scratch: [] };
    });
  }

  /** Infinities, NaN and -0 are data, because WGSL has no literals for them. */
  #special(): WebGpuBuffer {
    const { device } = this.#context;
    const buffer = device.createBuffer({ size: 16, usage: usage.uniform | usage.copyTarget });
    device.queue.writeBuffer(buffer, 0, Float32Array.from(special));
    return buffer;
  }

  #translate(program: Emitted): WgslProgram {
    try {
      return wgslOf(program, this.#gpu);
    } catch (cause) {
      const why = `gpu: gpu.js cannot translate kernel ${program.name} (${messageOf(cause)})`;
      throw new InternalError(`${why}; please report it with its source:\n${program.source}`, { cause });
    }
  }
}
