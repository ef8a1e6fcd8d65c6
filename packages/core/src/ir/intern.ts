import { showAval } from '../aval.ts';
import { identityOf, idOf } from './identity.ts';
import { type Atom, Literal, type Program, type Var } from './program.ts';

const programs = new Map<string, Program>();
/** Beyond it the oldest goes. */
const maxPrograms = 1024;

/**
 * The first program of the same structure. A function that is traced again, as the body of a loop outside of `jit` is at
 * each call, thus gives the same program, and everything that was derived and compiled from it is found again.
 */
export function intern(program: Program): Program {
  // The functions of a block are new ones each time, and may hold on to data.
  if (program.equations.some(({ primitive }) => primitive.kind === 'block')) return program;
  const key = programKey(program);
  const known = programs.get(key);
  if (known) return known;
  if (programs.size >= maxPrograms) programs.delete(programs.keys().next().value as string);
  programs.set(key, program);
  return program;
}

/** The structure of a program as text: primitives and functions count by identity, numbers are exact. */
function programKey({ inputs, equations, outputs }: Program): string {
  const numbers = new Map<Var, number>();
  const define = (v: Var): string => {
    numbers.set(v, numbers.size);
    return showAval(v.aval);
  };
  const use = (a: Atom): string =>
    a instanceof Literal ? `${identityOf(a.value)}:${showAval(a.aval)}` : `%${numbers.get(a)}`;
  const lines = [inputs.map(define).join(' ')];
  for (const { primitive, inputs: atoms, params, outputs: made } of equations)
    lines.push(
      `${idOf(primitive)} ${atoms.map(use).join(' ')} ${identityOf(params)} ${made.map(define).join(' ')}`,
    );
  return [...lines, outputs.map(use).join(' ')].join('\n');
}
