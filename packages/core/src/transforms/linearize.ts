/**
 * A function's value now and its derivative as a linear program: jvp, where the tangents are recorded and not computed.
 */
import type { Aval } from '../aval.ts';
import { isFloat } from '../dtype.ts';
import { evaluateProgram } from '../ir/interpret.ts';
import type { Program } from '../ir/program.ts';
import { type Recorded, Recorder } from '../ir/record.ts';
import { toTensor } from '../ops/convert.ts';
import type { Params, Primitive, Zero } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { currentTrace, runTraced, type Trace } from '../trace.ts';
import { type Leaves, type Tensors, treeFlatten } from '../tree.ts';
import { flatFunction } from './flat.ts';
import { instantiate, jvpFlat, tangentsOf } from './jvp.ts';

/** A primitive that contains a program may split it into the part that is known now and the part that is recorded. */
export interface PartialRule<P extends Params = Params> {
  partial(
    inputs: readonly Tensor[],
    known: readonly boolean[],
    params: P,
    evaluate: Bind,
    record: Bind,
  ): Tensor[];
}

export type Bind = (primitive: Primitive, inputs: readonly Tensor[], params: Params) => Tensor[];

/** Records what depends on a tangent; everything else happens in the parent, now. */
export class PartialTrace extends Recorder {
  readonly parent: Trace;

  constructor(name: string, parent: Trace) {
    super(name);
    this.parent = parent;
  }

  override bind(primitive: Primitive, inputs: readonly Tensor[], params: Params): Tensor[] {
    const known = inputs.map((x) => !this.owns(x));
    if (known.every(Boolean)) return this.parent.bind(primitive, inputs, params);
    if ('partial' in primitive)
      return (primitive as Primitive & PartialRule).partial(
        inputs,
        known,
        params,
        (p, xs, ps) => this.parent.bind(p, xs, ps),
        (p, xs, ps) => this.write(p, xs, ps),
      );
    return this.write(primitive, inputs, params);
  }
}

/** A linear map from tangents to tangents, written down. */
export interface LinearMap {
  readonly recorded: Recorded;
  /** Avals of the inputs that are linear: those after the captured ones. */
  readonly inputs: readonly Aval[];
  /** For each result of the function, its place among the program's outputs, or `null` if the tangent is zero. */
  readonly outputs: readonly (number | null)[];
}

/** Values of `f` and its derivative with respect to the inputs where `active` holds. */
export function linearizeFlat(
  name: string,
  f: (...xs: Tensor[]) => readonly Tensor[],
  primals: readonly Tensor[],
  active: readonly boolean[],
): [Tensor[], LinearMap] {
  const trace = new PartialTrace(name, currentTrace());
  const tangents = primals.map((x, i) => (active[i] ? trace.input(x.aval) : null));
  const [ys, dys] = runTraced(trace, () => jvpFlat(name, f, primals, tangents, trace));
  const linear: Tensor[] = [];
  const outputs = dys.map((dy) => (dy === null ? null : linear.push(dy) - 1));
  const recorded = trace.finish(linear);
  return [ys, { recorded, inputs: tangents.flatMap((t) => (t ? [t.aval] : [])), outputs }];
}

/** Applies a linear map to tangents. */
function applyLinear(map: LinearMap, tangents: readonly Tensor[]): (Tensor | Zero)[] {
  const results = evaluateProgram(map.recorded.program, [...map.recorded.captured, ...tangents]);
  return map.outputs.map((i) => (i === null ? null : (results[i] as Tensor)));
}

/**
 * The value of `f` and its derivative at that point as a function of tangents, which can be applied many times
 * without evaluating `f` again.
 *
 * @returns `[y, fLinear]` with `fLinear(...tangents)`, trees like the arguments and the result.
 * @example
 * const [y, df] = linearize((x: Tensor) => multiply(x, x), tensor(3));
 * df(tensor(1)).item()   // 6
 */
export function linearize<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...primals: Leaves<A>
): [Tensors<R>, ((...tangents: Leaves<A>) => Tensors<R>) & { readonly program: Program }] {
  const flat = treeFlatten(primals);
  const xs = flat.leaves.map((x) => toTensor(x));
  const flatF = flatFunction('linearize', f, flat.structure);
  const [ys, map] = linearizeFlat(
    'linearize',
    flatF.call,
    xs,
    xs.map((x) => isFloat(x.dtype)),
  );
  const apply = (...tangents: Leaves<A>): Tensors<R> => {
    const dxs = tangentsOf('linearize', xs, flat.structure, tangents).filter((dx) => dx !== null);
    const dys = applyLinear(map, dxs);
    return flatF.unflatten(dys.map((dy, i) => instantiate(dy, (ys[i] as Tensor).aval)));
  };
  return [flatF.unflatten(ys), Object.assign(apply, { program: map.recorded.program })];
}
