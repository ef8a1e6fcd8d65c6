/** Rewrites of loops and branches: what is the same in each pass moves out, what nobody needs goes. */
import { growUntilStable } from '../flags.ts';
import type { Params } from '../primitive.ts';
import type { ScanParams } from '../primitives/scan.ts';
import type { SwitchParams } from '../primitives/switch.ts';
import type { WhileParams } from '../primitives/while.ts';
import { type Atom, type Equation, Literal, type Program, Var } from './program.ts';

/** How the programs of an equation hang on its inputs and outputs. */
interface Anatomy {
  readonly parts: readonly Part[];
  /** For each carry, its place among the inputs and among the outputs. */
  readonly carries: readonly { readonly input: number; readonly output: number }[];
  /** The parameters for other programs, where only some of the inputs and outputs are left. */
  readonly rebuild: (
    programs: readonly Program[],
    inputs: readonly boolean[],
    outputs: readonly boolean[],
  ) => Params;
}

interface Part {
  readonly program: Program;
  /** The place among the equation's inputs of each input of the program. */
  readonly places: readonly number[];
  /** Whether its results are those of the equation; a condition has one of its own. */
  readonly isTest: boolean;
}

function anatomyOf({ primitive, inputs, outputs, params }: Equation): Anatomy {
  const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
  const all = range(0, inputs.length);
  const count = (flags: readonly boolean[], from: number, to: number): number =>
    flags.slice(from, to).filter(Boolean).length;
  if (primitive.name === 'scan') {
    const { body, consts, carries } = params as ScanParams;
    return {
      parts: [{ program: body, places: all, isTest: false }],
      carries: range(0, carries).map((i) => ({ input: consts + i, output: i })),
      rebuild: ([program], kept, made) => ({
        ...params,
        body: program,
        consts: count(kept, 0, consts),
        carries: count(made, 0, carries),
      }),
    };
  }
  if (primitive.name === 'while') {
    const { condition, body, conditionConsts, bodyConsts } = params as WhileParams;
    const start = conditionConsts + bodyConsts;
    const carried = range(start, inputs.length);
    return {
      parts: [
        { program: condition, places: [...range(0, conditionConsts), ...carried], isTest: true },
        { program: body, places: [...range(conditionConsts, start), ...carried], isTest: false },
      ],
      carries: outputs.map((_, i) => ({ input: start + i, output: i })),
      rebuild: ([test, step], kept) => ({
        ...params,
        condition: test,
        body: step,
        conditionConsts: count(kept, 0, conditionConsts),
        bodyConsts: count(kept, conditionConsts, start),
      }),
    };
  }
  const { branches } = params as SwitchParams;
  return {
    parts: branches.map((program) => ({ program, places: all.slice(1), isTest: false })),
    carries: [],
    rebuild: (programs) => ({ ...params, branches: programs }),
  };
}

/** The equation with its programs rewritten. */
export function mapPrograms(equation: Equation, f: (program: Program) => Program): Equation {
  const { parts, rebuild } = anatomyOf(equation);
  const all = (atoms: readonly Atom[]): boolean[] => atoms.map(() => true);
  const programs = parts.map(({ program }) => f(program));
  return { ...equation, params: rebuild(programs, all(equation.inputs), all(equation.outputs)) };
}

/** The equation without the results that nobody needs, the carries that lead to no other, and what only they read. */
export function narrow(equation: Equation, used: ReadonlySet<Atom>): Equation {
  const { parts, carries, rebuild } = anatomyOf(equation);
  const { inputs, outputs } = equation;
  const { flags: made, value: live } = growUntilStable(
    outputs.map((v) => used.has(v)),
    (flags) => {
      const read = new Set<number>();
      for (const { program, places, isTest } of parts) {
        const wanted = program.outputs.filter((_, i) => isTest || flags[i]);
        const alive = aliveIn(program, wanted);
        for (const [i, v] of program.inputs.entries()) if (alive.has(v)) read.add(places[i] as number);
      }
      const again = outputs.map((_, i) => carries.some((c) => c.output === i && read.has(c.input)));
      return { flags: again, value: read };
    },
  );
  const carried = new Map(carries.map(({ input, output }) => [input, output]));
  const placed = new Set(parts.flatMap(({ places }) => places));
  const kept = inputs.map((_, i) => {
    const output = carried.get(i);
    return output === undefined ? live.has(i) || !placed.has(i) : made[output] === true;
  });
  if (kept.every(Boolean) && made.every(Boolean)) return equation;
  const programs = parts.map(({ program, places, isTest }) => {
    const results = program.outputs.filter((_, i) => isTest || made[i]);
    const alive = aliveIn(program, results);
    return {
      inputs: program.inputs.filter((_, i) => kept[places[i] as number]),
      equations: program.equations.filter(({ outputs: ys }) => ys.some((v) => alive.has(v))),
      outputs: results,
    };
  });
  return {
    ...equation,
    inputs: inputs.filter((_, i) => kept[i]),
    outputs: outputs.filter((_, i) => made[i]),
    params: rebuild(programs, kept, made),
  };
}

/** Values that the given ones depend on, and these. */
function aliveIn({ equations }: Program, outputs: readonly Atom[]): Set<Atom> {
  const alive = new Set(outputs);
  for (const { inputs, outputs: ys } of equations.toReversed())
    if (ys.some((v) => alive.has(v))) for (const a of inputs) alive.add(a);
  return alive;
}

/**
 * The equation with the costly work that is the same in each pass taken out of its programs, and that work, which is done
 * before. Cheap work stays: it fuses with what uses it.
 */
export function hoist(equation: Equation): Equation[] {
  if (equation.primitive.name === 'switch') return [equation];
  const { parts } = anatomyOf(equation);
  const moved = parts.map(({ program, places, isTest }) =>
    takeOut(
      program,
      program.inputs.slice(0, constsOf(equation, isTest)),
      (v) => equation.inputs[places[program.inputs.indexOf(v)] as number] as Atom,
    ),
  );
  const work = moved.flatMap((one) => one.work);
  return work.length === 0 ? [equation] : [...work, withConsts(equation, moved)];
}

interface Moved {
  readonly program: Program;
  /** Equations on values from outside. */
  readonly work: readonly Equation[];
  /** Their results that the program needs: its first inputs. */
  readonly results: readonly Var[];
}

/** How many of the first inputs of a part are constants. */
function constsOf({ primitive, params }: Equation, isTest: boolean): number {
  if (primitive.name === 'scan') return (params as ScanParams).consts;
  const { conditionConsts, bodyConsts } = params as WhileParams;
  return isTest ? conditionConsts : bodyConsts;
}

function takeOut(program: Program, consts: readonly Var[], outside: (v: Var) => Atom): Moved {
  const fixed = new Set<Atom>(consts);
  const same = program.equations.filter(({ inputs, outputs }) => {
    const is = inputs.every((a) => a instanceof Literal || fixed.has(a));
    if (is) for (const v of outputs) fixed.add(v);
    return is;
  });
  const costly = new Set(same.filter(isCostly));
  if (costly.size === 0) return { program, work: [], results: [] };
  const alive = aliveIn(
    { ...program, equations: same },
    [...costly].flatMap((e) => e.outputs),
  );
  const atoms = new Map<Atom, Atom>(consts.map((v) => [v, outside(v)]));
  const at = (a: Atom): Atom => atoms.get(a) ?? a;
  const work = same
    .filter(({ outputs }) => outputs.some((v) => alive.has(v)))
    .map((e) => {
      const inputs = e.inputs.map(at);
      const outputs = e.outputs.map((v) => new Var(v.aval));
      for (const [i, v] of e.outputs.entries()) atoms.set(v, outputs[i] as Var);
      return { ...e, inputs, outputs };
    });
  const results = [...costly].flatMap((e) => e.outputs);
  const equations = program.equations.filter((e) => !costly.has(e));
  return {
    program: { ...program, inputs: [...results, ...program.inputs], equations },
    work,
    results: results.map((v) => at(v)),
  };
}

/** Sums, products, routines, and what is itself a loop. */
function isCostly({ primitive, inputs, params }: Equation): boolean {
  if (primitive.kind === 'control' || primitive.kind === 'host') return true;
  if (primitive.kind !== 'kernel' || !primitive.lower) return false;
  const kernel = primitive.lower(
    inputs.map((a) => a.aval),
    params,
  );
  return kernel.reductions.length > 0 || kernel.routine !== undefined;
}

function withConsts(equation: Equation, moved: readonly Moved[]): Equation {
  const { inputs, params } = equation;
  if (equation.primitive.name === 'scan') {
    const [{ program, results }] = moved as [Moved];
    const { consts } = params as ScanParams;
    return {
      ...equation,
      inputs: [...results, ...inputs],
      params: { ...params, body: program, consts: results.length + consts },
    };
  }
  const [test, step] = moved as [Moved, Moved];
  const { conditionConsts, bodyConsts } = params as WhileParams;
  return {
    ...equation,
    inputs: [
      ...test.results,
      ...inputs.slice(0, conditionConsts),
      ...step.results,
      ...inputs.slice(conditionConsts),
    ],
    params: {
      ...params,
      condition: test.program,
      body: step.program,
      conditionConsts: test.results.length + conditionConsts,
      bodyConsts: step.results.length + bodyConsts,
    },
  };
}
