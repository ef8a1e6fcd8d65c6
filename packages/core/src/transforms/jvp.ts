/** Forward mode: tangents are pushed through the function next to its values. */
import { type Aval, sameAval, showAval } from '../aval.ts';
import { isFloat } from '../dtype.ts';
import { DTypeError, OptionError, ShapeError } from '../errors.ts';
import { show } from '../ops/check.ts';
import { toTensor } from '../ops/convert.ts';
import type { Params, Primitive, Zero } from '../primitive.ts';
import { broadcastTo } from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import type { Tensor } from '../tensor.ts';
import { currentTrace, runTraced, type Trace, Tracer, withTrace } from '../trace.ts';
import {
  checkSameStructure,
  type Leaves,
  type Tensors,
  type TreeStructure,
  treeFlatten,
  treePaths,
} from '../tree.ts';
import { flatFunction } from './flat.ts';

class JvpTracer extends Tracer {
  readonly trace: JvpTrace;
  readonly primal: Tensor;
  readonly tangent: Tensor;

  constructor(trace: JvpTrace, primal: Tensor, tangent: Tensor) {
    super();
    this.trace = trace;
    this.primal = primal;
    this.tangent = tangent;
  }

  get aval(): Aval {
    return this.primal.aval;
  }
}

/** Applies jvp rules; what carries no tangent of this trace goes to the parent untouched. */
class JvpTrace implements Trace {
  readonly name: string;
  readonly parent: Trace;

  constructor(name: string, parent: Trace) {
    this.name = name;
    this.parent = parent;
  }

  bind(primitive: Primitive, inputs: readonly Tensor[], params: Params): Tensor[] {
    const primals = inputs.map((x) => this.split(x)[0]);
    const tangents = inputs.map((x) => this.split(x)[1]);
    if (tangents.every((t) => t === null)) return this.parent.bind(primitive, inputs, params);
    const [outputs, outTangents] = withTrace(this.parent, () => primitive.jvp(primals, tangents, params));
    return outputs.map((y, i) => this.pair(y, outTangents[i] ?? null));
  }

  pair(primal: Tensor, tangent: Tensor | Zero): Tensor {
    return tangent === null ? primal : new JvpTracer(this, primal, tangent);
  }

  split(x: Tensor): [Tensor, Tensor | Zero] {
    return x instanceof JvpTracer && x.trace === this ? [x.primal, x.tangent] : [x, null];
  }
}

/** `jvp` on flat lists; zero tangents stay symbolic. */
export function jvpFlat(
  name: string,
  f: (...xs: Tensor[]) => readonly Tensor[],
  primals: readonly Tensor[],
  tangents: readonly (Tensor | Zero)[],
  parent: Trace = currentTrace(),
): [Tensor[], (Tensor | Zero)[]] {
  const trace = new JvpTrace(name, parent);
  const outputs = runTraced(trace, () => f(...primals.map((x, i) => trace.pair(x, tangents[i] ?? null))));
  const pairs = outputs.map((y) => trace.split(y));
  return [pairs.map(([y]) => y), pairs.map(([, t]) => t)];
}

/** A zero tangent as a tensor. */
export function instantiate(tangent: Tensor | Zero, like: Aval): Tensor {
  return tangent ?? broadcastTo(scalar(0, like.dtype), like.shape);
}

/**
 * The value of `f` and its directional derivative: `[f(x), f'(x) dx]`.
 *
 * @param primals The arguments of `f`, each a tree of tensors.
 * @param tangents The direction: trees of the same structure, shapes and (float) dtypes. The tangent of an integer or
 *   bool leaf must be zero and has no effect.
 * @throws {TreeError} {ShapeError} {DTypeError} if a tangent does not fit its argument.
 * @example
 * const [y, dy] = jvp((x: Tensor) => sin(x), [tensor(0)], [tensor(1)]);   // 0, 1
 */
export function jvp<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  primals: Leaves<A>,
  tangents: Leaves<A>,
): [Tensors<R>, Tensors<R>] {
  return jvpTrees('jvp', f as never, primals, tangents) as [Tensors<R>, Tensors<R>];
}

/** @throws {OptionError} unless the arguments of a function are given as an array. */
export function checkArguments(op: string, primals: unknown): void {
  if (!Array.isArray(primals))
    throw new OptionError(`${op}: takes an array of the arguments of f, but got ${show(primals)}.`);
}

/**
 * The tangents of some arguments, leaf by leaf; `null` for those that are no floats.
 * @throws {TreeError} {ShapeError} {DTypeError} naming the tangent that does not fit.
 */
export function tangentsOf(
  op: string,
  xs: readonly Tensor[],
  structure: TreeStructure,
  tangents: unknown,
): (Tensor | Zero)[] {
  const flat = treeFlatten(tangents);
  checkSameStructure(op, 'primals', structure, 'tangents', flat.structure);
  return flat.leaves.map((t, i) => {
    const x = xs[i] as Tensor;
    if (!isFloat(x.dtype)) return null;
    const dx = toTensor(t, x.dtype);
    if (sameAval(dx.aval, x.aval)) return dx;
    const message = `${op}: the tangent of ${treePaths(tangents)[i]} must be ${showAval(x.aval)}, but is ${showAval(dx.aval)}.`;
    throw dx.dtype === x.dtype ? new ShapeError(message) : new DTypeError(message);
  });
}

/** `jvp` in the name of another transformation. */
export function jvpTrees(
  op: string,
  f: (...args: readonly unknown[]) => unknown,
  primals: readonly unknown[],
  tangents: readonly unknown[],
): [unknown, unknown] {
  checkArguments(op, primals);
  const flat = treeFlatten(primals);
  const xs = flat.leaves.map((x) => toTensor(x));
  const dxs = tangentsOf(op, xs, flat.structure, tangents);
  const flatF = flatFunction(op, f, flat.structure);
  const [ys, dys] = jvpFlat(op, flatF.call, xs, dxs);
  return [flatF.unflatten(ys), flatF.unflatten(dys.map((t, i) => instantiate(t, (ys[i] as Tensor).aval)))];
}
