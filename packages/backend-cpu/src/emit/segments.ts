import type { Kernel } from '@neumann/core/backend';
import { buildGraph, fullRanges, type Graph, type Ranges } from './graph.ts';
import { reachable } from './node.ts';

/** More parts than this make more code than they are worth. */
const MOST_PARTS = 16;

/**
 * The parts of a kernel's iteration space that get a loop nest of their own: cut where a comparison of one coordinate
 * with a constant changes its result, so that within each part the guards of padding and concatenation are constants
 * and loads become contiguous.
 */
export function segments(kernel: Kernel): Graph[] {
  const ranges = fullRanges(kernel);
  const graph = buildGraph(kernel, ranges);
  let parts: Ranges[] = [ranges];
  const cuts = cutsOf(graph, kernel.axes.length);
  for (let axis = kernel.axes.length - 1; axis >= 0; axis--) {
    const [low = 0, high = 0] = ranges[axis] ?? [];
    const inside = [...(cuts[axis] ?? [])].filter((cut) => cut > low && cut < high).sort((a, b) => a - b);
    if (inside.length === 0 || parts.length * (inside.length + 1) > MOST_PARTS) continue;
    const pieces = [...inside, high].map((end, i) => [inside[i - 1] ?? low, end] as const);
    parts = parts.flatMap((part) =>
      pieces.map((piece) => part.map((range, a) => (a === axis ? piece : range))),
    );
  }
  return parts.length === 1 ? [graph] : parts.map((part) => buildGraph(kernel, part));
}

/** For each parallel axis, the coordinates where a comparison changes. */
function cutsOf(graph: Graph, parallelAxes: number): Set<number>[] {
  const cuts = Array.from({ length: parallelAxes }, () => new Set<number>());
  for (const node of reachable([...graph.values, ...graph.outputs])) {
    if (node.kind !== 'compare' || node.x.dtype !== 'int32') continue;
    const difference = graph.builder.difference(node.x, node.y);
    const [term, ...others] = difference?.terms ?? [];
    if (!difference || !term || others.length > 0 || term.node.kind !== 'coord') continue;
    const zero = -difference.constant / term.factor; // the comparison changes around it
    const rises = term.factor > 0;
    const cutsHere = cuts[term.node.axis];
    if (node.op === 'eq' || node.op === 'ne') {
      if (Number.isInteger(zero)) cutsHere?.add(zero).add(zero + 1);
    } else cutsHere?.add((node.op === 'lt') === rises ? Math.ceil(zero) : Math.floor(zero) + 1);
  }
  return cuts;
}
