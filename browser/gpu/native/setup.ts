/** Gives the devices of this folder's packages to the program, as if they were installed with it. */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { mode } from '../mode.ts';

if (mode === 'webgpu') {
  const installed = pathToFileURL(createRequire(import.meta.url).resolve('webgpu')).href;
  const { create, globals } = (await import(/* @vite-ignore */ installed)) as {
    readonly create: (options: readonly string[]) => unknown;
    readonly globals: object;
  };
  Object.assign(globalThis, globals);
  Object.assign(navigator, { gpu: create([]) });
}
