import {
  type Buffer,
  blocksOf,
  type DType,
  type Executable,
  type HostRoutine,
  hostArray,
  InternalError,
  type KernelStep,
  type LoopStep,
  type Plan,
  type Step,
  sizeOf,
  type TypedArray,
} from '@neumann/core/backend';
import { fromFloats, GpuBuffer, integerError, memoryOf } from './buffer.ts';
import { type Emitted, emit } from './emit/emit.ts';
import type { Kernels } from './kernels.ts';
import { rangeKernel } from './range.ts';

type Launch = KernelLaunch | HostLaunch;

/** A kernel of a plan: a program for each output, and those that check their integers. */
interface KernelLaunch {
  readonly kind: 'kernel';
  readonly name: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly {
    readonly slot: number;
    readonly dtype: DType;
    /** `undefined` if the output has no elements. */
    readonly program: Emitted | undefined;
    readonly check: Emitted | undefined;
  }[];
}

/** A host routine of a plan. */
interface HostLaunch {
  readonly kind: 'host';
  readonly host: HostRoutine;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

type Values = Map<number, TypedArray>;
type Run = (values: Values) => void;

/** Translates every kernel of a plan now; gpu.js compiles it when it first runs. Loops and branches run on the host. */
export function executable(plan: Plan, kernels: Kernels): Executable {
  const lastUse = new Map<number, number>();
  for (const [i, step] of plan.steps.entries())
    for (const slot of slotsOf(step, plan.slots)) lastUse.set(slot, i);
  const dead = (i: number): number[] =>
    [...lastUse].flatMap(([slot, last]) => (last === i && !plan.outputs.includes(slot) ? [slot] : []));
  const runs = plan.steps.map((step, i) => ({
    run: runOf(step, plan, kernels),
    dead: dead(i), // slots that no later step reads
  }));
  const donated = plan.slots.flatMap(({ place }) => (place.kind === 'donated' ? [place.index] : []));
  return {
    run(inputs) {
      const values: Values = new Map();
      for (const [i, slot] of plan.inputs.entries()) values.set(slot, memoryOf(inputs[i]));
      for (const { run, dead: ended } of runs) {
        run(values);
        for (const slot of ended) values.delete(slot);
      }
      for (const i of donated) (inputs[i] as GpuBuffer).memory = undefined;
      return plan.outputs.map((slot) => resultAt(plan, slot, values, inputs));
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
function runOf(step: Step, plan: Plan, kernels: Kernels): Run {
  const block = (steps: readonly Step[]): Run => {
    const runs = steps.map((inner) => runOf(inner, plan, kernels));
    return (values) => {
      for (const run of runs) run(values);
    };
  };
  switch (step.kind) {
    case 'kernel':
    case 'host': {
      const launch = step.kind === 'kernel' ? launchOf(step) : step;
      return (values) => {
        runWork(launch, values, kernels, plan);
      };
    }
    case 'loop':
      return runLoop(step, block(step.body), plan);
    case 'while': {
      const [condition, body] = [block(step.condition), block(step.body)];
      return (values) => {
        for (condition(values); values.get(step.predicate)?.[0] !== 0; condition(values)) body(values);
      };
    }
    case 'branch': {
      const branches = step.branches.map(block);
      return (values) => branches[values.get(step.index)?.[0] as number]?.(values);
    }
    default:
      return step satisfies never;
  }
}

/** The rows are views of their stacks. */
function runLoop({ rows, length }: LoopStep, body: Run, { slots }: Plan): Run {
  const views = rows.map((row) => ({ row, size: slots[row]?.size as number, ...rowPlace(slots, row) }));
  return (values) => {
    for (const { of } of views)
      if (!values.has(of)) values.set(of, hostArray(slots[of]?.dtype as DType, slots[of]?.size as number));
    for (let pass = 0; pass < length; pass++) {
      for (const { row, size, of, reverse } of views) {
        const at = (reverse ? length - 1 - pass : pass) * size;
        values.set(row, (values.get(of) as TypedArray).subarray(at, at + size));
      }
      body(values);
    }
  };
}

function launchOf({ kernel, inputs, outputs }: KernelStep): KernelLaunch {
  const empty = sizeOf(kernel.axes) === 0;
  return {
    kind: 'kernel',
    name: kernel.name,
    inputs,
    outputs: outputs.map((slot, i) => {
      const range = empty ? undefined : rangeKernel(kernel, i);
      return {
        slot,
        dtype: kernel.outputs[i]?.dtype as DType,
        program: empty ? undefined : emit(kernel, i),
        check: range && emit(range),
      };
    }),
  };
}

function runWork(launch: Launch, values: Values, kernels: Kernels, { slots }: Plan): void {
  const write = (slot: number, value: TypedArray): void => {
    if (slots[slot]?.place.kind === 'row') values.get(slot)?.set(value);
    else values.set(slot, value);
  };
  const operands = launch.inputs.map((slot) => values.get(slot) as TypedArray);
  if (launch.kind === 'host') {
    const { host, outputs } = launch;
    const results = host.outputs.map(({ dtype, shape }) => hostArray(dtype, sizeOf(shape)));
    host.run(operands, results, host);
    for (const [i, slot] of outputs.entries()) write(slot, results[i] as TypedArray);
    return;
  }
  const { name, outputs } = launch;
  for (const { slot, dtype, program, check } of outputs) {
    if (check && kernels.run(check, operands).includes(1))
      throw integerError(`an integer inside kernel ${name} left the range`);
    write(slot, program ? fromFloats(dtype, kernels.run(program, operands), name) : hostArray(dtype, 0));
  }
}

/** An argument that is a result is the same buffer. */
function resultAt(
  plan: Plan,
  slot: number,
  values: ReadonlyMap<number, TypedArray>,
  inputs: readonly Buffer[],
): Buffer {
  const argument = plan.inputs.indexOf(slot);
  if (argument >= 0) return inputs[argument] as Buffer;
  return new GpuBuffer(plan.slots[slot]?.dtype as DType, values.get(slot) as TypedArray);
}
