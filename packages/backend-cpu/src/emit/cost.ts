import { type Kernel, sizeOf } from '@neumann/core/backend';

/** From this many points on, a kernel takes longer than it takes several threads to agree that they are done. */
export const DIVIDE_FROM: number = 2 ** 15;

/** A rough measure of the time that a kernel takes: points written, and some of those read. */
export function costOf({ axes, reduceAxes, reductions }: Kernel): number {
  const points = sizeOf(axes);
  return points + (reductions.length > 0 ? (points * sizeOf(reduceAxes)) / 8 : 0);
}
