/** A subject of measurements: a process that answers one request at a time. */
import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Row } from './workloads.ts';

/** Milliseconds of one run, why there are none, or what a workload answers by itself. */
export interface Answer {
  readonly ms?: number;
  readonly error?: string;
  readonly gflops?: number;
  readonly gbs?: number;
}

export interface SubjectOptions {
  /** The heading of its column. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** What it is measured with; everything if not said. */
  readonly only?: readonly string[];
}

const source = '--conditions=@neumann/source';
const node = (file: string, ...args: string[]) => ({
  command: process.execPath,
  args: [source, fileURLToPath(new URL(`subjects/${file}`, import.meta.url)), ...args],
});

/** This library with so many threads, in 128- or 256-bit mode. */
export const neumann = (name: string, threads: number, wide = false): SubjectOptions => ({
  name,
  ...node('neumann.ts', String(threads), wide ? 'wide' : 'narrow'),
});

/** Kernels written by hand: what the same work takes without a library. */
export const prototype: SubjectOptions = {
  name: 'prototype',
  ...node('prototype.ts'),
  only: ['gemm', 'conv', 'optimizer', 'step'],
};

/** The others. */
export const peers: readonly SubjectOptions[] = [
  { name: 'tfjs-wasm', ...node('tfjs.mjs', 'wasm') },
  { name: 'tfjs-cpu', ...node('tfjs.mjs', 'cpu'), only: ['overhead'] },
  { name: 'jax-js', ...node('jax.mjs') },
];

/** PyTorch of the system. */
export const torch = (name: string, threads: number): SubjectOptions => ({
  name,
  command: '/usr/bin/python3',
  args: [fileURLToPath(new URL('subjects/torch.py', import.meta.url)), String(threads)],
});

/** glibc gives large blocks back at once, which makes PyTorch up to twice as slow; with these it keeps them. */
const malloc = {
  MALLOC_MMAP_THRESHOLD_: '1073741824',
  MALLOC_TRIM_THRESHOLD_: '8589934592',
  MALLOC_TOP_PAD_: '268435456',
};

export class Subject {
  readonly name: string;
  readonly only: readonly string[] | undefined;
  readonly #options: SubjectOptions;
  #child: ChildProcess | undefined;
  #lines: Interface | undefined;

  constructor(options: SubjectOptions) {
    this.name = options.name;
    this.only = options.only;
    this.#options = options;
  }

  /** Runs a workload for at least `quantum` milliseconds. */
  ask({ workload, params }: Pick<Row, 'workload' | 'params'>, quantum: number): Promise<Answer> {
    const { child, lines } = this.#start();
    return new Promise((resolve) => {
      const onLine = (line: string) => settle(JSON.parse(line) as Answer);
      const onExit = () => settle({ error: 'the process ended' });
      const settle = (answer: Answer) => {
        lines.off('line', onLine);
        child.off('exit', onExit);
        resolve(answer);
      };
      lines.on('line', onLine);
      child.on('exit', onExit);
      child.stdin?.write(`${JSON.stringify({ workload, params, quantum })}\n`);
    });
  }

  end(): void {
    this.#child?.kill();
    this.#child = undefined;
  }

  #start(): { child: ChildProcess; lines: Interface } {
    if (this.#child && this.#lines && this.#child.exitCode === null)
      return { child: this.#child, lines: this.#lines };
    const { command, args } = this.#options;
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...malloc },
    });
    child.stdin?.on('error', () => {}); // the exit says it
    if (!child.stdout) throw new Error('bench: a subject has no output');
    const lines = createInterface({ input: child.stdout });
    this.#child = child;
    this.#lines = lines;
    return { child, lines };
  }
}

/** The same subject several times at once: what as many processors do for programs that do not wait for each other. */
export class Together {
  readonly name: string;
  readonly only: readonly string[] | undefined;
  readonly #subjects: readonly Subject[];

  constructor(options: SubjectOptions, count: number) {
    this.name = options.name;
    this.only = options.only;
    this.#subjects = Array.from({ length: count }, () => new Subject(options));
  }

  /** The time of one run is that in which all of them together make one. */
  async ask(row: Row, quantum: number): Promise<Answer> {
    const answers = await Promise.all(this.#subjects.map((subject) => subject.ask(row, quantum)));
    const failed = answers.find(({ ms }) => ms === undefined);
    return failed ?? { ms: 1 / answers.reduce((runs, { ms = 0 }) => runs + 1 / ms, 0) };
  }

  end(): void {
    for (const subject of this.#subjects) subject.end();
  }
}
