import {
  coord,
  type Expr,
  nodesOf,
  operandsOf,
  type Reduction,
  shareEqual,
  sizeOf,
  substitute,
  withOperands,
} from '@neumann/core/backend';
import { type Made, onlyOutput, type Part, type Stages } from './part.ts';

/**
 * Adds a kernel with one output to the stages, after stages for those of its expressions that make it read more than `most`
 * arrays.
 *
 * From the leaves up: where an expression reads too many, its operand that reads the most becomes a stage of its own, and
 * is read as one array from then on. Of a reduction, the result is cut before its much larger operands are.
 */
export function splitInputs(kernel: Part, most: number, stages: Stages): Made {
  const { axes, reduceAxes, outputs } = kernel;
  const extents = [...axes, ...reduceAxes];
  const roots = shareEqual([...kernel.reductions.map((r) => r.value), ...outputs]);
  const rewritten = new Map<Expr, Expr>();
  /** The inputs that a rewritten expression reads. */
  const reads = new Map<Expr, ReadonlySet<number>>();
  const readsOf = (x: Expr): ReadonlySet<number> => reads.get(x) as ReadonlySet<number>;
  const whole = (index: number): Expr => rewritten.get(roots[index] as Expr) as Expr;
  const reductions = (): Reduction[] =>
    kernel.reductions.map((r, i) => ({ ...r, value: rewritten.get(roots[i] as Expr) ?? r.value }));

  const part = (output: Expr): Part => onlyOutput({ ...kernel, reductions: reductions() }, output);
  const cut = (x: Expr): Expr => {
    if (isFolded(x)) return stages.add(part(x))(axes.map((_, axis) => coord(axis)));
    const used = coordinatesIn(x);
    const made = stages.add({
      name: kernel.name,
      axes: used.map((axis) => extents[axis] as number),
      reduceAxes: [],
      reductions: [],
      outputs: [substitute(x, { coord: (axis) => coord(used.indexOf(axis)) })],
    });
    return made(used.map(coord));
  };
  const costOf = (x: Expr): number =>
    sizeOf(isFolded(x) ? axes : coordinatesIn(x).map((axis) => extents[axis] as number));

  for (const node of nodesOf(roots)) {
    let current = withOperands(node, (x) => rewritten.get(x) ?? x);
    for (;;) {
      const all = new Set(operandsOf(current).flatMap((x) => [...readsOf(x)]));
      if (current.kind === 'load') all.add(current.input);
      if (current.kind === 'acc') for (const input of readsOf(whole(current.index))) all.add(input);
      reads.set(current, all);
      if (all.size <= most) break;
      const candidates = operandsOf(current).filter((x) => readsOf(x).size > 1);
      const [largest] = candidates.toSorted(
        (x, y) => readsOf(y).size - readsOf(x).size || costOf(x) - costOf(y),
      );
      if (!largest) break; // no operation has so many operands; the device will say so
      const array = cut(largest);
      reads.set(array, new Set(array.kind === 'load' ? [array.input] : []));
      for (const [from, to] of rewritten) if (to === largest) rewritten.set(from, array);
      for (const x of operandsOf(array)) reads.set(x, new Set());
      current = withOperands(current, (x) => (x === largest ? array : x));
    }
    rewritten.set(node, current);
  }
  return stages.add(part(whole(roots.length - 1)));
}

/** Whether an expression reads results of reductions. */
const isFolded = (x: Expr): boolean => nodesOf([x]).some((node) => node.kind === 'acc');

const coordinatesIn = (x: Expr): number[] =>
  [...new Set(nodesOf([x]).flatMap((node) => (node.kind === 'coord' ? [node.axis] : [])))].sort(
    (a, b) => a - b,
  );
