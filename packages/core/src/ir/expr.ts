import type { Aval } from '../aval.ts';
import type { DType } from '../dtype.ts';
import { InternalError } from '../errors.ts';
import { isNumberOf } from '../reference/scalar.ts';
import type { BinaryOp, CompareOp, Expr, UnaryOp } from './kernel.ts';

/** A load node of a kernel expression. */
export type Load = Extract<Expr, { kind: 'load' }>;

/* ---- Builders: each makes one node. ---- */

/** A number of a dtype: rounded for float32; for integers (-0 is 0) and bool it must be one already. */
export function constant(dtype: DType, value: number | boolean): Expr {
  const given = Number(value);
  const number = dtype === 'float64' ? given : dtype === 'float32' ? Math.fround(given) : given + 0;
  if (!isNumberOf(dtype, number)) throw new InternalError(`constant: ${number} is not a number of ${dtype}.`);
  return { kind: 'const', dtype, value: number };
}

/** The coordinate along loop axis `axis`: parallel axes first, then reduce axes. */
export function coord(axis: number): Expr {
  return { kind: 'coord', dtype: 'int32', axis };
}

/** An element of input `input`, whose dtype is given as such or by its aval; 0 where `guard` is false. */
export function load(input: number, of: Aval | DType, index: readonly Expr[], guard?: Expr): Expr {
  const dtype = typeof of === 'string' ? of : of.dtype;
  return guard ? { kind: 'load', dtype, input, index, guard } : { kind: 'load', dtype, input, index };
}

/** A function of one operand, of its dtype. */
export function unary(op: UnaryOp, x: Expr): Expr {
  return { kind: 'unary', dtype: x.dtype, op, x };
}

/** A function of two operands of one dtype. */
export function binary(op: BinaryOp, x: Expr, y: Expr): Expr {
  return { kind: 'binary', dtype: sameDtype(op, x, y), op, x, y };
}

/** A comparison of two operands of one dtype. */
export function compare(op: CompareOp, x: Expr, y: Expr): Expr {
  sameDtype(op, x, y);
  return { kind: 'compare', dtype: 'bool', op, x, y };
}

/** `cond ? x : y` */
export function select(cond: Expr, x: Expr, y: Expr): Expr {
  return { kind: 'select', dtype: sameDtype('select', x, y), cond, x, y };
}

/** Conversion; `x` itself if it has the dtype. */
export function cast(dtype: DType, x: Expr): Expr {
  return x.dtype === dtype ? x : { kind: 'cast', dtype, x };
}

/** The same bits as another dtype; `x` itself if it has the dtype. */
export function bitcast(dtype: DType, x: Expr): Expr {
  return x.dtype === dtype ? x : { kind: 'bitcast', dtype, x };
}

/** The result of reduction `index`, of dtype `dtype`. */
export function acc(dtype: DType, index: number): Expr {
  return { kind: 'acc', dtype, index };
}

/* ---- Indices: int32 expressions, simplified as they are made. ---- */

/** `x + y` */
export function addExpr(x: Expr, y: Expr): Expr {
  const [a, b] = [constantOf(x), constantOf(y)];
  if (a !== undefined && b !== undefined) return constant('int32', (a + b) | 0);
  if (a !== undefined) return addExpr(y, x); // constants go right, where the next one finds them
  if (b === undefined) return binary('add', x, y);
  if (b === 0) return x;
  const inner = constantOperand(x, 'add');
  return inner ? addExpr(inner.x, constant('int32', (inner.n + b) | 0)) : binary('add', x, y);
}

/** `x * y` */
export function mulExpr(x: Expr, y: Expr): Expr {
  const [a, b] = [constantOf(x), constantOf(y)];
  if (a !== undefined && b !== undefined) return constant('int32', Math.imul(a, b));
  if (a !== undefined) return mulExpr(y, x);
  if (b === undefined) return binary('mul', x, y);
  if (b === 0) return constant('int32', 0);
  if (b === 1) return x;
  const inner = constantOperand(x, 'mul');
  return inner ? mulExpr(inner.x, constant('int32', Math.imul(inner.n, b))) : binary('mul', x, y);
}

/** `x + n` */
export function addIndex(x: Expr, n: number): Expr {
  return addExpr(x, constant('int32', n));
}

/** `x * n` */
export function mulIndex(x: Expr, n: number): Expr {
  return mulExpr(x, constant('int32', n));
}

/** `⌊x / n⌋` for `n > 0` and an `x` that is never negative and never overflowed. */
export function floorDiv(x: Expr, n: number): Expr {
  const value = constantOf(x);
  if (value !== undefined) return constant('int32', Math.floor(value / n));
  if (n === 1) return x;
  const product = constantOperand(x, 'mul');
  if (product && product.n % n === 0) return mulIndex(product.x, product.n / n);
  const quotient = constantOperand(x, 'div');
  if (quotient && quotient.n * n < 2 ** 31) return floorDiv(quotient.x, quotient.n * n);
  return binary('div', x, constant('int32', n));
}

/** `x mod n` for `n > 0` and an `x` that is never negative and never overflowed. */
export function mod(x: Expr, n: number): Expr {
  const value = constantOf(x);
  if (value !== undefined) return constant('int32', value - n * Math.floor(value / n));
  if (n === 1) return constant('int32', 0);
  const product = constantOperand(x, 'mul');
  if (product && product.n % n === 0) return constant('int32', 0);
  const rest = constantOperand(x, 'rem');
  if (rest && rest.n <= n) return x;
  if (rest && rest.n % n === 0) return mod(rest.x, n);
  return binary('rem', x, constant('int32', n));
}

/** `0 <= x && x < extent` */
export function inBounds(x: Expr, extent: number): Expr {
  return binary('and', compare('le', constant('int32', 0), x), compare('lt', x, constant('int32', extent)));
}

/** The conjunction of bool expressions; `undefined` (no guard) of none. */
export function allOf(guards: readonly (Expr | undefined)[]): Expr | undefined {
  return guards.reduce(
    (all, guard) => (all && guard ? binary('and', all, guard) : (all ?? guard)),
    undefined,
  );
}

/* ---- Analysis and rewriting. Shared nodes stay shared, and deep expressions do not overflow the stack. ---- */

/** The expressions that a node is made of, in a fixed order. */
export function operandsOf(node: Expr): readonly Expr[] {
  switch (node.kind) {
    case 'const':
    case 'coord':
    case 'acc':
      return [];
    case 'load':
      return node.guard ? [...node.index, node.guard] : node.index;
    case 'unary':
    case 'cast':
    case 'bitcast':
      return [node.x];
    case 'binary':
    case 'compare':
      return [node.x, node.y];
    case 'select':
      return [node.cond, node.x, node.y];
    default:
      return node satisfies never;
  }
}

/** Every node reachable from `roots` once, operands before the nodes that use them. */
export function nodesOf(roots: readonly Expr[]): Expr[] {
  const order: Expr[] = [];
  const state = new Map<Expr, 'open' | 'done'>();
  const stack = [...roots].reverse();
  for (let node = stack.at(-1); node; node = stack.at(-1)) {
    const seen = state.get(node);
    if (seen === undefined) {
      state.set(node, 'open');
      const operands = operandsOf(node);
      for (let i = operands.length - 1; i >= 0; i--) {
        const operand = operands[i] as Expr;
        if (state.get(operand) === 'open')
          throw new InternalError(`expression: a ${operand.kind} node is among its own operands.`);
        if (!state.has(operand)) stack.push(operand);
      }
    } else {
      stack.pop();
      if (seen === 'done') continue;
      state.set(node, 'done');
      order.push(node);
    }
  }
  return order;
}

/** The distinct load nodes reachable from `roots`. */
export function loadsOf(roots: readonly Expr[]): Load[] {
  return nodesOf(roots).filter((node) => node.kind === 'load');
}

/**
 * Rewrites bottom-up: `rewrite` sees every node once, with its operands already rewritten, and returns what takes its
 * place (which is not visited again). Nodes whose operands did not change keep their identity.
 */
export function mapExpr(roots: readonly Expr[], rewrite: (node: Expr) => Expr): Expr[] {
  const rewritten = new Map<Expr, Expr>();
  for (const node of nodesOf(roots))
    rewritten.set(node, rewrite(withOperands(node, (x) => rewritten.get(x) ?? x)));
  return roots.map((root) => rewritten.get(root) ?? root);
}

/** What to put in the place of leaves; a load arrives with its index and guard already substituted. */
export interface Substitution {
  readonly coord?: (axis: number) => Expr;
  readonly load?: (node: Load) => Expr;
  readonly acc?: (index: number) => Expr;
}

/** The expression with leaves replaced; index arithmetic is simplified again. */
export function substitute(expr: Expr, by: Substitution): Expr {
  return substituteAll([expr], by)[0] ?? expr;
}

/** {@link substitute} on several expressions: what they share stays shared. */
export function substituteAll(exprs: readonly Expr[], by: Substitution): Expr[] {
  return mapExpr(exprs, (node) => {
    if (node.kind === 'coord' && by.coord) return by.coord(node.axis);
    if (node.kind === 'load' && by.load) return by.load(node);
    if (node.kind === 'acc' && by.acc) return by.acc(node.index);
    return simplifyIndex(node);
  });
}

/** The node with each operand mapped; the same node if no operand changed. */
export function withOperands(node: Expr, map: (operand: Expr) => Expr): Expr {
  switch (node.kind) {
    case 'const':
    case 'coord':
    case 'acc':
      return node;
    case 'load': {
      const index = node.index.map(map);
      const guard = node.guard && map(node.guard);
      const same = guard === node.guard && index.every((x, i) => x === node.index[i]);
      return same ? node : guard ? { ...node, index, guard } : { ...node, index };
    }
    case 'unary':
    case 'cast':
    case 'bitcast': {
      const x = map(node.x);
      return x === node.x ? node : { ...node, x };
    }
    case 'binary':
    case 'compare': {
      const [x, y] = [map(node.x), map(node.y)];
      return x === node.x && y === node.y ? node : { ...node, x, y };
    }
    case 'select': {
      const [cond, x, y] = [map(node.cond), map(node.x), map(node.y)];
      return cond === node.cond && x === node.x && y === node.y ? node : { ...node, cond, x, y };
    }
    default:
      return node satisfies never;
  }
}

/** int32 arithmetic folded by the rules that hold for every operand, also a negative or overflowing one. */
function simplifyIndex(node: Expr): Expr {
  if (node.kind !== 'binary' || node.dtype !== 'int32') return node;
  const [a, b] = [constantOf(node.x), constantOf(node.y)];
  if (a === undefined && b === undefined) return node;
  if (node.op === 'add') return addExpr(node.x, node.y);
  if (node.op === 'mul') return mulExpr(node.x, node.y);
  if (b === undefined || b <= 0) return node;
  if (node.op === 'div')
    return a !== undefined ? constant('int32', Math.trunc(a / b) | 0) : b === 1 ? node.x : node;
  if (node.op === 'rem') return a !== undefined || b === 1 ? constant('int32', ((a ?? 0) % b) | 0) : node;
  return node;
}

function constantOf(node: Expr): number | undefined {
  return node.kind === 'const' ? node.value : undefined;
}

/** `x` and `n` if the node is `x op n` with a positive constant `n` (any sign for `add`). */
function constantOperand(node: Expr, op: BinaryOp): { x: Expr; n: number } | undefined {
  if (node.kind !== 'binary' || node.op !== op || node.y.kind !== 'const') return undefined;
  return op === 'add' || node.y.value > 0 ? { x: node.x, n: node.y.value } : undefined;
}

function sameDtype(op: string, x: Expr, y: Expr): DType {
  if (x.dtype !== y.dtype)
    throw new InternalError(`${op}: operands of one dtype needed, but got ${x.dtype} and ${y.dtype}.`);
  return x.dtype;
}
