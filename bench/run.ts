/**
 * `pnpm bench [case...]`: the speed of this library beside others, as markdown tables. `pnpm bench gpu [row...]`: that of
 * graphics backends in Chromium.
 *
 * Every subject is a process of its own, and they take turns; a number is the median of several turns. Without names all
 * cases are measured, and docs/performance.md and docs/performance.json are written. `--no-peers` leaves the others out,
 * `--prototype` adds kernels written by hand, `--control` as many processes of one thread at once as there are processors.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeTables } from './docs.ts';
import { neumann, peers, prototype, Subject, Together, torch } from './subject.ts';
import { type Measured, measure, type Peaks, table } from './table.ts';
import { cases } from './workloads.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'no-peers': { type: 'boolean', default: false },
    prototype: { type: 'boolean', default: false },
    control: { type: 'boolean', default: false },
  },
});
const peersFolder = fileURLToPath(new URL('peers', import.meta.url));

if (positionals[0] === 'gpu') {
  const { benchGpu } = await import('./gpu/run.ts');
  const only = positionals.slice(1);
  const report = await benchGpu(!values['no-peers'] && installPeers() ? peersFolder : undefined, only);
  console.log(report?.markdown ?? '');
  if (report && only.length === 0 && !values['no-peers']) {
    const { machine, markdown, results } = report;
    writeTables('gpu', `${machine}.\n\n${markdown}`, { machine, results });
  }
  process.exit(report ? 0 : 1);
}

const unknown = positionals.find((name) => !Object.hasOwn(cases, name));
if (unknown !== undefined) {
  console.error(
    `bench: there is no case ${JSON.stringify(unknown)}; the cases are ${Object.keys(cases).join(', ')}.`,
  );
  process.exit(2);
}

/** The peers are no part of the workspace: they are installed when they are first compared with. */
function installPeers(): boolean {
  if (existsSync(`${peersFolder}/node_modules`)) return true;
  console.error('bench: installing the peers (once)');
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: peersFolder,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (status !== 0) console.error('bench: the peers cannot be installed; going on without them');
  return status === 0;
}

const hasTorch = () =>
  spawnSync('/usr/bin/python3', ['-c', 'import torch'], { stdio: 'ignore' }).status === 0;

const threads = availableParallelism();
const many = `${threads} threads`;
const options = [
  neumann('neumann', 1),
  ...(threads > 1 ? [neumann(`neumann, ${many}`, threads)] : []),
  neumann('neumann, 256 bit', 1, true),
  ...(values.prototype ? [prototype] : []),
];
if (!values['no-peers']) {
  if (installPeers()) options.push(...peers);
  if (hasTorch()) {
    options.push(torch('torch', 1));
    if (threads > 1) options.push(torch(`torch, ${many}`, threads));
  } else console.error('bench: /usr/bin/python3 has no torch; going on without it');
}

const subjects: (Subject | Together)[] = options.map((option) => new Subject(option));
if (values.control) subjects.push(new Together(neumann(`${threads} × neumann at once`, 1), threads));
const peaks: Peaks = {};
for (const subject of subjects)
  if (subject.name.startsWith('neumann')) {
    const { gflops = 0, gbs = 0 } = await subject.ask({ name: 'peak', workload: 'peak', params: {} }, 0);
    peaks[subject.name] = { gflops, gbs };
  }

const chosen = positionals.length > 0 ? positionals : Object.keys(cases);
const results: Record<string, Measured[]> = {};
const tables: string[] = [];
for (const name of chosen) {
  const one = cases[name];
  if (!one) continue;
  const taking = subjects.filter(({ only }) => !only || only.includes(name));
  results[name] = await measure(one, taking);
  const text = table(
    one,
    results[name],
    taking.map((subject) => subject.name),
    peaks,
  );
  tables.push(text);
  console.log(text);
}
for (const subject of subjects) subject.end();

if (positionals.length === 0 && !values['no-peers']) {
  const machine = `${cpus()[0]?.model.trim() ?? process.arch}, ${threads} cores, Node ${process.version}`;
  const peak = Object.entries(peaks)
    .map(([name, { gflops, gbs }]) => `${name} ${gflops.toFixed(0)} GFLOP/s, ${gbs.toFixed(0)} GB/s`)
    .join('; ');
  const text = `${machine}. Measured peak: ${peak}.\n\n${tables.join('\n')}`;
  writeTables('cpu', text, { machine, peaks, results });
}
