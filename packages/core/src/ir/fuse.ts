/**
 * Fusion: fewer, larger kernels, so that less memory is read and written.
 *
 * 1. Inlining. A value that is computed point by point is not stored but computed where it is read.
 * 2. Merging. Kernels over the same axes that share operands or feed each other become one with several outputs;
 *    a reduction takes in the pointwise work on its result (the epilogue), and so does a routine where the backend
 *    says that it can.
 *
 * Each reason not to fuse is a function with a name. Host routines, loops and branches are no loop
 * nests: nothing fuses with them; what is inside loops and branches fuses there.
 */
import type { Aval } from '../aval.ts';
import { sameShape, sizeOf } from '../shape.ts';
import { allOf, constant, loadsOf, nodesOf, select, substitute, substituteAll } from './expr.ts';
import type { Expr, Kernel } from './kernel.ts';
import { type KernelLaunch, type Launch, type Lowered, mapBlocks } from './launch.ts';
import { rewriteKernel } from './lower.ts';
import { readsPointwise } from './pointwise.ts';
import type { Var } from './program.ts';
import { shareEqual } from './share.ts';

/** Limits of one kernel: operands and results together, and scalar operations at a point. */
const maxBuffers = 28;
const maxNodes = 600;

/** Whether a backend's tuned implementation of a kernel takes in pointwise work on its result. */
export type FusesEpilogue = (kernel: Kernel) => boolean;

/** @param donated Arguments whose memory results may take over. */
export function fuse(
  lowered: Lowered,
  fusesEpilogue: FusesEpilogue = () => false,
  donated: ReadonlySet<Var> = new Set(),
): Lowered {
  return merge(inline(inBlocks(lowered, (block) => fuse(block, fusesEpilogue))), fusesEpilogue, donated);
}

/** With the blocks of loops and branches rewritten. */
function inBlocks(lowered: Lowered, rewrite: (block: Lowered) => Lowered): Lowered {
  const launches = lowered.launches.map((launch) =>
    launch.kind === 'kernel' || launch.kind === 'host' ? launch : mapBlocks(launch, rewrite),
  );
  return { ...lowered, launches };
}

/* ---- 1. Inlining ---- */

type Load = Extract<Expr, { kind: 'load' }>;

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

const isRoutine = (launch: Launch): boolean =>
  launch.kind !== 'kernel' || launch.kernel.routine !== undefined;

function inline(lowered: Lowered): Lowered {
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

/** Distinct (value, view) pairs, numbered. */
class Operands {
  readonly values: Var[] = [];
  readonly views: Aval[] = [];

  add(value: Var, view: Aval): number {
    const known = this.values.findIndex(
      (v, i) => v === value && sameShape((this.views[i] as Aval).shape, view.shape),
    );
    return known >= 0 ? known : this.append(value, view);
  }

  append(value: Var, view: Aval): number {
    this.views.push(view);
    return this.values.push(value) - 1;
  }
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

const rootsOf = (kernel: Kernel): Expr[] => [...kernel.reductions.map((r) => r.value), ...kernel.outputs];

const nodeCount = (kernel: Kernel): number => nodesOf(rootsOf(kernel)).length;

/** Scalar operations on values (index arithmetic is free). */
function workOf(kernel: Kernel): number {
  const index = new Set(
    nodesOf(loadsOf(rootsOf(kernel)).flatMap((load) => [...load.index, ...(load.guard ? [load.guard] : [])])),
  );
  return nodesOf(rootsOf(kernel)).filter(
    (node) => !index.has(node) && !['const', 'coord', 'load', 'acc', 'cast', 'bitcast'].includes(node.kind),
  ).length;
}

/** Moved, constant or nearly so: as quick to compute as to load. */
const isCheap = (kernel: Kernel): boolean => workOf(kernel) <= 1 && loadsOf(rootsOf(kernel)).length <= 1;

/** A value that is kept for the backward pass is stored when it is smaller than what it is made of. */
function outlivesItsPhase(i: number, readers: readonly number[], kernel: Kernel, graph: Graph): boolean {
  const crosses = readers.some((r) => graph.phase[r] !== graph.phase[i]);
  return crosses && kernel.inputs.some((x) => sizeOf(x.shape) > 1);
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

/* ---- 2. Merging ---- */

function merge(lowered: Lowered, fusesEpilogue: FusesEpilogue, donated: ReadonlySet<Var>): Lowered {
  const results = new Set(lowered.outputs);
  const touching = new Touching();
  let launches: Launch[] = [];
  for (const launch of lowered.launches) {
    const joined = tryJoin(launches, touching.related(launch), launch, fusesEpilogue, donated);
    launches = joined?.launches ?? [...launches, launch];
    if (joined) touching.remove(joined.early);
    touching.add(joined?.whole ?? launch);
  }
  return { ...lowered, launches: dropUnused(launches, results) };
}

/** Launches by the values that they read and make, so that nobody looks through all of them for one to join. */
class Touching {
  readonly #launches = new Map<Var, Set<Launch>>();

  add(launch: Launch): void {
    for (const v of [...launch.inputs, ...launch.outputs]) {
      const known = this.#launches.get(v);
      if (known) known.add(launch);
      else this.#launches.set(v, new Set([launch]));
    }
  }

  remove(launch: Launch): void {
    for (const v of [...launch.inputs, ...launch.outputs]) this.#launches.get(v)?.delete(launch);
  }

  /** Those that read or make what a launch reads. */
  related({ inputs }: Launch): Set<Launch> {
    return new Set(inputs.flatMap((v) => [...(this.#launches.get(v) ?? [])]));
  }
}

/** A launch merged into an earlier one, and the list with both in one place. */
interface Joined {
  readonly early: Launch;
  readonly whole: Launch;
  readonly launches: Launch[];
}

/** `late` merged into the latest of `candidates` that fits, if one does. */
function tryJoin(
  launches: readonly Launch[],
  candidates: ReadonlySet<Launch>,
  late: Launch,
  fusesEpilogue: FusesEpilogue,
  donated: ReadonlySet<Var>,
): Joined | undefined {
  if (late.kind !== 'kernel' || late.kernel.routine) return undefined;
  const fitting = [...candidates].flatMap((early) =>
    early.kind === 'kernel' && fits(early, late, fusesEpilogue, donated)
      ? [{ early, at: launches.lastIndexOf(early) }]
      : [],
  );
  for (const { early, at } of fitting.sort((a, b) => b.at - a.at)) {
    const between = launches.slice(at + 1);
    if (between.some(({ region }) => region !== late.region)) return undefined;
    const runsBefore = canRunBefore(late, between);
    if (!runsBefore && !canWait(early, between)) continue;
    const whole = join(early, late);
    const list = runsBefore ? launches.with(at, whole) : [...launches.slice(0, at), ...between, whole];
    return { early, whole, launches: list };
  }
  return undefined;
}

/** Whether one kernel can do the work of both, wherever it runs. */
function fits(
  early: KernelLaunch,
  late: KernelLaunch,
  fusesEpilogue: FusesEpilogue,
  donated: ReadonlySet<Var>,
): boolean {
  return (
    early.region === late.region &&
    sameNest(early.kernel, late.kernel) &&
    areRelated(early, late) &&
    readsOnlyItsPoint(early, late) &&
    (!early.kernel.routine || (isEpilogue(early, late, fusesEpilogue) && !updatesInPlace(late, donated))) &&
    early.inputs.length + early.outputs.length + late.inputs.length + late.outputs.length <= maxBuffers &&
    nodeCount(early.kernel) + nodeCount(late.kernel) <= maxNodes
  );
}

/** Whether two kernels fit one nest: the same axes, and reductions in one of them, or over the same axes in both. */
function sameNest(early: Kernel, late: Kernel): boolean {
  if (!sameShape(early.axes, late.axes)) return false;
  if (late.reductions.length === 0) return true;
  return early.reductions.length > 0 && sameShape(early.reduceAxes, late.reduceAxes);
}

/** Pointwise work on the result of a routine. */
function isEpilogue(early: KernelLaunch, late: KernelLaunch, fusesEpilogue: FusesEpilogue): boolean {
  return (
    late.kernel.reductions.length === 0 &&
    late.inputs.some((v) => early.outputs.includes(v)) &&
    fusesEpilogue(early.kernel)
  );
}

/** An update of donated memory: within a routine, which writes before its epilogue reads, it would need memory of its own. */
function updatesInPlace({ kernel, inputs }: KernelLaunch, donated: ReadonlySet<Var>): boolean {
  return inputs.some((v, i) => donated.has(v) && readsPointwise(kernel, i));
}

/** Merging pays where one feeds the other or both read the same large operand. */
function areRelated(early: KernelLaunch, late: KernelLaunch): boolean {
  const points = sizeOf(early.kernel.axes);
  return late.inputs.some(
    (v) => early.outputs.includes(v) || (early.inputs.includes(v) && sizeOf(v.aval.shape) >= points),
  );
}

/** `late` may read results of `early` only at the point where they are made, and not inside a reduction. */
function readsOnlyItsPoint(early: KernelLaunch, late: KernelLaunch): boolean {
  return late.inputs.every(
    (v, i) =>
      !early.outputs.includes(v) || (late.kernel.reductions.length === 0 && readsPointwise(late.kernel, i)),
  );
}

/** Nothing that `late` reads is made by the launches before it. */
function canRunBefore(late: Launch, between: readonly Launch[]): boolean {
  const made = new Set(between.flatMap((l) => l.outputs));
  return !late.inputs.some((v) => made.has(v));
}

/** Nobody needs the results of `early` before `late`, and it does not hold its operands over a routine. */
function canWait(early: Launch, between: readonly Launch[]): boolean {
  return !between.some((l) => isRoutine(l) || l.inputs.some((v) => early.outputs.includes(v)));
}

function join(early: KernelLaunch, late: KernelLaunch): KernelLaunch {
  const operands = new Operands();
  // A routine's operands keep their places.
  const addFirst = (v: Var, view: Aval): number =>
    early.kernel.routine ? operands.append(v, view) : operands.add(v, view);
  const places = early.inputs.map((v, i) => addFirst(v, early.kernel.inputs[i] as Aval));
  const first = rewriteKernel(early.kernel, [], {
    load: (load) => ({ ...load, input: places[load.input] as number }),
  });
  const shift = first.reductions.length;
  const second = rewriteKernel(late.kernel, [], {
    acc: (index) => ({ kind: 'acc', dtype: accDtype(late.kernel, index), index: index + shift }),
    load: (load) => {
      const value = late.inputs[load.input] as Var;
      const made = early.outputs.indexOf(value);
      if (made >= 0) return guarded(load, first.outputs[made] as Expr);
      return { ...load, input: operands.add(value, late.kernel.inputs[load.input] as Aval) };
    },
  });
  const kernel = tidy({
    ...early.kernel,
    name: joinNames([first.name, second.name]),
    inputs: operands.views,
    reduceAxes: shift > 0 ? first.reduceAxes : second.reduceAxes,
    reductions: [...first.reductions, ...second.reductions],
    outputs: [...first.outputs, ...second.outputs],
  });
  return { ...early, kernel, inputs: operands.values, outputs: [...early.outputs, ...late.outputs] };
}

/** What a load gives when the element that it read is computed in its place. */
const guarded = (load: Load, value: Expr): Expr =>
  load.guard ? select(load.guard, value, constant(value.dtype, 0)) : value;

function accDtype(kernel: Kernel, index: number): Expr['dtype'] {
  const reduction = kernel.reductions[index];
  if (!reduction || reduction.op === 'argmax' || reduction.op === 'argmin') return 'int32';
  return reduction.value.dtype;
}

/** Removes outputs of kernels, and whole launches, that nobody reads. */
function dropUnused(launches: readonly Launch[], results: ReadonlySet<Var>): Launch[] {
  const used = new Set(results);
  const kept: Launch[] = [];
  for (const launch of launches.toReversed()) {
    const alive = launch.outputs.map((v) => used.has(v));
    if (!alive.some(Boolean)) continue;
    const trimmed = alive.every(Boolean) || launch.kind !== 'kernel' ? launch : keepOutputs(launch, alive);
    for (const v of trimmed.inputs) used.add(v);
    kept.push(trimmed);
  }
  return kept.reverse();
}

/** The launch with only some of its outputs, and what they need. */
export function keepOutputs(launch: KernelLaunch, alive: readonly boolean[]): KernelLaunch {
  const outputs = launch.outputs.filter((_, i) => alive[i]);
  const kernel = tidy(
    dropReductions({ ...launch.kernel, outputs: launch.kernel.outputs.filter((_, i) => alive[i]) }),
  );
  const read = new Set(loadsOf(rootsOf(kernel)).map((load) => load.input));
  const places = launch.inputs.flatMap((_, i) => (read.has(i) ? [i] : []));
  return {
    ...launch,
    kernel: rewriteKernel(
      kernel,
      places.map((i) => kernel.inputs[i] as Aval),
      {
        load: (load) => ({ ...load, input: places.indexOf(load.input) }),
      },
    ),
    inputs: places.map((i) => launch.inputs[i] as Var),
    outputs,
  };
}

/** Without the reductions that no output reads. */
function dropReductions(kernel: Kernel): Kernel {
  const read = new Set(nodesOf(kernel.outputs).flatMap((node) => (node.kind === 'acc' ? [node.index] : [])));
  const kept = kernel.reductions.flatMap((_, i) => (read.has(i) ? [i] : []));
  if (kept.length === kernel.reductions.length) return kernel;
  const { routine, ...nest } = kernel;
  return {
    ...(routine && kept.length > 0 ? kernel : nest),
    reduceAxes: kept.length === 0 ? [] : kernel.reduceAxes,
    reductions: kept.map((i) => kernel.reductions[i] as Kernel['reductions'][number]),
    outputs: substituteAll(kernel.outputs, {
      acc: (index) => ({ kind: 'acc', dtype: accDtype(kernel, index), index: kept.indexOf(index) }),
    }),
  };
}

/** One kernel for each output, for backends that write only one. */
export function splitOutputs(lowered: Lowered): Lowered {
  const launches = inBlocks(lowered, splitOutputs).launches.flatMap((launch) => {
    if (launch.kind !== 'kernel' || launch.outputs.length === 1) return [launch];
    return launch.outputs.map((_, i) =>
      keepOutputs(
        launch,
        launch.outputs.map((_, j) => i === j),
      ),
    );
  });
  return { ...lowered, launches };
}

/** Equal subexpressions become one node. */
function tidy(kernel: Kernel): Kernel {
  const shared = shareEqual(rootsOf(kernel));
  const count = kernel.reductions.length;
  return {
    ...kernel,
    reductions: kernel.reductions.map((r, i) => ({ ...r, value: shared[i] as Expr })),
    outputs: shared.slice(count),
  };
}

const joinNames = (names: readonly string[]): string => {
  const parts = [...new Set(names.flatMap((name) => name.split('+')))];
  return parts.length <= 6 ? parts.join('+') : `${parts.slice(0, 5).join('+')}+…`;
};
