/** Data made in a worker thread, so that decoding and augmenting on the host never hold up the training. */
import { Worker } from 'node:worker_threads';
import { BackendError, OptionError } from '@neumann/core';

/** Options of {@link inWorker}. */
export interface InWorkerOptions {
  /** What the module's function is called with: anything that can be cloned. */
  readonly argument?: unknown;
  /** The export that is called; `default` by default. */
  readonly name?: string;
  /** How many items are made before they are asked for; 2 by default. */
  readonly ahead?: number;
}

type Message = { readonly item: unknown } | { readonly done: true } | { readonly error: Error };

/**
 * The items of an async generator that a module exports, made in a worker thread up to `ahead` before they are asked
 * for. Items are cloned (typed arrays, not tensors); the worker ends with the loop, and does not keep the process alive.
 *
 * @param module The URL of the module, whose export takes one argument and returns an (async) iterable.
 * @throws What the generator throws; {BackendError} if the worker ends early; {OptionError} for bad options.
 * @example
 * // loader.ts: export default async function* ({ folder }) { …; yield { images, labels }; }
 * const loader = new URL('./loader.ts', import.meta.url);
 * for await (const part of inWorker(loader, { argument: { folder: 'images' } })) train(part);
 */
export async function* inWorker<T>(
  module: URL,
  { argument, name = 'default', ahead = 2 }: InWorkerOptions = {},
): AsyncGenerator<T> {
  if (!Number.isInteger(ahead) || ahead < 1)
    throw new OptionError(`inWorker: ahead must be an integer of at least 1, but is ${ahead}.`);
  const worker = new Worker(runner, { eval: true, workerData: { module: module.href, name, argument } });
  worker.unref();
  const arrived: Message[] = [];
  let wake: (() => void) | undefined;
  const receive = (message: Message) => {
    arrived.push(message);
    wake?.();
  };
  worker.on('message', receive);
  worker.on('error', (error) => receive({ error }));
  worker.on('exit', (code) =>
    receive({
      error: new BackendError(`inWorker: the worker for ${module.href} ended early, with code ${code}.`),
    }),
  );
  try {
    for (let i = 0; i < ahead; i++) worker.postMessage('next');
    for (;;) {
      const message = arrived.shift();
      if (!message) {
        // A pending promise does not keep the process alive, but the wait for an item must.
        worker.ref();
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        worker.unref();
        continue;
      }
      if ('error' in message) throw message.error;
      if ('done' in message) return;
      worker.postMessage('next');
      yield message.item as T;
    }
  } finally {
    await worker.terminate();
  }
}

/** A script, not a file: a bundler cannot lose it. */
const runner = `
const { parentPort, workerData } = require('node:worker_threads');
let asked = 0, wake;
parentPort.on('message', () => { asked++; if (wake) wake(); });
(async () => {
  try {
    const { [workerData.name]: make } = await import(workerData.module);
    if (typeof make !== 'function') throw new TypeError('inWorker: ' + workerData.module + ' does not export a function ' + workerData.name + '.');
    for await (const item of make(workerData.argument)) {
      while (asked === 0) await new Promise((resolve) => { wake = resolve; });
      asked--;
      parentPort.postMessage({ item });
    }
    parentPort.postMessage({ done: true });
  } catch (error) {
    parentPort.postMessage({ error });
  }
})();
`;
