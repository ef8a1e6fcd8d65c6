import { InternalError, type Kernel, rowMajorStrides } from '@neumann/core/backend';
import type { Graph } from './graph.ts';
import { type LoadNode, type Node, operandsOf, reachable, type Sum } from './node.ts';
import { addSums, scaleSum, sumOfNode } from './sum.ts';

/** One loop: a run of neighbouring axes that all indices walk through as if they were one. */
export interface Loop {
  readonly low: number;
  readonly high: number;
  /** The axis whose factor in an index is the stride of the loop: the innermost of the run. */
  readonly axis: number;
  readonly reduce: boolean;
}

/** The loops of a graph, outermost first with the reduce loops last, and what each node depends on. */
export interface Nest {
  readonly kernel: Kernel;
  readonly graph: Graph;
  readonly loops: readonly Loop[];
  /** How many of the loops are parallel. */
  readonly parallel: number;
  /** Whether the first axis is a loop of its own, of which only some points may be wanted. */
  readonly firstApart: boolean;
  readonly nodes: readonly Node[];
  readonly loads: readonly LoadNode[];
  /** Row-major position within the reduce axes, for argmax and argmin. */
  readonly position: Node;
  /** Bit l is set if the node changes along loop l; {@link EPILOGUE} if it reads the result of a reduction. */
  readonly depends: ReadonlyMap<Node, number>;
}

export const EPILOGUE: number = 1 << 30;

/** Merges the axes of a graph to loops; axes of extent 1 disappear. With `firstApart` the first axis is a loop of its own. */
export function buildNest(kernel: Kernel, graph: Graph, { firstApart = false } = {}): Nest {
  const parallelAxes = kernel.axes.length;
  const strides = rowMajorStrides(kernel.reduceAxes);
  const place = addSums(
    ...strides.map((s, i) => scaleSum(sumOfNode(graph.builder.coord(parallelAxes + i)), s)),
  );
  const position = graph.builder.sum(place);
  const tracksPosition = kernel.reductions.some(({ op }) => op === 'argmax' || op === 'argmin');
  const roots = [...graph.values, ...graph.outputs];
  const nodes = reachable(roots);
  const loads = nodes.filter((node) => node.kind === 'load');
  const bare = bareAxes(nodes, roots);

  const values = nodes.flatMap((node) => (node.kind === 'sum' ? [node.sum] : []));
  const sums = [...loads.map((load) => load.index), graph.place, ...values];
  const loops: Loop[] = [];
  const loopOfAxis = new Map<number, number>();
  const axes = parallelAxes + kernel.reduceAxes.length;
  for (const [axis, [low, high]] of graph.ranges.slice(0, axes).entries()) {
    if (high - low === 1) continue;
    const reduce = axis >= parallelAxes;
    const outer = loops.at(-1);
    const extent = [...kernel.axes, ...kernel.reduceAxes][axis] ?? 0;
    const mergeable =
      outer?.reduce === reduce &&
      !(firstApart && outer.axis === 0) &&
      !(reduce && tracksPosition) &&
      !bare.has(axis) &&
      !bare.has(outer.axis) &&
      high - low === extent &&
      sums.every((sum) => strideOfAxis(sum, outer.axis) === strideOfAxis(sum, axis) * extent);
    if (outer && mergeable)
      loops[loops.length - 1] = { low: outer.low * extent, high: outer.high * extent, axis, reduce };
    else loops.push({ low, high, axis, reduce });
    loopOfAxis.set(axis, loops.length - 1);
  }
  if (loops.length > 29)
    throw new InternalError(`emit: kernel ${kernel.name} has ${loops.length} loops, more than 29.`);
  return {
    kernel,
    graph,
    loops,
    parallel: loops.filter((loop) => !loop.reduce).length,
    firstApart,
    nodes: tracksPosition ? reachable([...roots, position]) : nodes,
    loads,
    position,
    depends: dependencies([...nodes, ...reachable([position])], loopOfAxis),
  };
}

/** How far an index moves along an axis. */
export function strideOfAxis(sum: Sum, axis: number): number {
  return sum.terms.find(({ node }) => node.kind === 'coord' && node.axis === axis)?.factor ?? 0;
}

/** How far an index moves along a loop. */
export function strideOf(sum: Sum, loop: Loop): number {
  return strideOfAxis(sum, loop.axis);
}

/** What an index adds up besides coordinates. */
export function dynamicTerms(sum: Sum): Sum['terms'] {
  return sum.terms.filter(({ node }) => node.kind !== 'coord');
}

/** How many loops must have been entered before the node can be computed. */
export function levelOf(nest: Nest, node: Node): number {
  return levelOfBits(nest.depends.get(node) ?? 0);
}

function levelOfBits(bits: number): number {
  return 32 - Math.clz32(bits & ~EPILOGUE);
}

/** Axes whose coordinate is used as a value by itself, and not only in sums. */
function bareAxes(nodes: readonly Node[], roots: readonly Node[]): Set<number> {
  const bare = new Set<number>();
  const use = (node: Node) => {
    if (node.kind === 'coord') bare.add(node.axis);
  };
  roots.forEach(use);
  for (const node of nodes) if (node.kind !== 'load' && node.kind !== 'sum') operandsOf(node).forEach(use);
  return bare;
}

function dependencies(nodes: readonly Node[], loopOfAxis: ReadonlyMap<number, number>): Map<Node, number> {
  const depends = new Map<Node, number>();
  for (const node of nodes) {
    if (node.kind === 'coord') depends.set(node, 1 << (loopOfAxis.get(node.axis) ?? 0));
    else if (node.kind === 'acc') depends.set(node, EPILOGUE);
    else
      depends.set(
        node,
        operandsOf(node).reduce((bits, operand) => bits | (depends.get(operand) ?? 0), 0),
      );
  }
  return depends;
}
