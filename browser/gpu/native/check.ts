/** What runs in a Node that has a device: one mode, compared with the reference, and whether `'auto'` finds it. */
import { createRequire, registerHooks } from 'node:module';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { type GpuMode, gpu } from '@neumann/backend-gpu';
import { check } from '../check.ts';
import { afterFilling, fill, startFilling } from '../memory.ts';
import { canLimit, limitMemory } from '../shortage.ts';

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
const only = process.argv[3];
const outcome = await check(mode, only, false);
const failures = [...outcome.failures];
// WebGPU shares this process's memory, which may be what ends first.
if (mode === 'headlessgl' && canLimit && (only === undefined || only === 'memory')) {
  await startFilling(mode);
  const lift = limitMemory(process.pid, 224); // three tensors, and half of one for all else
  const [right, refused] = await fill(16).finally(lift);
  // Nothing is lost here but what there was no memory for.
  if (right < 2 || refused !== 1)
    failures.push(`in 224 MB, ${right} tensors of 64 MB are right, and ${refused} refused`);
  if ((await afterFilling(mode)) !== 'the same') failures.push('the backend does not go on');
}
console.log(JSON.stringify({ ...outcome, failures }));
