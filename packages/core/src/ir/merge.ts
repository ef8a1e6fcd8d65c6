/**
 * Kernels over the same axes that share operands or feed each other become one with several outputs; a reduction takes in
 * the pointwise work on its result, and so does a routine where the backend says that it can. The greatest elements of
 * windows and their positions are found together.
 */
import type { Aval } from '../aval.ts';
import { sameShape, sizeOf } from '../shape.ts';
import type { Expr, Kernel } from './kernel.ts';
import type { KernelLaunch, Launch, Lowered } from './launch.ts';
import { rewriteKernel } from './lower.ts';
import { keepOutputs } from './outputs.ts';
import { readsPointwise } from './pointwise.ts';
import type { Var } from './program.ts';
import {
  accDtype,
  guarded,
  isRoutine,
  joinNames,
  maxBuffers,
  maxNodes,
  nodeCount,
  Operands,
  tidy,
} from './rebuild.ts';

/** Whether a backend's tuned implementation of a kernel takes in pointwise work on its result. */
export type FusesEpilogue = (kernel: Kernel) => boolean;

export function merge(lowered: Lowered, fusesEpilogue: FusesEpilogue, donated: ReadonlySet<Var>): Lowered {
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
  if (late.kind !== 'kernel') return undefined;
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
    routinesFit(early, late, fusesEpilogue, donated) &&
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

/** Whether what has no loop nest stays what it is: a routine with work on its result, or two over the same windows. */
function routinesFit(
  early: KernelLaunch,
  late: KernelLaunch,
  fusesEpilogue: FusesEpilogue,
  donated: ReadonlySet<Var>,
): boolean {
  const [first, second] = [early.kernel.routine, late.kernel.routine];
  if (second)
    return (
      first?.name === 'windowMax' &&
      second.name === 'windowMax' &&
      JSON.stringify(first) === JSON.stringify(second) &&
      early.inputs[0] === late.inputs[0]
    );
  return !first || (isEpilogue(early, late, fusesEpilogue) && !updatesInPlace(late, donated));
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
