/** Random kernels that are always well-formed: every way to index, mixed dtypes, reductions, several outputs. */
import {
  type Aval,
  acc,
  addExpr,
  addIndex,
  type BinaryOp,
  binary,
  cast,
  compare,
  constant,
  coord,
  type DType,
  type Expr,
  floorDiv,
  inBounds,
  isFloat,
  type Kernel,
  load,
  mod,
  mulIndex,
  type Reduction,
  rowMajorStrides,
  select,
  sizeOf,
  type TypedArray,
  unary,
} from '@neumann/core/backend';
import { randomSource, valuesOf } from './kernels.ts';

export interface Sample {
  readonly kernel: Kernel;
  readonly inputs: readonly TypedArray[];
}

/** The same sample for the same seed. */
export function randomSample(seed: number): Sample {
  return new Generator(randomSource(seed * 7919 + 13)).sample();
}

const dtypes: readonly DType[] = [
  'float32',
  'float32',
  'float32',
  'float64',
  'int32',
  'uint32',
  'uint8',
  'bool',
];
const arithmetic: readonly BinaryOp[] = ['add', 'sub', 'mul', 'max', 'min'];

/** Keeps the reference fast. */
const MOST_POINTS = 4000;

class Generator {
  readonly #random: () => number;
  readonly #avals: Aval[] = [];
  readonly #data: TypedArray[] = [];
  #extents: number[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  sample(): Sample {
    const axes = this.#shape(4);
    const reduceAxes = this.#random() < 0.5 ? this.#shape(3, 0.05) : [];
    const reducing = this.#random() < 0.55;
    while (sizeOf([...axes, ...reduceAxes]) > MOST_POINTS) (reduceAxes.length > 0 ? reduceAxes : axes).pop();
    this.#extents = reducing ? [...axes, ...reduceAxes] : axes;
    const empty = this.#extents.includes(0);
    const main = this.#pick(dtypes);
    const reductions: Reduction[] = reducing
      ? Array.from({ length: 1 + this.#below(2) }, () => this.#reduction(main, empty))
      : [];
    this.#extents = axes;
    const outputs = Array.from({ length: 1 + this.#below(3) }, () => {
      const own = this.#expression(this.#random() < 0.7 ? main : this.#pick(dtypes), 2);
      const [first] = reductions;
      if (!first || this.#random() < 0.2) return own;
      const at = this.#below(reductions.length);
      const { op, value } = reductions[at] ?? first;
      const result = acc(op.startsWith('arg') ? 'int32' : value.dtype, at);
      return result.dtype === 'bool' || this.#random() < 0.4
        ? result
        : binary('add', result, this.#leaf(result.dtype));
    });
    const kernel: Kernel = {
      name: 'random',
      inputs: this.#avals,
      axes,
      reduceAxes: reducing ? reduceAxes : [],
      reductions,
      outputs,
    };
    return { kernel, inputs: this.#data };
  }

  #reduction(main: DType, empty: boolean): Reduction {
    const dtype = this.#random() < 0.8 ? main : this.#pick(dtypes);
    const overflows = isFloat(dtype) && sizeOf(this.#extents) > 20; // a long product of floats has no digits to compare
    const numeric = overflows ? (['add', 'max', 'min'] as const) : (['add', 'mul', 'max', 'min'] as const);
    const ops = dtype === 'bool' ? (['max', 'min'] as const) : numeric;
    const args = empty || dtype === 'bool' ? [] : (['argmax', 'argmin'] as const);
    return { op: this.#pick([...ops, ...args]), value: this.#expression(dtype, 2) };
  }

  #expression(dtype: DType, depth: number): Expr {
    if (depth === 0 || this.#random() < 0.2) return this.#leaf(dtype);
    const kind = this.#random();
    if (kind < 0.15) {
      const other = this.#pick(dtypes);
      return cast(
        dtype,
        isFloat(other) && !isFloat(dtype) ? this.#leaf(other) : this.#expression(other, depth - 1),
      );
    }
    const x = this.#expression(dtype, depth - 1);
    if (kind < 0.3) return dtype === 'bool' ? unary('not', x) : unary(this.#pick(['neg', 'abs'] as const), x);
    const y = this.#random() < 0.1 ? x : this.#expression(dtype, depth - 1);
    if (kind < 0.4) return select(this.#condition(), x, y);
    return binary(
      dtype === 'bool' ? this.#pick(['and', 'or', 'xor'] as const) : this.#pick(arithmetic),
      x,
      y,
    );
  }

  /** A comparison of numbers that every backend agrees on to the last bit. */
  #condition(): Expr {
    const dtype = this.#pick(['int32', 'uint32', 'uint8', 'float32'] as const);
    return compare(this.#pick(['eq', 'ne', 'lt', 'le'] as const), this.#leaf(dtype), this.#leaf(dtype));
  }

  #leaf(dtype: DType): Expr {
    const kind = this.#random();
    if (kind < 0.1) return constant(dtype, dtype === 'bool' ? this.#below(2) : this.#below(5));
    if (kind < 0.2 && dtype === 'int32' && this.#extents.length > 0)
      return coord(this.#below(this.#extents.length));
    return this.#load(dtype);
  }

  /** A new input that is read in some random way. */
  #load(dtype: DType): Expr {
    const shape: number[] = [];
    const index: Expr[] = [];
    let guard: Expr | undefined;
    const kind = this.#random();
    const all = this.#extents.map((_, axis) => axis);
    if (kind < 0.4) {
      index.push(...all.map(coord));
      shape.push(...this.#extents);
    } else if (kind < 0.5 && this.#extents.length > 0) this.#reshaped(shape, index);
    else {
      const axes = all
        .filter(() => this.#random() < 0.75)
        .sort(() => (kind < 0.7 ? 0 : this.#random() - 0.5));
      for (const axis of axes) {
        const step = this.#walk(axis, this.#extents[axis] ?? 1);
        index.push(step.index);
        shape.push(step.extent);
        if (step.guard) guard = guard ? binary('and', guard, step.guard) : step.guard;
      }
    }
    return load(this.#add(dtype, shape), dtype, index, guard);
  }

  /** Some way to walk through an axis of an input, as long as it must be, along a loop axis. */
  #walk(axis: number, extent: number): { index: Expr; extent: number; guard?: Expr } {
    const kind = this.#random();
    const i = coord(axis);
    if (kind < 0.6) return { index: i, extent };
    if (kind < 0.7) {
      const [step, start] = [1 + this.#below(3), this.#below(3)];
      return {
        index: addIndex(mulIndex(i, step), start),
        extent: Math.max(0, extent - 1) * step + start + 1,
      };
    }
    const some = Math.max(1, extent);
    if (kind < 0.75) return { index: binary('sub', constant('int32', some - 1), i), extent: some };
    if (kind < 0.9) {
      const [pad, inner] = [this.#below(3), Math.max(1, extent - this.#below(4))];
      const moved = addIndex(i, -pad);
      return { index: moved, extent: inner, guard: inBounds(moved, inner) };
    }
    const rows = 1 + this.#below(6);
    const indices = Int32Array.from({ length: some }, () => this.#below(rows));
    return { index: load(this.#add('int32', [some], indices), 'int32', [i]), extent: rows };
  }

  /** All axes flattened, and taken apart into another shape of as many elements. */
  #reshaped(shape: number[], index: Expr[]): void {
    const strides = rowMajorStrides(this.#extents);
    const flat = this.#extents.reduce<Expr>(
      (sum, _, axis) => addExpr(sum, mulIndex(coord(axis), strides[axis] ?? 0)),
      constant('int32', 0),
    );
    const size = sizeOf(this.#extents);
    const inner = this.#pick([1, 2, 3, 4, 5, 8].filter((n) => size % n === 0));
    const [outer, middle] = this.#pick([
      [size / inner, 1],
      ...[2, 3, 4].filter((n) => (size / inner) % n === 0).map((n) => [size / inner / n, n]),
    ]) as [number, number];
    shape.push(outer, middle, inner);
    index.push(floorDiv(flat, middle * inner), mod(floorDiv(flat, inner), middle), mod(flat, inner));
  }

  #add(dtype: DType, shape: readonly number[], values?: TypedArray): number {
    this.#avals.push({ dtype, shape });
    this.#data.push(values ?? valuesOf(dtype, sizeOf(shape), this.#random, 0));
    return this.#avals.length - 1;
  }

  #shape(most: number, empty = 0.02): number[] {
    const extents = [1, 2, 3, 4, 5, 7, 8, 9, 12, 17];
    return Array.from({ length: this.#below(most + 1) }, () =>
      this.#random() < empty ? 0 : this.#pick(extents),
    );
  }

  #below(n: number): number {
    return Math.floor(this.#random() * n);
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#below(values.length)] as T;
  }
}
