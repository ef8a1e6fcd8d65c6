import {
  acc,
  addExpr,
  allOf,
  compare,
  constant,
  coord,
  type DType,
  type Expr,
  floorDiv,
  load,
  mod,
  mulIndex,
  type Reduction,
  rangeOf,
  rowMajorStrides,
  type Shape,
  select,
  sizeOf,
  substituteAll,
} from '@neumann/core/backend';
import { maxInteger, maxWhole } from '../limits.ts';
import type { Made, Part, StageLimits } from './part.ts';

/**
 * Adds a kernel with one output; where few threads would fold many elements, after kernels that fold blocks of them. The
 * outermost reduce axes, and blocks of the next one, become parallel: the last kernel folds over these.
 */
export function splitReductions(
  kernel: Part,
  { threads, fold: fewest }: StageLimits,
  add: (part: Part) => Made,
): void {
  const { name, axes, reduceAxes, reductions, outputs } = kernel;
  const [points, length] = [sizeOf(axes), sizeOf(reduceAxes)];
  const isLong = reductions.some(isPosition) && length > maxWhole; // then a position in all is no number, but one in a block is
  const lanes = Math.max(
    isLong ? 2 * Math.ceil(length / maxWhole) : 1,
    Math.min(Math.ceil(Math.sqrt(length)), Math.ceil(threads / Math.max(1, points))),
  );
  if (reductions.length === 0 || points === 0 || (length < fewest && !isLong) || lanes < 2) {
    add(kernel);
    return;
  }
  const blocks = new Blocks(kernel, lanes, reductions.some(isPosition));
  const fold = (op: Reduction['op'], value: Expr, dtype: DType): Made =>
    add({
      name,
      ...blocks.first,
      reductions: [{ op, value: blocks.valueOf(value, op) }],
      outputs: [acc(dtype, 0)],
    });
  const results: Expr[] = [];
  const second = reductions.map((reduction, i): Reduction => {
    const { op, value } = reduction;
    const { dtype } = value;
    if (!isPosition(reduction)) {
      results.push(acc(dtype, i));
      return { op, value: fold(op, value, dtype)(blocks.point) };
    }
    const best = fold(op === 'argmax' ? 'max' : 'min', value, dtype);
    results.push(blocks.positionOf(acc('int32', i), fold(op, value, 'int32')));
    return { op, value: best(blocks.point) };
  });
  const [output] = substituteAll(outputs, { acc: (i) => results[i] as Expr }) as [Expr];
  add({ name, axes, reduceAxes: blocks.second, reductions: second, outputs: [output] });
}

const isPosition = ({ op }: Reduction): boolean => op === 'argmax' || op === 'argmin';

/** Which reduce axes are parallel in the first pass: `moved` of them, and `blocks` of `within` elements of the next one. */
class Blocks {
  readonly first: Pick<Part, 'axes' | 'reduceAxes'>;
  /** The reduce axes of the second pass. */
  readonly second: Shape;
  readonly #kernel: Part;
  readonly #moved: number;
  readonly #blocks: number;
  readonly #within: number;
  readonly #areContiguous: boolean;

  /** Positions need blocks of neighbours; otherwise neighbouring threads read neighbours. */
  constructor(kernel: Part, lanes: number, areContiguous: boolean) {
    const { axes, reduceAxes } = kernel;
    let [moved, left] = [0, lanes];
    while (moved < reduceAxes.length && (reduceAxes[moved] as number) <= left)
      left = Math.floor(left / (reduceAxes[moved++] as number));
    const extent = reduceAxes[moved] ?? 1;
    this.#within = Math.ceil(extent / divisorNear(extent, left));
    this.#blocks = Math.ceil(extent / this.#within);
    this.#moved = moved;
    this.#kernel = kernel;
    this.#areContiguous = areContiguous;
    const outer = reduceAxes.slice(0, moved);
    this.first = {
      axes: [...outer, ...axes, this.#blocks],
      reduceAxes: [this.#within, ...reduceAxes.slice(moved + 1)],
    };
    this.second = [...outer, this.#blocks];
  }

  /** What the first pass folds. */
  valueOf(value: Expr, op: Reduction['op']): Expr {
    const { axes, reduceAxes } = this.#kernel;
    const [block, step] = [coord(this.#moved + axes.length), coord(this.#moved + axes.length + 1)];
    const at = this.#areContiguous
      ? addExpr(mulIndex(block, this.#within), step)
      : addExpr(mulIndex(step, this.#blocks), block);
    const extent = reduceAxes[this.#moved] ?? 1;
    const isInside =
      this.#blocks * this.#within === extent ? undefined : compare('lt', at, constant('int32', extent));
    const [result] = substituteAll([value], {
      coord: (axis) => {
        const reduced = axis - axes.length;
        if (reduced < 0) return coord(this.#moved + axis);
        if (reduced < this.#moved) return coord(reduced);
        return reduced === this.#moved ? at : coord(axis + 1);
      },
      load: (node) => {
        const guard = allOf([node.guard, isInside]);
        return guard ? load(node.input, node.dtype, node.index, guard) : node;
      },
    }) as [Expr];
    return isInside ? select(isInside, result, constant(value.dtype, neutral(op, value.dtype))) : result;
  }

  /** Where the second pass finds the result of a block. */
  get point(): Expr[] {
    const { axes } = this.#kernel;
    const outer = Array.from({ length: this.#moved }, (_, i) => coord(axes.length + i));
    return [...outer, ...axes.map((_, axis) => coord(axis)), coord(axes.length + this.#moved)];
  }

  /** The position in all reduce axes, from that of the best block and those of the best elements of blocks. */
  positionOf(best: Expr, position: Made): Expr {
    const { axes, reduceAxes } = this.#kernel;
    const [block, outer] =
      this.#moved === 0
        ? [best, constant('int32', 0)]
        : [mod(best, this.#blocks), floorDiv(best, this.#blocks)];
    const extents = reduceAxes.slice(0, this.#moved);
    const strides = rowMajorStrides(extents);
    const place = extents.map((extent, i) => mod(floorDiv(outer, strides[i] as number), extent));
    const local = position([...place, ...axes.map((_, axis) => coord(axis)), block]);
    const inner = sizeOf(reduceAxes.slice(this.#moved + 1));
    const rows = this.#moved === 0 ? outer : mulIndex(outer, reduceAxes[this.#moved] ?? 1);
    const row = addExpr(rows, mulIndex(block, this.#within));
    return addExpr(mulIndex(row, inner), local);
  }
}

/** A divisor of `n` from `most` down to its half, or `most`. */
function divisorNear(n: number, most: number): number {
  for (let d = most; 2 * d > most; d--) if (n % d === 0) return d;
  return most;
}

/** What changes no fold. */
function neutral(op: Reduction['op'], dtype: DType): number {
  if (op === 'add') return 0;
  if (op === 'mul') return 1;
  const [low, high] = dtype === 'int32' ? [-maxInteger, maxInteger] : rangeOf[dtype];
  return op === 'max' || op === 'argmax' ? low : high;
}
