/** From loops and branches over programs to loops and branches over launches. */

import { InternalError } from '../errors.ts';
import type { ScanParams } from '../primitives/scan.ts';
import type { SwitchParams } from '../primitives/switch.ts';
import type { WhileParams } from '../primitives/while.ts';
import { type Carry, type Launch, type Lowered, launchConstant, launchCopy, type Row } from './launch.ts';
import { type Atom, type Equation, Literal, type Program, Var } from './program.ts';
import { simplify } from './simplify.ts';

/** Which value a variable of a program is another view of. */
export type Aliases = Map<Var, Var>;

type Lower = (program: Program, aliases: Aliases) => Lowered;

/** What the equation is lowered with. */
interface Context {
  readonly aliases: Aliases;
  readonly lower: Lower;
  /** The value of an atom: a constant gets a launch before the loop. */
  readonly varOf: (a: Atom) => Var;
}

/** The launches of a loop or branch, with `lower` for its programs; its results may become views of other values. */
export function lowerControl(equation: Equation, aliases: Aliases, lower: Lower): Launch[] {
  const before: Launch[] = [];
  const varOf = (a: Atom): Var => {
    if (a instanceof Var) return aliases.get(a) ?? a;
    const launch = launchConstant(a);
    before.push(launch);
    return launch.outputs[0] as Var;
  };
  const launch = build(equation, { aliases, lower, varOf });
  return launch ? [...before, launch] : before;
}

function build(equation: Equation, context: Context): Launch | undefined {
  switch (equation.primitive.name) {
    case 'scan':
      return lowerScan(equation, context);
    case 'while':
      return lowerWhile(equation, context);
    case 'switch':
      return lowerSwitch(equation, context);
    default:
      throw new InternalError(`lower: ${equation.primitive.name} is no loop and no branch.`);
  }
}

function lowerScan(equation: Equation, context: Context): Launch | undefined {
  const { consts, carries, length, reverse, ...params } = equation.params as ScanParams;
  const body = simplify(params.body);
  const carried = carriesOf(equation, body, consts, carries, context);
  const reads = body.inputs.slice(consts + carries).map(
    (v, i): Row => ({
      stack: context.varOf(equation.inputs[consts + carries + i] as Atom),
      row: new Var(v.aval),
    }),
  );
  const inputs = [...equation.inputs.slice(0, consts), ...carried.atoms, ...reads.map(({ row }) => row)];
  const lowered = lowerBlock(
    body,
    inputs,
    [...carried.kept, ...body.outputs.slice(carries).map((_, i) => carries + i)],
    context,
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

function lowerWhile(equation: Equation, context: Context): Launch | undefined {
  const { conditionConsts, bodyConsts, ...params } = equation.params as WhileParams;
  const body = simplify(params.body);
  const own = { ...equation, inputs: equation.inputs.slice(conditionConsts) };
  const carried = carriesOf(own, body, bodyConsts, body.outputs.length, context);
  const test = [...equation.inputs.slice(0, conditionConsts), ...carried.atoms];
  const condition = lowerBlock(simplify(params.condition), test, [0], context);
  const inputs = [...own.inputs.slice(0, bodyConsts), ...carried.atoms];
  const lowered = lowerBlock(body, inputs, carried.kept, context);
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

function lowerSwitch(equation: Equation, context: Context): Launch | undefined {
  const [index, ...operands] = equation.inputs as [Atom, ...Atom[]];
  const { branches } = equation.params as SwitchParams;
  const results = equation.outputs.map((_, i) => i);
  const lowered = branches.map((branch) => lowerBlock(simplify(branch), operands, results, context));
  const at = context.varOf(index);
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
  { aliases, varOf }: Context,
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
  { aliases, lower }: Context,
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
