/** Steps before their values have places. */
import { constant, coord, load } from './expr.ts';
import type { HostRoutine } from './host.ts';
import type { Kernel } from './kernel.ts';
import { type Literal, Var } from './program.ts';

export type Launch = KernelLaunch | HostLaunch | ControlLaunch;

/** A kernel applied to values of a program. `kernel.inputs[i]` views `inputs[i]`, perhaps with another shape. */
export interface KernelLaunch {
  readonly kind: 'kernel';
  readonly kernel: Kernel;
  readonly inputs: readonly Var[];
  readonly outputs: readonly Var[];
  /** How many barriers come before it, if any: launches on the two sides of one are not merged. */
  readonly region?: number;
}

/** A host routine applied to values of a program, alike. */
interface HostLaunch {
  readonly kind: 'host';
  readonly host: HostRoutine;
  readonly inputs: readonly Var[];
  readonly outputs: readonly Var[];
  readonly region?: number;
}

/** A program as launches. */
export interface Lowered {
  readonly inputs: readonly Var[];
  readonly launches: readonly Launch[];
  readonly outputs: readonly Var[];
}

type ControlLaunch = LoopLaunch | WhileLaunch | BranchLaunch;

/**
 * What a loop carries: `current` begins as `init`, becomes `next` after each pass, and is what remains. The launches of
 * the body compute `next`, each carry its own.
 */
export interface Carry {
  readonly init: Var;
  readonly current: Var;
  readonly next: Var;
}

/** A row of a stack: the one at which the loop stands. */
export interface Row {
  readonly stack: Var;
  readonly row: Var;
}

/** A loop of known length. It reads rows of stacks and writes rows of stacks that are its results. */
export interface LoopLaunch {
  readonly kind: 'loop';
  readonly length: number;
  readonly reverse: boolean;
  readonly carries: readonly Carry[];
  readonly reads: readonly Row[];
  readonly writes: readonly Row[];
  readonly body: Lowered;
  /** All values from outside that it reads. */
  readonly inputs: readonly Var[];
  readonly outputs: readonly Var[];
  readonly region?: number;
}

/** A loop that runs while `condition` gives true. */
export interface WhileLaunch {
  readonly kind: 'while';
  readonly carries: readonly Carry[];
  readonly condition: Lowered;
  readonly body: Lowered;
  readonly inputs: readonly Var[];
  readonly outputs: readonly Var[];
  readonly region?: number;
}

/** One of several blocks, each of which computes values of its own for all the results. */
interface BranchLaunch {
  readonly kind: 'branch';
  readonly index: Var;
  readonly branches: readonly Lowered[];
  readonly inputs: readonly Var[];
  readonly outputs: readonly Var[];
  readonly region?: number;
}

export function launchConstant(a: Literal): KernelLaunch {
  return { kind: 'kernel', kernel: constantKernel(a), inputs: [], outputs: [new Var(a.aval)] };
}

/** The same elements in a place of their own. */
export function launchCopy(source: Var, copy: Var = new Var(source.aval)): KernelLaunch {
  const { dtype } = source.aval;
  const shape = source.aval.shape.filter((extent) => extent !== 1);
  const view = { shape, dtype };
  const output = load(
    0,
    view,
    shape.map((_, axis) => coord(axis)),
  );
  return {
    kind: 'kernel',
    kernel: { name: 'copy', inputs: [view], axes: shape, reduceAxes: [], reductions: [], outputs: [output] },
    inputs: [source],
    outputs: [copy],
  };
}

/** The launch with each of its blocks replaced. */
function mapBlocks(launch: ControlLaunch, f: (block: Lowered) => Lowered): ControlLaunch {
  switch (launch.kind) {
    case 'loop':
      return { ...launch, body: f(launch.body) };
    case 'while':
      return { ...launch, condition: f(launch.condition), body: f(launch.body) };
    case 'branch':
      return { ...launch, branches: launch.branches.map(f) };
    default:
      return launch satisfies never;
  }
}

/** The blocks of a launch in the order in which they run. */
export function blocksOf(launch: Launch): readonly Lowered[] {
  switch (launch.kind) {
    case 'kernel':
    case 'host':
      return [];
    case 'loop':
      return [launch.body];
    case 'while':
      return [launch.condition, launch.body];
    case 'branch':
      return launch.branches;
    default:
      return launch satisfies never;
  }
}

const constantKernel = ({ aval, value }: Literal): Kernel => ({
  name: 'constant',
  inputs: [],
  axes: aval.shape,
  reduceAxes: [],
  reductions: [],
  outputs: [constant(aval.dtype, value)],
});

/** With the blocks of loops and branches rewritten. */
export function inBlocks(lowered: Lowered, rewrite: (block: Lowered) => Lowered): Lowered {
  const launches = lowered.launches.map((launch) =>
    launch.kind === 'kernel' || launch.kind === 'host' ? launch : mapBlocks(launch, rewrite),
  );
  return { ...lowered, launches };
}
