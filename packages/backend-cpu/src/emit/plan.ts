import { InternalError, type Kernel, kernelKey, type Plan } from '@neumann/core/backend';
import type { Callable, Code, Local } from '../asm/code.ts';
import { ModuleBuilder } from '../asm/module.ts';
import type { Features } from '../features.ts';
import { routineFor } from '../routines/routine.ts';
import { Functions, foreignNames } from './functions.ts';
import { emitKernel } from './kernel.ts';

/** What a plan's functions are written with. */
export interface EmitContext {
  readonly builder: ModuleBuilder;
  readonly functions: Functions;
  readonly features: Features;
}

/**
 * A plan as one WebAssembly module with one export, `run(region)`. The region holds first a table with the address of
 * each external slot, then the arena, then the scratch memory of routines.
 */
export interface EmittedPlan {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Slots outside of the arena, in the order of the table. */
  readonly externals: readonly number[];
  readonly regionBytes: number;
}

interface StepFunction {
  readonly callable: Callable;
  /** Bytes of the additional last parameter; 0 if there is none. */
  readonly scratch: number;
}

const ALIGN = 64;

/** Rounds up to a whole number of cache lines. */
function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGN) * ALIGN;
}

export function emitPlan(
  plan: Plan,
  features: Features,
  memory: { maxPages: number; shared: boolean },
): EmittedPlan {
  const builder = new ModuleBuilder();
  const functions = new Functions(builder, foreignNames(plan.steps.map((step) => step.kernel)));
  const context = { builder, functions, features };
  const byKey = new Map<string, StepFunction>();
  const steps = plan.steps.map(({ kernel }) => {
    const key = kernelKey(kernel);
    const known = byKey.get(key) ?? emitStep(context, kernel);
    byKey.set(key, known);
    return known;
  });
  const externals = plan.slots.flatMap((slot, i) => (slot.place.kind === 'arena' ? [] : [i]));
  const tableBytes = aligned(4 * externals.length);
  const scratchAt = tableBytes + aligned(plan.arenaBytes);
  const scratchBytes = Math.max(0, ...steps.map(({ scratch }) => scratch));
  builder.define(
    { params: ['i32'], results: [] },
    (code, [region = 0]) => {
      const push = slotPusher(code, plan, region, externals, tableBytes);
      plan.steps.forEach((step, i) => {
        const { callable, scratch } = steps[i] ?? noStep();
        for (const slot of [...step.inputs, ...step.outputs]) push(slot);
        if (scratch > 0) code.get(region).i32(scratchAt).op('i32.add');
        code.call(callable);
      });
    },
    'run',
  );
  return { bytes: builder.encode(memory), externals, regionBytes: scratchAt + aligned(scratchBytes) };
}

/** The function of one kernel: its parameters are the addresses of inputs, outputs and scratch. */
function emitStep(context: EmitContext, kernel: Kernel): StepFunction {
  const { builder, functions } = context;
  const routine = kernel.axes.includes(0) ? undefined : routineFor(context, kernel);
  const scratch = routine?.scratch ?? 0;
  const count = kernel.inputs.length + kernel.outputs.length + (scratch > 0 ? 1 : 0);
  const params = Array.from({ length: count }, () => 'i32' as const);
  const callable = builder.define({ params, results: [] }, (code, locals) =>
    routine ? routine.emit(code, locals) : emitKernel(code, functions, kernel, locals),
  );
  return { callable, scratch };
}

/** Puts the address of a slot on the stack. */
function slotPusher(
  code: Code,
  plan: Plan,
  region: Local,
  externals: readonly number[],
  tableBytes: number,
): (slot: number) => void {
  const addresses = new Map<number, Local>();
  externals.forEach((slot, i) => {
    const address = code.local('i32');
    code
      .get(region)
      .memory('i32.load', 4 * i)
      .set(address);
    addresses.set(slot, address);
  });
  return (slot) => {
    const address = addresses.get(slot);
    const place = plan.slots[slot]?.place;
    if (address !== undefined) code.get(address);
    else if (place?.kind === 'arena')
      code
        .get(region)
        .i32(tableBytes + place.offset)
        .op('i32.add');
    else throw new InternalError(`emit: the plan has no slot ${slot}.`);
  };
}

function noStep(): never {
  throw new InternalError('emit: a step has no function.');
}
