/** One of several programs, chosen by an index. */
import { type Aval, sameAval } from '../aval.ts';
import { spread } from '../flags.ts';
import { evaluateProgram } from '../ir/interpret.ts';
import { type Program, Var } from '../ir/program.ts';
import { record } from '../ir/record.ts';
import { Linear, type Primitive } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind } from '../trace.ts';
import {
  avalsOf,
  batchedProgram,
  chosen,
  jvpProgram,
  partialProgram,
  remember,
  transposedProgram,
} from '../transforms/derived.ts';
import type { PartialRule } from '../transforms/linearize.ts';
import { compare, select } from './arithmetic.ts';
import { broadcastTo, reshape } from './movement.ts';
import { scalar } from './pointwise.ts';

export type SwitchParams = {
  /** All from operands of the same avals to results of the same avals. The inputs are an index, i32[], then these. */
  readonly branches: readonly [Program, ...Program[]];
};

export const switchPrimitive: Primitive<SwitchParams> & PartialRule<SwitchParams> = {
  name: 'switch',
  kind: 'control',
  shape: (_, { branches: [first] }) => avalsOf(first.outputs),
  jvp: ([index, ...primals], [, ...tangents], { branches }) => {
    const active = tangents.map((t) => t !== null);
    const none = branches[0].outputs.map(() => false);
    const nonzero = union(branches.map((b) => jvpProgram(b, active, none).nonzero));
    const both = each(branches, (b) => jvpProgram(b, active, nonzero).program);
    const results = apply(both, index, [...primals, ...tangents.filter((t) => t !== null)]);
    const count = none.length;
    return [results.slice(0, count), spread(nonzero, results.slice(count))];
  },
  partial: (inputs, known, { branches }, evaluate, write) => {
    if (!known[0]) return write(switchPrimitive, inputs, { branches });
    const split = splitBranches(branches[0], branches, known.slice(1));
    const [index, ...operands] = inputs as [Tensor, ...Tensor[]];
    const isKnown = known.slice(1);
    const first = [index, ...chosen(operands, isKnown)];
    const values =
      split.known[0].outputs.length === 0 ? [] : evaluate(switchPrimitive, first, { branches: split.known });
    const count = split.outputKnown.filter(Boolean).length;
    const second = [index, ...values.slice(count), ...operands.filter((_, i) => !isKnown[i])];
    const recorded = write(switchPrimitive, second, { branches: split.unknown });
    let [k, u] = [0, 0];
    return split.outputKnown.map((is) => (is ? values[k++] : recorded[u++]) as Tensor);
  },
  transpose: (cts, [index, ...operands], { branches }) => {
    const linear = operands.map((x) => x instanceof Linear);
    const given = cts.map((ct) => ct !== null);
    const none = operands.map(() => false);
    const nonzero = union(branches.map((b) => transposedProgram(b, linear, given, none).nonzero));
    const back = each(branches, (b) => transposedProgram(b, linear, given, nonzero).program);
    const tensors = [...operands.filter((x) => !(x instanceof Linear)), ...cts.filter((ct) => ct !== null)];
    const results = apply(back, index as Tensor, tensors as Tensor[]);
    return [null, ...spread(nonzero, results)];
  },
  batch: ([index, ...operands], [indexAxis, ...axes], size, { branches }) => {
    const none = branches[0].outputs.map(() => false);
    const batchedBy = (wanted: readonly boolean[]) =>
      branches.map((b) => batchedProgram(b, axes, size, wanted));
    const hasBatch = union(batchedBy(none).map((made) => made.axes.map((axis) => axis !== null)));
    if ((indexAxis ?? null) === null) {
      const made = batchedBy(hasBatch).map(({ program }) => program) as [Program, ...Program[]];
      return [apply(made, index, operands), hasBatch.map((is) => (is ? 0 : null))];
    }
    // Examples differ in their branch: all are computed, and one result is chosen for each.
    const results = batchedBy(none.map(() => true)).map(({ program }) => evaluateProgram(program, operands));
    const [last, ...others] = results.toReversed() as [Tensor[], ...Tensor[][]];
    const ys = others.reduce((chosenYs, mine, i) => {
      const isMine = compare('eq', index as Tensor, scalar(others.length - 1 - i, 'int32'));
      return mine.map((y, j) =>
        select(reshape(isMine, [size, ...new Array<number>(y.ndim - 1).fill(1)]), y, chosenYs[j] as Tensor),
      );
    }, last);
    return [ys, ys.map(() => 0)];
  },
};

const apply = (
  branches: SwitchParams['branches'],
  index: Tensor | undefined,
  operands: readonly Tensor[],
): Tensor[] => bind(switchPrimitive, [index as Tensor, ...operands], { branches });

const each = (
  branches: SwitchParams['branches'],
  f: (branch: Program) => Program,
): SwitchParams['branches'] => branches.map(f) as [Program, ...Program[]];

/** Flags that are set in any of the lists. */
const union = (lists: readonly (readonly boolean[])[]): boolean[] =>
  (lists[0] ?? []).map((_, i) => lists.some((list) => list[i]));

/** The halves of the branches; what each passes on has a place among the values that they pass on together. */
const splitBranches = remember((_, branches: SwitchParams['branches'], known: readonly boolean[]) => {
  const unknown = union(branches.map((b) => partialProgram(b, known).outputKnown.map((is) => !is)));
  const halves = branches.map((b) => partialProgram(b, known, unknown));
  const shared: Aval[] = [];
  const placesOf = halves.map(({ known: half, residuals }) => {
    const taken = new Set<number>();
    return avalsOf(half.outputs.slice(half.outputs.length - residuals)).map((aval) => {
      let place = shared.findIndex((other, i) => !taken.has(i) && sameAval(other, aval));
      if (place < 0) place = shared.push(aval) - 1;
      taken.add(place);
      return place;
    });
  });
  const knownHalves = halves.map(
    ({ known: half, residuals }, b) =>
      record('partial', avalsOf(half.inputs), (xs) => {
        const results = evaluateProgram(half, xs);
        const count = results.length - residuals;
        const places = placesOf[b] as number[];
        const passed = shared.map(({ shape, dtype }, i) => {
          const at = places.indexOf(i);
          return at < 0 ? broadcastTo(scalar(0, dtype), shape) : (results[count + at] as Tensor);
        });
        return [...results.slice(0, count), ...passed];
      }).program,
  );
  const unknownHalves = halves.map(({ unknown: half, residuals }, b): Program => {
    const places = placesOf[b] as number[];
    const passed = shared.map((aval, i) => half.inputs[places.indexOf(i)] ?? new Var(aval));
    return { ...half, inputs: [...passed, ...half.inputs.slice(residuals)] };
  });
  return {
    known: knownHalves as [Program, ...Program[]],
    unknown: unknownHalves as [Program, ...Program[]],
    outputKnown: unknown.map((is) => !is),
  };
});
