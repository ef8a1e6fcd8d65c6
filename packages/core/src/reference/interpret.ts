import ndarray, { type NdArray } from 'ndarray';
import { showAval } from '../aval.ts';
import { type DType, hostArray, isFloat, type TypedArray } from '../dtype.ts';
import { InternalError } from '../errors.ts';
import { type Load, nodesOf, operandsOf } from '../ir/expr.ts';
import type { Expr, Kernel, Reduction } from '../ir/kernel.ts';
import { rowMajorStrides, sizeOf } from '../shape.ts';
import {
  type Binary,
  binaryFunctions,
  bitcastFunction,
  castFunction,
  compareFunctions,
  rangeOf,
  type Unary,
  unaryFunctions,
} from './scalar.ts';

/** An input of a kernel: dense memory, or a view of any strides. */
export type View = TypedArray | NdArray<TypedArray>;

export interface InterpretOptions {
  /** Carry float32 as float64 between loads and outputs: the yardstick for the rounding errors of others. */
  readonly wide?: boolean;
}

/**
 * Runs a kernel over its inputs: the definition of the kernel language.
 *
 * @param inputs one for each of `kernel.inputs`, of that shape.
 * @returns one dense array of shape `kernel.axes` for each output.
 * @throws {InternalError} if an unguarded index is out of range.
 */
export function interpret(kernel: Kernel, inputs: readonly View[], options?: InterpretOptions): TypedArray[] {
  return prepare(kernel, options)(inputs);
}

/** {@link interpret}, with the kernel translated once for many runs. */
export function prepare(
  kernel: Kernel,
  { wide = false }: InterpretOptions = {},
): (inputs: readonly View[]) => TypedArray[] {
  const machine = new Machine(kernel, wide);
  return (inputs) => machine.run(inputs);
}

/**
 * A register for each node and a list of instructions for each depth of the loop nest. `nest[0]` does not depend on
 * any coordinate, `nest[a + 1]` depends on the coordinate of axis `a` and possibly of outer ones, so that it runs once
 * for each step of loop `a`.
 */
class Machine {
  readonly #kernel: Kernel;
  /** Extents of the parallel axes, then of the reduce axes; a loop's coordinate is in register `axis`. */
  readonly #extents: readonly number[];
  /** Points that one step along each axis skips, within the parallel or within the reduce axes. */
  readonly #strides: readonly number[];
  readonly #arithmetic: (dtype: DType) => DType;
  readonly #register = new Map<Expr, number>();
  readonly #values: Float64Array;
  readonly #folds: readonly Fold[];
  readonly #nest: (() => void)[][];
  readonly #epilogue: (() => void)[] = [];
  #views: readonly NdArray<TypedArray>[] = [];

  constructor(kernel: Kernel, wide: boolean) {
    const { axes, reduceAxes, reductions, outputs } = kernel;
    this.#kernel = kernel;
    this.#extents = [...axes, ...reduceAxes];
    this.#strides = [...rowMajorStrides(axes), ...rowMajorStrides(reduceAxes)];
    this.#arithmetic = (dtype) => (wide && dtype === 'float32' ? 'float64' : dtype);
    const rank = this.#extents.length;
    const empty = sizeOf(reduceAxes) === 0; // then what is reduced is never evaluated, not even its outer part
    const nodes = nodesOf([...(empty ? [] : reductions.map((r) => r.value)), ...outputs]);
    for (const [i, node] of nodes.entries())
      this.#register.set(node, node.kind === 'coord' ? node.axis : rank + i);
    this.#values = new Float64Array(rank + nodes.length);
    this.#folds = reductions.map((reduction) => this.#fold(reduction));
    this.#nest = Array.from({ length: rank + 1 }, () => []);
    const depths = new Map<Expr, number>();
    for (const node of nodes) {
      const depth = depthOf(node, depths);
      depths.set(node, depth);
      if (node.kind === 'coord') continue;
      (this.#nest[depth] ?? this.#epilogue).push(this.#instruction(node, this.#registerOf(node)));
    }
  }

  run(inputs: readonly View[]): TypedArray[] {
    const { name, axes, reduceAxes, outputs } = this.#kernel;
    this.#views = this.#kernel.inputs.map((aval, i) => viewOf(inputs[i], aval.shape, `${name}: input ${i}`));
    const results = outputs.map((output) => hostArray(output.dtype, sizeOf(axes)));
    if (sizeOf(axes) === 0) return results;
    const registers = outputs.map((output) => this.#registerOf(output));
    const values = this.#values;
    const folds = this.#folds;
    const reduces = folds.length > 0 && sizeOf(reduceAxes) > 0;
    const step = (position: number): void => {
      for (const fold of folds) fold.step(position);
    };
    for (const instruct of this.#nest[0] ?? []) instruct();
    this.#loop(0, axes.length, 0, (position) => {
      for (const fold of folds) fold.start();
      if (reduces) this.#loop(axes.length, this.#extents.length, 0, step);
      for (const instruct of this.#epilogue) instruct();
      for (const [i, result] of results.entries())
        result[position] = values[registers[i] as number] as number;
    });
    this.#views = [];
    return results;
  }

  /** Steps through all points of the axes from `axis` up to `end`; `body` gets the row-major position. */
  #loop(axis: number, end: number, position: number, body: (position: number) => void): void {
    if (axis === end) {
      body(position);
      return;
    }
    const extent = this.#extents[axis] as number;
    const stride = this.#strides[axis] as number;
    const instructions = this.#nest[axis + 1] as (() => void)[];
    for (let i = 0; i < extent; i++) {
      this.#values[axis] = i;
      for (let k = 0; k < instructions.length; k++) (instructions[k] as () => void)();
      this.#loop(axis + 1, end, position + i * stride, body);
    }
  }

  #registerOf(node: Expr): number {
    const register = this.#register.get(node);
    if (register === undefined) throw new InternalError(`interpret: a ${node.kind} node has no register.`);
    return register;
  }

  /** Computes one node into register `to`. */
  #instruction(node: Exclude<Expr, { kind: 'coord' }>, to: number): () => void {
    const values = this.#values;
    const [a = 0, b = 0, c = 0] = operandsOf(node).map((operand) => this.#registerOf(operand));
    const dtype = this.#arithmetic(node.dtype);
    switch (node.kind) {
      case 'const':
        return () => {
          values[to] = node.value;
        };
      case 'load':
        return this.#load(node, to);
      case 'unary':
        return apply(defined(unaryFunctions[dtype][node.op], node.op, dtype));
      case 'binary':
        return combine(defined(binaryFunctions[dtype][node.op], node.op, dtype));
      case 'compare':
        return combine(compareFunctions[node.op]);
      case 'select':
        return () => {
          values[to] = (values[a] !== 0 ? values[b] : values[c]) as number;
        };
      case 'cast':
        return apply(castFunction(this.#arithmetic(node.x.dtype), dtype));
      case 'bitcast':
        return apply(bitcastFunction(node.x.dtype, node.dtype));
      case 'acc': {
        const fold = this.#folds[node.index] as Fold;
        return () => {
          values[to] = fold.end();
        };
      }
      default:
        return node satisfies never;
    }

    function apply(f: Unary): () => void {
      return () => {
        values[to] = f(values[a] as number);
      };
    }

    function combine(f: Binary): () => void {
      return () => {
        values[to] = f(values[a] as number, values[b] as number);
      };
    }
  }

  #load(node: Load, to: number): () => void {
    const values = this.#values;
    const index = node.index.map((x) => this.#registerOf(x));
    const guard = node.guard && this.#registerOf(node.guard);
    return () => {
      if (guard !== undefined && values[guard] === 0) {
        values[to] = 0;
        return;
      }
      const { data, shape, stride, offset } = this.#views[node.input] as NdArray<TypedArray>;
      let at = offset;
      for (let axis = 0; axis < index.length; axis++) {
        const i = values[index[axis] as number] as number;
        if (i < 0 || i >= (shape[axis] as number)) this.#outOfRange(node, axis, i);
        at += i * (stride[axis] as number);
      }
      values[to] = data[at] as number;
    };
  }

  #outOfRange({ input, guard }: Load, axis: number, i: number): never {
    const aval = this.#kernel.inputs[input];
    throw new InternalError(
      `kernel ${this.#kernel.name}: ${guard ? 'the guard lets through' : 'an unguarded load has'} index ${i} on axis ` +
        `${axis} of input ${input} ${aval ? showAval(aval) : ''}.`,
    );
  }

  #fold({ op, value }: Reduction): Fold {
    const values = this.#values;
    const register = this.#register.get(value) ?? -1; // none, and none needed, if the reduce axes are empty
    const current = (): number => values[register] as number;
    if (op !== 'argmax' && op !== 'argmin') return foldNumbers(op, this.#arithmetic(value.dtype), current);
    if (sizeOf(this.#kernel.reduceAxes) > 0) return foldPosition(op, current);
    throw new InternalError(`kernel ${this.#kernel.name}: ${op} over no elements.`);
  }
}

/** A running reduction. */
interface Fold {
  start(): void;
  step(position: number): void;
  end(): number;
}

/** Floats accumulate in float64 and are rounded at the end; integers wrap at each step. */
function foldNumbers(op: keyof typeof emptyFold, dtype: DType, current: () => number): Fold {
  const empty = emptyFold[op](dtype);
  const combine = foldFunction(op, dtype);
  const round = castFunction('float64', dtype);
  let result = empty;
  return {
    start: () => {
      result = empty;
    },
    step: () => {
      result = combine(result, current());
    },
    end: isFloat(dtype) ? () => round(result) : () => result,
  };
}

const emptyFold = {
  add: () => 0,
  mul: () => 1,
  max: (dtype: DType) => rangeOf[dtype][0],
  min: (dtype: DType) => rangeOf[dtype][1],
};

function foldFunction(op: keyof typeof emptyFold, dtype: DType): Binary {
  if (op === 'max') return Math.max;
  if (op === 'min') return Math.min;
  return defined(binaryFunctions[isFloat(dtype) ? 'float64' : dtype][op], `reduction ${op}`, dtype);
}

/** The position of the first greatest or smallest value; the first NaN wins over all. */
function foldPosition(op: 'argmax' | 'argmin', current: () => number): Fold {
  let [best, at] = [0, 0];
  return {
    start: () => {},
    step: (position) => {
      const x = current();
      const wins = (op === 'argmax' ? x > best : x < best) || (Number.isNaN(x) && !Number.isNaN(best));
      if (position === 0 || wins) [best, at] = [x, position];
    },
    end: () => at,
  };
}

/**
 * The loop depth that a node's value depends on: 0 for none, axis + 1 for the innermost of its coordinates, infinity
 * if it depends on a reduction's result.
 */
function depthOf(node: Expr, depths: ReadonlyMap<Expr, number>): number {
  if (node.kind === 'coord') return node.axis + 1;
  if (node.kind === 'acc') return Infinity;
  return Math.max(0, ...operandsOf(node).map((operand) => depths.get(operand) ?? 0));
}

function viewOf(input: View | undefined, shape: readonly number[], what: string): NdArray<TypedArray> {
  if (input === undefined) throw new InternalError(`kernel ${what} is missing.`);
  const length = ArrayBuffer.isView(input) ? input.length : input.size;
  if (length !== sizeOf(shape))
    throw new InternalError(
      `kernel ${what} has ${length} elements, not the ${sizeOf(shape)} of [${shape.join(',')}].`,
    );
  return ArrayBuffer.isView(input) ? ndarray(input, [...shape]) : input;
}

function defined<T>(f: T | undefined, op: string, dtype: DType): T {
  if (f === undefined) throw new InternalError(`interpret: ${op} is not defined for ${dtype}.`);
  return f;
}
