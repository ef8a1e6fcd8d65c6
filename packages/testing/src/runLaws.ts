import { describe, expect, test } from 'vitest';
import type { Backend } from './core.ts';
import { law } from './law.ts';
import type { Law } from './laws/common.ts';
import { laws as allLaws } from './laws/laws.ts';
import type { Row } from './row.ts';

/** A pair of row and law that a backend does not keep, and why. */
export interface Skip {
  readonly row: string;
  readonly law: string;
  readonly reason: string;
}

export interface SuiteOptions {
  readonly rows: readonly Row[];
  readonly laws?: readonly Law[];
  readonly skip?: readonly Skip[];
  /** Samples relative to those that each law asks for. */
  readonly runs?: number;
}

/**
 * Runs every law over every row on a backend: the suite that a backend's tests call.
 *
 * @example
 * runLaws(await cpu(), { rows: primitiveRows, skip: [{ row: 'erfInv', law: 'result ≡ reference', reason: '…' }] });
 */
export function runLaws(backend: Backend, { rows, laws = allLaws, skip = [], runs = 1 }: SuiteOptions): void {
  describe(`laws on ${backend.name}`, () => {
    test('skips name a row, a law, and a reason', () => {
      for (const { row, law, reason } of skip) {
        expect(rows.map((r) => r.name)).toContain(row);
        expect(laws.map((l) => l.name)).toContain(law);
        expect(reason).not.toBe('');
      }
    });
    for (const one of laws)
      for (const row of rows) {
        const samples = one.samples(row, backend);
        if (!samples) continue;
        const name = `${one.name}: ${row.name}`;
        const skipped = skip.find((s) => s.row === row.name && s.law === one.name);
        law(name, samples, (sample) => one.holds(sample, row, backend), {
          runs: one.runs * runs * (row.runs ?? 1),
          skip: skipped?.reason,
        });
      }
  });
}
