import { builtin } from '../node.ts';
import { workerSource } from './worker.ts';

/** A worker that has started. */
export interface Worker {
  post(message: object): void;
  /** Whether it still runs, as far as can be told without waiting. */
  isAlive(): boolean | undefined;
  end(): void;
}

/** What a worker is told first. */
interface Start {
  readonly thread: number;
  /** The word of its orders. */
  readonly order: number;
  readonly buffer: ArrayBufferLike;
}

/**
 * Starts a worker that does not keep the process alive.
 *
 * @param ended is called when it ends without having been asked to.
 * @returns nothing if this cannot be done here: a page's Content-Security-Policy may forbid workers from `blob:`.
 */
export function startWorker(start: Start, ended: (reason: string) => void): Promise<Worker | undefined> {
  return nodeThreads ? startInNode(nodeThreads, start, ended) : startInBrowser(start, ended);
}

interface NodeWorker {
  on(event: 'message' | 'error' | 'exit', listener: (value: never) => void): void;
  postMessage(message: object): void;
  terminate(): void;
  unref(): void;
}

/** The parts of Node's modules that are used. */
interface NodeThreads {
  Worker: new (source: string, options: object) => NodeWorker;
}
interface NodeFiles {
  fstatSync(file: number): unknown;
}

const nodeThreads = builtin<NodeThreads>('worker_threads');

function startInNode(
  { Worker }: NodeThreads,
  start: Start,
  ended: (reason: string) => void,
): Promise<Worker | undefined> {
  return new Promise((resolve) => {
    // Nothing of the program around: no arguments, no loaders.
    const worker = new Worker(workerSource, { eval: true, execArgv: [], env: {} });
    let [isReady, isWanted] = [false, true];
    const end = (reason: string) => {
      if (isReady && isWanted) ended(reason);
      isWanted = false;
      resolve(undefined);
    };
    worker.on('error', (error: Error) => end(error.message));
    worker.on('exit', (code: number) => end(`exit code ${code}`));
    worker.on('message', ({ life }: { life: number }) => {
      isReady = true;
      worker.unref();
      resolve({
        post: (message) => worker.postMessage(message),
        isAlive: () => isOpen(life),
        end: () => {
          isWanted = false;
          worker.terminate();
        },
      });
    });
    worker.postMessage({ start: true, ...start });
  });
}

function isOpen(file: number): boolean | undefined {
  try {
    builtin<NodeFiles>('fs')?.fstatSync(file);
    return true;
  } catch {
    return false;
  }
}

function startInBrowser(start: Start, ended: (reason: string) => void): Promise<Worker | undefined> {
  return new Promise((resolve) => {
    const url = URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }));
    const settle = (worker: Worker | undefined) => {
      URL.revokeObjectURL(url);
      resolve(worker);
    };
    try {
      const worker = new globalThis.Worker(url, { name: `neumann ${start.thread}` });
      let isReady = false;
      worker.onerror = (event) => {
        event.preventDefault();
        if (isReady) ended(event.message);
        else settle(undefined);
      };
      worker.onmessage = () => {
        isReady = true;
        settle({
          post: (message) => worker.postMessage(message),
          isAlive: () => undefined,
          end: () => worker.terminate(),
        });
      };
      worker.postMessage({ start: true, ...start });
    } catch {
      settle(undefined);
    }
  });
}
