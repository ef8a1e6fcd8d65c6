/** A function whose derivative computes its values anew instead of keeping them. */
import { evaluateProgram } from '../ir/interpret.ts';
import type { Program } from '../ir/program.ts';
import { record } from '../ir/record.ts';
import { type BlockRules, Linear, type Primitive, type Zero } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind } from '../trace.ts';
import {
  avalsOf,
  batchedProgram,
  chosen,
  jvpProgram,
  partialProgram,
  remember,
} from '../transforms/derived.ts';
import { transposeProgram } from '../transforms/transpose.ts';
import { barrier } from './barrier.ts';

export type CheckpointParams = { readonly name: string; readonly program: Program };

export const checkpointPrimitive: Primitive<CheckpointParams> & BlockRules<CheckpointParams> = {
  name: 'checkpoint',
  kind: 'block',
  apply: (inputs, { program }) => evaluateProgram(program, inputs),
  stage: (inputs, params) => [inputs, params],
  shape: (_, { program }) => avalsOf(program.outputs),
  // The tangents are a block apart that needs the inputs and nothing else: they are all that is kept for it.
  jvp: (primals, tangents, params) => {
    const { program, nonzero } = tangentProgram(
      params.program,
      tangents.map((t) => t !== null),
    );
    const dys = checkpointed(params.name, program, [...primals, ...tangents.filter((t) => t !== null)]);
    let next = 0;
    return [
      bind(checkpointPrimitive, primals, params),
      nonzero.map((is) => (is ? (dys[next++] as Tensor) : null)),
    ];
  },
  transpose: (cts, inputs, { name, program }) => {
    const linear = inputs.map((x) => x instanceof Linear);
    const back = recomputingTranspose(
      program,
      linear,
      cts.map((ct) => ct !== null),
    );
    const operands = [...inputs.filter((x) => !(x instanceof Linear)), ...cts.filter((ct) => ct !== null)];
    const results = checkpointed(name, back.program, operands as Tensor[]);
    let next = 0;
    return back.nonzero.map((is) => (is ? (results[next++] as Tensor) : null));
  },
  batch: (inputs, axes, size, { name, program }) => {
    const batched = batchedProgram(program, axes, size);
    return [checkpointed(name, batched.program, inputs), batched.axes];
  },
};

const checkpointed = (name: string, program: Program, inputs: readonly Tensor[]): Tensor[] =>
  bind(checkpointPrimitive, inputs, { name, program });

/** (primals, nonzero tangents) -> nonzero tangents of the results */
const tangentProgram = remember((program: Program, active: readonly boolean[]) => {
  const { program: both, nonzero } = jvpProgram(program, active);
  return { program: { ...both, outputs: both.outputs.slice(program.outputs.length) }, nonzero };
});

/**
 * (known inputs, nonzero cotangents) -> nonzero cotangents of the linear inputs. Values that depend on known inputs
 * alone are computed behind a barrier, so that neither sharing nor fusion brings back what was not kept.
 */
const recomputingTranspose = remember(
  (program: Program, linear: readonly boolean[], given: readonly boolean[]) => {
    const known = linear.map((is) => !is);
    const halves = partialProgram(program, known);
    const count = known.filter(Boolean).length;
    const unknown = halves.outputKnown.map((is) => !is);
    const ctAvals = avalsOf(chosen(program.outputs, given));
    let nonzero: boolean[] = [];
    const { program: back } = record(
      'checkpoint',
      [...avalsOf(chosen(program.inputs, known)), ...ctAvals],
      (xs) => {
        const operands = barrier(xs);
        const values = evaluateProgram(halves.known, operands.slice(0, count));
        const residuals = values.slice(values.length - halves.residuals);
        let next = count;
        const cts: (Tensor | Zero)[] = given.map((is) => (is ? (operands[next++] as Tensor) : null));
        const places = [
          ...residuals,
          ...avalsOf(chosen(program.inputs, linear)).map((aval) => new Linear(aval)),
        ];
        const found = transposeProgram(halves.unknown, places, chosen(cts, unknown)).slice(residuals.length);
        let at = 0;
        const results = linear.map((is) => (is ? (found[at++] ?? null) : null));
        nonzero = results.map((ct) => ct !== null);
        return results.filter((ct) => ct !== null);
      },
    );
    return { program: back, nonzero };
  },
);
