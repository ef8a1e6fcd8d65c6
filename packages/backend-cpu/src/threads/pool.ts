import { BackendError } from '@neumann/core/backend';
import { BARRIER } from '../emit/barrier.ts';
import { startWorker, type Worker } from './start.ts';
import { FAILED, MESSAGE, MESSAGE_LENGTH, orderOf, PROGRAM, REGION, wordBytes } from './words.ts';

/** More threads than this get nothing to do. */
export const MOST_THREADS = 64;

/** How long the first thread rests before it looks whether the others are still alive, in milliseconds. */
const LOOK = 100;
/** Where it cannot see whether they are: how long it waits for them at one barrier. */
const PATIENCE = 120_000;

/** Whether threads can share memory here: in a page they cannot unless it is cross-origin isolated. */
export function canShareMemory(): boolean {
  const page = globalThis as { crossOriginIsolated?: boolean };
  return typeof SharedArrayBuffer !== 'undefined' && page.crossOriginIsolated !== false;
}

/** Cores that this process may use; 1 where threads cannot share memory. */
export function availableThreads(): number {
  if (!canShareMemory()) return 1;
  return Math.min(MOST_THREADS, Math.max(1, globalThis.navigator?.hardwareConcurrency ?? 1));
}

/** A module that all threads of a run instantiate. */
export interface Program {
  readonly id: number;
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly threads: number;
  readonly entry: (region: number, thread: number) => void;
  /** Whether the workers know it. */
  sent: boolean;
}

let current: ThreadPool | undefined;

/**
 * The pool of this process, with at least so many threads if they can be had.
 *
 * Workers cost some 10 ms each to start, and nothing while they sleep.
 */
export async function threadPool(threads: number): Promise<ThreadPool> {
  if (!current || current.failure) current = new ThreadPool();
  await current.grow(threads);
  return current;
}

/**
 * The first thread and its workers. They run programs together, one at a time; whatever goes wrong in one of them ends
 * the run, and the pool, by an error in the first.
 */
export class ThreadPool {
  /** Why no program can run any more. */
  failure: BackendError | undefined;
  readonly #words: Int32Array;
  readonly #workers: Worker[] = [];
  readonly #mayWait: boolean;
  readonly #ended = new FinalizationRegistry<number>((program) => this.#forget(program));
  #growing: Promise<void> = Promise.resolve();
  #programs = 0;
  #waiting = { generation: -1, since: 0 };
  /** The memory of the current run. */
  #barrier: Int32Array | undefined;

  readonly #start: typeof startWorker;

  constructor(start: typeof startWorker = startWorker) {
    this.#words = new Int32Array(new SharedArrayBuffer(wordBytes(MOST_THREADS)));
    this.#mayWait = mayWait(this.#words);
    this.#start = start;
  }

  /** The first thread, and the workers. */
  get threads(): number {
    return this.#workers.length + 1;
  }

  /** Starts workers until there are so many threads, or until no more can be started. */
  async grow(threads: number): Promise<void> {
    this.#growing = this.#growing.then(async () => {
      while (this.threads < threads && !this.failure) {
        const thread = this.threads;
        const worker = await this.#start(
          { thread, order: orderOf(thread), buffer: this.#words.buffer },
          (reason) => this.#fail(`worker ${thread} of ${this.threads - 1} ended: ${reason}`),
        );
        if (!worker) return;
        this.#workers.push(worker);
      }
    });
    await this.#growing;
  }

  /** What a module of `memory` imports in the first thread to wait for the others. */
  imports(memory: WebAssembly.Memory): { rest(generation: number): void; wake(): void } {
    const view = new Int32Array(memory.buffer);
    return {
      rest: (generation) => this.#rest(view, generation),
      wake: () => Atomics.notify(view, BARRIER.generation / 4),
    };
  }

  program(parts: Pick<Program, 'module' | 'memory' | 'threads' | 'entry'>): Program {
    this.#programs++;
    return { ...parts, id: this.#programs, sent: false };
  }

  /** Lets the workers forget a program when JavaScript has collected its owner. */
  own(owner: object, program: Program): void {
    this.#ended.register(owner, program.id);
  }

  /**
   * Runs a program in its threads.
   *
   * @throws {BackendError} if a thread fails, and in all later runs.
   */
  run(program: Program, region: number): void {
    if (this.failure) throw this.failure;
    const { id, module, memory, threads } = program;
    const workers = this.#workers.slice(0, threads - 1);
    if (!program.sent) for (const worker of workers) worker.post({ program: id, module, memory });
    program.sent = true;
    this.#barrier = new Int32Array(memory.buffer, 0, BARRIER.resting);
    for (let thread = 1; thread < threads; thread++) {
      const order = orderOf(thread);
      Atomics.store(this.#words, order + PROGRAM, id);
      Atomics.store(this.#words, order + REGION, region);
      Atomics.add(this.#words, order, 1);
      Atomics.notify(this.#words, order);
    }
    try {
      program.entry(region, 0);
    } catch (error) {
      throw this.#fail(error instanceof Error ? error.message : String(error));
    }
    this.#barrier = undefined;
  }

  /** Waits until the generation is over, for a while; says so if it will never be. */
  #rest(view: Int32Array, generation: number): void {
    if (this.#mayWait) {
      Atomics.add(view, BARRIER.resting / 4, 1);
      Atomics.wait(view, BARRIER.generation / 4, generation, LOOK);
      Atomics.sub(view, BARRIER.resting / 4, 1);
    }
    if (Atomics.load(view, BARRIER.generation / 4) !== generation) return;
    if (Atomics.load(this.#words, FAILED) === 1) throw new Error(this.#message());
    const now = performance.now();
    if (this.#waiting.generation !== generation) this.#waiting = { generation, since: now };
    if (now - this.#waiting.since < LOOK) return;
    for (const [i, worker] of this.#workers.entries()) {
      const alive = worker.isAlive();
      if (alive === false) throw new Error(`worker ${i + 1} of ${this.#workers.length} ended`);
      if (alive === undefined && now - this.#waiting.since > PATIENCE)
        throw new Error(`the workers have not answered for ${PATIENCE / 1000} s`);
    }
  }

  /** The pool is of no use any more. */
  #fail(reason: string): BackendError {
    this.failure ??= new BackendError(
      `cpu: the thread pool failed: ${reason}; create the backend anew, with cpu({ threads: 1 }) if it happens again.`,
    );
    Atomics.store(this.#words, FAILED, 1);
    if (this.#barrier) Atomics.notify(this.#barrier, BARRIER.generation / 4);
    for (const worker of this.#workers.splice(0)) worker.end();
    return this.failure;
  }

  #message(): string {
    const bytes = new Uint8Array(this.#words.buffer, MESSAGE, Atomics.load(this.#words, MESSAGE_LENGTH));
    return `a worker threw ${JSON.stringify(new TextDecoder().decode(bytes.slice()))}`;
  }

  #forget(program: number): void {
    for (const [i, worker] of this.#workers.entries()) {
      worker.post({ program });
      Atomics.notify(this.#words, orderOf(i + 1));
    }
  }
}

/** Browsers do not let the main thread of a page wait. */
function mayWait(words: Int32Array): boolean {
  try {
    Atomics.wait(words, MESSAGE_LENGTH, -1); // returns at once: that is not the value
    return true;
  } catch {
    return false;
  }
}
