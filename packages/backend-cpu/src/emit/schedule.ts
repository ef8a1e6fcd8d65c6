import type { DType } from '@neumann/core/backend';
import { callsOut, specialName } from './functions.ts';
import type { Tail } from './loops.ts';
import { dynamicTerms, type Nest, strideOf } from './nest.ts';
import type { LoadNode, Node } from './node.ts';

/** Which loop is taken in strips of several neighbouring points, and how many of them one instruction handles. */
export interface Schedule {
  /** Index of the loop in strips; -1 if the nest has no loops. */
  readonly loop: number;
  /** Points per vector: 4, 2 with any float64 among the vectors, or 1 for scalar code. */
  readonly lanes: number;
  /** Vectors (or scalars) per iteration: independent chains of instructions hide latency. */
  readonly unroll: number;
  /** Whether these take turns within the body: where it is one long chain. */
  readonly interleaved: boolean;
  /** What is done about the points that fill no vector. */
  readonly tail: Tail;
}

/** Bodies of more nodes than this are not written out for each point of a tail. */
const LONG = 40;

/** Vectors that take turns in a long chain of instructions. */
const TURNS = 3;

/** Picks the loop whose memory accesses are the most contiguous, for vectors if possible. */
export function chooseSchedule(nest: Nest): Schedule {
  const candidates: Schedule[] = [];
  const { loops, parallel } = nest;
  const reductions = nest.kernel.reductions.length > 0 && loops.length > parallel;
  if (parallel > Number(nest.firstApart)) candidates.push(...vectorSchedule(nest, parallel - 1));
  if (reductions) candidates.push(...vectorSchedule(nest, loops.length - 1));
  const best = candidates.sort((a, b) => stridedLoads(nest, a.loop) - stridedLoads(nest, b.loop))[0];
  if (best) return best;
  const loop = loops.length - 1;
  const unroll = reductions && !hasArg(nest) ? unrollOf(nest, loop) : 1;
  return { loop, lanes: 1, unroll, interleaved: false, tail: 'straight' };
}

/** A vector schedule along a loop, if there is one that pays. */
function vectorSchedule(nest: Nest, at: number): Schedule[] {
  const loop = nest.loops[at];
  if (!loop) return [];
  const varying = nest.nodes.filter((node) => dependsOn(nest, node, at));
  const vectors = [...varying, ...nest.graph.outputs, ...nest.graph.values];
  const lanes = vectors.some((node) => node.dtype === 'float64') ? 2 : 4;
  if (!loop.reduce && strideOf(nest.graph.place, loop) !== 1) return [];
  const uniform = (node: Node) => !dependsOn(nest, node, at);
  const loads = varying.filter((node) => node.kind === 'load');
  if (!loads.every((load) => dynamicTerms(load.index).every(({ node }) => uniform(node)))) return [];
  if (!loads.every((load) => load.guard === undefined || uniform(load.guard))) return [];
  const strided = stridedLoads(nest, at);
  const work = varying.filter((node) => !isFree(node)).length;
  if (strided > 0 && work < 3 * strided) return [];
  // Vectors that reach beyond the last point read a little further, which is only harmless next to the point.
  const tail =
    strided === 0 && !varying.some(callsOut) ? 'vector' : nest.nodes.length > LONG ? 'loop' : 'straight';
  const extent = loop.high - loop.low;
  if (tail === 'vector' ? extent <= lanes / 2 : extent < lanes) return [];
  if (isLongChain(nest)) return [{ loop: at, lanes, unroll: TURNS, interleaved: true, tail }];
  return [{ loop: at, lanes, unroll: unrollOf(nest, at), interleaved: false, tail }];
}

/** Whether a pointwise body is long, and most of its instructions wait for the one before: random bits are made so. */
function isLongChain({ nodes, graph, kernel }: Nest): boolean {
  const depth = Math.max(...graph.outputs.map((output) => output.depth));
  return kernel.reductions.length === 0 && depth > LONG && nodes.length < 3 * depth && !nodes.some(callsOut);
}

/** Enough independent work per iteration for short bodies; long bodies have it anyway. */
function unrollOf(nest: Nest, at: number): number {
  const varying = nest.nodes.filter((node) => dependsOn(nest, node, at) && !isFree(node));
  const work = varying.reduce((sum, node) => sum + workOf(node), nest.kernel.outputs.length);
  const calls = nest.nodes.some(callsOut);
  const hasExtreme = nest.kernel.reductions.some(({ op }) => op !== 'add' && op !== 'mul');
  const chains = Math.max(1, nest.kernel.reductions.length) * (hasExtreme ? 2 : 1);
  const most = nest.kernel.reductions.length > 0 ? Math.max(1, Math.floor(8 / chains)) : 4;
  if (calls || work > 24) return 1;
  return Math.min(most, work > 12 ? 2 : work > 6 ? 4 : 8);
}

/** Instructions, roughly. */
function workOf(node: Node): number {
  if (node.kind !== 'unary' && node.kind !== 'binary') return 1;
  return specialName(node.dtype, node.op) ? 25 : 1;
}

function dependsOn(nest: Nest, node: Node, loop: number): boolean {
  return ((nest.depends.get(node) ?? 0) & (1 << loop)) !== 0;
}

function hasArg(nest: Nest): boolean {
  return nest.kernel.reductions.some(({ op }) => op === 'argmax' || op === 'argmin');
}

/** Loads along a loop that are neither contiguous nor the same element. */
function stridedLoads(nest: Nest, at: number): number {
  const loop = nest.loops[at];
  if (!loop) return 0;
  const isStrided = (load: LoadNode) => ![0, 1].includes(strideOf(load.index, loop));
  return nest.loads.filter(isStrided).length;
}

function isFree(node: Node): boolean {
  return node.kind === 'const' || node.kind === 'coord' || node.kind === 'acc' || isNoOp(node);
}

function isNoOp(node: Node): boolean {
  const same = (dtype: DType) => dtype === 'int32' || dtype === 'uint32';
  return node.kind === 'bitcast' || (node.kind === 'cast' && same(node.dtype) && same(node.x.dtype));
}
