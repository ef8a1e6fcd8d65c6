/** From equations to kernels and host routines, one each. */
import type { Aval } from '../aval.ts';
import type { Params, Primitive } from '../primitive.ts';
import { constant, coord, type Substitution, substituteAll } from './expr.ts';
import type { HostRoutine } from './host.ts';
import type { Expr, Kernel } from './kernel.ts';
import { type KernelLaunch, type Launch, type Lowered, launchConstant } from './launch.ts';
import { type Aliases, lowerControl } from './lowerControl.ts';
import { type Atom, type Equation, Literal, type Program, Var } from './program.ts';

/** Lowers each equation; literals become constants, and aliases disappear: they are other views of the same value. */
export function lower(program: Program, aliases: Aliases = new Map()): Lowered {
  const resolve = (v: Var): Var => aliases.get(v) ?? v;
  const launches: Launch[] = [];
  let region = 0;
  for (const equation of program.equations) {
    const { kind } = equation.primitive;
    if (equation.primitive.barrier) region++;
    const first = launches.length;
    if (kind === 'alias' && equation.inputs.some((a) => a instanceof Var)) {
      for (const [i, a] of equation.inputs.entries())
        if (a instanceof Var) aliases.set(equation.outputs[i] as Var, resolve(a));
    } else if (kind === 'control') launches.push(...lowerControl(equation, aliases, lower));
    else if (kind === 'host') launches.push(...lowerHost(equation, resolve));
    else launches.push(lowerEquation(equation, resolve));
    if (region > 0)
      for (let i = first; i < launches.length; i++) launches[i] = { ...(launches[i] as Launch), region };
  }
  const outputs = program.outputs.map((a) => {
    if (a instanceof Var) return resolve(a);
    const launch = launchConstant(a);
    launches.push(launch);
    return launch.outputs[0] as Var;
  });
  return { inputs: program.inputs, launches, outputs };
}

/** A host routine reads buffers: its constants are launches of their own, before it. */
function lowerHost(equation: Equation, resolve: (v: Var) => Var): Launch[] {
  const constants: Launch[] = [];
  const inputs = equation.inputs.map((a) => {
    if (a instanceof Var) return resolve(a);
    const launch = launchConstant(a);
    constants.push(launch);
    return launch.outputs[0] as Var;
  });
  const { primitive, params, outputs } = equation;
  const avals = (atoms: readonly Atom[]): Aval[] => atoms.map((a) => a.aval);
  const host = hostRoutine(primitive, avals(equation.inputs), params, avals(outputs));
  return [...constants, { kind: 'host', host, inputs, outputs }];
}

/** What computes a primitive of kind `host`. */
export function hostRoutine(
  { name, host }: Primitive,
  inputs: readonly Aval[],
  params: Params,
  outputs: readonly Aval[],
): HostRoutine {
  return { name, inputs, outputs, params, run: host as NonNullable<typeof host> };
}

function lowerEquation(
  { primitive, inputs, params, outputs }: Equation,
  resolve: (v: Var) => Var,
): KernelLaunch {
  const kernel = (primitive.lower as NonNullable<typeof primitive.lower>)(
    inputs.map((a) => a.aval),
    params,
  );
  if (kernel.routine && inputs.some((a) => a instanceof Literal))
    return lowerEquation(withoutRoutine({ primitive, inputs, params, outputs }), resolve);
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
function bindInputs(
  kernel: Kernel,
  atoms: readonly Atom[],
  outputs: readonly Var[],
  resolve: (v: Var) => Var,
): KernelLaunch {
  const inputs: Var[] = [];
  const views: Aval[] = [];
  const places = atoms.map((a, i) => {
    if (a instanceof Literal) return a;
    const view = kernel.inputs[i] as Aval;
    const value = resolve(a);
    const known = inputs.findIndex((v, j) => v === value && views[j]?.shape.join() === view.shape.join());
    if (known >= 0 && !kernel.routine) return known;
    views.push(view);
    return inputs.push(value) - 1;
  });
  const rebound = rewriteKernel(kernel, views, {
    load: (load) => {
      const at = places[load.input];
      return at instanceof Literal ? constant(load.dtype, at.value) : { ...load, input: at as number };
    },
  });
  return { kind: 'kernel', kernel: kernel.routine ? rebound : squeeze(rebound), inputs, outputs };
}

/** The kernel without parallel axes of extent 1, in its nest and in its views: adding or dropping such axes is free. */
function squeeze(kernel: Kernel): Kernel {
  const wide = kernel.axes.flatMap((extent, axis) => (extent === 1 ? [] : [axis]));
  const dropped = kernel.axes.length - wide.length;
  const isWide = (view: Aval, i: number) => view.shape[i] !== 1;
  const views = kernel.inputs.map((view) => ({
    ...view,
    shape: view.shape.filter((extent) => extent !== 1),
  }));
  const moved = rewriteKernel(kernel, views, {
    coord: (axis) => {
      if (axis >= kernel.axes.length) return coord(axis - dropped);
      return kernel.axes[axis] === 1 ? constant('int32', 0) : coord(wide.indexOf(axis));
    },
    load: (load) => ({
      ...load,
      index: load.index.filter((_, i) => isWide(kernel.inputs[load.input] as Aval, i)),
    }),
  });
  return { ...moved, axes: wide.map((axis) => kernel.axes[axis] as number) };
}

/** The kernel with other inputs, and leaves of its expressions replaced. */
export function rewriteKernel(kernel: Kernel, inputs: Kernel['inputs'], by: Substitution): Kernel {
  const roots = [...kernel.reductions.map((r) => r.value), ...kernel.outputs];
  const rewritten = substituteAll(roots, by);
  const count = kernel.reductions.length;
  return {
    ...kernel,
    inputs,
    reductions: kernel.reductions.map((r, i) => ({ ...r, value: rewritten[i] as Expr })),
    outputs: rewritten.slice(count),
  };
}
