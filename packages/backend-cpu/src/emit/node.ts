import type { BinaryOp, CompareOp, DType, UnaryOp } from '@neumann/core/backend';

/** What every node has: equal nodes of a graph are one object, and operands have smaller ids than their users. */
interface Common {
  readonly id: number;
  /** Longest way down to a leaf. */
  readonly depth: number;
}

/** An int32 sum `constant + Σ factor * node`, in wrapping arithmetic, with distinct nodes in order of their ids. */
export interface Sum {
  readonly constant: number;
  readonly terms: readonly Term[];
}

export interface Term {
  readonly node: Node;
  readonly factor: number;
}

type CoordNode = Common & { readonly kind: 'coord'; readonly dtype: 'int32'; readonly axis: number };

/** An element at a flat index; with a guard, 0 where it does not hold. */
export type LoadNode = Common & {
  readonly kind: 'load';
  readonly dtype: DType;
  readonly input: number;
  readonly index: Sum;
  readonly guard: Node | undefined;
};

/**
 * Expressions of a kernel as the emitter sees them: hash-consed, indices flattened to one sum for each load, and int32
 * arithmetic collected to sums.
 */
export type Node =
  | CoordNode
  | LoadNode
  | (Common & { readonly kind: 'const'; readonly dtype: DType; readonly value: number })
  | (Common & { readonly kind: 'sum'; readonly dtype: 'int32'; readonly sum: Sum })
  | (Common & { readonly kind: 'unary'; readonly dtype: DType; readonly op: UnaryOp; readonly x: Node })
  | (Common & {
      readonly kind: 'binary';
      readonly dtype: DType;
      readonly op: BinaryOp;
      readonly x: Node;
      readonly y: Node;
    })
  | (Common & {
      readonly kind: 'compare';
      readonly dtype: 'bool';
      readonly op: CompareOp;
      readonly x: Node;
      readonly y: Node;
    })
  | (Common & {
      readonly kind: 'select';
      readonly dtype: DType;
      readonly cond: Node;
      readonly x: Node;
      readonly y: Node;
    })
  | (Common & { readonly kind: 'cast'; readonly dtype: DType; readonly x: Node })
  | (Common & { readonly kind: 'bitcast'; readonly dtype: DType; readonly x: Node })
  | (Common & { readonly kind: 'acc'; readonly dtype: DType; readonly index: number });

/** The nodes that a node reads. */
export function operandsOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'const':
    case 'coord':
    case 'acc':
      return [];
    case 'sum':
      return node.sum.terms.map((term) => term.node);
    case 'load': {
      const terms = node.index.terms.map((term) => term.node);
      return node.guard ? [...terms, node.guard] : terms;
    }
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

/** Every node reachable from `roots`, operands first. */
export function reachable(roots: readonly Node[]): Node[] {
  const seen = new Set<Node>(roots);
  for (const node of seen) for (const operand of operandsOf(node)) seen.add(operand);
  return [...seen].sort((a, b) => a.id - b.id);
}
