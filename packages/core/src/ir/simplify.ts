/** Rewrites of programs that keep every bit of the result. */

import { sameShape } from '../shape.ts';
import { expandBlocks } from './expand.ts';
import { identityOf, idOf } from './identity.ts';
import { hoist, mapPrograms, narrow } from './loops.ts';
import { type Atom, type Equation, Literal, type Program, Var } from './program.ts';

/** What was simplified already; the result of it is as simple as it gets. */
const known = new WeakMap<Program, Program>();

/**
 * Writes out blocks, computes equal equations once, multiplies by one for free, takes out of loops what is the same in
 * each pass, and drops what no result needs.
 */
export function simplify(original: Program): Program {
  const simpler = known.get(original);
  if (simpler) return simpler;
  const program = expandBlocks(original);
  const replaced = new Map<Var, Atom>();
  const current = (a: Atom): Atom => (a instanceof Var ? (replaced.get(a) ?? a) : a);
  const seen = new Map<string, Equation>();
  const numbers = new Map<Var, number>();
  const nameOf = (a: Atom): string => {
    if (a instanceof Literal) return `${identityOf(a.value)}${a.aval.dtype}`;
    const n = numbers.get(a) ?? numbers.size;
    numbers.set(a, n);
    return `%${n}`;
  };

  const uniform = new Map<Atom, number>();
  const equations: Equation[] = [];
  const made = new Map<Atom, Equation>();
  for (const original of program.equations.flatMap(prepare)) {
    const equation = withoutMoves({ ...original, inputs: original.inputs.map(current) }, made);
    const inputs = withScalars(equation, equation.inputs, uniform);
    const [result] = equation.outputs as [Var];
    if (equation.primitive.keepsUniform) {
      const [x] = inputs;
      const value = x instanceof Literal ? x.value : uniform.get(x as Atom);
      if (value !== undefined) uniform.set(result, value);
    }
    const same = identity(equation, inputs);
    if (same) {
      replaced.set(result, same);
      continue;
    }
    if (equation.primitive.barrier)
      for (const [i, a] of inputs.entries())
        if (a instanceof Literal) replaced.set(equation.outputs[i] as Var, a);
    const key = `${idOf(equation.primitive)} ${inputs.map(nameOf).join(' ')} ${identityOf(equation.params)}`;
    const before = seen.get(key);
    if (before) {
      for (const [i, v] of equation.outputs.entries()) replaced.set(v, before.outputs[i] as Var);
      continue;
    }
    const kept = { ...equation, inputs };
    seen.set(key, kept);
    made.set(result, kept);
    equations.push(kept);
  }
  const outputs = program.outputs.map(current);
  const simplified = { inputs: program.inputs, equations: needed(equations, outputs), outputs };
  known.set(original, simplified).set(simplified, simplified);
  return simplified;
}

/** A loop with its programs simplified, after what can be done before it. */
function prepare(equation: Equation): Equation[] {
  return equation.primitive.kind === 'control' ? hoist(mapPrograms(equation, simplify)) : [equation];
}

/** The equation on the operands of those that made its operands, where its primitive can take them in. */
function withoutMoves(equation: Equation, made: ReadonlyMap<Atom, Equation>): Equation {
  const sources = equation.inputs.map((a) => made.get(a));
  const taken = equation.primitive.takesIn?.(equation.params, sources);
  const source = taken && sources[taken.operand]?.inputs[0];
  if (!taken || !source) return equation;
  return withoutMoves(
    { ...equation, inputs: equation.inputs.with(taken.operand, source), params: taken.params },
    made,
  );
}

/** Operands that are uniform become scalars, where another operand has the full shape. */
function withScalars(
  { primitive, outputs }: Equation,
  inputs: readonly Atom[],
  uniform: ReadonlyMap<Atom, number>,
): Atom[] {
  const [result] = outputs as [Var];
  const isFull = (a: Atom) => !uniform.has(a) && sameShape(a.aval.shape, result.aval.shape);
  if (primitive.kind !== 'pointwise' || !inputs.some(isFull)) return [...inputs];
  return inputs.map((a) => {
    const value = uniform.get(a);
    return value === undefined ? a : new Literal({ shape: [], dtype: a.aval.dtype }, value);
  });
}

/** The operand that an equation returns unchanged, if it does: `x * 1`, `x / 1`. */
function identity({ primitive, outputs }: Equation, inputs: readonly Atom[]): Atom | undefined {
  const [x, y] = inputs;
  const isOne = (a: Atom | undefined) => a instanceof Literal && a.value === 1;
  const fits = (a: Atom | undefined) => a && sameShape(a.aval.shape, outputs[0]?.aval.shape ?? []);
  if (primitive.unit && isOne(y) && fits(x)) return x;
  if (primitive.unit === 'either' && isOne(x) && fits(y)) return y;
  return undefined;
}

/** The equations that results depend on. */
function needed(equations: readonly Equation[], outputs: readonly Atom[]): Equation[] {
  const used = new Set<Atom>(outputs);
  const kept: Equation[] = [];
  for (const equation of equations.toReversed()) {
    if (!equation.outputs.some((v) => used.has(v))) continue;
    const narrowed = equation.primitive.kind === 'control' ? narrow(equation, used) : equation;
    kept.push(narrowed);
    for (const a of narrowed.inputs) used.add(a);
  }
  return kept.reverse();
}
