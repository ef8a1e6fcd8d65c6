import {
  type DType,
  type Expr,
  InternalError,
  type Kernel,
  operandsOf,
  rowMajorStrides,
} from '@neumann/core/backend';
import { identity } from './fold.ts';
import type { Node, Sum, Term } from './node.ts';
import {
  addSums,
  constantSum,
  INT32,
  type Interval,
  rangeOfSum,
  scaleSum,
  sumOfNode,
  UNKNOWN,
} from './sum.ts';

/** The part of a kernel's iteration space that one loop nest covers: `[low, high)` along each axis. */
export type Ranges = readonly (readonly [low: number, high: number])[];

/** A kernel's expressions over a part of its iteration space. */
export interface Graph {
  readonly ranges: Ranges;
  /** The value of each reduction. */
  readonly values: readonly Node[];
  readonly outputs: readonly Node[];
  /** Flat index of the outputs' element at a point. */
  readonly place: Sum;
  readonly builder: GraphBuilder;
}

/** All of a kernel's iteration space. An empty reduce axis leaves constants in the place of the reductions. */
export function fullRanges(kernel: Kernel): Ranges {
  return [...kernel.axes, ...kernel.reduceAxes].map((extent) => [0, extent]);
}

/**
 * Rewrites a kernel's expressions to nodes: equal expressions become one node, int32 arithmetic becomes sums, and what
 * the ranges decide (comparisons, div and mod of a reshape) is decided here. Results lie apart by `strides`.
 */
export function buildGraph(
  kernel: Kernel,
  ranges: Ranges,
  strides: readonly number[] = rowMajorStrides(kernel.axes),
): Graph {
  const builder = new GraphBuilder(kernel, ranges);
  const place = addSums(
    ...kernel.axes.map((_, axis) => scaleSum(sumOfNode(builder.coord(axis)), strides[axis] ?? 0)),
  );
  return {
    ranges,
    values: ranges.some(([low, high]) => low === high)
      ? []
      : kernel.reductions.map(({ value }) => builder.convert(value)),
    outputs: kernel.outputs.map((output) => builder.convert(output)),
    place,
    builder,
  };
}

type Draft = Node extends infer N ? (N extends Node ? Omit<N, 'id' | 'depth'> : never) : never;

/** Makes the nodes of one graph. */
class GraphBuilder {
  readonly #kernel: Kernel;
  readonly #ranges: Ranges;
  readonly #nodes = new Map<string, Node>();
  readonly #converted = new Map<Expr, Node>();
  readonly #intervals = new Map<Node, Interval>();

  constructor(kernel: Kernel, ranges: Ranges) {
    this.#kernel = kernel;
    this.#ranges = ranges;
  }

  convert(root: Expr): Node {
    const stack = [root];
    for (let expr = stack.at(-1); expr; expr = stack.at(-1)) {
      const missing = this.#converted.has(expr)
        ? []
        : operandsOf(expr).filter((x) => !this.#converted.has(x));
      if (missing.length > 0) {
        stack.push(...missing);
        continue;
      }
      stack.pop();
      if (!this.#converted.has(expr)) this.#converted.set(expr, this.#node(expr));
    }
    return this.#of(root);
  }

  constant(dtype: DType, value: number): Node {
    return this.#make(`c ${dtype} ${Object.is(value, -0) ? '-0' : value}`, 0, {
      kind: 'const',
      dtype,
      value,
    });
  }

  coord(axis: number): Node {
    const [low, high] = this.#ranges[axis] ?? [0, 0];
    if (high - low === 1) return this.constant('int32', low);
    return this.#make(`i ${axis}`, 0, { kind: 'coord', dtype: 'int32', axis });
  }

  /** A sum as a node: itself if it is one already. */
  sum(sum: Sum): Node {
    const [first] = sum.terms;
    if (!first) return this.constant('int32', sum.constant);
    if (sum.terms.length === 1 && first.factor === 1 && sum.constant === 0) return first.node;
    return this.#make(`s ${sumKey(sum)}`, 1 + depthOfSum(sum), { kind: 'sum', dtype: 'int32', sum });
  }

  /** Bounds of an int32 node. */
  interval(node: Node): Interval {
    const known = this.#intervals.get(node);
    if (known) return known;
    const found = this.#interval(node);
    this.#intervals.set(node, found);
    return found;
  }

  range(sum: Sum): Interval {
    return rangeOfSum(sum, (node) => this.interval(node));
  }

  /** `x - y` as a sum, if nothing in it can overflow. */
  difference(x: Node, y: Node): Sum | undefined {
    const [a, b] = [sumOfNode(x), sumOfNode(y)];
    const sum = addSums(a, scaleSum(b, -1));
    return [a, b, sum].some((s) => this.range(s) === UNKNOWN) ? undefined : sum;
  }

  #node(expr: Expr): Node {
    switch (expr.kind) {
      case 'const':
        return this.constant(expr.dtype, expr.value);
      case 'coord':
        return this.coord(expr.axis);
      case 'load':
        return this.#load(expr);
      case 'unary':
        return this.#unary(expr.dtype, expr.op, this.#of(expr.x));
      case 'binary':
        return this.#binary(expr.dtype, expr.op, this.#of(expr.x), this.#of(expr.y));
      case 'compare':
        return this.#compare(expr.op, this.#of(expr.x), this.#of(expr.y));
      case 'select':
        return this.#select(this.#of(expr.cond), this.#of(expr.x), this.#of(expr.y));
      case 'cast':
      case 'bitcast': {
        const x = this.#of(expr.x);
        if (x.dtype === expr.dtype) return x;
        const { kind, dtype } = expr;
        return this.#make(`${kind} ${dtype} ${x.id}`, x.depth + 1, { kind, dtype, x });
      }
      case 'acc': {
        const empty = this.#ranges.some(([low, high]) => low === high);
        const reduction = this.#kernel.reductions[expr.index];
        if (empty && reduction) return this.constant(expr.dtype, identity(reduction.op, expr.dtype));
        return this.#make(`a ${expr.index}`, 0, { kind: 'acc', dtype: expr.dtype, index: expr.index });
      }
      default:
        return expr satisfies never;
    }
  }

  #load(expr: Extract<Expr, { kind: 'load' }>): Node {
    const shape = this.#kernel.inputs[expr.input]?.shape ?? [];
    const strides = rowMajorStrides(shape);
    const guard = expr.guard && this.#of(expr.guard);
    if (guard?.kind === 'const' && guard.value === 0) return this.constant(expr.dtype, 0);
    const needed = guard?.kind === 'const' ? undefined : guard;
    const parts = expr.index.map((index, axis) => scaleSum(sumOfNode(this.#of(index)), strides[axis] ?? 0));
    const index = this.#joinQuotients(addSums(...parts));
    const depth = 1 + Math.max(depthOfSum(index), needed?.depth ?? 0);
    return this.#make(`l ${expr.input} ${sumKey(index)} ${needed?.id}`, depth, {
      kind: 'load',
      dtype: expr.dtype,
      input: expr.input,
      index,
      guard: needed,
    });
  }

  #unary(dtype: DType, op: Extract<Expr, { kind: 'unary' }>['op'], x: Node): Node {
    if (dtype === 'int32' && op === 'neg') return this.sum(scaleSum(sumOfNode(x), -1));
    if (dtype === 'bool' && op === 'not' && x.kind === 'const') return this.constant('bool', 1 - x.value);
    return this.#make(`${op} ${dtype} ${x.id}`, x.depth + 1, { kind: 'unary', dtype, op, x });
  }

  #binary(dtype: DType, op: Extract<Expr, { kind: 'binary' }>['op'], x: Node, y: Node): Node {
    const simpler =
      dtype === 'int32' ? this.#integer(op, x, y) : dtype === 'bool' ? boolean(op, x, y) : undefined;
    if (simpler) return simpler;
    // Constants go right, where the words of vectors look for them.
    if ((op === 'max' || op === 'min') && x.kind === 'const' && y.kind !== 'const')
      return this.#binary(dtype, op, y, x);
    return this.#make(`${op} ${dtype} ${x.id} ${y.id}`, 1 + Math.max(x.depth, y.depth), {
      kind: 'binary',
      dtype,
      op,
      x,
      y,
    });
  }

  #integer(op: string, x: Node, y: Node): Node | undefined {
    const [a, b] = [sumOfNode(x), sumOfNode(y)];
    if (op === 'add') return this.sum(addSums(a, b));
    if (op === 'sub') return this.sum(addSums(a, scaleSum(b, -1)));
    if (op === 'mul' && y.kind === 'const') return this.sum(scaleSum(a, y.value));
    if (op === 'mul' && x.kind === 'const') return this.sum(scaleSum(b, x.value));
    if (y.kind !== 'const' || y.value <= 0 || this.range(a)[0] < 0) return undefined;
    if (op === 'div') return this.sum(this.#quotient(a, y.value));
    if (op === 'rem') return this.sum(this.#remainder(a, y.value));
    return undefined;
  }

  /** `⌊sum / n⌋` of a sum that is never negative. */
  #quotient(sum: Sum, n: number): Sum {
    const { whole, rest } = splitMultiples(sum, n);
    const [low, high] = this.range(rest);
    if (low < 0) return sumOfNode(this.#division('div', sum, n));
    if (high < n) return whole;
    const coarse = this.#coarsen(rest, n);
    const quotient = coarse
      ? this.#quotient(coarse.whole, n / coarse.grain)
      : sumOfNode(this.#division('div', rest, n));
    return addSums(whole, quotient);
  }

  /** `sum mod n` of a sum that is never negative. */
  #remainder(sum: Sum, n: number): Sum {
    const { rest } = splitMultiples(sum, n);
    const [low, high] = this.range(rest);
    if (low < 0) return sumOfNode(this.#division('rem', sum, n));
    if (high < n) return rest;
    const coarse = this.#coarsen(rest, n);
    if (!coarse) return sumOfNode(this.#division('rem', rest, n));
    return addSums(scaleSum(this.#remainder(coarse.whole, n / coarse.grain), coarse.grain), coarse.rest);
  }

  /** `sum = grain * whole + rest` for a divisor `grain > 1` of `n` and a `rest` in [0, grain): div and mod then act on `whole`. */
  #coarsen(sum: Sum, n: number): { grain: number; whole: Sum; rest: Sum } | undefined {
    for (const { factor } of sum.terms) {
      const grain = greatestCommonDivisor(Math.abs(factor), n);
      if (grain === 1) continue;
      const { whole, rest } = splitMultiples(sum, grain);
      const [low, high] = this.range(rest);
      if (low >= 0 && high < grain && this.range(whole)[0] >= 0) return { grain, whole, rest };
    }
    return undefined;
  }

  #division(op: 'div' | 'rem', sum: Sum, n: number): Node {
    const x = this.sum(sum);
    if (
      op === 'div' &&
      x.kind === 'binary' &&
      x.op === 'div' &&
      x.y.kind === 'const' &&
      x.y.value * n < 2 ** 31
    ) {
      if (this.interval(x.x)[0] >= 0) return this.#division('div', sumOfNode(x.x), x.y.value * n);
    }
    const y = this.constant('int32', n);
    return this.#make(`${op} int32 ${x.id} ${y.id}`, x.depth + 1, {
      kind: 'binary',
      dtype: 'int32',
      op,
      x,
      y,
    });
  }

  /** Undoes a reshape: `(x mod n) b + ⌊x / n⌋ n b` is `x b`. */
  #joinQuotients(sum: Sum): Sum {
    for (const { node, factor } of sum.terms) {
      if (
        node.kind !== 'binary' ||
        node.op !== 'rem' ||
        node.y.kind !== 'const' ||
        this.interval(node.x)[0] < 0
      )
        continue;
      const n = node.y.value;
      const quotient = this.sum(this.#quotient(sumOfNode(node.x), n));
      if (!sum.terms.some((term) => term.node === quotient && term.factor === factor * n)) continue;
      const rest = sum.terms.filter((term) => term.node !== node && term.node !== quotient);
      return this.#joinQuotients(
        addSums({ constant: sum.constant, terms: rest }, scaleSum(sumOfNode(node.x), factor)),
      );
    }
    return sum;
  }

  #compare(op: Extract<Expr, { kind: 'compare' }>['op'], x: Node, y: Node): Node {
    const decided = x.dtype === 'int32' ? this.#decide(op, x, y) : undefined;
    if (decided !== undefined) return this.constant('bool', Number(decided));
    const depth = 1 + Math.max(x.depth, y.depth);
    return this.#make(`${op} ${x.id} ${y.id}`, depth, { kind: 'compare', dtype: 'bool', op, x, y });
  }

  /** The result of an int32 comparison, if the ranges know it. */
  #decide(op: Extract<Expr, { kind: 'compare' }>['op'], x: Node, y: Node): boolean | undefined {
    const difference = this.difference(x, y);
    if (!difference) return undefined;
    const [low, high] = this.range(difference);
    const isZero = low > 0 || high < 0 ? false : low === 0 && high === 0 ? true : undefined;
    switch (op) {
      case 'lt':
        return high < 0 ? true : low >= 0 ? false : undefined;
      case 'le':
        return high <= 0 ? true : low > 0 ? false : undefined;
      case 'eq':
        return isZero;
      case 'ne':
        return isZero === undefined ? undefined : !isZero;
      default:
        return op satisfies never;
    }
  }

  #select(cond: Node, x: Node, y: Node): Node {
    if (cond.kind === 'const') return cond.value === 0 ? y : x;
    if (x === y) return x;
    const depth = 1 + Math.max(cond.depth, x.depth, y.depth);
    return this.#make(`? ${cond.id} ${x.id} ${y.id}`, depth, { kind: 'select', dtype: x.dtype, cond, x, y });
  }

  #interval(node: Node): Interval {
    switch (node.kind) {
      case 'const':
        return [node.value, node.value];
      case 'coord': {
        const [low, high] = this.#ranges[node.axis] ?? [0, 0];
        return [low, high - 1];
      }
      case 'sum': {
        const range = this.range(node.sum);
        return range === UNKNOWN ? INT32 : range;
      }
      case 'binary': {
        if (node.y.kind !== 'const' || node.y.value <= 0) return INT32;
        const [low, high] = this.interval(node.x);
        if (low < 0) return INT32;
        const n = node.y.value;
        if (node.op === 'div') return [Math.floor(low / n), Math.floor(high / n)];
        if (node.op === 'rem') return [0, Math.min(high, n - 1)];
        return INT32;
      }
      default:
        return INT32;
    }
  }

  #of(expr: Expr): Node {
    const node = this.#converted.get(expr);
    if (!node) throw new InternalError(`emit: a ${expr.kind} expression was used before its operands.`);
    return node;
  }

  #make(key: string, depth: number, draft: Draft): Node {
    const known = this.#nodes.get(key);
    if (known) return known;
    const node: Node = { ...draft, id: this.#nodes.size, depth };
    this.#nodes.set(key, node);
    return node;
  }
}

/** `and` and `or` with a constant side. */
function boolean(op: string, x: Node, y: Node): Node | undefined {
  if (op !== 'and' && op !== 'or') return undefined;
  const [known, other] = x.kind === 'const' ? [x, y] : [y, x];
  if (known.kind !== 'const') return x === y ? x : undefined;
  return (known.value === 0) === (op === 'and') ? known : other;
}

/** `sum = n * whole + rest`, where `rest` has no multiple of `n` among its factors and a constant in [0, n). */
function splitMultiples(sum: Sum, n: number): { whole: Sum; rest: Sum } {
  const whole: Term[] = [];
  const rest: Term[] = [];
  for (const { node, factor } of sum.terms)
    if (factor % n === 0) whole.push({ node, factor: factor / n });
    else rest.push({ node, factor });
  const quotient = Math.floor(sum.constant / n);
  return {
    whole: { constant: quotient, terms: whole },
    rest: addSums(constantSum(sum.constant - quotient * n), { constant: 0, terms: rest }),
  };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function sumKey({ constant, terms }: Sum): string {
  return terms.reduce((key, { node, factor }) => `${key},${node.id}*${factor}`, String(constant));
}

function depthOfSum({ terms }: Sum): number {
  return terms.reduce((depth, { node }) => Math.max(depth, node.depth), 0);
}
