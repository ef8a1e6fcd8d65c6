import { dtypeInfo, OptionError, type Plan, showAval, stepName } from '@neumann/core/backend';
import { flopsOf } from '../emit/cost.ts';
import type { Work } from '../emit/plan.ts';
import { type Peak, peakOf } from './peak.ts';
import { currentRecorder, type Event, Recorder, setRecorder } from './recorder.ts';

/** All runs of equal kernels. */
export interface ProfileRow {
  /** Of the kernel, and what it computes. */
  readonly name: string;
  readonly calls: number;
  readonly ms: number;
  /** Of the time of all kernels, from 0 to 1. */
  readonly share: number;
  /** Arithmetic of all calls; a multiply-add counts as two. */
  readonly flops: number;
  /** Bytes of the operands and results of all calls. */
  readonly bytes: number;
  /**
   * The time that the arithmetic would take at the machine's peak, or the bytes, whichever is longer, relative to `ms`.
   * What a cache holds can be faster than memory, so that it may be above 1; so may a convolution by Winograd's algorithm,
   * which does less arithmetic than it is counted with.
   */
  readonly ofPeak: number;
}

/** An event of the Chrome trace format. Microseconds. */
export interface TraceEvent {
  readonly name: string;
  readonly ph: 'X';
  readonly ts: number;
  readonly dur: number;
  readonly pid: number;
  readonly tid: number;
  readonly args: { readonly flops: number; readonly bytes: number };
}

/** Where the time of a function went. */
export interface Profile {
  /** By time, the longest first. */
  readonly rows: readonly ProfileRow[];
  /** From start to end, with everything that is no kernel. */
  readonly ms: number;
  /** The machine's measured peak. */
  readonly peak: Peak;
  /** A table. */
  toString(): string;
  /** What `chrome://tracing` and https://ui.perfetto.dev show, written to a file as JSON. */
  trace(): { readonly traceEvents: readonly TraceEvent[] };
}

/**
 * Runs a function once and measures each kernel that it runs on cpu backends, jitted or not.
 *
 * What was compiled before is compiled again with a clock after each kernel, where all threads wait for each other: call
 * the function once before, so that its own compilation is not counted in `ms`.
 *
 * @param f may be asynchronous.
 * @throws {OptionError} if a profile is being made already.
 * @example
 * const report = await profile(() => add(ones([1000]), 1));
 * console.log(`${report}`);
 * JSON.stringify(report.trace());
 */
export async function profile(f: () => unknown): Promise<Profile> {
  if (currentRecorder())
    throw new OptionError('profile: another profile is being made; await it before making the next.');
  const recorder = new Recorder();
  setRecorder(recorder);
  const start = performance.now();
  try {
    await f();
  } finally {
    setRecorder(undefined);
  }
  const ms = performance.now() - start;
  const peaks = [...recorder.backends].map(peakOf);
  const peak = {
    gflops: Math.max(0, ...peaks.map(({ gflops }) => gflops)),
    gbs: Math.max(0, ...peaks.map(({ gbs }) => gbs)),
  };
  return new Report(recorder.events, ms, peak, start);
}

class Report implements Profile {
  readonly rows: readonly ProfileRow[];
  readonly ms: number;
  readonly peak: Peak;
  readonly #events: readonly Event[];
  readonly #start: number;

  constructor(events: readonly Event[], ms: number, peak: Peak, start: number) {
    this.ms = ms;
    this.peak = peak;
    this.#events = events;
    this.#start = start;
    this.rows = rowsOf(events, peak);
  }

  toString(): string {
    const lines = this.rows.map((row) => [
      row.name,
      String(row.calls),
      row.ms.toFixed(3),
      percent(row.share),
      (row.flops / row.ms / 1e6).toFixed(1),
      (row.bytes / row.ms / 1e6).toFixed(1),
      percent(row.ofPeak),
    ]);
    const kernels = this.rows.reduce((sum, row) => sum + row.ms, 0);
    const { gflops, gbs } = this.peak;
    return [
      ...align([['kernel', 'calls', 'ms', 'time', 'GFLOP/s', 'GB/s', 'of peak'], ...lines]),
      `kernels ${kernels.toFixed(3)} ms of ${this.ms.toFixed(3)} ms; peak ${gflops.toFixed(0)} GFLOP/s, ${gbs.toFixed(0)} GB/s`,
    ].join('\n');
  }

  trace(): { readonly traceEvents: readonly TraceEvent[] } {
    const traceEvents = this.#events.map(({ step, plan, start, end }): TraceEvent => {
      const ts = (start - this.#start) * 1000;
      const args = { flops: flopsOfStep(step), bytes: bytesOfStep(plan, step) };
      return { name: nameOf(step), ph: 'X', ts, dur: (end - start) * 1000, pid: 1, tid: 1, args };
    });
    return { traceEvents };
  }
}

function rowsOf(events: readonly Event[], { gflops, gbs }: Peak): ProfileRow[] {
  const sums = new Map<string, { calls: number; ms: number; flops: number; bytes: number }>();
  let total = 0;
  for (const { step, plan, start, end } of events) {
    const name = nameOf(step);
    const sum = sums.get(name) ?? { calls: 0, ms: 0, flops: 0, bytes: 0 };
    sums.set(name, sum);
    sum.calls++;
    sum.ms += end - start;
    sum.flops += flopsOfStep(step);
    sum.bytes += bytesOfStep(plan, step);
    total += end - start;
  }
  return [...sums]
    .map(([name, sum]): ProfileRow => {
      const least = Math.max(sum.flops / gflops, sum.bytes / gbs) / 1e6;
      return { name, ...sum, share: sum.ms / (total || 1), ofPeak: least / (sum.ms || 1) };
    })
    .sort((a, b) => b.ms - a.ms);
}

/** `add f32[1000]`; of what runs row by row together, `reduceMax f32[10], exp f32[10,10]`. */
function nameOf(step: Work): string {
  if (step.kind === 'host') return stepName(step);
  if (step.kind === 'rows') return step.steps.map(nameOf).join(', ');
  const { axes, outputs } = step.kernel;
  return `${stepName(step)} ${outputs.map(({ dtype }) => showAval({ dtype, shape: axes })).join(', ')}`;
}

function flopsOfStep(step: Work): number {
  if (step.kind === 'rows') return step.steps.reduce((sum, one) => sum + flopsOfStep(one), 0);
  return step.kind === 'kernel' ? flopsOf(step.kernel) : 0;
}

function bytesOfStep({ slots }: Plan, { inputs, outputs }: Work): number {
  let bytes = 0;
  for (const slot of [...new Set(inputs), ...outputs]) {
    const { dtype, size } = slots[slot] ?? { dtype: 'bool' as const, size: 0 };
    bytes += size * dtypeInfo(dtype).bytes;
  }
  return bytes;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** Columns of equal width, the first to the left. */
function align(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
}
