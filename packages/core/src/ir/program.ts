/**
 * Programs: straight-line lists of primitive applications; loops and branches are primitives that hold programs. `jit`
 * stages a function into one, `linearize` records its linear part as one. A program is closed (all tensors it needs are
 * inputs), typed, printable and checkable.
 */
import { type Aval, sameAval, showAval } from '../aval.ts';
import { InternalError } from '../errors.ts';
import type { Params, Primitive } from '../primitive.ts';

/** A value of a program. */
export class Var {
  readonly aval: Aval;
  constructor(aval: Aval) {
    this.aval = aval;
  }
}

/** A scalar constant of a program. */
export class Literal {
  readonly aval: Aval;
  readonly value: number;
  constructor(aval: Aval, value: number) {
    this.aval = aval;
    this.value = value;
  }
}

export type Atom = Var | Literal;

export interface Equation {
  readonly primitive: Primitive;
  readonly inputs: readonly Atom[];
  readonly params: Params;
  readonly outputs: readonly Var[];
}

export interface Program {
  readonly inputs: readonly Var[];
  readonly equations: readonly Equation[];
  readonly outputs: readonly Atom[];
}

/** @throws {InternalError} unless every value is defined once before use and every shape rule agrees, also inside. */
export function checkProgram(program: Program): void {
  const defined = new Set<Var>();
  const define = (v: Var, where: string) => {
    if (defined.has(v)) throw new InternalError(`program: ${where} defines a value twice.`);
    defined.add(v);
  };
  const use = (a: Atom, where: string) => {
    if (a instanceof Var && !defined.has(a))
      throw new InternalError(`program: ${where} uses a value before its definition.`);
  };
  for (const v of program.inputs) define(v, 'the input list');
  for (const [i, { primitive, inputs, params, outputs }] of program.equations.entries()) {
    const where = `equation ${i} (${primitive.name})`;
    for (const a of inputs) use(a, where);
    const avals = primitive.shape(
      inputs.map((a) => a.aval),
      params,
    );
    if (avals.length !== outputs.length || avals.some((aval, j) => !sameAval(aval, (outputs[j] as Var).aval)))
      throw new InternalError(
        `program: ${where} has results ${outputs.map((v) => showAval(v.aval)).join(' ')}, ` +
          `but its shape rule gives ${avals.map(showAval).join(' ')}.`,
      );
    for (const inner of programsIn(params)) checkProgram(inner);
    for (const v of outputs) define(v, where);
  }
  for (const a of program.outputs) use(a, 'the output list');
}

/**
 * The program as text, one equation a line:
 *
 *     { a:f32[3] b:f32[] =>
 *       c:f32[3] = mul a b
 *       return c }
 */
export function showProgram(program: Program, indent = ''): string {
  const names = new Map<Var, string>();
  const name = (a: Atom): string => {
    if (a instanceof Literal) return Object.is(a.value, -0) ? '-0' : String(a.value);
    const found = names.get(a) ?? letters(names.size);
    names.set(a, found);
    return found;
  };
  const typed = (v: Var) => `${name(v)}:${showAval(v.aval)}`;
  const lines = [`{ ${program.inputs.map(typed).join(' ')} =>`];
  for (const { primitive, inputs, params, outputs } of program.equations) {
    const left = outputs.map(typed).join(' ');
    const right = [primitive.name + showParams(params, `${indent}  `), ...inputs.map(name)].join(' ');
    lines.push(`${indent}  ${left} = ${right}`);
  }
  lines.push(`${indent}  return ${program.outputs.map(name).join(' ')} }`);
  return lines.join('\n');
}

function letters(n: number): string {
  const digit = String.fromCharCode(97 + (n % 26));
  return n < 26 ? digit : letters(Math.floor(n / 26) - 1) + digit;
}

function showParams(params: Params, indent: string): string {
  const entries = Object.entries(params);
  return entries.length === 0
    ? ''
    : `[${entries.map(([key, value]) => `${key}=${showParam(value, indent)}`).join(' ')}]`;
}

function showParam(value: unknown, indent: string): string {
  if (typeof value === 'function') return value.name || 'function';
  if (isProgram(value)) return showProgram(value, indent);
  if (Array.isArray(value)) return `[${value.map((v) => showParam(v, indent)).join(',')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([k, v]) => `${k}:${showParam(v, indent)}`)
      .join(' ')}}`;
  return String(value);
}

/** The programs among the parameters of an equation. */
export function programsIn(params: Params): Program[] {
  return Object.values(params).flat().filter(isProgram);
}

/** Whether a parameter of a primitive is a program. */
function isProgram(value: unknown): value is Program {
  return typeof value === 'object' && value !== null && 'equations' in value;
}
