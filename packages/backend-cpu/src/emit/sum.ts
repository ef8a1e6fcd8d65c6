import type { Node, Sum, Term } from './node.ts';

/** Inclusive bounds of an integer. */
export type Interval = readonly [low: number, high: number];

/** Any int32. */
export const INT32: Interval = [-(2 ** 31), 2 ** 31 - 1];

/** The range of a sum that may wrap around, so that nothing can be concluded from it. */
export const UNKNOWN: Interval = [-Infinity, Infinity];

export function constantSum(constant: number): Sum {
  return { constant, terms: [] };
}

/** The sum that a node is. */
export function sumOfNode(node: Node): Sum {
  if (node.kind === 'sum') return node.sum;
  if (node.kind === 'const') return constantSum(node.value);
  return { constant: 0, terms: [{ node, factor: 1 }] };
}

export function addSums(...sums: readonly Sum[]): Sum {
  const factors = new Map<Node, number>();
  let constant = 0;
  for (const sum of sums) {
    constant = (constant + sum.constant) | 0;
    for (const { node, factor } of sum.terms) factors.set(node, ((factors.get(node) ?? 0) + factor) | 0);
  }
  const terms: Term[] = [];
  for (const [node, factor] of factors) if (factor !== 0) terms.push({ node, factor });
  return { constant, terms: terms.sort((a, b) => a.node.id - b.node.id) };
}

export function scaleSum(sum: Sum, by: number): Sum {
  return addSums({
    constant: Math.imul(sum.constant, by),
    terms: sum.terms.map(({ node, factor }) => ({ node, factor: Math.imul(factor, by) })),
  });
}

/** Bounds of a sum, or {@link UNKNOWN} if it may wrap around. */
export function rangeOfSum(sum: Sum, intervalOf: (node: Node) => Interval): Interval {
  let [low, high] = [sum.constant, sum.constant];
  for (const { node, factor } of sum.terms) {
    const [a, b] = intervalOf(node);
    low += factor * (factor > 0 ? a : b);
    high += factor * (factor > 0 ? b : a);
  }
  return low < INT32[0] || high > INT32[1] ? UNKNOWN : [low, high];
}
