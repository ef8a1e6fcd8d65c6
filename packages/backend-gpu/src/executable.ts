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

/** What executables need of a mode: how values of a plan are kept, and how programs run on them. */
export interface Machine<V> {
  readonly dialect: Dialect;
  /** Whether a kernel over all of a result has to tell that its integers are exact, because nobody looks at them here. */
  readonly checksOutputs: boolean;
  ofBuffer(buffer: Buffer | undefined): V;
  toBuffer(dtype: DType, value: V): Buffer;
  /** The elements. @throws {BackendError} if the mode cannot wait for them. */
  host(value: V, what: string): TypedArray;
  ofHost(dtype: DType, values: TypedArray): V;
  run(program: Emitted, operands: readonly V[], dtype: DType): V;
  /** Takes note of an error that holds for the value if any element of the program's result is 1. */
  guard(value: V, check: Emitted, operands: readonly V[], error: () => Error): void;
  /** Nothing reads the value again. */
  release(value: V): void;
  donate(buffer: Buffer): void;
}

type Values<V> = Map<number, V>;
type Run<V> = (values: Values<V>) => void;

/** Translates every kernel of a plan now; gpu.js compiles it when it first runs. Loops and branches run on the host. */
export function executable<V>(plan: Plan, machine: Machine<V>): Executable {
  const lastUse = new Map<number, number>();
  for (const [i, step] of plan.steps.entries())
    for (const slot of slotsOf(step, plan.slots)) lastUse.set(slot, i);
  const dead = (i: number): number[] =>
    [...lastUse].flatMap(([slot, last]) => (last === i && !plan.outputs.includes(slot) ? [slot] : []));
  const runs = plan.steps.map((step, i) => ({
    run: runOf(step, plan, machine),
    dead: dead(i), // slots that no later step reads
  }));
  const donated = plan.slots.flatMap(({ place }) => (place.kind === 'donated' ? [place.index] : []));
  return {
    run(inputs) {
      const values: Values<V> = new Map();
      for (const [i, slot] of plan.inputs.entries()) values.set(slot, machine.ofBuffer(inputs[i]));
      for (const { run, dead: ended } of runs) {
        run(values);
        for (const slot of ended) {
          const value = values.get(slot);
          values.delete(slot);
          if (value !== undefined && !plan.inputs.includes(slot)) machine.release(value);
        }
      }
      for (const i of donated) machine.donate(inputs[i] as Buffer);
      const results = new Map<number, Buffer>();
      for (const slot of plan.outputs) {
        const argument = plan.inputs.indexOf(slot); // an argument that is a result is the same buffer
        const made = (): Buffer => machine.toBuffer(plan.slots[slot]?.dtype as DType, values.get(slot) as V);
        if (!results.has(slot)) results.set(slot, argument >= 0 ? (inputs[argument] as Buffer) : made());
      }
      return plan.outputs.map((slot) => results.get(slot) as Buffer);
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

/** A step as a function that changes the values. */
function runOf<V>(step: Step, plan: Plan, machine: Machine<V>): Run<V> {
  const block = (steps: readonly Step[]): Run<V> => {
    const runs = steps.map((inner) => runOf(inner, plan, machine));
    return (values) => {
      for (const run of runs) run(values);
    };
  };
  const number = (values: Values<V>, slot: number, what: string): number =>
    machine.host(values.get(slot) as V, what)[0] as number;
  switch (step.kind) {
    case 'kernel':
      return runKernel(step, plan, machine);
    case 'host':
      return runHost(step, plan, machine);
    case 'loop':
      return runLoop(step, block(step.body), plan, machine);
    case 'while': {
      const [condition, body] = [block(step.condition), block(step.body)];
      return (values) => {
        const goesOn = (): boolean => number(values, step.predicate, 'the condition of a loop') !== 0;
        for (condition(values); goesOn(); condition(values)) body(values);
      };
    }
    case 'branch': {
      const branches = step.branches.map(block);
      return (values) => branches[number(values, step.index, 'the choice of a branch')]?.(values);
    }
    default:
      return step satisfies never;
  }
}

/** The rows are views of their stacks, which lie on the host. */
function runLoop<V>({ rows, length }: LoopStep, body: Run<V>, { slots }: Plan, machine: Machine<V>): Run<V> {
  const views = rows.map((row) => ({ row, size: slots[row]?.size as number, ...rowPlace(slots, row) }));
  return (values) => {
    const stacks = views.map(({ of }) => {
      const dtype = slots[of]?.dtype as DType;
      const known = values.get(of);
      const memory = known
        ? machine.host(known, 'the rows of a loop')
        : hostArray(dtype, slots[of]?.size as number);
      if (!known) values.set(of, machine.ofHost(dtype, memory));
      return memory;
    });
    for (let pass = 0; pass < length; pass++) {
      for (const [i, { row, size, reverse }] of views.entries()) {
        const at = (reverse ? length - 1 - pass : pass) * size;
        const view = (stacks[i] as TypedArray).subarray(at, at + size);
        set(values, row, machine.ofHost(slots[row]?.dtype as DType, view), machine);
      }
      body(values);
    }
  };
}

/** Puts a value into its slot, or into the row of a stack that the slot is. */
function write<V>(values: Values<V>, slot: number, value: V, { slots }: Plan, machine: Machine<V>): void {
  if (slots[slot]?.place.kind === 'row') {
    machine.host(values.get(slot) as V, 'the rows of a loop').set(machine.host(value, 'the rows of a loop'));
    return;
  }
  set(values, slot, value, machine);
}

/** In a loop, a slot is written again in each pass. */
function set<V>(values: Values<V>, slot: number, value: V, machine: Machine<V>): void {
  const before = values.get(slot);
  values.set(slot, value);
  if (before !== undefined) machine.release(before);
}

function runHost<V>({ host, inputs, outputs }: HostStep, plan: Plan, machine: Machine<V>): Run<V> {
  return (values) => {
    const operands = inputs.map((slot) => machine.host(values.get(slot) as V, host.name));
    const results = host.outputs.map(({ dtype, shape }) => hostArray(dtype, sizeOf(shape)));
    host.run(operands, results, host);
    for (const [i, slot] of outputs.entries()) {
      const { dtype } = host.outputs[i] as Aval;
      write(values, slot, machine.ofHost(dtype, results[i] as TypedArray), plan, machine);
    }
  };
}

/** A program for each output, and those that check their integers. */
function runKernel<V>({ kernel, inputs, outputs }: KernelStep, plan: Plan, machine: Machine<V>): Run<V> {
  const { dialect, checksOutputs } = machine;
  const empty = sizeOf(kernel.axes) === 0;
  const programs = outputs.map((slot, i) => {
    const range = empty ? undefined : rangeKernel(kernel, i, checksOutputs);
    return {
      slot,
      dtype: kernel.outputs[i]?.dtype as DType,
      program: empty ? undefined : emit(kernel, i, dialect),
      check: range && emit(range, 0, dialect),
    };
  });
  const { name } = kernel;
  return (values) => {
    const operands = inputs.map((slot) => values.get(slot) as V);
    for (const { slot, dtype, program, check } of programs) {
      const value = program
        ? machine.run(program, operands, dtype)
        : machine.ofHost(dtype, hostArray(dtype, 0));
      if (check)
        machine.guard(value, check, operands, () =>
          integerError(`an integer inside kernel ${name} left the range`),
        );
      write(values, slot, value, plan, machine);
    }
  };
}
