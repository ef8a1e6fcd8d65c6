// Runs a package script with a Node and a pnpm that suit, installing dependencies first.
// What is missing comes from the npm registry through npx (cached; nothing is installed globally).
// Needs only Node >= 18 and npm. Usage: node scripts/up.mjs [script [args...]]; without a script it only installs.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { NODE_PACKAGE } from './node-package.mjs';

// What these scripts run needs nothing from tools/, which is two thirds of a whole install, nor
// what runs in browsers, nor the text of one example.
const LIGHT = ['demo', 'check'];
const HEAVY_PACKAGES = [
  '@neumann/tools',
  '@neumann/browser',
  '@neumann/example-charlm',
  '@neumann/example-web',
];

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const pnpm = manifest.packageManager.split('+')[0];
const windows = process.platform === 'win32';
const [script, ...scriptArgs] = process.argv.slice(2);
/** The first time takes a while, and says what it does. */
const tell = (what) =>
  existsSync(new URL('../node_modules', import.meta.url)) || console.error(`up: ${what}`);

/** Runs a command to its end; on Windows npm, npx and pnpm are .cmd files and need a shell. */
const run = (command, args, options = {}) =>
  spawnSync(
    command,
    windows ? args.map((a) => (/[\s"&|<>^]/.test(a) ? `"${a.replaceAll('"', '\\"')}"` : a)) : args,
    { cwd: root, stdio: 'inherit', shell: windows && command !== process.execPath, ...options },
  );

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const nodeOk = (major === 22 && minor >= 18) || (major === 24 && minor >= 11) || major >= 26;
const found = run('pnpm', ['--version'], { stdio: 'pipe', encoding: 'utf8' });
const pnpmOk = found.status === 0 && found.stdout.trim().split('.')[0] === pnpm.match(/@(\d+)/)?.[1];
const wanted = [...(nodeOk ? [] : [`${NODE_PACKAGE}@26.10.0`]), ...(pnpmOk ? [] : [pnpm])];

if (wanted.length > 0) {
  if (process.env.UP_NESTED || (!nodeOk && !NODE_PACKAGE)) {
    console.error(`up: needs Node ${manifest.engines.node} and ${pnpm}; please install them`);
    process.exit(1);
  }
  tell(`using ${wanted.join(' and ')} from the npm registry (kept in npm's cache)`);
  const packages = wanted.flatMap((p) => ['-p', p]);
  const nested = run('npx', ['-y', ...packages, '--', 'node', 'scripts/up.mjs', ...process.argv.slice(2)], {
    env: { ...process.env, UP_NESTED: '1' },
  });
  process.exit(nested.status ?? 1);
}

// Standard output belongs to the script: the installation says nothing unless it fails.
tell('installing');
const scope = LIGHT.includes(script) ? HEAVY_PACKAGES.flatMap((name) => ['--filter', `!${name}`]) : [];
const installed = run('pnpm', ['install', '--frozen-lockfile', '--prefer-offline', ...scope], {
  stdio: 'pipe',
  encoding: 'utf8',
});
if (installed.status !== 0) {
  console.error(installed.stdout, installed.stderr);
  process.exit(installed.status ?? 1);
}
if (script) process.exit(run('pnpm', ['--silent', 'run', script, ...scriptArgs]).status ?? 1);
