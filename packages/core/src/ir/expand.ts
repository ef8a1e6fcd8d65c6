import { type Atom, type Equation, type Program, Var } from './program.ts';

/** Writes out the blocks of a program, before it is compiled: from here on, their rules are not needed. */
export function expandBlocks(program: Program): Program {
  if (!program.equations.some(isBlock)) return program;
  const equations: Equation[] = [];
  const write = (block: Program, inputs: readonly Atom[]): Atom[] => {
    const values = new Map<Atom, Atom>(block.inputs.map((v, i) => [v, inputs[i] as Atom]));
    const read = (a: Atom): Atom => values.get(a) ?? a;
    for (const equation of block.equations) {
      const operands = equation.inputs.map(read);
      const results = isBlock(equation)
        ? write(equation.params['program'] as Program, operands)
        : equation.outputs.map((v) => new Var(v.aval));
      if (!isBlock(equation)) equations.push({ ...equation, inputs: operands, outputs: results });
      for (const [i, v] of equation.outputs.entries()) values.set(v, results[i] as Atom);
    }
    return block.outputs.map(read);
  };
  const outputs = write(program, program.inputs);
  return { inputs: program.inputs, equations, outputs };
}

const isBlock = ({ primitive }: Equation): boolean => primitive.kind === 'block';
