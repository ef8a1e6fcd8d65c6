import { BARRIER } from '../emit/barrier.ts';
import { FAILED, MESSAGE, MESSAGE_BYTES, MESSAGE_LENGTH, PROGRAM, REGION } from './words.ts';

/**
 * An idle worker looks for an order as long as its last one took, in milliseconds at least and at most so long, before it
 * sleeps; and so often before it looks at the clock.
 */
const LEAST_WAIT = 0.05;
const MOST_WAIT = 3;
const SPINS = 1000;

/**
 * The program of a worker. It is text, and needs nothing, so that neither a bundler nor a server can lose it: a classic
 * script in browsers and CommonJS in Node.
 *
 * Between orders a worker sleeps, and its event loop stands still. It comes round when an order names a program that is
 * still in the mail, or when someone wakes the worker without an order.
 */
export const workerSource = `'use strict';
const port = typeof require === 'function' ? require('node:worker_threads').parentPort : self;
const programs = new Map();
let words, text, thread, order, done = 0, patience = 0;

port.onmessage = ({ data }) => {
  try {
    if (data.start) {
      ({ thread, order } = data);
      words = new Int32Array(data.buffer);
      text = new Uint8Array(data.buffer, ${MESSAGE}, ${MESSAGE_BYTES});
      port.postMessage({ life: lifeline() });
    } else if (data.module) programs.set(data.program, instantiate(data));
    else programs.delete(data.program);
    serve();
  } catch (error) {
    fail(error);
  }
};

/** A file that Node closes when this worker ends, whatever ends it: others of the process can see that at once. */
function lifeline() {
  if (typeof require === 'function') return require('node:fs').openSync(require('node:os').devNull);
}

function serve() {
  for (;;) {
    const start = performance.now();
    do for (let spins = ${SPINS}; spins > 0 && Atomics.load(words, order) === done; spins--);
    while (Atomics.load(words, order) === done && performance.now() - start < patience);
    if (Atomics.load(words, order) === done) {
      Atomics.wait(words, order, done);
      if (Atomics.load(words, order) === done) return; // there is mail
    }
    const run = programs.get(Atomics.load(words, order + ${PROGRAM}));
    if (!run) return; // it is in the mail
    done = Atomics.load(words, order);
    const begin = performance.now();
    run(Atomics.load(words, order + ${REGION}), thread);
    patience = Math.max(${LEAST_WAIT}, Math.min(${MOST_WAIT}, performance.now() - begin));
  }
}

function instantiate({ module, memory }) {
  const view = new Int32Array(memory.buffer);
  const env = {
    memory,
    rest(generation) {
      Atomics.add(view, ${BARRIER.resting / 4}, 1);
      Atomics.wait(view, ${BARRIER.generation / 4}, generation, 1000);
      Atomics.sub(view, ${BARRIER.resting / 4}, 1);
      if (Atomics.load(words, ${FAILED})) throw new Error('another thread failed');
    },
    wake: () => Atomics.notify(view, ${BARRIER.generation / 4}),
  };
  for (const { name } of WebAssembly.Module.imports(module)) env[name] ??= Math[name] ?? notHere(name);
  return new WebAssembly.Instance(module, { env }).exports.run;
}

const notHere = (name) => () => {
  throw new Error(name + ' is not known to workers');
};

function fail(error) {
  if (Atomics.compareExchange(words, ${FAILED}, 0, 2) !== 0) return;
  const bytes = new TextEncoder().encode(String(error && error.message)).subarray(0, ${MESSAGE_BYTES});
  text.set(bytes);
  Atomics.store(words, ${MESSAGE_LENGTH}, bytes.length);
  Atomics.store(words, ${FAILED}, 1);
}
`;
