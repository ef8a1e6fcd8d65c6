/** What runs in a Node that has a device: one mode, compared with the reference, and whether `'auto'` finds it. */
import { createRequire, registerHooks } from 'node:module';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { type GpuMode, gpu } from '@neumann/backend-gpu';
import { check } from '../check.ts';

const mode = process.argv[2] as GpuMode;
const { resolve } = createRequire(import.meta.url);
const installed = pathToFileURL(resolve(mode === 'webgpu' ? 'webgpu' : 'gl')).href;

if (mode === 'headlessgl') {
  // As if the packages of this folder were installed with the program.
  registerHooks({
    resolve: (name, context, next) =>
      name === 'gl' ? { url: installed, shortCircuit: true } : next(name, context),
  });
} else {
  const { create, globals } = (await import(installed)) as {
    readonly create: (options: readonly string[]) => unknown;
    readonly globals: object;
  };
  Object.assign(globalThis, globals);
  Object.assign(navigator, { gpu: create([]) });
}

const found = await gpu();
if (found.mode !== mode) throw new Error(`'auto' finds ${found.mode}: ${JSON.stringify(found.describe())}`);
console.log(JSON.stringify(await check(mode, process.argv[3], false)));
