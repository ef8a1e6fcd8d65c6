/**
 * A loop of known length as one primitive: carry what changes, read one row of each stack, write one row of each
 * result. All its rules give loops again: the derivative's carry has the tangents beside the values, the transpose
 * runs backwards.
 */
import type { Aval } from '../aval.ts';
import { growUntilStable, spread, taker } from '../flags.ts';
import { evaluateProgram } from '../ir/interpret.ts';
import { type Atom, Literal, type Program, type Var } from '../ir/program.ts';
import { record } from '../ir/record.ts';
import { Linear, type Primitive, type Zero } from '../primitive.ts';
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
import { instantiate } from '../transforms/jvp.ts';
import type { Bind, PartialRule } from '../transforms/linearize.ts';
import { add } from './arithmetic.ts';
import { callPrimitive, closed } from './call.ts';
import { broadcastTo, moveAxis } from './movement.ts';
import { scalar } from './pointwise.ts';

export type ScanParams = {
  /** (constants, carries, rows) -> (next carries, rows of results) */
  readonly body: Program;
  /** How many inputs are constants, and how many are carries; the others are stacks of `length` rows. */
  readonly consts: number;
  readonly carries: number;
  readonly length: number;
  /** From the last row to the first. */
  readonly reverse: boolean;
};

export const scanPrimitive: Primitive<ScanParams> & PartialRule<ScanParams> = {
  name: 'scan',
  kind: 'control',
  shape: (_, { body, carries, length }) =>
    body.outputs.map(({ aval }, i) => (i < carries ? aval : stacked(aval, length))),
  jvp: (primals, tangents, params) => {
    const { body, consts, carries } = params;
    const active = tangents.map((t) => t !== null);
    const { program, carryActive, rowActive } = jvpBody(body, consts, carries, active);
    const dcarry = carryActive.flatMap((is, i) =>
      is ? [tangents[consts + i] ?? zeros(primals[consts + i] as Tensor)] : [],
    );
    const [c, k, x] = parts(primals, params);
    const [dc, , dx] = parts(tangents, params);
    const [given, rows] = [dc.filter((t) => t !== null), dx.filter((t) => t !== null)];
    const results = bind(scanPrimitive, [...c, ...given, ...k, ...dcarry, ...x, ...rows], {
      ...params,
      body: program,
      consts: c.length + given.length,
      carries: k.length + dcarry.length,
    });
    const take = taker(results);
    const ys = take(carries);
    const dys = spread(carryActive, take(dcarry.length));
    ys.push(...take(rowActive.length));
    return [ys, [...dys, ...spread(rowActive, take(Number.POSITIVE_INFINITY))]];
  },
  partial: (inputs, known, params, evaluate, write) => {
    const { split, values, pass } = evaluateKnown(inputs, known, params, evaluate);
    const recorded = write(scanPrimitive, pass, { ...params, ...split.unknown });
    let [k, u] = [0, 0];
    return split.outputKnown.map((is) => (is ? values[k++] : recorded[u++]) as Tensor);
  },
  transpose: (cts, inputs, params) => {
    const linear = inputs.map((x) => x instanceof Linear);
    // What the loop does to values that are known is done first; the rest is linear in all its carries.
    const tensors = inputs.map((x) => (x instanceof Linear ? zeros(x) : x));
    const { split, pass } = evaluateKnown(
      tensors,
      linear.map((is) => !is),
      params,
      bind,
    );
    const ctsOf = cts.filter((_, i) => !split.outputKnown[i]);
    const back = transposeLinear(ctsOf, pass, { ...params, ...split.unknown }, split.linear);
    const found = new Map(split.places.map((place, i) => [place, back[i] ?? null]));
    return inputs.map((_, i) => (linear[i] ? (found.get(i) ?? null) : null));
  },
  batch: (inputs, axes, size, params) => {
    const { body, consts, carries } = params;
    const { program, carryBatched, rowBatched } = batchBody(
      body,
      consts,
      carries,
      axes.map((axis, i) => (i < consts ? axis : axis === null ? null : 0)),
      size,
    );
    const operands = inputs.map((x, i) => {
      const axis = axes[i] ?? null;
      if (i < consts) return x;
      if (i < consts + carries) {
        if (!carryBatched[i - consts]) return x;
        return axis === null ? broadcastTo(x, [size, ...x.shape]) : moveAxis(x, axis, 0);
      }
      return axis === null ? x : moveAxis(x, axis, 1); // rows stay first
    });
    const results = bind(scanPrimitive, operands, { ...params, body: program });
    return [
      results,
      [...carryBatched.map((is) => (is ? 0 : null)), ...rowBatched.map((is) => (is ? 1 : null))],
    ];
  },
};

const stacked = ({ shape, dtype }: Aval, length: number): Aval => ({ shape: [length, ...shape], dtype });

const zeros = ({ aval }: { readonly aval: Aval }): Tensor => broadcastTo(scalar(0, aval.dtype), aval.shape);

/** Constants, carries and the rest of a list with an entry for each input. */
function parts<T>(
  items: readonly T[],
  { consts, carries }: Pick<ScanParams, 'consts' | 'carries'>,
): [T[], T[], T[]] {
  return [items.slice(0, consts), items.slice(consts, consts + carries), items.slice(consts + carries)];
}

/* ---- jvp ---- */

/** The body with tangents beside the values, in the order of a scan: constants, carries, rows. */
const jvpBody = remember((body, consts: number, carries: number, active: readonly boolean[]) => {
  const start = active.slice(consts, consts + carries);
  const { flags: carryActive, value } = growUntilStable(start, (carry) => {
    const all = [...active.slice(0, consts), ...carry, ...active.slice(consts + carries)];
    const made = jvpProgram(body, all, carry);
    return { flags: made.nonzero.slice(0, carries), value: { made, all } };
  });
  const { made, all } = value;
  const rowActive = made.nonzero.slice(carries);
  const inputs = taker(made.program.inputs);
  const [c, k, x] = parts(inputs(body.inputs.length), { consts, carries });
  const [dc, dk, dx] = parts(all, { consts, carries }).map((flags) => inputs(flags.filter(Boolean).length));
  const outputs = taker(made.program.outputs);
  const [next, ys] = [outputs(carries), outputs(rowActive.length)];
  const dnext = outputs(carryActive.filter(Boolean).length);
  const program: Program = {
    equations: made.program.equations,
    inputs: [c, dc, k, dk, x, dx].flatMap((list) => list ?? []),
    outputs: [...next, ...dnext, ...ys, ...outputs(Number.POSITIVE_INFINITY)],
  };
  return { program, carryActive, rowActive };
});

/* ---- vmap ---- */

const batchBody = remember(
  (body, consts: number, carries: number, axes: readonly (number | null)[], size: number) => {
    const start = axes.slice(consts, consts + carries).map((axis) => axis !== null);
    const { flags: carryBatched, value } = growUntilStable(start, (carry) => {
      const all = [
        ...axes.slice(0, consts),
        ...carry.map((is) => (is ? 0 : null)),
        ...axes.slice(consts + carries),
      ];
      const made = batchedProgram(body, all, size, [
        ...carry,
        ...body.outputs.slice(carries).map(() => false),
      ]);
      return { flags: made.axes.slice(0, carries).map((axis) => axis !== null), value: made };
    });
    return {
      program: value.program,
      carryBatched,
      rowBatched: value.axes.slice(carries).map((axis) => axis !== null),
    };
  },
);

/* ---- What is known now ---- */

/** Where a value that the unknown half needs comes from. */
type Residual =
  /** An input of the scan: a constant, or a stack of rows. */
  | { readonly from: 'input'; readonly index: number; readonly row: boolean }
  /** The same in each pass: computed once, before the loop. */
  | { readonly from: 'before'; readonly index: number }
  /** Another one in each pass: a stack that the known loop writes. */
  | { readonly from: 'stack'; readonly index: number };

const splitBody = remember((body, consts: number, carries: number, known: readonly boolean[]) => {
  const isUnknown = known.map((is) => !is);
  const { flags: carryUnknown, value: halves } = growUntilStable(
    isUnknown.slice(consts, consts + carries),
    (carry) => {
      const inputs = [...isUnknown.slice(0, consts), ...carry, ...isUnknown.slice(consts + carries)];
      const made = partialProgram(
        body,
        inputs.map((is) => !is),
        carry,
      );
      return { flags: made.outputKnown.slice(0, carries).map((is) => !is), value: made };
    },
  );
  const inputKnown = known.map((is, i) => {
    const carry = carryUnknown[i - consts];
    return i >= consts && carry !== undefined ? !carry : is;
  });
  const places = inputKnown.flatMap((is, i) => (is ? [i] : []));
  const { known: first, unknown: second, outputKnown } = halves;
  const count = outputKnown.filter(Boolean).length;
  const before = invariant(
    first,
    places.map((i) => i < consts),
  );

  const hoisted: Atom[] = [];
  const rows: Atom[] = [];
  const residuals = first.outputs.slice(count).map((a): Residual => {
    const index = places[first.inputs.indexOf(a)];
    if (index !== undefined && (index < consts || index >= consts + carries))
      return { from: 'input', index, row: index >= consts };
    if (a instanceof Literal || before.has(a)) return { from: 'before', index: hoisted.push(a) - 1 };
    return { from: 'stack', index: rows.push(a) - 1 };
  });
  const isRow = (r: Residual): boolean => (r.from === 'input' ? r.row : r.from === 'stack');
  const unknownPlaces = inputKnown.flatMap((is, i) => (is ? [] : [i]));
  const given = taker(second.inputs);
  const residualVars = given(residuals.length);
  const [uc, uk, ux] = [
    unknownPlaces.filter((i) => i < consts),
    unknownPlaces.filter((i) => i >= consts && i < consts + carries),
    unknownPlaces.filter((i) => i >= consts + carries),
  ].map((list) => given(list.length)) as [Var[], Var[], Var[]];
  const fixed = residualVars.filter((_, i) => !isRow(residuals[i] as Residual));
  const moving = residualVars.filter((_, i) => isRow(residuals[i] as Residual));
  return {
    places: unknownPlaces,
    knownPlaces: places,
    outputKnown,
    residuals: [
      ...residuals.filter((r) => !isRow(r)).map((r) => ({ ...r, fixed: true })),
      ...residuals.filter(isRow).map((r) => ({ ...r, fixed: false })),
    ],
    /** What is computed once, before the loop, from the known constants. */
    before: {
      inputs: first.inputs.filter((_, i) => (places[i] as number) < consts),
      equations: first.equations.filter(({ outputs }) => outputs.every((v) => before.has(v))),
      outputs: hoisted,
    } satisfies Program,
    known: {
      body: { ...first, outputs: [...first.outputs.slice(0, count), ...rows] } satisfies Program,
      consts: places.filter((i) => i < consts).length,
      carries: carryUnknown.filter((is) => !is).length,
    },
    unknown: {
      body: {
        inputs: [...fixed, ...uc, ...uk, ...moving, ...ux],
        equations: second.equations,
        outputs: second.outputs,
      } satisfies Program,
      consts: fixed.length + uc.length,
      carries: uk.length,
    },
    /** Which inputs of the unknown half are its own, and not residuals. */
    linear: [
      ...fixed.map(() => false),
      ...uc.map(() => true),
      ...uk.map(() => true),
      ...moving.map(() => false),
      ...ux.map(() => true),
    ],
  };
});

/** Values that depend on nothing but the flagged inputs. */
function invariant(program: Program, flags: readonly boolean[]): Set<Atom> {
  const found = new Set<Atom>(chosen(program.inputs, flags));
  for (const { inputs, outputs } of program.equations)
    if (inputs.every((a) => a instanceof Literal || found.has(a))) for (const v of outputs) found.add(v);
  return found;
}

/** Runs the known half of a scan; what the other half takes comes with it. */
function evaluateKnown(
  inputs: readonly Tensor[],
  known: readonly boolean[],
  params: ScanParams,
  evaluate: Bind,
): { split: ReturnType<typeof splitBody>; values: Tensor[]; pass: Tensor[] } {
  const { body, consts, carries } = params;
  const split = splitBody(body, consts, carries, known);
  const given = split.knownPlaces.map((i) => inputs[i] as Tensor);
  const before =
    split.before.outputs.length === 0
      ? []
      : evaluate(callPrimitive, given.slice(0, split.known.consts), closed('scan', split.before));
  const results =
    split.known.body.outputs.length === 0
      ? []
      : evaluate(scanPrimitive, given, { ...params, ...split.known });
  const count = split.outputKnown.filter(Boolean).length;
  const tensorOf = (r: Residual): Tensor =>
    ({ input: inputs, before, stack: results.slice(count) })[r.from][r.index] as Tensor;
  const fixed = split.residuals.filter((r) => r.fixed).map(tensorOf);
  const moving = split.residuals.filter((r) => !r.fixed).map(tensorOf);
  const own = split.places.map((i) => inputs[i] as Tensor);
  const constants = split.unknown.consts - fixed.length + split.unknown.carries;
  return {
    split,
    values: results.slice(0, count),
    pass: [...fixed, ...own.slice(0, constants), ...moving, ...own.slice(constants)],
  };
}

/* ---- Transpose ---- */

/** Cotangents of the linear inputs of a scan that is linear in all its carries. */
function transposeLinear(
  cts: readonly (Tensor | Zero)[],
  inputs: readonly Tensor[],
  params: ScanParams,
  linear: readonly boolean[],
): (Tensor | Zero)[] {
  const { body, consts, carries, length, reverse } = params;
  const given = cts.slice(carries).map((ct) => ct !== null);
  const back = transposedBody(body, consts, carries, linear, given);
  const [c, k, x] = parts(inputs, params);
  const [cLinear, , xLinear] = parts(linear, params);
  const isFixed = (flags: readonly boolean[], list: readonly Tensor[]): Tensor[] =>
    list.filter((_, i) => !flags[i]);
  const sums = chosen(chosen(c, cLinear), back.constNonzero);
  const results = bind(
    scanPrimitive,
    [
      ...isFixed(cLinear, c),
      ...sums.map(zeros),
      ...k.map(({ aval }, i) => instantiate(cts[i] ?? null, aval)),
      ...isFixed(xLinear, x),
      ...cts.slice(carries).filter((ct) => ct !== null),
    ],
    {
      body: back.program,
      consts: isFixed(cLinear, c).length,
      carries: sums.length + carries,
      length,
      reverse: !reverse,
    },
  );
  const take = taker(results);
  const ofConsts = spread(back.constNonzero, take(sums.length));
  const ofCarries = take(carries);
  return [...ofConsts, ...ofCarries, ...spread(back.rowNonzero, take(Number.POSITIVE_INFINITY))];
}

/**
 * (residuals; sums for the constants, cotangents of the carries; rows of residuals, cotangents of the results' rows)
 * -> (sums, cotangents of the carries before; rows of cotangents)
 */
const transposedBody = remember(
  (body, consts: number, carries: number, linear: readonly boolean[], given: readonly boolean[]) => {
    const back = transposedProgram(
      body,
      linear,
      [...body.outputs.slice(0, carries).map(() => true), ...given],
      body.inputs.map((_, i) => i >= consts && i < consts + carries),
    );
    const avals = avalsOf(body.inputs);
    const [cAvals, kAvals, xAvals] = parts(avals, { consts, carries });
    const [cLinear, , xLinear] = parts(linear, { consts, carries });
    const [constNonzero, , rowNonzero] = parts(back.nonzero, { consts, carries }).map((flags, part) =>
      chosen(flags, parts(linear, { consts, carries })[part] as boolean[]),
    ) as [boolean[], boolean[], boolean[]];
    const fixed = (list: readonly Aval[], flags: readonly boolean[]): Aval[] =>
      list.filter((_, i) => !flags[i]);
    const sums = chosen(chosen(cAvals, cLinear), constNonzero);
    const [cFixed, xFixed] = [fixed(cAvals, cLinear), fixed(xAvals, xLinear)];
    const ctRows = chosen(avalsOf(body.outputs.slice(carries)), given);
    const { program } = record('transpose', [...cFixed, ...sums, ...kAvals, ...xFixed, ...ctRows], (all) => {
      const take = taker(all);
      const [residuals, before, ctCarry] = [take(cFixed.length), take(sums.length), take(carries)];
      const [rows, ctRow] = [take(xFixed.length), take(ctRows.length)];
      const found = taker(evaluateProgram(back.program, [...residuals, ...rows, ...ctCarry, ...ctRow]));
      const after = found(sums.length).map((ct, i) => add(before[i] as Tensor, ct));
      return [...after, ...found(Number.POSITIVE_INFINITY)];
    });
    return { program, constNonzero, rowNonzero };
  },
);
