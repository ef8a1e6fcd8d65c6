/** `pnpm bench gpu`: graphics backends side by side in Chromium, each on a page of its own; a table and launches. */
import { cpus } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { bundle } from '../../browser/bundle.ts';
import { launchChromium, servePage } from '../../browser/chromium.ts';
import { type Measured, measure, table } from '../table.ts';
import type { Row } from '../workloads.ts';
import type { PageAnswer } from './page.ts';
import { gpuCase } from './rows.ts';

type Page = Awaited<ReturnType<NonNullable<Awaited<ReturnType<typeof launchChromium>>>['newPage']>>;

/** Milliseconds of a turn: to wait for the device takes some of them, whatever it does. */
const quantum = 200;

/** The columns: the first is what the others are compared with. */
const columns = [
  ['neumann webgl2', 'neumann', 'webgl2'],
  ['neumann webgpu', 'neumann', 'webgpu'],
  ['tfjs webgl', 'tfjs', 'webgl'],
  ['tfjs webgpu', 'tfjs', 'webgpu'],
  ['jax-js webgpu', 'jax', 'webgpu'],
] as const;

class PageAsked {
  readonly name: string;
  readonly launches = new Map<string, number>();
  readonly #page: Page;

  constructor(name: string, page: Page) {
    this.name = name;
    this.#page = page;
  }

  async ask({ name, workload, params }: Row): Promise<PageAnswer> {
    const answer = await this.#page.evaluate(
      ([workload, params, quantum]) =>
        (globalThis as unknown as { ask(...args: unknown[]): Promise<PageAnswer> }).ask(
          workload,
          params,
          quantum,
        ),
      [workload, params, quantum] as const,
    );
    if (answer.launches !== undefined) this.launches.set(name, answer.launches);
    return answer;
  }
}

export interface GpuReport {
  readonly markdown: string;
  readonly results: readonly Measured[];
  readonly machine: string;
}

/** Measures the rows whose names contain one of `only`, or all. `undefined` without a browser. */
export async function benchGpu(
  peersFolder: string | undefined,
  only: readonly string[],
): Promise<GpuReport | undefined> {
  const browser = await launchChromium();
  if (!browser) {
    console.error('bench: no Chromium here; set CHROMIUM to the path of one.');
    return undefined;
  }
  const modules = `${peersFolder ?? fileURLToPath(new URL('../peers', import.meta.url))}/node_modules`;
  const names = ['@tensorflow/tfjs', '@tensorflow/tfjs-backend-webgpu', '@jax-js/jax'];
  const none = fileURLToPath(new URL('none.ts', import.meta.url));
  const out = await bundle(
    fileURLToPath(new URL('.', import.meta.url)),
    ['page'],
    Object.fromEntries(names.map((name) => [name, peersFolder === undefined ? none : `${modules}/${name}`])),
  );
  const { address, close } = await servePage(out);
  const asked: PageAsked[] = [];
  for (const [title, library, mode] of columns) {
    if (library !== 'neumann' && peersFolder === undefined) continue;
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.error(`bench: ${title}: ${error.message}`));
    await page.goto(address);
    await page.waitForFunction(() => 'ask' in globalThis);
    const refusal = await page.evaluate(
      ([library, mode]) =>
        (globalThis as unknown as { start(...args: unknown[]): Promise<string | undefined> }).start(
          library,
          mode,
        ),
      [library, mode] as const,
    );
    if (refusal === undefined) asked.push(new PageAsked(title, page));
    else console.error(`bench: ${title} cannot run here (${refusal})`);
  }
  const rows = gpuCase.rows.filter(
    ({ name }) => only.length === 0 || only.some((part) => name.includes(part)),
  );
  const one = { ...gpuCase, rows };
  const titles = asked.map(({ name }) => name);
  const results: Measured[] = [];
  for (const row of rows) {
    const measured = await measure({ ...one, rows: [row] }, asked);
    results.push(...measured);
    console.error(table({ ...one, rows: [row] }, measured, titles, {}).split('\n')[4]); // these take minutes
  }
  const markdown = `${table(one, results, titles, {})}\n${launchTable(rows, asked)}\n${refusals(results)}`;
  const machine = `${cpus()[0]?.model.trim() ?? process.arch}, Chromium ${browser.version()} on SwiftShader`;
  await browser.close();
  close();
  return { markdown, results, machine };
}

function launchTable(rows: readonly Row[], asked: readonly PageAsked[]): string {
  return [
    '### Programs that one run starts on the device',
    '',
    `| | ${asked.map(({ name }) => name).join(' | ')} |`,
    `|${'---|'.repeat(asked.length + 1)}`,
    ...rows.map(
      ({ name }) => `| ${[name, ...asked.map(({ launches }) => launches.get(name) ?? '–')].join(' | ')} |`,
    ),
    '',
  ].join('\n');
}

/** What a subject cannot do, and why. */
function refusals(results: readonly Measured[]): string {
  return results
    .flatMap(({ name, times }) =>
      Object.entries(times).flatMap(([subject, time]) =>
        'error' in time ? [`* ${subject}, ${name}: ${time.error}`] : [],
      ),
    )
    .map((line) => `${line}\n`)
    .join('');
}
