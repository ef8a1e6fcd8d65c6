/** Pages for the browser, built with Vite from the sources. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { build } from 'vite';

/** Bundles the scripts of a folder, and returns that of the result, which is there until the process ends. */
export async function bundle(
  root: string,
  scripts: readonly string[],
  alias: Readonly<Record<string, string>> = {},
): Promise<string> {
  const out = mkdtempSync(join(tmpdir(), 'neumann-page-'));
  process.on('exit', () => rmSync(out, { recursive: true, force: true }));
  await build({
    root,
    logLevel: 'error',
    resolve: { alias, conditions: ['@neumann/source', 'module', 'browser', 'import', 'default'] },
    build: {
      outDir: out,
      emptyOutDir: true,
      target: 'es2023',
      minify: false,
      chunkSizeWarningLimit: 4000,
      rollupOptions: {
        input: Object.fromEntries(scripts.map((name) => [name, `${name}.ts`])),
        output: { entryFileNames: '[name].js', chunkFileNames: '[name].js' },
      },
    },
  });
  return out;
}
