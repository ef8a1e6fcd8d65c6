import type { Answer } from './subject.ts';
import type { Case, Row } from './workloads.ts';

/** What a row took, in milliseconds, by subject: the median and the best of its turns, or why there are none. */
export interface Measured {
  readonly name: string;
  readonly times: Readonly<Record<string, { median: number; best: number } | { error: string }>>;
}

/** What can be measured. */
export interface Asked {
  /** The heading of its column. */
  readonly name: string;
  /** Runs a workload for about `quantum` milliseconds. */
  ask(row: Row, quantum: number): Promise<Answer>;
}

/** Of the subjects that know theirs. */
export type Peaks = Record<string, { gflops: number; gbs: number }>;

/** Each subject runs for at least so many milliseconds a turn. */
const QUANTUM = 40;
/** Subjects so slow that they would hold up the others, in milliseconds, get fewer turns. */
const SLOW = 2000;

/** Measures the rows of a case with the subjects in turn. */
export async function measure({ rows, rounds = 7 }: Case, subjects: readonly Asked[]): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const row of rows) {
    const samples = new Map(subjects.map((subject) => [subject, [] as number[]]));
    const errors = new Map<Asked, string>();
    for (let round = 0; round < rounds; round++)
      for (const [subject, taken] of samples) {
        if (errors.has(subject) || (taken[0] ?? 0) * round > SLOW) continue;
        const { ms, error } = await subject.ask(row, QUANTUM);
        if (ms !== undefined) taken.push(ms);
        else errors.set(subject, error ?? 'no answer');
      }
    const times = [...samples].map(([subject, taken]) => {
      const sorted = taken.toSorted((a, b) => a - b);
      const median = sorted[sorted.length >> 1];
      const [best] = sorted;
      const value =
        median === undefined || best === undefined
          ? { error: errors.get(subject) ?? 'no answer' }
          : { median, best };
      return [subject.name, value] as const;
    });
    measured.push({ name: row.name, times: Object.fromEntries(times) });
  }
  return measured;
}

/** A markdown table: medians, the share of the measured peak, and how many times slower others are than the first subject. */
export function table(
  one: Case,
  measured: readonly Measured[],
  names: readonly string[],
  peaks: Peaks,
): string {
  const lines = measured.map(({ name, times }, i) => {
    const row = one.rows[i];
    const [first = ''] = names;
    const base = times[first];
    const cells = names.map((subject) => {
      const time = times[subject];
      if (!time || 'error' in time || !row) return '–';
      const share = shareOfPeak(row, time.median, peaks[subject]);
      if (share !== undefined) return `${showTime(time.median)} (${share})`;
      const ratio =
        base && 'median' in base && subject !== first ? ` (${(time.median / base.median).toFixed(2)}×)` : '';
      return `${showTime(time.median)}${ratio}`;
    });
    return `| ${[name, ...cells].join(' | ')} |`;
  });
  return [
    `### ${one.title}`,
    '',
    `| | ${names.join(' | ')} |`,
    `|${'---|'.repeat(names.length + 1)}`,
    ...lines,
    '',
  ].join('\n');
}

function shareOfPeak({ flops, bytes }: Row, ms: number, peak: Peaks[string] | undefined): string | undefined {
  if (!peak || (flops === undefined && bytes === undefined)) return undefined;
  const least = flops === undefined ? (bytes ?? 0) / peak.gbs : flops / peak.gflops;
  return `${((100 * least) / 1e6 / ms).toFixed(0)} %`;
}

export const showTime = (ms: number): string =>
  ms < 1
    ? `${(ms * 1000).toPrecision(3)} µs`
    : ms < 1000
      ? `${ms.toPrecision(3)} ms`
      : `${(ms / 1000).toFixed(2)} s`;
