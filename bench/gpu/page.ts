/** What runs in the browser: one subject, which answers requests from outside. */
import { counted } from './counts.ts';

/** A library on one of its backends. */
export interface PageSubject {
  /** Each makes a function to be timed, which starts the work; a promise is that it was started. */
  readonly workloads: Readonly<Record<string, ((params: never) => () => unknown) | undefined>>;
  /** Waits until everything that was started is done. */
  readonly finish: () => Promise<unknown>;
}

export interface PageAnswer {
  /** Mean time of one run of `count`. */
  readonly ms?: number;
  readonly count?: number;
  /** Programs that one run starts on the device. */
  readonly launches?: number;
  readonly error?: string;
}

const makers: Readonly<Record<string, (mode: string) => Promise<PageSubject>>> = {
  neumann: async (mode) => (await import('./subjects/neumann.ts')).subject(mode),
  tfjs: async (mode) => (await import('./subjects/tfjs.mjs')).subject(mode),
  jax: async (mode) => (await import('./subjects/jax.mjs')).subject(mode),
};

let subject: PageSubject | undefined;
let prepared:
  | { readonly key: string; readonly run: () => unknown; count: number; launches: number }
  | undefined;

async function start(name: string, mode: string): Promise<string | undefined> {
  try {
    subject = await makers[name]?.(mode);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Compiles a workload, and finds how many runs take about `quantum` milliseconds together. */
async function ready(workload: string, params: object, quantum: number): Promise<PageAnswer> {
  try {
    if (!subject) throw new Error('there is no subject');
    const key = JSON.stringify([workload, params]);
    if (prepared?.key !== key) prepared = await prepare(subject, key, workload, params, quantum);
    return { launches: prepared.launches };
  } catch (error) {
    return failed(error);
  }
}

/** Runs the workload that was made ready. */
async function ask(): Promise<PageAnswer> {
  try {
    if (!subject || !prepared) throw new Error('nothing is ready');
    const { run, count } = prepared;
    return { ms: (await time(subject, run, count)) / count, count };
  } catch (error) {
    return failed(error);
  }
}

function failed(error: unknown): PageAnswer {
  prepared = undefined;
  return { error: messageOf(error) };
}

async function prepare(
  { workloads, finish }: PageSubject,
  key: string,
  workload: string,
  params: object,
  quantum: number,
): Promise<NonNullable<typeof prepared>> {
  const run = workloads[workload]?.(params as never);
  if (!run) throw new Error('no such workload');
  for (let i = 0; i < 2; i++) await run(); // compiles
  await finish();
  const launches = await counted(run);
  await finish();
  await time({ workloads, finish }, run, 1); // the first waits for what came before, too
  let count = 1;
  while (count < 256 && (await time({ workloads, finish }, run, count)) < quantum / 2) count *= 2;
  return { key, run, count, launches };
}

async function time({ finish }: PageSubject, run: () => unknown, count: number): Promise<number> {
  const begin = performance.now();
  for (let i = 0; i < count; i++) {
    const result = run();
    if (result instanceof Promise) await result;
  }
  await finish();
  return performance.now() - begin;
}

const messageOf = (error: unknown): string =>
  String(error instanceof Error ? error.message : error).split('\n')[0] as string;

const calls = { start, ready, ask };

export type Calls = typeof calls;

Object.assign(globalThis, calls);
