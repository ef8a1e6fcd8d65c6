import fc from 'fast-check';
import { test } from 'vitest';

/**
 * Two environment variables, for looking longer and for looking again:
 *
 * - `NEUMANN_RUNS=10` draws ten times as many samples;
 * - `NEUMANN_SEED=1234` draws those of that seed (a failure prints it), `NEUMANN_SEED=random` new ones.
 *
 * Otherwise each law draws the same samples every time.
 */
const settings = {
  runs: Number(environment('NEUMANN_RUNS') ?? 1),
  seed: environment('NEUMANN_SEED'),
};

function environment(name: string): string | undefined {
  if (typeof process !== 'undefined') return process.env[name];
  return (import.meta as ImportMeta & { env: Record<string, string> }).env[name]; // vitest's, in browsers
}

export interface LawOptions {
  /** Samples drawn; 20 by default. */
  readonly runs?: number;
  /** Why the law is not to be run. */
  readonly skip?: string | undefined;
  /** Whether the title tells the seed. */
  readonly showSeed?: boolean;
}

/** States that `holds` does not throw for anything drawn; a failure prints the smallest example found and the seed. */
export function law<T>(
  name: string,
  samples: fc.Arbitrary<T>,
  holds: (sample: T) => void | Promise<void>,
  { runs = 20, skip, showSeed = false }: LawOptions = {},
): void {
  const numRuns = Math.max(1, Math.round(runs * settings.runs));
  const property = fc.asyncProperty(samples, async (x) => holds(x));
  // Shrinking ends with the limit too, so that a failure is told soon, if not in its smallest form.
  const limit = 60_000 * Math.max(1, settings.runs);
  const options = { numRuns, seed: seedOf(name), interruptAfterTimeLimit: limit };
  const why = skip ?? (showSeed ? `seed ${options.seed}` : undefined);
  const title = why === undefined ? name : `${name} (${why})`;
  // oxlint-disable-next-line vitest/expect-expect, vitest/valid-title -- fc.assert asserts, and callers give titles
  test(title, { timeout: 2 * limit, skip: skip !== undefined }, () => fc.assert(property, options));
}

function seedOf(name: string): number {
  if (settings.seed === 'random') return (Math.random() * 2 ** 31) | 0;
  if (settings.seed !== undefined) return Number(settings.seed);
  let hash = 0;
  for (const char of name) hash = (Math.imul(hash, 31) + (char.codePointAt(0) as number)) | 0;
  return hash;
}
