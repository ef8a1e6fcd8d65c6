import {
  acc,
  addExpr,
  addIndex,
  coord,
  dtypeInfo,
  type Expr,
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
  const { axes, reduceAxes, reductions } = kernel;
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
  const total = count + (left > 0 ? 1 : 0);
  let scratch = 0;
  const buffers = reductions.map(({ value }) => {
    const bytes = points * dtypeInfo(value.dtype).bytes;
    const at = scratch;
    scratch += Math.ceil((bytes * total) / 64) * 64;
    return { at, bytes };
  });
  return {
    chunks: inChunks(kernel, { axis, count, first: 0, size, length: size }),
    rest: left > 0 ? inChunks(kernel, { axis, count: 1, first: count, size, length: left }) : undefined,
    whole: ofChunks(kernel, total),
    buffers,
    scratch,
  };
}

/** The outermost reduce axis that makes enough chunks, or else the longest. */
function splitAxis(reduceAxes: readonly number[]): number {
  const outermost = reduceAxes.findIndex((n) => n >= MOST_CHUNKS);
  return outermost >= 0 ? outermost : reduceAxes.indexOf(Math.max(...reduceAxes));
}

/** Chunks of a reduce axis: `count` of them from the chunk `first` on, which begin every `size` points, each of `length`. */
interface Chunks {
  readonly axis: number;
  readonly count: number;
  readonly first: number;
  readonly size: number;
  readonly length: number;
}

/**
 * The partial results of a reduction for each chunk of one axis, at each point of the reduce axes `apart`: a kernel over
 * `[...apart, count, ...axes]`, from its inputs.
 */
export function inChunks(
  kernel: Kernel,
  { axis, count, first, size, length }: Chunks,
  apart: readonly number[] = [],
): Kernel {
  const { name, inputs, axes, reduceAxes, reductions } = kernel;
  const lead = apart.length + 1;
  const kept = reduceAxes.map((_, a) => a).filter((a) => !apart.includes(a));
  const along = (a: number): Expr => coord(lead + axes.length + kept.indexOf(a));
  const start = addIndex(mulIndex(coord(apart.length), size), first * size);
  const moved = (a: number): Expr => {
    if (a < axes.length) return coord(lead + a);
    const reduced = a - axes.length;
    if (reduced === axis) return addExpr(along(axis), start);
    return apart.includes(reduced) ? coord(apart.indexOf(reduced)) : along(reduced);
  };
  const values = substituteAll(
    reductions.map(({ value }) => value),
    { coord: moved },
  );
  return {
    name: `${name}, in chunks`,
    inputs,
    axes: [...apart.map((a) => reduceAxes[a] ?? 1), count, ...axes],
    reduceAxes: kept.map((a) => (a === axis ? length : (reduceAxes[a] ?? 1))),
    reductions: reductions.map((reduction, i) => ({ ...reduction, value: values[i] ?? reduction.value })),
    outputs: reductions.map(({ value }, i) => acc(value.dtype, i)),
  };
}

/** A reduction from its inputs, and then its partial results for each of some chunks. */
export function ofChunks(kernel: Kernel, count: number): Kernel {
  const { name, inputs, axes, reductions, outputs } = kernel;
  const views = reductions.map(({ value }) => ({ shape: [count, ...axes], dtype: value.dtype }));
  const index = [coord(axes.length), ...axes.map((_, axis) => coord(axis))];
  return {
    name,
    inputs: [...inputs, ...views],
    axes,
    reduceAxes: [count],
    reductions: reductions.map(({ op }, i) => ({
      op,
      value: load(inputs.length + i, views[i] ?? 'float32', index),
    })),
    outputs,
  };
}
