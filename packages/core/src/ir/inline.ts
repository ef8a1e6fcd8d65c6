/** A value that is computed point by point is not stored but computed where it is read. */
import type { Aval } from '../aval.ts';
import { dtypeInfo } from '../dtype.ts';
import { sameShape, sizeOf } from '../shape.ts';
import { allOf, loadsOf, nodesOf, substitute } from './expr.ts';
import type { Expr, Kernel } from './kernel.ts';
import type { KernelLaunch, Launch, Lowered } from './launch.ts';
import { rewriteKernel } from './lower.ts';
import type { Var } from './program.ts';
import {
  guarded,
  isRoutine,
  joinNames,
  type Load,
  maxBuffers,
  maxNodes,
  nodeCount,
  Operands,
  rootsOf,
  tidy,
} from './rebuild.ts';

interface Graph {
  readonly producer: ReadonlyMap<Var, number>;
  readonly consumers: ReadonlyMap<Var, readonly number[]>;
  readonly results: ReadonlySet<Var>;
  /** How many routines, of kernels or of the host, come before each launch. */
  readonly phase: readonly number[];
}

function graphOf({ launches, outputs }: Lowered): Graph {
  const producer = new Map<Var, number>();
  const consumers = new Map<Var, number[]>();
  const phase: number[] = [];
  let routines = 0;
  for (const [i, launch] of launches.entries()) {
    phase.push(routines);
    if (isRoutine(launch)) routines++;
    for (const v of launch.outputs) producer.set(v, i);
    for (const v of new Set(launch.inputs)) consumers.set(v, [...(consumers.get(v) ?? []), i]);
  }
  return { producer, consumers, results: new Set(outputs), phase };
}

export function inline(lowered: Lowered): Lowered {
  const graph = graphOf(lowered);
  const fused: Launch[] = [];
  const inlined = new Map<number, KernelLaunch>();
  for (const [i, launch] of lowered.launches.entries()) {
    const whole = launch.kind === 'kernel' ? absorb(launch, inlined, graph) : launch;
    fused.push(whole);
    if (whole.kind === 'kernel' && canInline(i, lowered.launches, whole, graph)) inlined.set(i, whole);
  }
  return { ...lowered, launches: fused.filter((_, i) => !inlined.has(i)) };
}

/** The launch with the expressions of inlined operands in the place of loads. */
function absorb(
  launch: KernelLaunch,
  inlined: ReadonlyMap<number, KernelLaunch>,
  graph: Graph,
): KernelLaunch {
  const sourceOf = (v: Var): KernelLaunch | undefined => {
    const at = graph.producer.get(v);
    return at === undefined ? undefined : inlined.get(at);
  };
  if (!launch.inputs.some(sourceOf)) return launch;
  const operands = new Operands();
  const names = [launch.kernel.name];
  const replace = (load: Load): Expr => {
    const value = launch.inputs[load.input] as Var;
    const view = launch.kernel.inputs[load.input] as Aval;
    const source = sourceOf(value);
    if (!source) return { ...load, input: operands.add(value, view) };
    names.unshift(source.kernel.name);
    const body = substitute(source.kernel.outputs[0] as Expr, {
      coord: (axis) => load.index[axis] as Expr,
      load: (inner) => {
        const input = operands.add(
          source.inputs[inner.input] as Var,
          source.kernel.inputs[inner.input] as Aval,
        );
        const guard = allOf([load.guard, inner.guard]);
        return guard ? { ...inner, input, guard } : { ...inner, input };
      },
    });
    return guarded(load, body);
  };
  const kernel = rewriteKernel(launch.kernel, [], { load: replace });
  return {
    ...launch,
    kernel: tidy({ ...kernel, inputs: operands.views, name: joinNames(names) }),
    inputs: operands.values,
  };
}

function canInline(i: number, launches: readonly Launch[], launch: KernelLaunch, graph: Graph): boolean {
  const { kernel, outputs } = launch;
  const value = outputs[0] as Var;
  const readers = graph.consumers.get(value) ?? [];
  return (
    outputs.length === 1 &&
    isPointwise(kernel) &&
    !graph.results.has(value) &&
    readers.length > 0 &&
    (readers.length === 1 || isCheap(kernel)) &&
    !outlivesItsPhase(i, readers, kernel, graph) &&
    readers.every((r) => {
      const reader = launches[r] as Launch;
      return (
        reader.kind === 'kernel' &&
        !reader.kernel.routine &&
        !readsReshaped(reader, value, kernel) &&
        !repeatsWork(reader.kernel, kernel) &&
        nodeCount(reader.kernel) + nodeCount(kernel) <= maxNodes &&
        reader.inputs.length + launch.inputs.length <= maxBuffers
      );
    })
  );
}

const isPointwise = (kernel: Kernel): boolean => kernel.reductions.length === 0 && !kernel.routine;

/** As quick as an addition; quotients, roots and elementary functions take {@link SLOW} times as long, at least. */
const quick: ReadonlySet<string> = new Set([
  'add',
  'sub',
  'mul',
  'max',
  'min',
  'neg',
  'abs',
  'and',
  'or',
  'xor',
  'not',
  'shl',
  'shr',
]);
const SLOW = 4;
/** So many additions take no longer than to store a value and to load it again. */
const CHEAP = 3;

/**
 * Scalar operations on values, in additions (index arithmetic is free: in the indices of loads, or sums of coordinates as
 * values).
 */
function workOf(kernel: Kernel): number {
  const index = new Set(
    nodesOf(loadsOf(rootsOf(kernel)).flatMap((load) => [...load.index, ...(load.guard ? [load.guard] : [])])),
  );
  const places = new Set<Expr>();
  for (const node of nodesOf(rootsOf(kernel))) {
    const isSum = node.kind === 'binary' && node.dtype === 'int32' && ['add', 'mul'].includes(node.op);
    const isPlace = (x: Expr): boolean => x.kind === 'coord' || x.kind === 'const' || places.has(x);
    if (!isSum || !isPlace(node.x) || !isPlace(node.y)) continue;
    places.add(node);
    index.add(node);
  }
  let work = 0;
  for (const node of nodesOf(rootsOf(kernel))) {
    if (index.has(node) || ['const', 'coord', 'load', 'acc', 'cast', 'bitcast'].includes(node.kind)) continue;
    work += 'op' in node && node.kind !== 'compare' && !quick.has(node.op) ? SLOW : 1;
  }
  return work;
}

/** Moved, constant or nearly so: as quick to compute as to load. What is broadcast into it stays in the cache. */
const isCheap = (kernel: Kernel): boolean =>
  workOf(kernel) <= CHEAP &&
  loadsOf(rootsOf(kernel)).filter((load) => !isBroadcast(kernel, load.input)).length <= 1;

const isBroadcast = ({ inputs, axes }: Kernel, input: number): boolean =>
  BROADCAST * sizeOf(inputs[input]?.shape ?? []) <= sizeOf(axes);

/** An operand that is read so many times is small. */
const BROADCAST = 8;

/** A value that is kept for the backward pass is stored when it is smaller than what it is made of. */
function outlivesItsPhase(i: number, readers: readonly number[], kernel: Kernel, graph: Graph): boolean {
  const crosses = readers.some((r) => graph.phase[r] !== graph.phase[i]);
  const held = kernel.inputs.filter((x, input) => sizeOf(x.shape) > 1 && !isBroadcast(kernel, input));
  const bytes = (x: Aval): number => sizeOf(x.shape) * dtypeInfo(x.dtype).bytes;
  const made = { shape: kernel.axes, dtype: (kernel.outputs[0] as Expr).dtype };
  return crosses && held.reduce((sum, x) => sum + bytes(x), 0) > bytes(made);
}

/** A reshape has no place in a loop nest: it is another view of a stored value. */
function readsReshaped(reader: KernelLaunch, value: Var, producer: Kernel): boolean {
  return reader.inputs.some(
    (v, j) => v === value && !sameShape((reader.kernel.inputs[j] as Aval).shape, producer.axes),
  );
}

/** Computing at every point of a larger nest what could be computed once. */
function repeatsWork(reader: Kernel, producer: Kernel): boolean {
  const points = sizeOf(reader.axes) * sizeOf(reader.reduceAxes);
  return points > sizeOf(producer.axes) && workOf(producer) > 0;
}
