/** Interleaved timing: machines are shared, so only ratios of medians taken side by side mean anything. */

export interface Contender {
  readonly name: string;
  readonly run: () => void;
  /** Floating-point operations of one run, where that is what counts. */
  readonly flops?: number;
}

export interface Timing {
  readonly name: string;
  /** Milliseconds. */
  readonly median: number;
  readonly best: number;
  readonly gflops: number | undefined;
}

/** Runs the contenders in turn, `rounds` times, each for at least `quantum` ms a round. */
export function alternate(contenders: readonly Contender[], { rounds = 9, quantum = 40 } = {}): Timing[] {
  const samples = contenders.map(() => [] as number[]);
  for (const { run } of contenders) run(); // compile
  for (let round = 0; round < rounds; round++)
    for (const [i, { run }] of contenders.entries()) samples[i]?.push(once(run, quantum));
  return contenders.map(({ name, flops }, i) => {
    const sorted = (samples[i] as number[]).toSorted((a, b) => a - b);
    const median = sorted[sorted.length >> 1] as number;
    return {
      name,
      median,
      best: sorted[0] as number,
      gflops: flops === undefined ? undefined : flops / median / 1e6,
    };
  });
}

/** Milliseconds of one run, averaged over a quantum. */
function once(run: () => void, quantum: number): number {
  const start = performance.now();
  let count = 0;
  let elapsed = 0;
  do {
    run();
    count++;
    elapsed = performance.now() - start;
  } while (elapsed < quantum);
  return elapsed / count;
}

/** A markdown table. */
export function table(title: string, timings: readonly Timing[]): string {
  const rows = timings.map(
    ({ name, median, best, gflops }) =>
      `| ${name} | ${showTime(median)} | ${showTime(best)} | ${gflops === undefined ? '' : gflops.toFixed(1)} |`,
  );
  return [`### ${title}`, '', '| | median | best | GFLOP/s |', '|---|---|---|---|', ...rows, ''].join('\n');
}

const showTime = (ms: number): string => (ms < 1 ? `${(ms * 1000).toFixed(1)} µs` : `${ms.toFixed(2)} ms`);
