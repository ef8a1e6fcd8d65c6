import {
  acc,
  addExpr,
  addIndex,
  coord,
  dtypeInfo,
  type Kernel,
  load,
  mulIndex,
  sizeOf,
  substituteAll,
} from '@neumann/core/backend';
import { DIVIDE_FROM } from './cost.ts';

/** At most so many chunks, which is also how far apart in the last bits the result can be from one sum. */
const MOST_CHUNKS = 32;

/** A reduction in chunks: first one partial result for each chunk, then the reduction of those. */
export interface SplitReduction {
  /** Axes `[chunks, ...axes]`: the partial results, from the inputs of the kernel. */
  readonly chunks: Kernel;
  /** The last chunk, if what is left fills no whole one; its axes are `[1, ...axes]`. */
  readonly rest: Kernel | undefined;
  /** The kernel from its inputs, and then the partial results. */
  readonly whole: Kernel;
  /** Where each reduction's partial results lie in scratch memory, and the bytes of those of one chunk. */
  readonly buffers: readonly { readonly at: number; readonly bytes: number }[];
  readonly scratch: number;
}

/**
 * Splits a large reduction of few results, whose parallel loops divide into only `units` units: their threads would have
 * nothing to do. It is split for one thread too, so that results do not depend on how many there are.
 */
export function splitReduction(kernel: Kernel, units: number): SplitReduction | undefined {
  const { axes, reduceAxes, reductions, inputs } = kernel;
  const points = sizeOf(axes);
  const folded = sizeOf(reduceAxes);
  const isArg = reductions.some(({ op }) => op === 'argmax' || op === 'argmin');
  if (reductions.length === 0 || isArg || units >= MOST_CHUNKS / 2 || points * folded < 8 * DIVIDE_FROM)
    return undefined;
  const axis = splitAxis(reduceAxes);
  const extent = reduceAxes[axis] ?? 1;
  const wanted = Math.min(MOST_CHUNKS, Math.floor((points * folded) / DIVIDE_FROM), extent);
  if (wanted < 2 || points > folded) return undefined;
  const size = Math.ceil(extent / wanted);
  const count = Math.floor(extent / size);
  const left = extent - count * size;
  const partial = (chunks: number, first: number, length: number): Kernel => ({
    name: `${kernel.name}, in chunks`,
    inputs,
    axes: [chunks, ...axes],
    reduceAxes: reduceAxes.map((n, a) => (a === axis ? length : n)),
    reductions: chunked(kernel, axis, first, size),
    outputs: reductions.map(({ value }, i) => acc(value.dtype, i)),
  });
  const total = count + (left > 0 ? 1 : 0);
  let scratch = 0;
  const buffers = reductions.map(({ value }) => {
    const bytes = points * dtypeInfo(value.dtype).bytes;
    const at = scratch;
    scratch += Math.ceil((bytes * total) / 64) * 64;
    return { at, bytes };
  });
  const views = reductions.map(({ value }) => ({ shape: [total, ...axes], dtype: value.dtype }));
  const chunk = coord(axes.length);
  const whole: Kernel = {
    name: kernel.name,
    inputs: [...inputs, ...views],
    axes,
    reduceAxes: [total],
    reductions: reductions.map(({ op }, i) => ({
      op,
      value: load(inputs.length + i, views[i] ?? 'float32', [chunk, ...axes.map((_, a) => coord(a))]),
    })),
    outputs: kernel.outputs,
  };
  return {
    chunks: partial(count, 0, size),
    rest: left > 0 ? partial(1, count, left) : undefined,
    whole,
    buffers,
    scratch,
  };
}

/** The outermost reduce axis that makes enough chunks, or else the longest. */
function splitAxis(reduceAxes: readonly number[]): number {
  const outermost = reduceAxes.findIndex((n) => n >= MOST_CHUNKS);
  return outermost >= 0 ? outermost : reduceAxes.indexOf(Math.max(...reduceAxes));
}

/** The reductions at the points of one chunk, whose number is the first axis plus `first`. */
function chunked(
  { axes, reductions }: Kernel,
  axis: number,
  first: number,
  size: number,
): Kernel['reductions'] {
  const start = addIndex(mulIndex(coord(0), size), first * size);
  const values = substituteAll(
    reductions.map(({ value }) => value),
    {
      coord: (a) => (a === axes.length + axis ? addExpr(coord(a + 1), start) : coord(a + 1)),
    },
  );
  return reductions.map((reduction, i) => ({ ...reduction, value: values[i] ?? reduction.value }));
}
