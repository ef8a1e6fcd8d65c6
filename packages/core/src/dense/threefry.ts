/** Threefry-2x32 and what is drawn from it, on JavaScript numbers: the same bits as `primitives/threefry.ts`. */
import { scalarFunctions } from '../reference/special.ts';

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

/** A key, or two words of random bits. */
export type Words = readonly [number, number];

/** Two words for the counter (0, c) under a key. */
export function threefry([k0, k1]: Words, c: number): Words {
  const keys = [k0, k1, k0 ^ k1 ^ 0x1bd11bda];
  let x0 = k0 | 0;
  let x1 = (c + k1) | 0;
  for (let group = 0; group < 5; group++) {
    for (const by of rotations[group % 2] as readonly number[]) {
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << by) | (x1 >>> (32 - by))) ^ x0;
    }
    x0 = (x0 + (keys[(group + 1) % 3] as number)) | 0;
    x1 = (x1 + (keys[(group + 2) % 3] as number) + group + 1) | 0;
  }
  return [x0 >>> 0, x1 >>> 0];
}

/** [0, 1) from 23 or 52 bits of the counter c under a key. */
export function unit(key: Words, c: number, wide: boolean): number {
  const [high, low] = threefry(key, c);
  return wide ? high * 2 ** -32 + (low >>> 12) * 2 ** -52 : ((high ^ low) >>> 9) * 2 ** -23;
}

/** One number of the standard normal distribution. */
export function normal(key: Words, wide: boolean): number {
  const lowest = wide ? 2 ** -53 - 1 : 2 ** -24 - 1; // next to -1
  return Math.SQRT2 * scalarFunctions.erfInv(Math.max(lowest, unit(key, 0, wide) * (1 - lowest) + lowest));
}
