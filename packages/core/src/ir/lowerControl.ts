/** From loops and branches over programs to loops and branches over launches. */

import { InternalError } from '../errors.ts';
import type { ScanParams } from '../primitives/scan.ts';
import type { SwitchParams } from '../primitives/switch.ts';
import type { WhileParams } from '../primitives/while.ts';
import { coord, load } from './expr.ts';
import {
  type Aliases,
  type KernelLaunch,
  type Launch,
  type Lowered,
  launchConstant,
  lower,
} from './lower.ts';
import { type Atom, type Equation, Literal, type Program, Var } from './program.ts';
import { simplify } from './simplify.ts';

export type ControlLaunch = LoopLaunch | WhileLaunch | BranchLaunch;

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
interface Row {
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

/** The launches of a loop or branch; its results may become views of other values. */
export function lowerControl(equation: Equation, aliases: Aliases): Launch[] {
  const before: Launch[] = [];
  const varOf = (a: Atom): Var => {
    if (a instanceof Var) return aliases.get(a) ?? a;
    const launch = launchConstant(a);
    before.push(launch);
    return launch.outputs[0] as Var;
  };
  const launch = build(equation, aliases, varOf);
  return launch ? [...before, launch] : before;
}

function build(equation: Equation, aliases: Aliases, varOf: (a: Atom) => Var): Launch | undefined {
  switch (equation.primitive.name) {
    case 'scan':
      return lowerScan(equation, aliases, varOf);
    case 'while':
      return lowerWhile(equation, aliases, varOf);
    case 'switch':
      return lowerSwitch(equation, aliases, varOf);
    default:
      throw new InternalError(`lower: ${equation.primitive.name} is no loop and no branch.`);
  }
}

function lowerScan(equation: Equation, aliases: Aliases, varOf: (a: Atom) => Var): Launch | undefined {
  const { consts, carries, length, reverse, ...params } = equation.params as ScanParams;
  const body = simplify(params.body);
  const carried = carriesOf(equation, body, consts, carries, aliases, varOf);
  const reads = body.inputs.slice(consts + carries).map(
    (v, i): Row => ({
      stack: varOf(equation.inputs[consts + carries + i] as Atom),
      row: new Var(v.aval),
    }),
  );
  const inputs = [...equation.inputs.slice(0, consts), ...carried.atoms, ...reads.map(({ row }) => row)];
  const lowered = lowerBlock(
    body,
    inputs,
    [...carried.kept, ...body.outputs.slice(carries).map((_, i) => carries + i)],
    aliases,
  );
  const writes = equation.outputs
    .slice(carries)
    .map((stack, i): Row => ({ stack, row: lowered.outputs[carried.kept.length + i] as Var }));
  const list = carried.close(lowered.outputs);
  if (list.length + writes.length === 0) return undefined;
  const used = reads.filter(({ row }) => reaches(lowered, row));
  return {
    kind: 'loop',
    length,
    reverse,
    carries: list,
    reads: used,
    writes,
    body: lowered,
    ...ends(
      [...list.map(({ init }) => init), ...used.map(({ stack }) => stack)],
      [lowered],
      [...list.map(({ current }) => current), ...writes.map(({ stack }) => stack)],
      [...list.map(({ current }) => current), ...used.map(({ row }) => row)],
    ),
  };
}

function lowerWhile(equation: Equation, aliases: Aliases, varOf: (a: Atom) => Var): Launch | undefined {
  const { conditionConsts, bodyConsts, ...params } = equation.params as WhileParams;
  const body = simplify(params.body);
  const own = { ...equation, inputs: equation.inputs.slice(conditionConsts) };
  const carried = carriesOf(own, body, bodyConsts, body.outputs.length, aliases, varOf);
  const test = [...equation.inputs.slice(0, conditionConsts), ...carried.atoms];
  const condition = lowerBlock(simplify(params.condition), test, [0], aliases);
  const inputs = [...own.inputs.slice(0, bodyConsts), ...carried.atoms];
  const lowered = lowerBlock(body, inputs, carried.kept, aliases);
  const list = carried.close(lowered.outputs);
  const current = list.map((carry) => carry.current);
  return {
    kind: 'while',
    carries: list,
    condition,
    body: lowered,
    ...ends(
      list.map(({ init }) => init),
      [condition, lowered],
      current,
      current,
    ),
  };
}

function lowerSwitch(equation: Equation, aliases: Aliases, varOf: (a: Atom) => Var): Launch | undefined {
  const [index, ...operands] = equation.inputs as [Atom, ...Atom[]];
  const { branches } = equation.params as SwitchParams;
  const results = equation.outputs.map((_, i) => i);
  const lowered = branches.map((branch) => lowerBlock(simplify(branch), operands, results, aliases));
  const at = varOf(index);
  return { kind: 'branch', index: at, branches: lowered, ...ends([at], lowered, equation.outputs, []) };
}

/**
 * The carries of a loop, with a variable for the value in the pass. One that never changes is a constant.
 *
 * @returns `atoms`, one for each input of the body; `kept`, the places of those that change; `close`, which adds what
 * the body computes.
 */
function carriesOf(
  equation: Equation,
  body: Program,
  consts: number,
  count: number,
  aliases: Aliases,
  varOf: (a: Atom) => Var,
): {
  readonly atoms: readonly Atom[];
  readonly kept: readonly number[];
  readonly close: (next: readonly Var[]) => Carry[];
} {
  const kept: number[] = [];
  const open: Omit<Carry, 'next'>[] = [];
  const atoms = body.inputs.slice(consts, consts + count).map((v, i) => {
    const init = equation.inputs[consts + i] as Atom;
    const result = equation.outputs[i] as Var;
    if (body.outputs[i] === v) {
      aliases.set(result, varOf(init));
      return init;
    }
    const current = new Var(v.aval);
    aliases.set(result, current);
    kept.push(i);
    open.push({ init: varOf(init), current });
    return current;
  });
  return {
    atoms,
    kept,
    close: (next) => open.map((carry, i) => ({ ...carry, next: next[i] as Var })),
  };
}

/** A program within a step, on atoms from outside; each result is a value of its own that its launches compute. */
function lowerBlock(
  program: Program,
  inputs: readonly Atom[],
  results: readonly number[],
  aliases: Aliases,
): Lowered {
  const { equations, outputs } = instantiate(program, inputs);
  const { launches } = lower({ inputs: [], equations, outputs: [] }, aliases);
  const mine = new Set(launches.flatMap((launch) => launch.outputs));
  const isMine = new Set(mine);
  const [first, last]: [Launch[], Launch[]] = [[], []];
  const own = results.map((i): Var => {
    const a = outputs[i] as Atom;
    const value = a instanceof Var ? (aliases.get(a) ?? a) : a;
    if (value instanceof Var && mine.delete(value)) return value;
    const launch = value instanceof Literal ? launchConstant(value) : launchCopy(value);
    // What comes from outside is copied at once: a loop may then overwrite it.
    (value instanceof Var && !isMine.has(value) ? first : last).push(launch);
    return launch.outputs[0] as Var;
  });
  return {
    inputs: inputs.filter((a) => a instanceof Var),
    launches: [...first, ...launches, ...last],
    outputs: own,
  };
}

/** The equations with new variables, on given inputs: one program may be run in several places. */
function instantiate(program: Program, inputs: readonly Atom[]): Pick<Program, 'equations' | 'outputs'> {
  const atoms = new Map<Var, Atom>(program.inputs.map((v, i) => [v, inputs[i] as Atom]));
  const at = (a: Atom): Atom => (a instanceof Var ? (atoms.get(a) as Atom) : a);
  const equations = program.equations.map((equation) => {
    const given = equation.inputs.map(at);
    const outputs = equation.outputs.map((v) => new Var(v.aval));
    for (const [i, v] of equation.outputs.entries()) atoms.set(v, outputs[i] as Var);
    return { ...equation, inputs: given, outputs };
  });
  return { equations, outputs: program.outputs.map(at) };
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

/** Inputs and outputs of a launch with blocks: what it reads itself, and what its blocks read from outside. */
function ends(
  reads: readonly Var[],
  blocks: readonly Lowered[],
  outputs: readonly Var[],
  inside: readonly Var[],
): { inputs: Var[]; outputs: readonly Var[] } {
  const hidden = new Set(inside);
  const free = blocks.flatMap(freeOf).filter((v) => !hidden.has(v));
  return { inputs: [...new Set([...reads, ...free])], outputs };
}

/** Values that a block reads and does not compute. */
function freeOf({ launches }: Lowered): Var[] {
  const mine = new Set(launches.flatMap((launch) => launch.outputs));
  return launches.flatMap((launch) => launch.inputs).filter((v) => !mine.has(v));
}

const reaches = (block: Lowered, v: Var): boolean =>
  block.launches.some((launch) => launch.inputs.includes(v));

/** The launch with each of its blocks replaced. */
export function mapBlocks(launch: ControlLaunch, f: (block: Lowered) => Lowered): ControlLaunch {
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
