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
  readonly ms?: number;
  /** Of one run: programs started on the device, values read from it, and bytes sent to it. */
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

/** The mean time of one run, when so many are started that they take about `quantum` milliseconds together. */
async function ask(workload: string, params: object, quantum: number): Promise<PageAnswer> {
  try {
    if (!subject) throw new Error('there is no subject');
    const key = JSON.stringify([workload, params]);
    if (prepared?.key !== key) prepared = await prepare(subject, key, workload, params, quantum);
    const { run, count, launches } = prepared;
    return { ms: (await time(subject, run, count)) / count, launches };
  } catch (error) {
    prepared = undefined;
    return { error: messageOf(error) };
  }
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

Object.assign(globalThis, { start, ask });
