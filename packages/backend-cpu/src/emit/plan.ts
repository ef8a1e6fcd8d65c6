import {
  type HostRoutine,
  InternalError,
  type Kernel,
  kernelKey,
  type Plan,
  type Step,
} from '@neumann/core/backend';
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

/** The host routines of a module, and the import that runs them. */
interface Hosts {
  readonly call: Callable | undefined;
  readonly routines: readonly HostRoutine[];
}

/**
 * A plan as one WebAssembly module with one export, `run(region)`. The region holds first a table with the address of
 * each external slot, then the arena, then the scratch memory of routines.
 *
 * A host step calls the import `host(routine, table)`: `routine` is its place in `hosts`, and at `table` stand the
 * addresses of its inputs, then of its outputs.
 */
export interface EmittedPlan {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly hosts: readonly HostRoutine[];
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
  const kernels = plan.steps.flatMap((step) => (step.kind === 'kernel' ? [step.kernel] : []));
  const functions = new Functions(builder, foreignNames(kernels));
  const hosts = importHosts(builder, plan);
  const context = { builder, functions, features };
  const byKey = new Map<string, StepFunction>();
  const functionOf = (step: Step): StepFunction => {
    if (step.kind === 'host') return emitHostStep(builder, hosts, step.host);
    const key = kernelKey(step.kernel);
    const known = byKey.get(key) ?? emitKernelStep(context, step.kernel);
    byKey.set(key, known);
    return known;
  };
  const steps = plan.steps.map(functionOf);
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
  const regionBytes = scratchAt + aligned(scratchBytes);
  return { bytes: builder.encode(memory), hosts: hosts.routines, externals, regionBytes };
}

function importHosts(builder: ModuleBuilder, { steps }: Plan): Hosts {
  const routines = [...new Set(steps.flatMap((step) => (step.kind === 'host' ? [step.host] : [])))];
  if (routines.length === 0) return { call: undefined, routines };
  return { call: builder.import('host', { params: ['i32', 'i32'], results: [] }), routines };
}

/** The function of a host step: its parameters are the addresses of inputs, outputs and the table that it fills. */
function emitHostStep(builder: ModuleBuilder, { call, routines }: Hosts, host: HostRoutine): StepFunction {
  const count = host.inputs.length + host.outputs.length;
  const params = Array.from({ length: count + 1 }, () => 'i32' as const);
  const callable = builder.define({ params, results: [] }, (code, locals) => {
    const table = locals[count] ?? noStep();
    for (const [i, address] of locals.slice(0, count).entries())
      code
        .get(table)
        .get(address)
        .memory('i32.store', 4 * i);
    code
      .i32(routines.indexOf(host))
      .get(table)
      .call(call ?? noStep());
  });
  return { callable, scratch: 4 * count };
}

/** The function of one kernel: its parameters are the addresses of inputs, outputs and scratch. */
function emitKernelStep(context: EmitContext, kernel: Kernel): StepFunction {
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
