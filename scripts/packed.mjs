// Packs every published package, installs the tarballs into an empty project outside this repository, checks the types of
// packed/smoke.ts there and runs it. Needs `pnpm run build` first.
// Usage: node scripts/packed.mjs [--node <22 | 24 | 26 | an exact version | all>]... [--deno <version>]... [--bun <version>]...;
// without any of them, under the Node that runs this.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { NODE_PACKAGE } from './node-package.mjs';

const versions = { type: 'string', multiple: true, default: [] };
const { values } = parseArgs({ options: { node: versions, deno: versions, bun: versions } });
const nodes = values.node.includes('all') ? ['22', '24', '26'] : values.node;
/** What npx is called with to run a script in each. */
const runtimes = [
  ...nodes.map((version) => ['-p', `${NODE_PACKAGE}@${version}`, '--', 'node']),
  ...values.deno.map((version) => ['-p', `deno@${version}`, '--', 'deno', 'run', '--allow-all']),
  ...values.bun.map((version) => ['-p', `bun@${version}`, '--', 'bun']),
];
const root = fileURLToPath(new URL('..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'neumann-packed-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

/** Runs a command to its end; a failure ends this script. */
const run = (command, args, cwd, stdio = 'inherit') => {
  const shell = process.platform === 'win32' && command !== process.execPath;
  const { status, error } = spawnSync(command, args, { cwd, stdio, shell });
  if (status !== 0) {
    console.error(`packed: ${command} ${args.join(' ')} failed: ${error?.message ?? `exit code ${status}`}`);
    process.exit(1);
  }
};

const published = readdirSync(join(root, 'packages'))
  .map((name) => ({ folder: join(root, 'packages', name), name }))
  .filter(({ folder }) => existsSync(join(folder, 'package.json')))
  .map((p) => ({ ...p, manifest: JSON.parse(readFileSync(join(p.folder, 'package.json'), 'utf8')) }))
  .filter(({ manifest }) => !manifest.private);

const dependencies = {};
for (const { folder, name, manifest } of published) {
  if (!existsSync(join(folder, 'dist/index.js'))) {
    console.error(`packed: packages/${name} has no dist/index.js; run \`pnpm run build\` first`);
    process.exit(1);
  }
  run('pnpm', ['pack', '--out', join(work, `${name}.tgz`)], folder, ['ignore', 'ignore', 'inherit']);
  dependencies[manifest.name] = `file:../${name}.tgz`;
}

const app = join(work, 'app');
mkdirSync(app);
cpSync(join(root, 'scripts/packed'), app, { recursive: true });
writeFileSync(
  join(app, 'package.json'),
  JSON.stringify({ private: true, type: 'module', dependencies }, null, 2),
);
// The same two exceptions for gpu.js as in this repository's own pnpm-workspace.yaml.
writeFileSync(
  join(app, 'pnpm-workspace.yaml'),
  'pmOnFail: ignore\nignoredOptionalDependencies: [gl]\noverrides: { webgpu: "-" }\n',
);
run('pnpm', ['install', '--prefer-offline', '--reporter=append-only'], app);

run(process.execPath, [join(root, 'node_modules/typescript-native/bin/tsc'), '-p', app], app);
console.log('packed: the types check');

if (runtimes.length === 0) run(process.execPath, ['smoke.ts'], app);
for (const runtime of runtimes) run('npx', ['-y', ...runtime, 'smoke.ts'], app);
