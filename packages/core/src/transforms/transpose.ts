import { LiteralTensor } from '../concrete.ts';
import { type Atom, Literal, type Program, type Var } from '../ir/program.ts';
import { Linear, noRule, type Zero } from '../primitive.ts';
import { add } from '../primitives/arithmetic.ts';
import type { Tensor } from '../tensor.ts';

/**
 * Cotangents of the `Linear` inputs of a program that is linear in them (zero for the other inputs): the transpose of
 * each equation, last first. Every equation depends on a linear input.
 */
export function transposeProgram(
  program: Program,
  inputs: readonly (Tensor | Linear)[],
  cotangents: readonly (Tensor | Zero)[],
): (Tensor | Zero)[] {
  const known = new Map<Var, Tensor>();
  for (const [i, v] of program.inputs.entries()) {
    const x = inputs[i];
    if (x !== undefined && !(x instanceof Linear)) known.set(v, x);
  }
  const cts = new Map<Atom, Tensor>();
  const give = (to: Atom, ct: Tensor | Zero) => {
    if (ct === null || to instanceof Literal || known.has(to)) return;
    const before = cts.get(to);
    cts.set(to, before ? add(before, ct) : ct);
  };
  for (const [i, a] of program.outputs.entries()) give(a, cotangents[i] ?? null);
  for (const { primitive, inputs: atoms, params, outputs } of program.equations.toReversed()) {
    const outCts = outputs.map((v) => cts.get(v) ?? null);
    if (outCts.every((ct) => ct === null)) continue;
    const operands = atoms.map((a) =>
      a instanceof Literal ? new LiteralTensor(a.aval, a.value) : (known.get(a) ?? new Linear(a.aval)),
    );
    if (!primitive.transpose)
      noRule(primitive.name, 'transpose', 'it is not linear; differentiate with grad() or vjp() instead.');
    const inCts = primitive.transpose(outCts, operands, params);
    for (const [i, a] of atoms.entries()) give(a, inCts[i] ?? null);
  }
  return program.inputs.map((v) => cts.get(v) ?? null);
}
