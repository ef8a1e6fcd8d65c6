/** Batching: a function of one example becomes a function of many, without a loop. */
import type { Aval } from '../aval.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { checkOptions } from '../ops/check.ts';
import { toTensor } from '../ops/convert.ts';
import type { Params, Primitive } from '../primitive.ts';
import { type Collective, namesAxis } from '../primitives/collective.ts';
import { broadcastTo, moveAxis } from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { resolveAxis } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { currentTrace, type NamedAxis, runTraced, type Trace, Tracer, withTrace } from '../trace.ts';
import { type Leaves, type Tensors, treeFlatten, treeLeaves, treePaths } from '../tree.ts';
import { flatFunction } from './flat.ts';

class BatchTracer extends Tracer {
  readonly trace: BatchTrace;
  readonly value: Tensor;
  readonly axis: number;

  constructor(trace: BatchTrace, value: Tensor, axis: number) {
    super();
    this.trace = trace;
    this.value = value;
    this.axis = axis;
  }

  /** Of one example. */
  get aval(): Aval {
    const { shape, dtype } = this.value.aval;
    return { shape: [...shape.slice(0, this.axis), ...shape.slice(this.axis + 1)], dtype };
  }
}

/** Applies batching rules; what carries no batch of this trace goes to the parent untouched. */
class BatchTrace implements Trace {
  readonly name = 'vmap';
  readonly parent: Trace;
  readonly size: number;
  readonly axis: NamedAxis | undefined;

  constructor(parent: Trace, size: number, axisName: string | null) {
    this.parent = parent;
    this.size = size;
    this.axis = axisName === null ? undefined : { name: axisName, size };
  }

  bind(primitive: Primitive, inputs: readonly Tensor[], params: Params): Tensor[] {
    const pairs = inputs.map((x) => this.split(x));
    const axes = pairs.map(([, axis]) => axis);
    const { axis } = this;
    const isNamed = axis !== undefined && namesAxis(primitive, params, axis.name);
    if (!isNamed && axes.every((a) => a === null)) return this.parent.bind(primitive, inputs, params);
    if (isNamed && 'overBatch' in primitive) return this.#collect(primitive as Collective, pairs);
    if (this.size === 0)
      return this.#nothing(
        primitive.shape(
          inputs.map((x) => x.aval),
          params,
        ),
      );
    const values = pairs.map(([x]) => x);
    const [outputs, outAxes] = withTrace(this.parent, () =>
      batchingAs(axis?.name ?? null, () => primitive.batch(values, axes, this.size, params)),
    );
    return outputs.map((y, i) => this.pair(y, outAxes[i] ?? null));
  }

  /** A collective over this very batch. */
  #collect(primitive: Collective, pairs: readonly [Tensor, number | null][]): Tensor[] {
    const [values, axes] = [pairs.map(([x]) => x), pairs.map(([, axis]) => axis)];
    const [outputs, outAxes] = withTrace(this.parent, () => primitive.overBatch(values, axes, this.size));
    return outputs.map((y, i) => this.pair(y, outAxes[i] ?? null));
  }

  /** Results of no example: batching rules need not think of it. */
  #nothing(avals: readonly Aval[]): Tensor[] {
    const empty = ({ shape, dtype }: Aval) => broadcastTo(scalar(0, dtype), [0, ...shape]);
    return withTrace(this.parent, () => avals.map((aval) => this.pair(empty(aval), 0)));
  }

  pair(value: Tensor, axis: number | null): Tensor {
    return axis === null ? value : new BatchTracer(this, value, axis);
  }

  split(x: Tensor): [Tensor, number | null] {
    return x instanceof BatchTracer && x.trace === this ? [x.value, x.axis] : [x, null];
  }
}

/** The name of the batch that a batching rule is running for; programs within the primitive are batched under it. */
let batching: string | null = null;

export function batchingAxis(): string | null {
  return batching;
}

function batchingAs<T>(axisName: string | null, rule: () => T): T {
  const before = batching;
  batching = axisName;
  try {
    return rule();
  } finally {
    batching = before;
  }
}

/** `vmap` on flat lists; within a batching rule, under the name that the batch has there. */
export function vmapFlat(
  f: (...xs: Tensor[]) => readonly Tensor[],
  inputs: readonly Tensor[],
  axes: readonly (number | null)[],
  size: number,
  axisName: string | null = batching,
): [Tensor[], (number | null)[]] {
  const trace = new BatchTrace(currentTrace(), size, axisName);
  const outputs = runTraced(trace, () => f(...inputs.map((x, i) => trace.pair(x, axes[i] ?? null))));
  const pairs = outputs.map((y) => trace.split(y));
  return [pairs.map(([y]) => y), pairs.map(([, axis]) => axis)];
}

/** Moves a batch axis to `to`, making one by repetition if there is none. */
export function placeBatch(x: Tensor, axis: number | null, to: number, size: number): Tensor {
  return axis === null ? moveAxis(broadcastTo(x, [size, ...x.shape]), 0, to) : moveAxis(x, axis, to);
}

/** An axis for all leaves, `null` for none, or a tree of them that is a prefix of the arguments. */
export type Axes = number | null | readonly Axes[] | { readonly [key: string]: Axes };

/** Options of {@link vmap}. */
export interface VmapOptions {
  /** Where the batch is in each argument: one for all, or an array with an entry (an axis, null, or a tree) for each. */
  readonly inAxes?: Axes;
  /** Where it goes in the result. */
  readonly outAxes?: Axes;
  /** A name for the batch, by which `psum`, `axisIndex`, … find it inside the function. */
  readonly axisName?: string;
}

/**
 * `f` for a whole batch: maps over axis `inAxes` of the arguments and stacks results along `outAxes`.
 *
 * @throws {ShapeError} if batch sizes differ, nothing is mapped, or an axis is out of range.
 * @example
 * const dots = vmap((x: Tensor, y: Tensor) => sum(multiply(x, y)));
 * dots(ones([5, 3]), ones([5, 3]))                       // f32[5]
 * vmap(dots, { inAxes: [1, null] })(ones([5, 7, 3]), ones([5, 3]))   // f32[7,5]
 */
export function vmap<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: VmapOptions = {},
): (...args: Leaves<A>) => Tensors<R> {
  checkOptions('vmap', options, ['inAxes', 'outAxes', 'axisName']);
  const { inAxes = 0, outAxes = 0, axisName = null } = options;
  if (axisName !== null && typeof axisName !== 'string')
    throw new OptionError(`vmap: axisName is a string, but got ${JSON.stringify(axisName)}.`);
  return (...args) => {
    const flat = treeFlatten(args);
    const xs = flat.leaves.map((x) => toTensor(x));
    const paths = treePaths(args);
    const axes = spreadAxes('inAxes', inAxes, args).map((axis, i) =>
      axis === null ? null : resolveAxis(`vmap: ${paths[i]}`, axis, (xs[i] as Tensor).ndim),
    );
    const size = batchSize(xs, axes, paths);
    const flatF = flatFunction('vmap', f, flat.structure);
    const [ys, found] = vmapFlat(flatF.call, xs, axes, size, axisName);
    const outTree = flatF.unflatten(ys);
    const wanted = spreadAxes('outAxes', outAxes, outTree);
    const placed = ys.map((y, i) => {
      const to = wanted[i] ?? null;
      const axis = found[i] ?? null;
      if (to !== null)
        return placeBatch(
          y,
          axis,
          resolveAxis('vmap: outAxes', to, axis === null ? y.ndim + 1 : y.ndim),
          size,
        );
      if (axis === null) return y;
      throw new OptionError(
        `vmap: outAxes is null for ${treePaths(outTree)[i]}, but that result differs between examples; give it an axis.`,
      );
    });
    return flatF.unflatten(placed);
  };
}

/** The axis of each leaf of `tree`, from a tree of axes that is a prefix of it. */
function spreadAxes(option: string, axes: Axes, tree: unknown): (number | null)[] {
  if (axes === null || typeof axes === 'number') return treeLeaves(tree).map(() => axes);
  if (Array.isArray(axes) && Array.isArray(tree) && axes.length === tree.length)
    return axes.flatMap((a: Axes, i) => spreadAxes(option, a, tree[i]));
  if (!Array.isArray(axes) && typeof tree === 'object' && tree !== null) {
    const keys = Object.keys(tree).sort();
    if (keys.every((key) => key in axes))
      return keys.flatMap((key) =>
        spreadAxes(
          option,
          (axes as Record<string, Axes>)[key] as Axes,
          (tree as Record<string, unknown>)[key],
        ),
      );
  }
  throw new OptionError(
    `vmap: ${option} ${JSON.stringify(axes)} does not fit the tree it is for; give one axis, or a tree that begins like it.`,
  );
}

function batchSize(
  xs: readonly Tensor[],
  axes: readonly (number | null)[],
  paths: readonly string[],
): number {
  const sizes = xs.flatMap((x, i) => {
    const axis = axes[i] ?? null;
    return axis === null ? [] : [{ size: x.shape[axis] as number, path: paths[i] }];
  });
  const [first] = sizes;
  if (!first)
    throw new ShapeError('vmap: nothing is mapped; at least one argument needs an axis that is not null.');
  const other = sizes.find(({ size }) => size !== first.size);
  if (other)
    throw new ShapeError(
      `vmap: mapped axes must have one size, but ${first.path} has ${first.size} and ${other.path} has ${other.size}.`,
    );
  return first.size;
}
