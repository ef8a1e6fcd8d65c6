/** From equations to kernels, one each. */
import { constant, substituteAll } from './expr.ts';
import type { Expr, Kernel } from './kernel.ts';
import { type Atom, type Equation, Literal, type Program, Var } from './program.ts';
import { movementKernel } from '../primitives/movement.ts';

/** A kernel applied to values of a program. `kernel.inputs[i]` views `inputs[i]`, perhaps with another shape. */
export interface Launch {
  readonly kernel: Kernel;
  readonly inputs: readonly Var[];
  readonly outputs: readonly Var[];
}

/** A program as kernels. */
export interface Lowered {
  readonly inputs: readonly Var[];
  readonly launches: readonly Launch[];
  readonly outputs: readonly Var[];
}

/** Lowers each equation; literals become constants, and aliases disappear: they are other views of the same value. */
export function lower(program: Program): Lowered {
  const aliases = new Map<Var, Var>();
  const resolve = (v: Var): Var => aliases.get(v) ?? v;
  const launches: Launch[] = [];
  for (const equation of program.equations) {
    const [source] = equation.inputs;
    if (equation.primitive.kind === 'alias' && source instanceof Var)
      aliases.set(equation.outputs[0] as Var, resolve(source));
    else launches.push(lowerEquation(equation, resolve));
  }
  const outputs = program.outputs.map((a) => {
    if (a instanceof Var) return resolve(a);
    const v = new Var(a.aval);
    launches.push({ kernel: constantKernel(a), inputs: [], outputs: [v] });
    return v;
  });
  return { inputs: program.inputs, launches, outputs };
}

function lowerEquation({ primitive, inputs, params, outputs }: Equation, resolve: (v: Var) => Var): Launch {
  const kernel = (primitive.lower as NonNullable<typeof primitive.lower>)(inputs.map((a) => a.aval), params);
  if (kernel.routine && inputs.some((a) => a instanceof Literal)) return lowerEquation(withoutRoutine({ primitive, inputs, params, outputs }), resolve);
  return bindInputs(kernel, inputs, outputs, resolve);
}

/** A routine reads buffers; on constants its loop nest is as good. */
function withoutRoutine(equation: Equation): Equation {
  const { primitive } = equation;
  const lowerPlain: typeof primitive.lower = (avals, params) => {
    const { routine: _, ...kernel } = (primitive.lower as NonNullable<typeof primitive.lower>)(avals, params);
    return kernel;
  };
  return { ...equation, primitive: { ...primitive, lower: lowerPlain } };
}

/** Puts constants in the place of literals, and makes one input of operands that are the same view of one value. */
function bindInputs(kernel: Kernel, atoms: readonly Atom[], outputs: readonly Var[], resolve: (v: Var) => Var): Launch {
  const inputs: Var[] = [];
  const views: Kernel['inputs'][number][] = [];
  const places = atoms.map((a, i) => {
    if (a instanceof Literal) return a;
    const view = kernel.inputs[i] as (typeof views)[number];
    const value = resolve(a);
    const known = inputs.findIndex((v, j) => v === value && views[j]?.shape.join() === view.shape.join());
    if (known >= 0 && !kernel.routine) return known;
    views.push(view);
    return inputs.push(value) - 1;
  });
  const rebound = rewriteKernel(kernel, views, (load) => {
    const at = places[load.input];
    return at instanceof Literal ? constant(load.dtype, at.value) : { ...load, input: at as number };
  });
  return { kernel: rebound, inputs, outputs };
}

/** The kernel with other inputs and each load replaced. */
export function rewriteKernel(
  kernel: Kernel,
  inputs: Kernel['inputs'],
  load: (node: Extract<Expr, { kind: 'load' }>) => Expr,
): Kernel {
  const roots = [...kernel.reductions.map((r) => r.value), ...kernel.outputs];
  const rewritten = substituteAll(roots, { load });
  const count = kernel.reductions.length;
  return {
    ...kernel,
    inputs,
    reductions: kernel.reductions.map((r, i) => ({ ...r, value: rewritten[i] as Expr })),
    outputs: rewritten.slice(count),
  };
}

const constantKernel = ({ aval, value }: Literal): Kernel => ({
  ...movementKernel('constant', aval, aval.shape, []),
  inputs: [],
  outputs: [constant(aval.dtype, value)],
});
