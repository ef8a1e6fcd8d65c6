import {
  type Backend,
  type Buffer,
  type DType,
  DTypeError,
  dtypeInfo,
  dtypeOfArray,
  type Executable,
  type Plan,
  type TypedArray,
} from '@neumann/core/backend';
import { CpuBuffer, storageOf } from './buffer.ts';
import { DIVIDE_FROM } from './emit/cost.ts';
import { foreignFunctions } from './emit/functions.ts';
import { emitPlan } from './emit/plan.ts';
import { CpuExecutable } from './executable.ts';
import { detectFeatures, type Features } from './features.ts';
import { hostImport } from './host.ts';
import { HEAP_START } from './memory/heap.ts';
import { type MemoryStatistics, Residency, type Storage } from './memory/residency.ts';
import { eventLoopTurn } from './memory/turn.ts';
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
  const { memoryMB, relaxedSimd, winograd } = resolveOptions(options);
  const features = detectFeatures(relaxedSimd);
  return new Cpu(features, memoryMB * 2 ** 20, winograd !== false);
}

/** After this many bytes of new buffers, a download lets the event loop come round, which frees what was collected. */
const TURN_BYTES = 2 ** 25;

const PAGE = 65536;
const MOST_PAGES = 65536;

class Cpu implements CpuBackend {
  readonly name: string = 'cpu';
  readonly dtypes: ReadonlySet<DType> = new Set(['float32', 'float64', 'int32', 'uint32', 'uint8', 'bool']);
  readonly multipleOutputs: boolean = true;
  readonly features: Features;
  readonly #winograd: boolean;
  readonly #maxPages: number;
  readonly #residency: Residency;
  #bytesSinceTurn = 0;

  constructor(features: Features, budget: number, winograd: boolean) {
    this.features = features;
    this.#winograd = winograd;
    // Room for holes between blocks beyond the budget; when it does not suffice, everything is moved together.
    this.#maxPages = Math.min(MOST_PAGES, Math.ceil((HEAP_START + budget * 1.25) / PAGE) + 64);
    const memory = new WebAssembly.Memory({ initial: 1, maximum: this.#maxPages });
    this.#residency = new Residency(memory, budget, this.#maxPages * PAGE);
  }

  upload(dtype: DType, values: TypedArray): Buffer {
    const { bytes, view } = dtypeInfo(dtype);
    if (!(values instanceof view))
      throw new DTypeError(
        `upload: a ${dtype} buffer is made from a ${view.name}, but got a ${dtypeOfArray(values)} array.`,
      );
    const storage = this.#residency.create(values.length * bytes, 'upload');
    this.#residency.write(storage, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return this.#handle(dtype, values.length, storage);
  }

  async download(buffer: Buffer): Promise<TypedArray> {
    const values = this.downloadSync(buffer);
    if (this.#bytesSinceTurn > TURN_BYTES) {
      this.#bytesSinceTurn = 0;
      await eventLoopTurn();
    }
    return values;
  }

  downloadSync(buffer: Buffer): TypedArray {
    return new (dtypeInfo(buffer.dtype).view)(this.#residency.read(storageOf(buffer, 'what is downloaded')));
  }

  compile(plan: Plan): Executable {
    const emitted = emitPlan(plan, this.features, {
      maxPages: this.#maxPages,
      threads: 1,
      winograd: this.#winograd,
      divideFrom: DIVIDE_FROM,
    });
    const { memory } = this.#residency;
    const imports = { env: { memory, ...foreignFunctions, host: hostImport(emitted.hosts, memory) } };
    const instance = new WebAssembly.Instance(new WebAssembly.Module(emitted.bytes), imports);
    const entry = instance.exports['run'] as (region: number, thread: number) => void;
    const own = (dtype: DType, size: number, storage: Storage) => this.#handle(dtype, size, storage);
    return new CpuExecutable(plan, emitted, entry, this.#residency, own);
  }

  memory(): MemoryStatistics {
    return this.#residency.statistics();
  }

  #handle(dtype: DType, size: number, storage: Storage): Buffer {
    this.#bytesSinceTurn += storage.bytes;
    const handle = new CpuBuffer(dtype, size, storage);
    this.#residency.own(handle, storage);
    return handle;
  }
}
