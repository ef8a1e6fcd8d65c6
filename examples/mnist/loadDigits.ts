import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { joinDigits, type Split, splitDigits } from './data.ts';

/** The split of all images that the package `mnist` ships, or of the first `count` in the order of the permutation. */
export async function loadDigits(count?: number): Promise<Split> {
  const { resolve } = createRequire(import.meta.url);
  const files = Array.from({ length: 10 }, (_, digit) => {
    const text = readFileSync(resolve(`mnist/src/digits/${digit}.json`), 'utf8');
    return JSON.parse(text) as { data: number[] };
  });
  return splitDigits(joinDigits(files), count);
}
