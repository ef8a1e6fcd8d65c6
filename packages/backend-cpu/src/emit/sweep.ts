import {
  acc,
  addExpr,
  addIndex,
  binary,
  coord,
  dtypeInfo,
  type Expr,
  type Kernel,
  load,
  mulIndex,
  rowMajorStrides,
  substituteAll,
} from '@neumann/core/backend';
import { pointsOf, strips } from './loops.ts';
import { type Nest, strideOfAxis } from './nest.ts';
import { chooseSchedule } from './schedule.ts';
import { inChunks } from './split.ts';

/** Rows that are folded in registers, before what they fold to joins what is in memory. */
const ROWS = 16;
/** Bytes between rows of which it pays to read all: they lie on pages of their own. */
const FAR = 512;

/**
 * A fold over the rows of a matrix that is wider than registers are many: a few rows from end to end, as they lie in memory, then
 * the next ones. Its partial results are in memory meanwhile, in the cache.
 */
export interface Sweep {
  /** The first rows, to partial results. */
  readonly first: Kernel;
  /** From the inputs and the partial results to the partial results, which lie apart by `strides`. */
  readonly further: Kernel;
  readonly strides: readonly number[];
  /** The axis of `further` that counts blocks of rows, one after the other. */
  readonly blocks: number;
}

/** The sweep that a kernel of one nest makes, if it is such a fold. */
export function sweepOf(kernel: Kernel, nest: Nest): Sweep | undefined {
  const { axes, reduceAxes, reductions, inputs } = kernel;
  const { loop, lanes, unroll, tail } = chooseSchedule(nest);
  const strip = nest.loops[loop];
  const [rows = 0] = reduceAxes;
  const isArg = reductions.some(({ op }) => op === 'argmax' || op === 'argmin');
  if (!strip || isArg || loop >= nest.parallel || lanes === 1 || rows < 2 * ROWS) return undefined;
  const width = strip.high - strip.low;
  const [widest] = strips(width, lanes, unroll, tail);
  if (!widest || width < 2 * pointsOf(widest)) return undefined;
  const isFar = nest.loads.some(
    ({ index, dtype }) => Math.abs(strideOfAxis(index, axes.length)) * dtypeInfo(dtype).bytes >= FAR,
  );
  if (!isFar) return undefined;
  const at = axes.findIndex((_, axis) => axes.slice(axis).reduce((n, extent) => n * extent, 1) === width);
  if (at < 0) return undefined;

  const count = Math.floor(rows / ROWS) - 1;
  const begin = rows - count * ROWS;
  const moved = (axis: number): Expr => {
    if (axis < at) return coord(axis);
    if (axis !== axes.length) return coord(axis + 1);
    return addExpr(coord(axes.length + 1), addIndex(mulIndex(coord(at), ROWS), begin));
  };
  const values = substituteAll(
    reductions.map(({ value }) => value),
    { coord: moved },
  );
  const point = axes.map((_, axis) => coord(axis < at ? axis : axis + 1));
  const views = reductions.map(({ value }) => ({ shape: axes, dtype: value.dtype }));
  const strides = rowMajorStrides(axes);
  return {
    first: inChunks(kernel, { axis: 0, count: 1, first: 0, size: begin, length: begin }),
    further: {
      name: kernel.name,
      inputs: [...inputs, ...views],
      axes: axes.toSpliced(at, 0, count),
      reduceAxes: reduceAxes.with(0, ROWS),
      reductions: reductions.map((reduction, i) => ({ ...reduction, value: values[i] ?? reduction.value })),
      outputs: reductions.map(({ op, value: { dtype } }, i) =>
        binary(op as 'add' | 'mul' | 'max' | 'min', load(inputs.length + i, dtype, point), acc(dtype, i)),
      ),
    },
    strides: strides.toSpliced(at, 0, 0),
    blocks: at,
  };
}
