import {
  type Aval,
  acc,
  type DType,
  type Expr,
  InternalError,
  type Kernel,
  load,
  nodesOf,
  type Reduction,
  substitute,
} from '@neumann/core/backend';

/** What is good for a device. */
export interface StageLimits {
  /** Arrays that one kernel may read. */
  readonly maxInputs: number;
  /** Points that are computed at the same time: a kernel with fewer leaves part of the device idle. */
  readonly threads: number;
  /** A fold of fewer elements is left to one thread. */
  readonly fold: number;
}

/** A kernel before it is known which arrays there are. */
export type Part = Omit<Kernel, 'inputs'>;

/** An element of a stage's result. */
export type Made = (point: readonly Expr[]) => Expr;

/** The kernel with one output, and the reductions that it reads. */
export function onlyOutput({ name, axes, reduceAxes, reductions }: Part, output: Expr): Part {
  const used = nodesOf([output]).flatMap((node) => (node.kind === 'acc' ? [node] : []));
  const kept = [...new Set(used.map(({ index }) => index))].sort((a, b) => a - b);
  const dtypes = new Map(used.map(({ index, dtype }) => [index, dtype]));
  return {
    name,
    axes,
    reduceAxes: kept.length === 0 ? [] : reduceAxes,
    reductions: kept.map((i) => reductions[i] as Reduction),
    outputs: [substitute(output, { acc: (i) => acc(dtypes.get(i) as DType, kept.indexOf(i)) })],
  };
}

/** The stages so far. */
export class Stages {
  readonly kernels: Kernel[] = [];
  readonly #inputs: Aval[];

  constructor(inputs: readonly Aval[]) {
    this.#inputs = [...inputs];
  }

  /** Adds a kernel with one output, and returns the load of its result at a point. */
  add(kernel: Part): Made {
    const [output, ...others] = kernel.outputs;
    if (!output || others.length > 0) throw new InternalError('gpu: a stage has one output.');
    this.kernels.push({ ...kernel, inputs: [...this.#inputs] });
    const result: Aval = { dtype: output.dtype, shape: kernel.axes };
    const input = this.#inputs.push(result) - 1;
    return (point) => load(input, result, point);
  }
}
