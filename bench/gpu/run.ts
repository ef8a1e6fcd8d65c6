/** `pnpm bench gpu`: graphics backends side by side in Chromium, each on a page of its own; a table and launches. */
import { cpus } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { bundle } from '../../browser/bundle.ts';
import { launchChromium, servePage } from '../../browser/chromium.ts';
import { type Measured, measure, showTime, table } from '../table.ts';
import type { Row } from '../workloads.ts';
import type { Calls, PageAnswer } from './page.ts';
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

/** Seconds that processors have worked for the process that all pages' graphics commands run in. */
type Clock = () => Promise<number>;

class PageAsked {
  readonly name: string;
  readonly launches = new Map<string, number>();
  /** What all measured runs of a row took from processors together. */
  readonly processor = new Map<string, { runs: number; seconds: number }>();
  readonly #page: Page;
  readonly #clock: Clock;

  constructor(name: string, page: Page, clock: Clock) {
    this.name = name;
    this.#page = page;
    this.#clock = clock;
  }

  async ask({ name, workload, params }: Row): Promise<PageAnswer> {
    const { error, launches = NaN } = await this.#page.evaluate(
      (args) => (globalThis as unknown as Calls).ready(...args),
      [workload, params, quantum] as const,
    );
    if (error !== undefined) return { error };
    this.launches.set(name, launches);
    const before = await this.#clock();
    const answer = await this.#page.evaluate(() => (globalThis as unknown as Calls).ask());
    const { runs, seconds } = this.processor.get(name) ?? { runs: 0, seconds: 0 };
    this.processor.set(name, {
      runs: runs + (answer.count ?? 0),
      seconds: seconds + (await this.#clock()) - before,
    });
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
  const system = await browser.newBrowserCDPSession();
  const clock: Clock = async () => {
    const { processInfo } = await system.send('SystemInfo.getProcessInfo');
    return processInfo.find(({ type }) => type === 'GPU')?.cpuTime ?? NaN;
  };
  for (const [title, library, mode] of columns) {
    if (library !== 'neumann' && peersFolder === undefined) continue;
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.error(`bench: ${title}: ${error.message}`));
    await page.goto(address);
    await page.waitForFunction(() => 'ask' in globalThis);
    const refusal = await page.evaluate((args) => (globalThis as unknown as Calls).start(...args), [
      library,
      mode,
    ] as const);
    if (refusal === undefined) asked.push(new PageAsked(title, page, clock));
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
  const markdown = `${table(one, results, titles, {})}\n${perRun(rows, asked)}\n${refusals(results)}`;
  const machine = `${cpus()[0]?.model.trim() ?? process.arch}, Chromium ${browser.version()} on SwiftShader`;
  await browser.close();
  close();
  return { markdown, results, machine };
}

function perRun(rows: readonly Row[], asked: readonly PageAsked[]): string {
  const tableOf = (
    title: string,
    cell: (subject: PageAsked, name: string) => string | undefined,
  ): string[] => [
    `### ${title}`,
    '',
    `| | ${asked.map(({ name }) => name).join(' | ')} |`,
    `|${'---|'.repeat(asked.length + 1)}`,
    ...rows.map(
      ({ name }) => `| ${[name, ...asked.map((subject) => cell(subject, name) ?? '–')].join(' | ')} |`,
    ),
    '',
  ];
  return [
    ...tableOf('Processor time of one run', ({ processor }, name) => {
      const { runs = 0, seconds = 0 } = processor.get(name) ?? {};
      return runs === 0 ? undefined : showTime((1000 * seconds) / runs);
    }),
    ...tableOf('Programs that one run starts on the device', ({ launches }, name) =>
      launches.get(name)?.toString(),
    ),
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
