/** Operations on all examples of a batch that `vmap` has given a name. */
import type { Aval } from '../aval.ts';
import { isFloat } from '../dtype.ts';
import { OptionError } from '../errors.ts';
import { type Program, programsIn } from '../ir/program.ts';
import type { Params, Primitive, Zero } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind, bind1 } from '../trace.ts';
import { compare, convert, div, mul } from './arithmetic.ts';
import { iota } from './movement.ts';
import { scalar } from './pointwise.ts';
import { reduceMax, reduceSum } from './reduce.ts';

type CollectiveParams = { readonly axisName: string };

/** A primitive that the `vmap` of its axis turns into others; other transformations pass it on. */
export interface Collective extends Primitive<CollectiveParams> {
  /** The result, and where its batch is, for operands with a batch of `size` examples along `axes`. */
  overBatch(
    inputs: readonly Tensor[],
    axes: readonly (number | null)[],
    size: number,
  ): [Tensor[], (number | null)[]];
}

function collective(
  name: string,
  shape: (inputs: readonly Aval[]) => Aval[],
  overBatch: Collective['overBatch'],
  tangent: (dx: Tensor, x: Tensor, y: Tensor, axisName: string) => Tensor | Zero,
): Collective {
  const primitive: Collective = {
    name,
    kind: 'kernel',
    shape,
    overBatch,
    jvp: ([x], [dx], params) => {
      const y = bind1(primitive, [x as Tensor], params);
      return [[y], [isFloat(y.dtype) ? tangent(dx as Tensor, x as Tensor, y, params.axisName) : null]];
    },
    // For a batch of another axis: nothing but the named axis is mixed.
    batch: (inputs, axes, _, params) => [bind(primitive, inputs, params), [...axes]],
    lower: (_, { axisName }) => {
      throw new OptionError(unknownAxis(name, axisName, []));
    },
  };
  return primitive;
}

/** What to say of a name that no `vmap` around the call has. */
export function unknownAxis(op: string, axisName: string, known: readonly string[]): string {
  const have = known.length === 0 ? 'there is none' : `the names here are ${known.join(', ')}`;
  return (
    `${op}: no vmap around this call has an axis named ${JSON.stringify(axisName)}, and ${have}; ` +
    `name it with vmap(f, { axisName: ${JSON.stringify(axisName)} }).`
  );
}

const same = (inputs: readonly Aval[]): Aval[] => [...inputs];

const psumPrimitive: Collective = {
  ...collective(
    'psum',
    same,
    ([x], [axis], size) => {
      const t = x as Tensor;
      return [[axis === null ? mul(t, scalar(size, t.dtype)) : reduceSum(t, [axis as number])], [null]];
    },
    (dx, _, __, axisName) => psum(dx, axisName),
  ),
  transpose: ([ct], _, { axisName }) => [psum(ct as Tensor, axisName)],
};

/** Shared equally among the examples that attain the maximum. */
const pmaxPrimitive = collective(
  'pmax',
  same,
  ([x], [axis]) => [[axis === null ? (x as Tensor) : reduceMax(x as Tensor, [axis as number])], [null]],
  (dx, x, y, axisName) => {
    const hit = convert(compare('eq', x, y), x.dtype);
    return div(psum(mul(dx, hit), axisName), psum(hit, axisName));
  },
);

const axisIndexPrimitive = collective(
  'axisIndex',
  () => [{ shape: [], dtype: 'int32' }],
  (_, __, size) => [[iota(size, 'int32')], [0]],
  () => null,
);

/** The sum over the examples of a named axis. */
export const psum = (x: Tensor, axisName: string): Tensor => bind1(psumPrimitive, [x], { axisName });
/** The greatest over the examples of a named axis. */
export const pmax = (x: Tensor, axisName: string): Tensor => bind1(pmaxPrimitive, [x], { axisName });
/** The number of the example, int32. */
export const axisIndex = (axisName: string): Tensor => bind1(axisIndexPrimitive, [], { axisName });

/** Whether a primitive, or a program within its parameters, names an axis. */
export function namesAxis(primitive: Primitive, params: Params, axisName: string): boolean {
  if (primitive.kind === 'block' && !('program' in params)) return true; // not traced yet: it may
  return axesOf(primitive, params).has(axisName);
}

const known = new WeakMap<Program, ReadonlySet<string>>();

function axesOf(primitive: Primitive, params: Params): ReadonlySet<string> {
  if ('overBatch' in primitive) return new Set([params['axisName'] as string]);
  return new Set(programsIn(params).flatMap((program) => [...axesOfProgram(program)]));
}

function axesOfProgram(program: Program): ReadonlySet<string> {
  const found =
    known.get(program) ?? new Set(program.equations.flatMap((e) => [...axesOf(e.primitive, e.params)]));
  known.set(program, found);
  return found;
}
