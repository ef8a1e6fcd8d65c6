import {
  addExpr,
  coord,
  type Expr,
  type Kernel,
  mulIndex,
  rowMajorStrides,
  substituteAll,
} from '@neumann/core/backend';
import type { Graph, Ranges } from './graph.ts';
import { strideOfAxis } from './nest.ts';
import { reachable } from './node.ts';

/**
 * Points of a tile along the axis that is contiguous in the operand that lies across: a cache line of it; and along the one
 * of the result: a vector, as rows that lie a power of two apart share few places in the cache.
 */
const HEIGHT = 16;
const WIDTH = 4;

/** A kernel in tiles, and what they leave over. */
export interface Tiles {
  /** Its axes are those of the kernel, of which two are split in tiles and points within them. */
  readonly kernel: Kernel;
  /** How far the results lie apart along each axis. */
  readonly strides: readonly number[];
  /** Parts of the kernel itself that fill no tiles. */
  readonly rest: readonly Ranges[];
}

/**
 * Tiles for a pointwise kernel that reads an operand across the direction in which it writes, such as `x + transpose(y)`:
 * cache lines of the operand, of which each point along the result needs another, are still there for the next points.
 */
export function tilesOf(kernel: Kernel, graph: Graph): Tiles | undefined {
  const { axes, reductions } = kernel;
  const along = axes.length - 1;
  const isCopy = graph.outputs.every(({ kind }) => kind === 'load');
  if (reductions.length > 0 || isCopy || (axes[along] ?? 0) < WIDTH) return undefined;
  const across = acrossAxis(graph, along);
  const height = axes[across ?? -1] ?? 0;
  const width = axes[along] ?? 0;
  if (across === undefined || height < HEIGHT) return undefined;
  const [rows, columns] = [Math.floor(height / HEIGHT), Math.floor(width / WIDTH)];
  const inner = along + 1; // after the axes, of which the last counts tiles: a point's row, and its column
  const split = (tile: number, size: number, point: number): Expr =>
    addExpr(mulIndex(coord(tile), size), coord(point));
  const moved = (axis: number): Expr => {
    if (axis === across) return split(axis, HEIGHT, inner);
    return axis === along ? split(axis, WIDTH, inner + 1) : coord(axis);
  };
  const strides = rowMajorStrides(axes);
  const [down = 0, right = 0] = [strides[across], strides[along]];
  const whole = axes.map((extent, axis): readonly [number, number] =>
    axis === across ? [0, rows * HEIGHT] : axis === along ? [0, columns * WIDTH] : [0, extent],
  );
  const full = axes.map((extent): readonly [number, number] => [0, extent]);
  const rest: Ranges[] = [];
  if (height % HEIGHT > 0) rest.push(full.with(across, [rows * HEIGHT, height]));
  if (width % WIDTH > 0) rest.push(whole.with(along, [columns * WIDTH, width]));
  return {
    kernel: {
      ...kernel,
      axes: [...axes.with(across, rows).with(along, columns), HEIGHT, WIDTH],
      outputs: substituteAll(kernel.outputs, { coord: moved }),
    },
    strides: [...strides.with(across, down * HEIGHT).with(along, right * WIDTH), down, right],
    rest,
  };
}

/** The axis along which a load is contiguous that is not so along the result, if there is one. */
function acrossAxis(graph: Graph, along: number): number | undefined {
  for (const node of reachable(graph.outputs)) {
    if (node.kind !== 'load' || Math.abs(strideOfAxis(node.index, along)) <= 1) continue;
    const across = graph.ranges.findIndex((_, axis) => strideOfAxis(node.index, axis) === 1);
    if (across >= 0) return across;
  }
  return undefined;
}
