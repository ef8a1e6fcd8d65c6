/** Primitives in plain JavaScript, for what no loop nest can say: pivoting, iteration to convergence, recursion. */
import type { Aval } from '../aval.ts';
import type { TypedArray } from '../dtype.ts';
import type { HostFunction, HostRoutine } from '../ir/host.ts';
import type { Params, Primitive } from '../primitive.ts';
import { type Shape, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { bind } from '../trace.ts';
import { broadcastTo, moveAxis } from './movement.ts';

/** A primitive that computes each example of a batch by itself. */
export interface HostRules<P extends Params> {
  readonly name: string;
  /**
   * How many trailing axes one example of each operand has, the last for all further ones. The axes before them, alike
   * in all operands, are a batch.
   */
  readonly ranks: readonly number[];
  /** Results of one example. */
  readonly shape: (example: readonly Aval[], params: P) => Aval[];
  /**
   * Fills the results of one example; `routine` has its avals and the params. float32 elements should be computed with
   * in float64: JavaScript's numbers are, and the results are rounded when they are stored.
   */
  readonly run: (
    inputs: readonly TypedArray[],
    outputs: readonly TypedArray[],
    routine: HostRoutine & { readonly params: P },
  ) => void;
  readonly jvp: Primitive<P>['jvp'];
  readonly transpose?: Primitive<P>['transpose'];
  /** A better way to batch than to broadcast operands without a batch and to go through the examples. */
  readonly batch?: Primitive<P>['batch'];
}

/** A primitive from what it does to one example. */
/* @__NO_SIDE_EFFECTS__ */
export function hostPrimitive<P extends Params>(rules: HostRules<P>): Primitive<P> {
  const { name, ranks, jvp, transpose } = rules;
  const primitive: Primitive<P> = {
    name,
    kind: 'host',
    shape: (inputs, params) => {
      const { lead, examples } = splitLead(inputs, ranks);
      return rules.shape(examples, params).map(({ shape, dtype }) => ({ shape: [...lead, ...shape], dtype }));
    },
    jvp,
    ...(transpose && { transpose }),
    batch:
      rules.batch ?? ((inputs, axes, size, params) => batchExamples(primitive, inputs, axes, size, params)),
    host: eachExample(rules),
  };
  return primitive;
}

/** Batch axes to the front, where they join those that are there. */
export function batchExamples<P extends Params>(
  primitive: Primitive<P>,
  inputs: readonly Tensor[],
  axes: readonly (number | null)[],
  size: number,
  params: P,
): [Tensor[], number[]] {
  const led = inputs.map((x, i) => {
    const axis = axes[i] ?? null;
    return axis === null ? broadcastTo(x, [size, ...x.shape]) : moveAxis(x, axis, 0);
  });
  const results = bind(primitive, led, params);
  return [results, results.map(() => 0)];
}

/** The axes of the batch, and the avals of one example. */
function splitLead(avals: readonly Aval[], ranks: readonly number[]): { lead: Shape; examples: Aval[] } {
  const cuts = avals.map(({ shape }, i) => shape.length - (ranks[i] ?? (ranks.at(-1) as number)));
  return {
    lead: avals[0]?.shape.slice(0, cuts[0]) ?? [],
    examples: avals.map(({ shape, dtype }, i) => ({ shape: shape.slice(cuts[i]), dtype })),
  };
}

function eachExample<P extends Params>({ ranks, shape, run }: HostRules<P>): HostFunction {
  return (inputs, outputs, routine) => {
    const params = routine.params as P;
    const { lead, examples } = splitLead(routine.inputs, ranks);
    const example = { ...routine, inputs: examples, outputs: shape(examples, params), params };
    const count = sizeOf(lead);
    if (count === 1) return run(inputs, outputs, example);
    const part = (array: TypedArray, aval: Aval, i: number): TypedArray => {
      const size = sizeOf(aval.shape);
      return array.subarray(i * size, (i + 1) * size);
    };
    for (let i = 0; i < count; i++)
      run(
        inputs.map((x, j) => part(x, example.inputs[j] as Aval, i)),
        outputs.map((y, j) => part(y, example.outputs[j] as Aval, i)),
        example,
      );
  };
}
