/**
 * Inside gpu.js an integer is a float32, so int32 arithmetic is exact only within ±(2^24 - 1). Where intervals cannot
 * prove that a kernel stays there, a second kernel tells at run time whether it did.
 */
import {
  acc,
  type BinaryOp,
  binary,
  compare,
  constant,
  type Expr,
  type Kernel,
  nodesOf,
  operandsOf,
  type Reduction,
  sizeOf,
  type UnaryOp,
  unary,
} from '@neumann/core/backend';
import { inHalves } from './emit/halves.ts';
import { accumulatorOf, foldsOf, type Nest } from './emit/nest.ts';
import { farPositions } from './emit/positions.ts';
import { maxInteger } from './limits.ts';

/**
 * The kernel that computes whether some integer on the way to output `index` of `kernel` left the exact range: its
 * only output is a bool, true where that happened. `undefined` if it cannot happen.
 *
 * The value of an int32 output itself is looked at only `withOutput`: on the host, whoever reads it can see it.
 */
export function rangeKernel(whole: Kernel, index: number, withOutput = false): Nest | undefined {
  const kernel = inHalves(whole, index);
  const output = kernel.outputs[0] as Expr;
  const folded = foldsOf(output, kernel).map((i) => kernel.reductions[i] as Nest['reductions'][number]);
  const { intervals, doubtful } = analyze([...folded.map((fold) => fold.value), output], kernel);
  const doubtsIn = (root: Expr): Expr[] => nodesOf([root]).filter((node) => doubtful.has(node));

  const reductions = [...kernel.reductions];
  const reduce = (op: Reduction['op'], value: Expr): Expr =>
    acc(value.dtype, reductions.push({ op, value }) - 1);
  const flags = doubtsIn(output).flatMap((node) => (node === output && !withOutput ? [] : [isOutside(node)]));
  for (const { op, value } of folded) {
    const inside = doubtsIn(value);
    if (inside.length > 0) flags.push(reduce('max', anyOf(inside.map(isOutside))));
    if (value.dtype !== 'int32' || (op !== 'add' && op !== 'mul')) continue;
    const most = magnitude(intervals.get(value) as Interval);
    if (op === 'add' && most * sizeOf(kernel.reduceAxes) > maxInteger)
      flags.push(isOutside(reduce('add', unary('abs', value))));
    if (op === 'mul' && most > 1)
      flags.push(isOutside(reduce('mul', binary('max', unary('abs', value), constant('int32', 1)))));
  }
  if (flags.length === 0) return undefined;
  const everywhere = !nodesOf(flags).some((node) => node.kind === 'coord' || node.kind === 'acc');
  return {
    name: kernel.name,
    inputs: kernel.inputs,
    axes: everywhere ? [] : kernel.axes,
    reduceAxes: everywhere ? [] : kernel.reduceAxes,
    reductions: everywhere ? [] : reductions,
    outputs: [anyOf(flags)],
  };
}

const isOutside = (x: Expr): Expr =>
  unary('not', compare('le', unary('abs', x), constant('int32', maxInteger)));

const anyOf = (flags: readonly Expr[]): Expr => flags.reduce((any, flag) => binary('or', any, flag));

/** Least and greatest value of an integer or bool. */
type Interval = readonly [least: number, greatest: number];

const exact: Interval = [-maxInteger, maxInteger];

const magnitude = ([least, greatest]: Interval): number => Math.max(-least, greatest);

const isExact = (interval: Interval): boolean => magnitude(interval) <= maxInteger;

const hull = (...values: readonly number[]): Interval => [Math.min(...values), Math.max(...values)];

/** The integers on the way to some roots that are never negative. */
export function naturalsOf(roots: readonly Expr[], kernel: Nest): Set<Expr> {
  const { intervals } = analyze(roots, kernel);
  return new Set(
    [...intervals].flatMap(([node, [least]]) => (node.dtype !== 'float32' && least >= 0 ? [node] : [])),
  );
}

/**
 * The intervals of the int32, uint8 and bool nodes, and the int32 nodes that may round. Behind such a node its value
 * counts as exact, because its check says so or fails.
 */
function analyze(
  roots: readonly Expr[],
  kernel: Nest,
): { intervals: Map<Expr, Interval>; doubtful: Set<Expr> } {
  const intervals = new Map<Expr, Interval>();
  const doubtful = new Set<Expr>();
  const of = (x: Expr): Interval => intervals.get(x) ?? exact;
  const far = farPositions(roots, kernel);
  for (const node of nodesOf(roots)) {
    const interval = intervalOf(node, kernel, of);
    const isExactly = [interval, ...operandsOf(node).map(of)].every(isExact);
    const inexact = computes(node) && !far.has(node) && !isExactly;
    if (inexact) doubtful.add(node);
    intervals.set(node, inexact ? exact : interval);
  }
  for (const root of roots) if (far.has(root)) doubtful.add(root);
  return { intervals, doubtful };
}

/** Whether the node is int32 arithmetic; to pass a value on is exact even for a constant outside of the range. */
function computes(node: Expr): boolean {
  if (node.dtype !== 'int32') return false;
  if (node.kind === 'binary') return node.op !== 'max' && node.op !== 'min';
  return node.kind === 'unary' ? node.op === 'not' : node.kind === 'cast' && node.x.dtype === 'float32';
}

function intervalOf(node: Expr, kernel: Nest, of: (x: Expr) => Interval): Interval {
  if (node.dtype === 'bool') return [0, 1];
  if (node.dtype === 'uint8') return [0, 255];
  switch (node.kind) {
    case 'const':
      return [node.value, node.value];
    case 'coord':
      return [0, Math.max(0, ([...kernel.axes, ...kernel.reduceAxes][node.axis] as number) - 1)];
    case 'acc': {
      const fold = kernel.reductions[accumulatorOf(node.index).index] as Nest['reductions'][number];
      if (fold.op === 'next') return [0, fold.most];
      const { op, value } = fold;
      return op === 'max' || op === 'min' ? of(value) : exact;
    }
    case 'unary':
      return unaryInterval(node.op, of(node.x));
    case 'binary':
      return binaryInterval(node.op, of(node.x), of(node.y));
    case 'select':
      return hull(...of(node.x), ...of(node.y));
    case 'cast':
      return node.x.dtype === 'float32' ? [-(2 ** 31), 2 ** 31] : of(node.x);
    default:
      return exact;
  }
}

function unaryInterval(op: UnaryOp, [least, greatest]: Interval): Interval {
  if (op === 'neg') return [-greatest, -least];
  if (op === 'not') return [-1 - greatest, -1 - least];
  return op === 'sign' ? [-1, 1] : [0, magnitude([least, greatest])];
}

function binaryInterval(op: BinaryOp, x: Interval, y: Interval): Interval {
  const most = magnitude(x);
  switch (op) {
    case 'add':
      return [x[0] + y[0], x[1] + y[1]];
    case 'sub':
      return [x[0] - y[1], x[1] - y[0]];
    case 'mul':
      return hull(...x.flatMap((a) => y.map((b) => a * b)));
    case 'div':
      if (y[0] < 1) return [-Math.max(1, most), Math.max(1, most)];
      return hull(...x.flatMap((a) => y.map((b) => Math.trunc(a / b))));
    case 'rem': {
      const bound = y[0] < 1 ? most : Math.min(most, y[1] - 1);
      return [x[0] < 0 ? -bound : 0, x[1] > 0 ? bound : 0];
    }
    case 'shr':
      return hull(x[0], x[1], 0, -1);
    case 'max':
      return [Math.max(x[0], y[0]), Math.max(x[1], y[1])];
    case 'min':
      return [Math.min(x[0], y[0]), Math.min(x[1], y[1])];
    case 'and':
    case 'or':
    case 'xor': {
      const bits = 2 ** Math.ceil(Math.log2(Math.max(most, magnitude(y)) + 1));
      return [Math.min(x[0], y[0]) < 0 ? -bits : 0, bits - 1];
    }
    default:
      return [-Infinity, Infinity];
  }
}
