import {
  type Backend, type Buffer, type DType, DTypeError, dtypeInfo, dtypeOfArray, type Executable, InternalError, type Plan, type TypedArray,
} from '@neumann/core/backend';
import { emitPlan } from './emit/plan.ts';
import { foreignFunctions } from './emit/functions.ts';
import { detectFeatures, type Features } from './features.ts';
import { HEAP_START } from './memory/heap.ts';
import { type MemoryStatistics, Residency, type Storage } from './memory/residency.ts';
import { type CpuOptions, resolveOptions } from './options.ts';

/** The backend of {@link cpu}, with a view into its memory. */
export interface CpuBackend extends Backend {
  readonly features: Features;
  /** What is where at the moment. */
  memory(): MemoryStatistics;
}

/**
 * The backend for real work on the processor: kernels become WebAssembly SIMD at run time, in Node and in browsers.
 *
 * @throws {OptionError} if an option is unknown or out of range.
 * @throws {BackendError} if the engine has no WebAssembly SIMD.
 * @example
 * setBackend(await cpu({ memoryMB: 2048 }));
 */
export async function cpu(options: CpuOptions = {}): Promise<CpuBackend> {
  const { memoryMB, relaxedSimd } = resolveOptions(options);
  const features = await detectFeatures(relaxedSimd);
  return new Cpu(features, memoryMB * 2 ** 20);
}

const PAGE = 65536;
const MOST_PAGES = 65536;

class Cpu implements CpuBackend {
  readonly name: string = 'cpu';
  readonly dtypes: ReadonlySet<DType> = new Set(['float32', 'float64', 'int32', 'uint32', 'uint8', 'bool']);
  readonly multipleOutputs: boolean = true;
  readonly features: Features;
  readonly #maxPages: number;
  readonly #residency: Residency;

  constructor(features: Features, budget: number) {
    this.features = features;
    // Room for holes between blocks beyond the budget; when it does not suffice, everything is moved together.
    this.#maxPages = Math.min(MOST_PAGES, Math.ceil((HEAP_START + budget * 1.25) / PAGE) + 64);
    const memory = new WebAssembly.Memory({ initial: 1, maximum: this.#maxPages });
    this.#residency = new Residency(memory, budget, this.#maxPages * PAGE);
  }

  upload(dtype: DType, values: TypedArray): Buffer {
    const { bytes, view } = dtypeInfo(dtype);
    if (!(values instanceof view))
      throw new DTypeError(`upload: a ${dtype} buffer is made from a ${view.name}, but got a ${dtypeOfArray(values)} array.`);
    const storage = this.#residency.create(values.length * bytes, 'upload');
    this.#residency.write(storage, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return this.#handle(dtype, values.length, storage);
  }

  async download(buffer: Buffer): Promise<TypedArray> {
    return this.downloadSync(buffer);
  }

  downloadSync(buffer: Buffer): TypedArray {
    return new (dtypeInfo(buffer.dtype).view)(this.#residency.read(storageOf(buffer, 'download')));
  }

  compile(plan: Plan): Executable {
    const { bytes, externals, regionBytes } = emitPlan(plan, this.features, { maxPages: this.#maxPages, shared: false });
    const imports = { env: { memory: this.#residency.memory, ...foreignFunctions } };
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
    const entry = instance.exports['run'] as (region: number) => void;
    return { run: (inputs) => this.#run(plan, externals, regionBytes, entry, inputs) };
  }

  memory(): MemoryStatistics {
    return this.#residency.statistics();
  }

  #run(plan: Plan, externals: readonly number[], regionBytes: number, entry: (region: number) => void, inputs: readonly Buffer[]): Buffer[] {
    const arguments_ = plan.inputs.map((slot, i) => checkedStorage(plan, slot, inputs[i], i));
    const donated = new Map<number, Storage>(); // by slot
    const created: { slot: number; bytes: number; copyOf: Storage | undefined }[] = [];
    for (const slot of externals) {
      const { dtype, size, place } = plan.slots[slot] ?? noSlot(slot);
      const bytes = size * dtypeInfo(dtype).bytes;
      if (place.kind === 'output') created.push({ slot, bytes, copyOf: undefined });
      if (place.kind !== 'donated') continue;
      const given = arguments_[place.index] ?? noSlot(slot);
      donated.set(slot, given);
    }
    const prepared = this.#residency.prepare(arguments_, created.map(({ bytes }) => bytes), regionBytes, 'a compiled program');
    const results = new Map<number, Storage>(donated);
    created.forEach(({ slot }, i) => results.set(slot, prepared.created[i] ?? noSlot(slot)));

    const table = new Uint32Array(this.#residency.memory.buffer, prepared.region, externals.length);
    externals.forEach((slot, i) => {
      const place = plan.slots[slot]?.place;
      const storage = place?.kind === 'input' ? arguments_[place.index] : results.get(slot);
      table[i] = (storage ?? noSlot(slot)).address;
    });
    entry(prepared.region);
    return this.#outputs(plan, inputs, results);
  }

  #outputs(plan: Plan, inputs: readonly Buffer[], results: ReadonlyMap<number, Storage>): Buffer[] {
    const handles = new Map<number, Buffer>();
    for (const { place } of plan.slots) {
      const given = place.kind === 'donated' ? inputs[place.index] : undefined;
      if (given instanceof CpuBuffer && given.storage) {
        this.#residency.rename(given.storage);
        given.storage = undefined;
      }
    }
    return plan.outputs.map((slot) => {
      const known = handles.get(slot);
      if (known) return known;
      const { dtype, size, place } = plan.slots[slot] ?? noSlot(slot);
      const storage = results.get(slot);
      const handle = place.kind === 'input' ? inputs[place.index] : storage && this.#handle(dtype, size, storage);
      if (!handle) throw new InternalError(`cpu: output slot ${slot} lies in the arena.`);
      handles.set(slot, handle);
      return handle;
    });
  }

  #handle(dtype: DType, size: number, storage: Storage): Buffer {
    const handle = new CpuBuffer(dtype, size, storage);
    this.#residency.own(handle, storage);
    return handle;
  }
}

class CpuBuffer implements Buffer {
  readonly dtype: DType;
  readonly size: number;
  /** Nothing once it was donated. */
  storage: Storage | undefined;

  constructor(dtype: DType, size: number, storage: Storage) {
    this.dtype = dtype;
    this.size = size;
    this.storage = storage;
  }
}

function storageOf(buffer: Buffer | undefined, operation: string): Storage {
  if (!(buffer instanceof CpuBuffer)) throw new InternalError(`cpu: ${operation} got a buffer of another backend.`);
  if (!buffer.storage) throw new InternalError(`cpu: ${operation} got a buffer whose memory was donated.`);
  return buffer.storage;
}

/** The storage of argument `i`, which must be what the plan was made for. */
function checkedStorage(plan: Plan, slot: number, buffer: Buffer | undefined, i: number): Storage {
  const storage = storageOf(buffer, `argument ${i} of a compiled program`);
  const { dtype, size } = plan.slots[slot] ?? noSlot(slot);
  if (buffer?.dtype !== dtype || buffer.size !== size)
    throw new InternalError(
      `cpu: argument ${i} of a compiled program must be ${size} × ${dtype}, but got ${buffer?.size} × ${buffer?.dtype}.`,
    );
  return storage;
}

function noSlot(slot: number): never {
  throw new InternalError(`cpu: the plan has no slot ${slot}.`);
}
