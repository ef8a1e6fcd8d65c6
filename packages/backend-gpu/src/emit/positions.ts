import { type Expr, type Kernel, nodesOf } from '@neumann/core/backend';
import { maxInteger } from '../limits.ts';

/**
 * Coordinates, and sums and products of them and of constants, that leave the integers which float32 holds. They are exact as long
 * as they stand inside an index or a comparison, where gpu.js keeps them integers.
 */
export function farPositions(
  roots: readonly Expr[],
  { axes, reduceAxes }: Pick<Kernel, 'axes' | 'reduceAxes'>,
): Set<Expr> {
  const extents = [...axes, ...reduceAxes];
  const known = new Map<Expr, readonly [least: number, greatest: number]>();
  const far = new Set<Expr>();
  for (const node of nodesOf(roots)) {
    const interval = intervalOf(node, extents, (x) => known.get(x));
    if (!interval || Math.max(-interval[0], interval[1]) >= 2 ** 31) continue;
    known.set(node, interval);
    if (node.kind !== 'const' && Math.max(-interval[0], interval[1]) > maxInteger) far.add(node);
  }
  return far;
}

type Interval = readonly [least: number, greatest: number];

function intervalOf(
  node: Expr,
  extents: readonly number[],
  of: (x: Expr) => Interval | undefined,
): Interval | undefined {
  if (node.dtype !== 'int32') return undefined;
  if (node.kind === 'const') return [node.value, node.value];
  if (node.kind === 'coord') return [0, Math.max(0, (extents[node.axis] as number) - 1)];
  if (node.kind !== 'binary') return undefined;
  const [x, y] = [of(node.x), of(node.y)];
  if (!x || !y) return undefined;
  if (node.op === 'add') return [x[0] + y[0], x[1] + y[1]];
  if (node.op === 'sub') return [x[0] - y[1], x[1] - y[0]];
  if (node.op !== 'mul') return undefined;
  const products = x.flatMap((a) => y.map((b) => a * b));
  return [Math.min(...products), Math.max(...products)];
}
