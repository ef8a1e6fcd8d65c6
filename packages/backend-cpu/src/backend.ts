import {
  type Backend,
  type Buffer,
  type DType,
  DTypeError,
  dtypeInfo,
  dtypeOfArray,
  type Executable,
  type Kernel,
  type Plan,
  type TypedArray,
} from '@neumann/core/backend';
import { CpuBuffer, leaseOf } from './buffer.ts';
import { type Limits, usualLimits } from './emit/cost.ts';
import { foreignFunctions } from './emit/functions.ts';
import { type EmittedPlan, emitPlan } from './emit/plan.ts';
import { CpuExecutable } from './executable.ts';
import { detectFeatures, type Features } from './features.ts';
import { hostImport } from './host.ts';
import { HEAP_START } from './memory/heap.ts';
import { type MemoryStatistics, Residency, type Storage } from './memory/residency.ts';
import { eventLoopTurn } from './memory/turn.ts';
import { Weights } from './memory/weight.ts';
import { type CpuOptions, resolveOptions } from './options.ts';
import { currentRecorder } from './profile/recorder.ts';
import { canShareMemory, type Program, type ThreadPool, threadPool } from './threads/pool.ts';

/** The backend of {@link cpu}, with a view into its memory. */
export interface CpuBackend extends Backend {
  readonly features: Features;
  /** How many threads share the work. */
  readonly threads: number;
  /** What is where at the moment. */
  memory(): MemoryStatistics;
}

/**
 * The backend for real work on the processor: kernels become WebAssembly SIMD at run time, in Node and in browsers.
 *
 * Threads share the work where they can share memory: in Node, and in pages that are cross-origin isolated and whose
 * Content-Security-Policy, if there is one, allows workers from `blob:`. Elsewhere the backend has one thread, and its
 * `threads` says so. Results do not depend on the number of threads.
 *
 * @throws {OptionError} if an option is unknown, out of range, or comes too late.
 * @throws {BackendError} if the engine has no WebAssembly SIMD.
 * @example
 * setBackend(await cpu({ memoryMB: 2048, threads: 2 }));
 */
export function cpu(options: CpuOptions = {}): Promise<CpuBackend> {
  return createCpu(options);
}

/** {@link cpu}, where tests also say what is treated as large. */
export async function createCpu(options: CpuOptions, limits: Limits = usualLimits): Promise<CpuBackend> {
  const { memoryMB, relaxedSimd, winograd, threads, revectorize } = resolveOptions(options);
  const features = detectFeatures(relaxedSimd, revectorize);
  const budget = memoryMB * 2 ** 20;
  // Room for holes between blocks beyond the budget; when it does not suffice, everything is moved together.
  const maxPages = Math.min(MOST_PAGES, Math.ceil((HEAP_START + budget * 1.25) / PAGE) + 64);
  const common = { features, budget, maxPages, limits, winograd: winograd !== false };
  const shared = threads > 1 && canShareMemory() ? sharedMemory(maxPages) : undefined;
  const pool = shared && (await threadPool(threads));
  if (shared && pool && pool.threads > 1)
    return new Cpu({ ...common, memory: shared, pool, threads: Math.min(threads, pool.threads) });
  const memory = new WebAssembly.Memory({ initial: 1, maximum: maxPages });
  return new Cpu({ ...common, memory, pool: undefined, threads: 1 });
}

/** Nothing where the system does not set aside the addresses. */
function sharedMemory(maximum: number): WebAssembly.Memory | undefined {
  try {
    return new WebAssembly.Memory({ initial: 1, maximum, shared: true });
  } catch {
    return undefined;
  }
}

/** After this many bytes of new buffers, a download lets the event loop come round, which frees what was collected. */
const TURN_BYTES = 2 ** 25;

const PAGE = 65536;
const MOST_PAGES = 65536;

/** What a backend is made of. */
interface Setup {
  readonly features: Features;
  readonly budget: number;
  readonly memory: WebAssembly.Memory;
  readonly maxPages: number;
  readonly limits: Limits;
  readonly winograd: boolean;
  readonly pool: ThreadPool | undefined;
  readonly threads: number;
}

class Cpu implements CpuBackend {
  readonly name: string = 'cpu';
  readonly dtypes: ReadonlySet<DType> = new Set(['float32', 'float64', 'int32', 'uint32', 'uint8', 'bool']);
  readonly multipleOutputs: boolean = true;
  readonly features: Features;
  readonly threads: number;
  readonly #setup: Setup;
  readonly #residency: Residency;
  readonly #weights: Weights = new Weights();
  #bytesSinceTurn = 0;

  constructor(setup: Setup) {
    this.#setup = setup;
    this.features = setup.features;
    this.threads = setup.threads;
    this.#residency = new Residency(setup.memory, setup.budget, setup.maxPages * PAGE);
  }

  fusesEpilogue({ routine }: Kernel): boolean {
    return routine?.name === 'matmul' || (routine?.name === 'conv' && routine.target !== 'w');
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
    return new (dtypeInfo(buffer.dtype).view)(
      this.#residency.read(leaseOf(buffer, 'what is downloaded').storage),
    );
  }

  compile(plan: Plan): Executable {
    const emitted = emitPlan(plan, this.features, this.#setup);
    const plain = this.#load(emitted, () => {});
    let timed: ((region: number) => void) | undefined;
    const run = (region: number) => {
      const recorder = currentRecorder();
      if (!recorder) plain(region);
      else {
        timed ??= this.#timed(plan);
        recorder.begin(this);
        timed(region);
      }
    };
    const own = (dtype: DType, size: number, storage: Storage) => this.#handle(dtype, size, storage);
    return new CpuExecutable(plan, emitted, run, this.#residency, own);
  }

  /** Runs a plan and takes down when its steps end. */
  #timed(plan: Plan): (region: number) => void {
    const emitted = emitPlan(plan, this.features, { ...this.#setup, clock: true });
    return this.#load(emitted, (i) => {
      const work = emitted.work[i];
      if (work) currentRecorder()?.mark(plan, work);
    });
  }

  /** What runs a plan in a region. */
  #load({ bytes, hosts, divided }: EmittedPlan, mark: (step: number) => void): (region: number) => void {
    const { memory, pool, threads } = this.#setup;
    const module = new WebAssembly.Module(bytes);
    const imports = { ...foreignFunctions, host: hostImport(hosts, memory), mark, ...pool?.imports(memory) };
    const instance = new WebAssembly.Instance(module, { env: { memory, ...imports } });
    const entry = instance.exports['run'] as Program['entry'];
    if (!divided || !pool) return (region) => entry(region, 0);
    const program = pool.program({ module, memory, threads, entry });
    const run = (region: number) => pool.run(program, region);
    pool.own(run, program);
    return run;
  }

  memory(): MemoryStatistics {
    return this.#residency.statistics();
  }

  #handle(dtype: DType, size: number, storage: Storage): Buffer {
    this.#bytesSinceTurn += storage.bytes;
    const lease = { storage, weight: this.#weights.of(storage.bytes) };
    this.#residency.own(lease);
    return new CpuBuffer(dtype, size, lease);
  }
}
