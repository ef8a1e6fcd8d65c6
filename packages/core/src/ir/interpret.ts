import { LiteralTensor } from '../concrete.ts';
import type { Tensor } from '../tensor.ts';
import { bind } from '../trace.ts';
import { type Atom, Literal, type Program, type Var } from './program.ts';

/** Runs a program one primitive at a time in the current interpreter: the way every transformation enters one. */
export function evaluateProgram(program: Program, args: readonly Tensor[]): Tensor[] {
  const values = new Map<Var, Tensor>(program.inputs.map((v, i) => [v, args[i] as Tensor]));
  const read = (a: Atom): Tensor =>
    a instanceof Literal ? new LiteralTensor(a.aval, a.value) : (values.get(a) as Tensor);
  for (const { primitive, inputs, params, outputs } of program.equations) {
    const results = bind(primitive, inputs.map(read), params);
    for (const [i, v] of outputs.entries()) values.set(v, results[i] as Tensor);
  }
  return program.outputs.map(read);
}
