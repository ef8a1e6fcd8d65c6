/**
 * `pnpm node:gpu`: backend-gpu in Node in the modes `headlessgl` and `webgpu`, by the packages `gl` and `webgpu`, which are
 * installed into this folder once. They need a compiler and an X display (`xvfb-run`), and a Vulkan device: that of Chromium, or
 * that of the system. What cannot run is named.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** @returns why not. */
function install(): string | undefined {
  if (existsSync(join(folder, 'node_modules'))) return undefined;
  const home = resolve(process.execPath, '../..');
  const headers = existsSync(join(home, 'include/node/node_version.h')) ? { npm_config_nodedir: home } : {};
  const { status, stderr } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: folder,
    env: { ...process.env, ...headers },
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  return status === 0 ? undefined : `npm cannot install gl and webgpu: ${stderr.trim().split('\n').at(-1)}`;
}

const hasProgram = (name: string): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some((path) => existsSync(join(path, name)));

/** Why a mode cannot run here. */
const missing: Readonly<Record<string, () => string | undefined>> = {
  headlessgl: () => {
    if (!existsSync(join(folder, 'node_modules/gl'))) return 'npm cannot build gl';
    return needsDisplay && !hasProgram('xvfb-run') ? 'no X display, and no xvfb-run' : undefined;
  },
  webgpu: () => undefined,
};

const needsDisplay = process.platform === 'linux' && !process.env['DISPLAY'];
const impossible = install();
const skipped = Object.entries(missing).flatMap(([mode, why]) => {
  const reason = impossible ?? why();
  return reason === undefined ? [] : [[mode, reason] as const];
});
for (const [mode, reason] of skipped) console.log(`modes ${mode} in Node skipped (${reason})`);
if (skipped.length < Object.keys(missing).length) {
  const display =
    needsDisplay && hasProgram('xvfb-run') ? ['xvfb-run', '-a', '-s', '-ac -screen 0 1280x1024x24'] : [];
  const vitest = [
    process.execPath,
    join(fileURLToPath(import.meta.resolve('vitest/package.json')), '../vitest.mjs'),
    'run',
  ];
  const config = [
    '--config',
    join(folder, 'vitest.config.ts'),
    ...skipped.map(([mode]) => `--project=!${mode}`),
  ];
  const [program = '', ...values] = [...display, ...vitest, ...config, ...process.argv.slice(2)];
  process.exitCode = spawnSync(program, values, { stdio: 'inherit' }).status ?? 1;
}
