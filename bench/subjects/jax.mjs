// jax-js on its WebAssembly backend.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { workloads } from '../programs/jax.mjs';
import { serve } from './serve.mjs';

const require = createRequire(new URL('../peers/package.json', import.meta.url));
const jax = await import(pathToFileURL(require.resolve('@jax-js/jax')).href);
await jax.init('wasm');
jax.defaultDevice('wasm');

const run = async (x) => {
  await x.blockUntilReady();
  x.dispose();
};

// Its convolutions run at some 0.2 GFLOP/s there, their gradients at less: more than this would take most of the time of all.
await serve(workloads(jax, run, 3e8));
