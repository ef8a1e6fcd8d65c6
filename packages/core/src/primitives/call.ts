/** A staged program as one primitive: every transformation has a program-to-program rule, made once and kept. */
import type { Aval } from '../aval.ts';
import { identityOf } from '../ir/identity.ts';
import { evaluateProgram } from '../ir/interpret.ts';
import { type Equation, Literal, type Program, Var } from '../ir/program.ts';
import { record } from '../ir/record.ts';
import { Linear, type Primitive, type Zero } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind } from '../trace.ts';
import { jvpFlat } from '../transforms/jvp.ts';
import type { PartialRule } from '../transforms/linearize.ts';
import { transposeProgram } from '../transforms/transpose.ts';
import { vmapFlat } from '../transforms/vmap.ts';

export type CallParams = {
  readonly name: string;
  readonly program: Program;
  /** For each input, whether results may take its memory. */
  readonly donate: readonly boolean[];
};

export const callPrimitive: Primitive<CallParams> & PartialRule<CallParams> = {
  name: 'call',
  kind: 'call',
  shape: (_, { program }) => program.outputs.map((a) => a.aval),
  jvp: (primals, tangents, { name, program }) => {
    const { program: both, nonzero } = jvpProgram(
      program,
      tangents.map((t) => t !== null),
    );
    const results = call(name, both, [...primals, ...tangents.filter((t) => t !== null)]);
    const count = program.outputs.length;
    let next = count;
    return [results.slice(0, count), nonzero.map((is) => (is ? (results[next++] as Tensor) : null))];
  },
  partial: (inputs, known, { name, program }, evaluate, record) => {
    const split = splitProgram(program, known);
    const values = evaluate(
      callPrimitive,
      inputs.filter((_, i) => known[i]),
      closed(name, split.known),
    );
    const count = split.outputKnown.filter(Boolean).length;
    const unknownInputs = [...values.slice(count), ...inputs.filter((_, i) => !known[i])];
    const recorded = record(callPrimitive, unknownInputs, closed(name, split.unknown));
    let [k, u] = [0, 0];
    return split.outputKnown.map((is) => (is ? values[k++] : recorded[u++]) as Tensor);
  },
  transpose: (cts, inputs, { name, program }) => {
    const back = transposedProgram(
      program,
      inputs.map((x) => x instanceof Linear),
      cts.map((ct) => ct !== null),
    );
    const results = call(name, back.program, [
      ...inputs.filter((x) => !(x instanceof Linear)),
      ...cts.filter((ct) => ct !== null),
    ] as Tensor[]);
    let next = 0;
    return back.nonzero.map((is) => (is ? (results[next++] as Tensor) : null));
  },
  batch: (inputs, axes, size, { name, program }) => {
    const batched = batchedProgram(program, axes, size);
    return [call(name, batched.program, inputs), batched.axes];
  },
};

/** Applies a closed program. */
const call = (name: string, program: Program, inputs: readonly Tensor[]): Tensor[] =>
  bind(callPrimitive, inputs, closed(name, program));

const closed = (name: string, program: Program): CallParams => ({
  name,
  program,
  donate: program.inputs.map(() => false),
});

/** Remembers a derived program for as long as the program it was made from. */
function remember<K extends readonly unknown[], T>(
  make: (program: Program, ...key: K) => T,
): (program: Program, ...key: K) => T {
  const made = new WeakMap<Program, Map<string, T>>();
  return (program, ...key) => {
    const known = made.get(program) ?? new Map<string, T>();
    made.set(program, known);
    const id = identityOf(key);
    const found = known.get(id) ?? make(program, ...key);
    known.set(id, found);
    return found;
  };
}

const avalsOf = (vars: readonly Var[]): Aval[] => vars.map((v) => v.aval);

/** (primals, nonzero tangents) -> (results, their nonzero tangents) */
const jvpProgram = remember((program: Program, active: readonly boolean[]) => {
  const avals = avalsOf(program.inputs);
  const count = avals.length;
  let nonzero: boolean[] = [];
  const { program: both } = record('jvp', [...avals, ...avals.filter((_, i) => active[i])], (xs) => {
    let next = count;
    const tangents = active.map((is) => (is ? (xs[next++] as Tensor) : null));
    const [ys, dys] = jvpFlat(
      'jvp',
      (...inputs) => evaluateProgram(program, inputs),
      xs.slice(0, count),
      tangents,
    );
    nonzero = dys.map((dy) => dy !== null);
    return [...ys, ...dys.filter((dy) => dy !== null)];
  });
  return { program: both, nonzero };
});

/** (inputs that are not linear, nonzero cotangents) -> nonzero cotangents of the linear inputs */
const transposedProgram = remember(
  (program: Program, linear: readonly boolean[], given: readonly boolean[]) => {
    const avals = avalsOf(program.inputs);
    const known = avals.filter((_, i) => !linear[i]);
    const ctAvals = program.outputs.flatMap((a, i) => (given[i] ? [a.aval] : []));
    let nonzero: boolean[] = [];
    const { program: back } = record('transpose', [...known, ...ctAvals], (xs) => {
      let [k, c] = [0, known.length];
      const operands = avals.map((aval, i) => (linear[i] ? new Linear(aval) : (xs[k++] as Tensor)));
      const cts: (Tensor | Zero)[] = given.map((is) => (is ? (xs[c++] as Tensor) : null));
      const results = transposeProgram(program, operands, cts);
      nonzero = results.map((t) => t !== null);
      return results.filter((t) => t !== null);
    });
    return { program: back, nonzero };
  },
);

const batchedProgram = remember((program: Program, axes: readonly (number | null)[], size: number) => {
  const avals = avalsOf(program.inputs).map(({ shape, dtype }, i) => {
    const axis = axes[i] ?? null;
    return axis === null
      ? { shape, dtype }
      : { shape: [...shape.slice(0, axis), size, ...shape.slice(axis)], dtype };
  });
  let outAxes: (number | null)[] = [];
  const { program: batched } = record('vmap', avals, (xs) => {
    const [ys, found] = vmapFlat((...inputs) => evaluateProgram(program, inputs), xs, axes, size);
    outAxes = found;
    return ys;
  });
  return { program: batched, axes: outAxes };
});

/**
 * Splits a program by what depends on unknown inputs: `known` computes the known results, then the values that the
 * rest needs; `unknown` takes those, then the unknown inputs.
 */
const splitProgram = remember((program: Program, known: readonly boolean[]) => {
  const isKnown = new Set<Var>(program.inputs.filter((_, i) => known[i]));
  const now: Equation[] = [];
  const later: Equation[] = [];
  for (const equation of program.equations) {
    const ready = equation.inputs.every((a) => a instanceof Literal || isKnown.has(a));
    (ready ? now : later).push(equation);
    if (ready) for (const v of equation.outputs) isKnown.add(v);
  }
  const outputKnown = program.outputs.map((a) => a instanceof Literal || isKnown.has(a));
  const residuals = [...new Set(later.flatMap((e) => e.inputs))].filter(
    (a): a is Var => a instanceof Var && isKnown.has(a),
  );
  return {
    known: {
      inputs: program.inputs.filter((_, i) => known[i]),
      equations: now,
      outputs: [...program.outputs.filter((_, i) => outputKnown[i]), ...residuals],
    },
    unknown: {
      inputs: [...residuals, ...program.inputs.filter((_, i) => !known[i])],
      equations: later,
      outputs: program.outputs.filter((_, i) => !outputKnown[i]),
    },
    outputKnown,
  };
});
