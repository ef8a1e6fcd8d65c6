/** backend-gpu in Node, each mode a project; `run.ts` prepares them. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { common } from '../../common.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** Debian's Chromium has a Vulkan loader and a software device. */
const vulkan = '/usr/lib/chromium';
const device = `${vulkan}/vk_swiftshader_icd.json`;

const project = (
  mode: 'headlessgl' | 'webgpu',
  env: Readonly<Record<string, string>>,
): TestProjectInlineConfiguration => ({
  resolve: { alias: { gl: `${folder}node_modules/gl` } },
  ssr: { resolve: { conditions: ['@neumann/source', 'module', 'node', 'import', 'default'] } },
  test: {
    name: mode,
    include: ['../{primitives,plans,contractions,fours}.test.ts', '{auto,memory}.test.ts'],
    provide: { mode },
    setupFiles: ['setup.ts'],
    testTimeout: 300_000,
    env: { ...env },
  },
});

export default defineConfig({
  root: folder,
  test: {
    ...common,
    projects: [
      project('headlessgl', {}),
      project('webgpu', existsSync(device) ? { LD_LIBRARY_PATH: vulkan, VK_ICD_FILENAMES: device } : {}),
    ],
  },
});
