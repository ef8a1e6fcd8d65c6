import {
  type Buffer,
  type DType,
  type Executable,
  type HostRoutine,
  hostArray,
  type KernelStep,
  type Plan,
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

/** Translates every kernel of a plan now; gpu.js compiles it when it first runs. */
export function executable(plan: Plan, kernels: Kernels): Executable {
  const lastUse = new Map<number, number>();
  for (const [i, step] of plan.steps.entries()) for (const slot of step.inputs) lastUse.set(slot, i);
  const dead = (i: number): number[] =>
    [...lastUse].flatMap(([slot, last]) => (last === i && !plan.outputs.includes(slot) ? [slot] : []));
  const launches = plan.steps.map((step, i) => ({
    launch: step.kind === 'kernel' ? launchOf(step) : step,
    dead: dead(i), // slots that no later step reads
  }));
  const donated = plan.slots.flatMap(({ place }) => (place.kind === 'donated' ? [place.index] : []));
  return {
    run(inputs) {
      const values = new Map<number, TypedArray>();
      for (const [i, slot] of plan.inputs.entries()) values.set(slot, memoryOf(inputs[i]));
      for (const { launch, dead: ended } of launches) {
        run(launch, values, kernels);
        for (const slot of ended) values.delete(slot);
      }
      for (const i of donated) (inputs[i] as GpuBuffer).memory = undefined;
      return plan.outputs.map((slot) => resultAt(plan, slot, values, inputs));
    },
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

function run(launch: Launch, values: Map<number, TypedArray>, kernels: Kernels): void {
  const operands = launch.inputs.map((slot) => values.get(slot) as TypedArray);
  if (launch.kind === 'host') {
    const { host, outputs } = launch;
    const results = host.outputs.map(({ dtype, shape }) => hostArray(dtype, sizeOf(shape)));
    host.run(operands, results, host);
    for (const [i, slot] of outputs.entries()) values.set(slot, results[i] as TypedArray);
    return;
  }
  const { name, outputs } = launch;
  for (const { slot, dtype, program, check } of outputs) {
    if (check && kernels.run(check, operands).includes(1))
      throw integerError(`an integer inside kernel ${name} left the range`);
    values.set(slot, program ? fromFloats(dtype, kernels.run(program, operands), name) : hostArray(dtype, 0));
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
