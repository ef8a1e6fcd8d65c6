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
import type { Outcome } from '../check.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));
const chromium = '/usr/lib/chromium'; // Debian's: with a Vulkan loader and a software device

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

interface Way {
  readonly missing?: string | undefined;
  readonly before?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const ways: Readonly<Record<string, () => Way>> = {
  headlessgl: () =>
    process.platform !== 'linux' || process.env['DISPLAY']
      ? {}
      : {
          missing: !existsSync(join(folder, 'node_modules/gl'))
            ? 'npm cannot build gl'
            : !hasProgram('xvfb-run')
              ? 'no X display, and no xvfb-run'
              : undefined,
          before: ['xvfb-run', '-a', '-s', '-ac -screen 0 1280x1024x24'],
        },
  webgpu: () =>
    existsSync(join(chromium, 'vk_swiftshader_icd.json'))
      ? { env: { LD_LIBRARY_PATH: chromium, VK_ICD_FILENAMES: join(chromium, 'vk_swiftshader_icd.json') } }
      : {},
};

const [modes = Object.keys(ways).join(), only] = process.argv.slice(2);
const impossible = install();
const summary: string[] = [];
let failed = 0;
for (const mode of modes.split(',')) {
  const {
    missing = impossible,
    before = [],
    env = {},
  } = ways[mode]?.() ?? { missing: 'there is no such mode' };
  if (missing !== undefined) {
    console.log(`skipped ${mode}: ${missing}`);
    summary.push(`${mode} skipped (${missing})`);
    continue;
  }
  const [program = '', ...values] = [
    ...before,
    process.execPath,
    '--conditions=@neumann/source',
    join(folder, 'check.ts'),
    mode,
    ...(only === undefined ? [] : [only]),
  ];
  const { status, stdout, stderr } = spawnSync(program, values, {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  const { device, passed, refused, failures } =
    status === 0
      ? (JSON.parse(stdout) as Outcome)
      : { device: 'none', passed: 0, refused: [], failures: [stderr || stdout] };
  failed += failures.length;
  const verdict = failures.length === 0 ? 'ok' : 'FAILED';
  console.log(
    `${verdict} ${mode} on ${device}: ${passed} checks; only refusals: ${refused.join(', ') || 'nothing'}`,
  );
  for (const failure of failures) console.log(`  ${failure}`);
  summary.push(`${mode} ${verdict} on ${device}`);
}
console.log(`modes in Node: ${summary.join('; ')}`);
process.exitCode = failed === 0 ? 0 : 1;
