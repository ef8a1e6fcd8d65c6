/** Interpreters that write down what they are asked to do. */
import type { Aval } from '../aval.ts';
import { ConcreteTensor, LiteralTensor } from '../concrete.ts';
import type { BlockRules, Params, Primitive } from '../primitive.ts';
import { checkShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { checkOpen, runTraced, type Trace, Tracer, withTrace } from '../trace.ts';
import { evaluateProgram } from './interpret.ts';
import { type Atom, checkProgram, type Equation, Literal, type Program, Var } from './program.ts';

/** A value that stands for a variable of the program being written. */
export class RecordTracer extends Tracer {
  readonly trace: Recorder;
  readonly variable: Var;

  constructor(trace: Recorder, variable: Var) {
    super();
    this.trace = trace;
    this.variable = variable;
  }

  get aval(): Aval {
    return this.variable.aval;
  }
}

/** A program, and the outside tensors it captured: its first inputs, in this order. */
export interface Recorded {
  readonly program: Program;
  readonly captured: readonly Tensor[];
}

/** Records every primitive that reaches it. */
export class Recorder implements Trace {
  readonly name: string;
  readonly #inputs: Var[] = [];
  readonly #captured = new Map<Tensor, Var>();
  readonly #equations: Equation[] = [];

  constructor(name: string) {
    this.name = name;
  }

  input(aval: Aval): RecordTracer {
    const variable = new Var(aval);
    this.#inputs.push(variable);
    return new RecordTracer(this, variable);
  }

  /** A staged program within another is written out, so that they are optimised as one. */
  bind(primitive: Primitive, inputs: readonly Tensor[], params: Params): Tensor[] {
    if (primitive.kind === 'call')
      return withTrace(this, () => evaluateProgram(params['program'] as Program, inputs));
    return this.write(primitive, inputs, params);
  }

  protected write(primitive: Primitive, operands: readonly Tensor[], given: Params): Tensor[] {
    const [inputs, params] =
      primitive.kind === 'block'
        ? (primitive as Primitive & BlockRules).stage(operands, given)
        : [operands, given];
    const outputs = primitive
      .shape(
        inputs.map((x) => x.aval),
        params,
      )
      .map((aval) => {
        checkShape(primitive.name, aval.shape);
        return new Var(aval);
      });
    this.#equations.push({ primitive, inputs: inputs.map((x) => this.#atom(x)), params, outputs });
    return outputs.map((v) => new RecordTracer(this, v));
  }

  /** Whether `x` is a value of this program. */
  owns(x: Tensor): x is RecordTracer {
    return x instanceof RecordTracer && x.trace === this;
  }

  /** The finished program; its inputs are the captured tensors, then those made by `input`. */
  finish(outputs: readonly Tensor[]): Recorded {
    const results = outputs.map((x) => this.#atom(x));
    const program: Program = {
      inputs: [...this.#captured.values(), ...this.#inputs],
      equations: this.#equations,
      outputs: results,
    };
    return { program, captured: [...this.#captured.keys()] };
  }

  #atom(x: Tensor): Atom {
    if (this.owns(x)) return x.variable;
    if (x instanceof LiteralTensor) return new Literal(x.aval, x.value);
    checkOpen(x);
    const known = this.#captured.get(x);
    if (known) return known;
    const variable = new Var(x.aval);
    this.#captured.set(x, variable);
    return variable;
  }
}

/** Stages a function of tensors with the given avals: a program that has been checked, and what it captured. */
export function record(
  name: string,
  avals: readonly Aval[],
  f: (inputs: Tensor[]) => readonly Tensor[],
): Recorded {
  const recorder = new Recorder(name);
  const outputs = runTraced(recorder, () => f(avals.map((aval) => recorder.input(aval))));
  const recorded = recorder.finish(outputs);
  checkProgram(recorded.program);
  return recorded;
}

/** Whether a recorded program depends on values of an enclosing trace, and so cannot be used again. */
export function capturesTracers(recorded: Recorded): boolean {
  return recorded.captured.some((x) => !(x instanceof ConcreteTensor));
}
