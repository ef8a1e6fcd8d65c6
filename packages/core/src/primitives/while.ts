/** A loop whose length its own values decide. Forward mode only: reverse mode would have to store every pass. */
import { RuleError } from '../errors.ts';
import { growUntilStable, spread, taker } from '../flags.ts';
import { evaluateProgram } from '../ir/interpret.ts';
import { type Program, Var } from '../ir/program.ts';
import { record } from '../ir/record.ts';
import type { Primitive } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind } from '../trace.ts';
import {
  avalsOf,
  batchedProgram,
  chosen,
  jvpProgram,
  partialProgram,
  remember,
} from '../transforms/derived.ts';
import { instantiate } from '../transforms/jvp.ts';
import type { PartialRule } from '../transforms/linearize.ts';
import { select } from './arithmetic.ts';
import { broadcastTo, moveAxis, reshape } from './movement.ts';
import { reduceMax } from './reduce.ts';

export type WhileParams = {
  /** (constants of the condition, carries) -> one bool */
  readonly condition: Program;
  /** (constants of the body, carries) -> next carries */
  readonly body: Program;
  /** How many inputs are constants of the condition, and how many those of the body; the others are carries. */
  readonly conditionConsts: number;
  readonly bodyConsts: number;
};

export const whilePrimitive: Primitive<WhileParams> & PartialRule<WhileParams> = {
  name: 'while',
  kind: 'control',
  shape: (_, { body }) => avalsOf(body.outputs),
  jvp: (primals, tangents, params) => {
    const { bodyConsts } = params;
    const [c, b, k] = parts(primals, params);
    const [, db, dk] = parts(tangents, params);
    const active = [...db, ...dk].map((t) => t !== null);
    const { condition, body, carryActive } = jvpPrograms(params.body, params.condition, bodyConsts, active);
    const dcarry = carryActive.flatMap((is, i) =>
      is ? [instantiate(dk[i] ?? null, (k[i] as Tensor).aval)] : [],
    );
    const dconsts = db.filter((t) => t !== null);
    const results = bind(whilePrimitive, [...c, ...b, ...dconsts, ...k, ...dcarry], {
      ...params,
      condition,
      body,
      bodyConsts: b.length + dconsts.length,
    });
    return [results.slice(0, k.length), spread(carryActive, results.slice(k.length))];
  },
  partial: (inputs, known, params, evaluate, write) => {
    const { condition, body, bodyConsts, conditionConsts } = params;
    const { split, carryKnown } = splitBody(body, bodyConsts, known.slice(conditionConsts));
    const [c, b, k] = parts(inputs, params);
    const conditionKnown = partialProgram(condition, [...known.slice(0, conditionConsts), ...carryKnown]);
    const recorded = write(whilePrimitive, inputs, params);
    if (conditionKnown.outputKnown[0] !== true || !carryKnown.some(Boolean)) return recorded;
    const isConst = known.slice(conditionConsts, conditionConsts + bodyConsts);
    const values = evaluate(whilePrimitive, [...c, ...chosen(b, isConst), ...chosen(k, carryKnown)], {
      ...params,
      condition: withInputs(condition, conditionConsts, carryKnown),
      body: split,
      bodyConsts: isConst.filter(Boolean).length,
    });
    return spread(carryKnown, values).map((y, i) => y ?? (recorded[i] as Tensor));
  },
  transpose: () => {
    throw new RuleError(
      'whileLoop (or forLoop with a tensor for a bound): has no reverse-mode derivative, because it would have to store ' +
        'each of a number of passes that is not known before; use scan(), or forLoop() with numbers for its bounds, ' +
        'or forward mode (jvp, jacfwd).',
    );
  },
  batch: (inputs, axes, size, params) => {
    const [cAxes, bAxes, kAxes] = parts(axes, params);
    const [c, b, k] = parts(inputs, params);
    const made = batchPrograms(params.body, params.condition, cAxes, bAxes, kAxes, size);
    const carries = k.map((x, i) => {
      if (!made.carryBatched[i]) return x;
      const axis = kAxes[i] ?? null;
      return axis === null ? broadcastTo(x, [size, ...x.shape]) : moveAxis(x, axis, 0);
    });
    const consts = made.masked ? [...c, ...b] : b;
    const results = bind(whilePrimitive, [...c, ...consts, ...carries], {
      ...params,
      condition: made.condition,
      body: made.body,
      bodyConsts: consts.length,
    });
    return [results, made.carryBatched.map((is) => (is ? 0 : null))];
  },
};

/** Constants of the condition, constants of the body, and carries. */
function parts<T>(
  items: readonly T[],
  { conditionConsts, bodyConsts }: Pick<WhileParams, 'conditionConsts' | 'bodyConsts'>,
): [T[], T[], T[]] {
  const start = conditionConsts + bodyConsts;
  return [items.slice(0, conditionConsts), items.slice(conditionConsts, start), items.slice(start)];
}

/** The program without the carries that are not flagged; it must not depend on them. */
function withInputs(program: Program, consts: number, flags: readonly boolean[]): Program {
  return { ...program, inputs: program.inputs.filter((_, i) => i < consts || flags[i - consts]) };
}

/** Condition and body with tangents behind the values of constants and carries. */
const jvpPrograms = remember((body, condition: Program, bodyConsts: number, active: readonly boolean[]) => {
  const consts = active.slice(0, bodyConsts);
  const { flags: carryActive, value: made } = growUntilStable(active.slice(bodyConsts), (carry) => {
    const both = jvpProgram(body, [...consts, ...carry], carry);
    return { flags: both.nonzero, value: both };
  });
  const inputs = taker(made.program.inputs);
  const [b, k] = [inputs(bodyConsts), inputs(carryActive.length)];
  const [db, dk] = [inputs(consts.filter(Boolean).length), inputs(Number.POSITIVE_INFINITY)];
  return {
    body: { ...made.program, inputs: [...b, ...db, ...k, ...dk] } satisfies Program,
    condition: {
      ...condition,
      inputs: [...condition.inputs, ...dk.map(({ aval }) => new Var(aval))],
    } satisfies Program,
    carryActive,
  };
});

/** The part of the body that computes the known carries. */
const splitBody = remember((body, bodyConsts: number, known: readonly boolean[]) => {
  const consts = known.slice(0, bodyConsts);
  const unknown = known.slice(bodyConsts).map((is) => !is);
  const { flags, value: halves } = growUntilStable(unknown, (carry) => {
    const made = partialProgram(body, [...consts, ...carry.map((is) => !is)], carry);
    return { flags: made.outputKnown.map((is) => !is), value: made };
  });
  const carryKnown = flags.map((is) => !is);
  const count = carryKnown.filter(Boolean).length;
  return {
    split: { ...halves.known, outputs: halves.known.outputs.slice(0, count) } satisfies Program,
    carryKnown,
  };
});

/**
 * Condition and body for a batch. If examples differ in when they end, the loop runs as long as one of them does, and
 * keeps the carries of those that have ended; the body then takes the constants of the condition too.
 */
const batchPrograms = remember(
  (
    body,
    condition: Program,
    cAxes: readonly (number | null)[],
    bAxes: readonly (number | null)[],
    kAxes: readonly (number | null)[],
    size: number,
  ) => {
    const axesOf = (carry: readonly boolean[]) => carry.map((is) => (is ? 0 : null));
    const { flags: carryBatched, value } = growUntilStable(
      kAxes.map((axis) => axis !== null),
      (carry) => {
        const test = batchedProgram(condition, [...cAxes, ...axesOf(carry)], size, [false]);
        const masked = test.axes[0] !== null;
        const step = batchedProgram(
          body,
          [...bAxes, ...axesOf(carry)],
          size,
          masked ? carry.map(() => true) : carry,
        );
        return { flags: step.axes.map((axis) => axis !== null), value: { test, masked, step } };
      },
    );
    const { test, masked, step } = value;
    if (!masked) return { condition: test.program, body: step.program, carryBatched, masked };
    const [c, b] = [test.program.inputs.slice(0, cAxes.length), step.program.inputs.slice(0, bAxes.length)];
    const carries = avalsOf(step.program.inputs.slice(bAxes.length));
    const anyRuns = record('vmap', avalsOf(test.program.inputs), (xs) => [
      reduceMax(evaluateProgram(test.program, xs)[0] as Tensor, [0]),
    ]).program;
    const keepEnded = record('vmap', [...avalsOf(c), ...avalsOf(b), ...carries], (xs) => {
      const take = taker(xs);
      const [cs, bs, ks] = [take(c.length), take(b.length), take(carries.length)];
      const [runs] = evaluateProgram(test.program, [...cs, ...ks]);
      const next = evaluateProgram(step.program, [...bs, ...ks]);
      return next.map((y, i) => select(alongFirst(runs as Tensor, y.ndim), y, ks[i] as Tensor));
    }).program;
    return { condition: anyRuns, body: keepEnded, carryBatched, masked };
  },
);

/** bool[N] as bool[N,1,…,1]. */
const alongFirst = (x: Tensor, ndim: number): Tensor =>
  reshape(x, [x.shape[0] as number, ...new Array<number>(ndim - 1).fill(1)]);
