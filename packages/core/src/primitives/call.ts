/** A staged program as one primitive: every transformation has a program-to-program rule, made once and kept. */
import type { Program } from '../ir/program.ts';
import { Linear, type Primitive } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind } from '../trace.ts';
import { batchedProgram, jvpProgram, partialProgram, transposedProgram } from '../transforms/derived.ts';
import type { PartialRule } from '../transforms/linearize.ts';

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
    const halves = partialProgram(program, known);
    const values = evaluate(
      callPrimitive,
      inputs.filter((_, i) => known[i]),
      closed(name, halves.known),
    );
    const count = values.length - halves.residuals;
    const unknownInputs = [...values.slice(count), ...inputs.filter((_, i) => !known[i])];
    const recorded = record(callPrimitive, unknownInputs, closed(name, halves.unknown));
    let [k, u] = [0, 0];
    return halves.outputKnown.map((is) => (is ? values[k++] : recorded[u++]) as Tensor);
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

/** A program as a call that donates nothing. */
export const closed = (name: string, program: Program): CallParams => ({
  name,
  program,
  donate: program.inputs.map(() => false),
});
