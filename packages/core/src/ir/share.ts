import { dtypeInfo } from '../dtype.ts';
import { nodesOf, operandsOf, withOperands } from './expr.ts';
import type { Expr } from './kernel.ts';

/** The same expressions with equal nodes made one, so that nothing is computed twice. */
export function shareEqual(roots: readonly Expr[]): Expr[] {
  const { nodes, numberOf } = numberNodes(roots);
  const shared: Expr[] = [];
  const sharedOf = (node: Expr): Expr => shared[numberOf.get(node) as number] ?? node;
  for (const node of nodes.values()) shared.push(withOperands(node, sharedOf));
  return roots.map(sharedOf);
}

/**
 * Numbers the nodes reachable from `roots`, operands first and equal nodes alike.
 *
 * @returns the number of each node, and the distinct nodes by their text: kind, dtype, parameters, operands' numbers.
 */
export function numberNodes(roots: readonly Expr[]): {
  nodes: ReadonlyMap<string, Expr>;
  numberOf: ReadonlyMap<Expr, number>;
} {
  const numberOf = new Map<Expr, number>();
  const nodes = new Map<string, Expr>();
  for (const node of nodesOf(roots)) {
    let text = headOf(node);
    for (const operand of operandsOf(node)) text += ` ${numberOf.get(operand)}`;
    const equal = nodes.get(text);
    numberOf.set(node, equal ? (numberOf.get(equal) as number) : nodes.size);
    if (!equal) nodes.set(text, node);
  }
  return { nodes, numberOf };
}

/** What a node is, apart from its operands; numbers are exact, with -0 and NaN. */
function headOf(node: Expr): string {
  const head = `${node.kind} ${dtypeInfo(node.dtype).short}`;
  switch (node.kind) {
    case 'const':
      return `${head} ${Object.is(node.value, -0) ? '-0' : node.value}`;
    case 'coord':
      return `${head} ${node.axis}`;
    case 'acc':
      return `${head} ${node.index}`;
    case 'load':
      return `${head} ${node.input}${node.guard ? ' guarded' : ''}`;
    case 'unary':
    case 'binary':
    case 'compare':
      return `${head} ${node.op}`;
    case 'select':
    case 'cast':
    case 'bitcast':
      return head;
    default:
      return node satisfies never;
  }
}
