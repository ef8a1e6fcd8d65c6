import type { Kernel } from '@neumann/core/backend';
import { fullRanges, type Ranges } from './graph.ts';

/** The parts of a kernel's iteration space that get a loop nest of their own. */
export function segments(kernel: Kernel): Ranges[] {
  return [fullRanges(kernel)];
}
