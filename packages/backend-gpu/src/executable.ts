import {
  type Aval,
  type Buffer,
  blocksOf,
  type DType,
  type Executable,
  type HostStep,
  hostArray,
  InternalError,
  type KernelStep,
  type LoopStep,
  type Plan,
  type Step,
  sizeOf,
  type TypedArray,
} from '@neumann/core/backend';
import { integerError } from './buffer.ts';
import type { Dialect } from './emit/dialect.ts';
import { type Emitted, emit } from './emit/emit.ts';
import { rangeKernel } from './range.ts';
import { contractionOf } from './routines/contraction.ts';
import type { StageLimits } from './stages/part.ts';
import { stagesOf } from './stages/stages.ts';

/** Something that is done step by step: it gives the promises that it waits for, and gets what they hold. */
export type Work<T> = Generator<Promise<unknown>, T, unknown>;

/** What executables need of a mode: how values of a plan are kept, and how programs run on them. */
export interface Machine<V> {
  readonly dialect: Dialect;
  /** Whether a kernel over all of a result has to tell that its integers are exact, because nobody looks at them here. */
  readonly checksOutputs: boolean;
  readonly limits: StageLimits;
  /** How many reads of the kernel's own loops a contraction in blocks has to save for each of its own; `undefined` if it has none. */
  readonly contractionGain: number | undefined;
  ofBuffer(buffer: Buffer | undefined): V;
  /**
   * Does work on `operands`, after all work that was started before. Where it has to wait, the buffers of its results are
   * there before their values are.
   */
  start(
    operands: readonly V[],
    results: readonly Pick<Buffer, 'dtype' | 'size'>[],
    work: () => Work<V[]>,
  ): Buffer[];
  /** Where memory is short and values leave it only when they have been read: a promise of room for a step. */
  room(): Promise<void> | undefined;
  /** The elements, at once or when they have arrived. */
  host(value: V): TypedArray | Promise<TypedArray>;
  ofHost(dtype: DType, values: TypedArray): V;
  /** What a loop does with stacks of so many rows of `size` elements. */
  rows(dtype: DType, length: number, size: number): Rows<V>;
  run(program: Emitted, operands: readonly V[], dtype: DType): V;
  /** Takes note of an error that holds for the value if any element of the program's result is 1. */
  guard(value: V, check: Emitted, operands: readonly V[], error: () => Error): void;
  /** Nothing reads the value again. */
  release(value: V): void;
  donate(buffer: Buffer): void;
}

export interface Rows<V> {
  /** A row of a stack. */
  readonly at: (stack: V, row: number) => V;
  /** The stack of all rows, which are not used again. */
  readonly join: (rows: readonly V[]) => V;
}

type Values<V> = Map<number, V>;
/** What a step does; a kernel never has to wait but for room. */
type Run<V> = (values: Values<V>) => Work<void> | undefined;
type Block<V> = (values: Values<V>) => Work<void>;

/** Translates every kernel of a plan now; gpu.js compiles it when it first runs. Loops and branches run on the host. */
export function executable<V>(plan: Plan, machine: Machine<V>): Executable {
  const { slots, steps, inputs: parameters, outputs } = plan;
  const lastUse = new Map<number, number>();
  for (const [i, step] of steps.entries()) for (const slot of slotsOf(step, slots)) lastUse.set(slot, i);
  const kept = new Set([...parameters, ...outputs]);
  const runs = steps.map((step, i) => ({
    run: runOf(step, plan, machine),
    dead: [...lastUse].flatMap(([slot, last]) => (last === i && !kept.has(slot) ? [slot] : [])),
  }));
  const donated = slots.flatMap(({ place }) => (place.kind === 'donated' ? [place.index] : []));
  const made = [...new Set(outputs)].filter((slot) => !parameters.includes(slot));

  function* work(operands: readonly V[]): Work<V[]> {
    const values: Values<V> = new Map(parameters.map((slot, i) => [slot, operands[i] as V]));
    try {
      for (const { run, dead } of runs) {
        yield* take(run, values, machine);
        for (const slot of dead) {
          const value = values.get(slot);
          values.delete(slot);
          if (value !== undefined) machine.release(value);
        }
      }
    } catch (error) {
      for (const [slot, value] of values) if (!parameters.includes(slot)) machine.release(value);
      throw error;
    }
    for (const i of donated) machine.release(operands[i] as V);
    return made.map((slot) => values.get(slot) as V);
  }

  return {
    run(inputs) {
      const operands = inputs.map((buffer) => machine.ofBuffer(buffer));
      const results = machine.start(
        operands,
        made.map((slot) => slots[slot] as Plan['slots'][number]),
        () => work(operands),
      );
      for (const i of donated) machine.donate(inputs[i] as Buffer);
      return outputs.map((slot) => {
        const argument = parameters.indexOf(slot); // an argument that is a result is the same buffer
        return (argument >= 0 ? inputs[argument] : results[made.indexOf(slot)]) as Buffer;
      });
    },
  };
}

/** Every slot that a step, and what is inside of it, reads or writes. */
function slotsOf(step: Step, slots: Plan['slots']): number[] {
  const inside = blocksOf(step).flatMap((block) => block.flatMap((inner) => slotsOf(inner, slots)));
  switch (step.kind) {
    case 'kernel':
    case 'host':
      return [...step.inputs, ...step.outputs];
    case 'loop':
      return [...inside, ...step.rows.map((row) => rowPlace(slots, row).of)];
    case 'while':
      return [...inside, step.predicate];
    case 'branch':
      return [...inside, step.index];
    default:
      return step satisfies never;
  }
}

function rowPlace(slots: Plan['slots'], row: number): { readonly of: number; readonly reverse: boolean } {
  const place = slots[row]?.place;
  if (place?.kind !== 'row') throw new InternalError(`gpu: slot ${row} is no row.`);
  return place;
}

/** Takes a step, when there is room for what it makes. */
function* take<V>(run: Run<V>, values: Values<V>, machine: Machine<V>): Work<void> {
  const room = machine.room();
  if (room) yield room;
  const waiting = run(values);
  if (waiting) yield* waiting;
}

/** A step as work that changes the values. */
function runOf<V>(step: Step, plan: Plan, machine: Machine<V>): Run<V> {
  const block = (steps: readonly Step[]): Block<V> => {
    const runs = steps.map((inner) => runOf(inner, plan, machine));
    return function* (values) {
      for (const run of runs) yield* take(run, values, machine);
    };
  };
  function* number(values: Values<V>, slot: number): Work<number> {
    const elements = yield* elementsOf(values.get(slot) as V, machine);
    return elements[0] as number;
  }
  switch (step.kind) {
    case 'kernel':
      return runKernel(step, machine);
    case 'host':
      return runHost(step, machine);
    case 'loop':
      return runLoop(step, block(step.body), plan, machine);
    case 'while': {
      const [condition, body] = [block(step.condition), block(step.body)];
      return function* (values) {
        for (;;) {
          yield* condition(values);
          if ((yield* number(values, step.predicate)) === 0) return;
          yield* body(values);
        }
      };
    }
    case 'branch': {
      const branches = step.branches.map(block);
      return function* (values) {
        const chosen = branches[yield* number(values, step.index)];
        if (chosen) yield* chosen(values);
      };
    }
    default:
      return step satisfies never;
  }
}

function* elementsOf<V>(value: V, machine: Machine<V>): Work<TypedArray> {
  const elements = machine.host(value);
  return elements instanceof Promise ? ((yield elements) as TypedArray) : elements;
}

/** Rows that the body reads are there before each pass; those that it writes become stacks after the last. */
function runLoop<V>(
  { rows, length, body }: LoopStep,
  run: Block<V>,
  { slots }: Plan,
  machine: Machine<V>,
): Run<V> {
  const written = new Set(body.flatMap((step) => writtenBy(step, slots)));
  const views = rows.map((row) => {
    const { dtype, size } = slots[row] as Plan['slots'][number];
    return { row, ...rowPlace(slots, row), ...machine.rows(dtype, length, size) };
  });
  const reads = views.filter(({ row }) => !written.has(row));
  const writes = views.filter(({ row }) => written.has(row));
  return function* (values) {
    const made = writes.map((): V[] => []);
    try {
      for (let pass = 0; pass < length; pass++) {
        for (const { row, of, reverse, at } of reads)
          write(values, row, at(values.get(of) as V, reverse ? length - 1 - pass : pass), machine);
        yield* run(values);
        for (const [i, { row }] of writes.entries()) {
          made[i]?.push(values.get(row) as V);
          values.delete(row);
        }
      }
      for (const [i, { of, reverse, join }] of writes.entries()) {
        const ordered = made[i] as V[];
        write(values, of, join(reverse ? ordered.toReversed() : ordered), machine);
      }
    } catch (error) {
      for (const value of made.flat()) machine.release(value);
      throw error;
    }
  };
}

/** The slots that a step, or one inside of it, writes. */
function writtenBy(step: Step, slots: Plan['slots']): number[] {
  if (step.kind === 'kernel' || step.kind === 'host') return [...step.outputs];
  const inside = blocksOf(step).flatMap((block) => block.flatMap((inner) => writtenBy(inner, slots)));
  if (step.kind !== 'loop') return inside;
  return [...inside, ...step.rows.flatMap((row) => (inside.includes(row) ? [rowPlace(slots, row).of] : []))];
}

/** In a loop, a slot is written again in each pass. */
function write<V>(values: Values<V>, slot: number, value: V, machine: Machine<V>): void {
  const before = values.get(slot);
  values.set(slot, value);
  if (before !== undefined) machine.release(before);
}

function runHost<V>({ host, inputs, outputs }: HostStep, machine: Machine<V>): Run<V> {
  return function* (values) {
    const operands: TypedArray[] = [];
    for (const slot of inputs) operands.push(yield* elementsOf(values.get(slot) as V, machine));
    const results = host.outputs.map(({ dtype, shape }) => hostArray(dtype, sizeOf(shape)));
    host.run(operands, results, host);
    for (const [i, slot] of outputs.entries()) {
      const { dtype } = host.outputs[i] as Aval;
      write(values, slot, machine.ofHost(dtype, results[i] as TypedArray), machine);
    }
  };
}

/** The programs of the stages of each output, and those that check their integers. */
function runKernel<V>({ kernel, inputs, outputs }: KernelStep, machine: Machine<V>): Run<V> {
  const { dialect, checksOutputs, limits, contractionGain } = machine;
  const { name } = kernel;
  if (sizeOf(kernel.axes) === 0)
    return (values) => {
      for (const [i, slot] of outputs.entries()) {
        const dtype = kernel.outputs[i]?.dtype as DType;
        write(values, slot, machine.ofHost(dtype, hostArray(dtype, 0)), machine);
      }
      return undefined;
    };
  const contraction = contractionGain === undefined ? undefined : contractionOf(kernel, contractionGain);
  const programs = outputs.map((_, i) =>
    (contraction ? [kernel] : stagesOf(kernel, i, limits)).map((stage) => {
      const range = rangeKernel(stage, 0, checksOutputs);
      return {
        dtype: stage.outputs[0]?.dtype as DType,
        program: { ...emit(stage, 0, dialect), contraction },
        check: range && emit(range, 0, dialect),
      };
    }),
  );
  const error = (): Error => integerError(`an integer inside kernel ${name} left the range`);
  return (values) => {
    const operands = inputs.map((slot) => values.get(slot) as V);
    for (const [i, slot] of outputs.entries()) {
      const all = [...operands];
      try {
        for (const { dtype, program, check } of programs[i] ?? []) {
          const value = machine.run(program, all, dtype);
          if (check) machine.guard(value, check, all, error);
          all.push(value);
        }
        write(values, slot, all.pop() as V, machine);
      } finally {
        for (const value of all.slice(operands.length)) machine.release(value);
      }
    }
    return undefined;
  };
}
