/**
 * Fusion: fewer, larger kernels, so that less memory is read and written.
 *
 * 1. Inlining. A value that is computed point by point is not stored but computed where it is read.
 * 2. Merging. Kernels over the same axes that share operands or feed each other become one with several outputs;
 *    a reduction takes in the pointwise work on its result (the epilogue), and so does a routine where the backend
 *    says that it can.
 *
 * Each reason not to fuse is a function with a name. Host routines, loops and branches are no loop
 * nests: nothing fuses with them; what is inside loops and branches fuses there.
 */
import { inline } from './inline.ts';
import { inBlocks, type Lowered } from './launch.ts';
import { type FusesEpilogue, merge } from './merge.ts';
import type { Var } from './program.ts';

/** @param donated Arguments whose memory results may take over. */
export function fuse(
  lowered: Lowered,
  fusesEpilogue: FusesEpilogue = () => false,
  donated: ReadonlySet<Var> = new Set(),
): Lowered {
  return merge(inline(inBlocks(lowered, (block) => fuse(block, fusesEpilogue))), fusesEpilogue, donated);
}
