import {
  type HostRoutine,
  InternalError,
  type Kernel,
  kernelKey,
  type Plan,
  readsPointwise,
  type WorkStep,
  workSteps,
} from '@neumann/core/backend';
import type { Callable, Code, Local } from '../asm/code.ts';
import { ModuleBuilder } from '../asm/module.ts';
import type { Features } from '../features.ts';
import { routineFor } from '../routines/routine.ts';
import { runningFold } from '../routines/running.ts';
import { defineBarrier, importBarrier } from './barrier.ts';
import { emitSteps } from './control.ts';
import { costOf, foldCost, isWorthWaking, type Limits } from './cost.ts';
import { type Finish, withEpilogue } from './epilogue.ts';
import { foldRows } from './foldRows.ts';
import { everywhere, Functions, foreignNames } from './functions.ts';
import { kernelCode } from './kernel.ts';
import { type Layout, layOut } from './layout.ts';
import type { StepCode } from './part.ts';
import { inPieces } from './pieces.ts';
import { groupKey, type RowGroup, rowGroups } from './rowGroup.ts';
import { rowGroupCode } from './rowGroupCode.ts';
import { Turns } from './turns.ts';

/** What a plan's functions are written with. */
export interface EmitContext {
  readonly builder: ModuleBuilder;
  readonly functions: Functions;
  readonly features: Features;
  /** Whether convolutions may use Winograd's algorithm. */
  readonly winograd: boolean;
  /** What is to be called for finished rows of the result, out of `rows`, if that is offered for as many. */
  readonly finishRows?: (rows: number) => Finish | undefined;
}

/** The host routines of a module, and the import that runs them. */
interface Hosts {
  readonly call: Callable | undefined;
  readonly routines: readonly HostRoutine[];
}

/** For whom the code is. */
export interface EmitOptions {
  readonly maxPages: number;
  readonly threads: number;
  readonly winograd: boolean;
  readonly limits: Limits;
  /** Whether all threads meet after each step, and the first calls the import `mark` with its number in {@link EmittedPlan.work}. */
  readonly clock?: boolean;
}

/** What runs as one: a step, or several. */
export type Work = WorkStep | RowGroup;

/**
 * A plan as one WebAssembly module with one export, `run(region, thread)`, which every thread calls. The region holds
 * first a table with the address of each external slot, then the arena, then the scratch memory of steps.
 *
 * A host step calls the import `host(routine, table)`: `routine` is its place in `hosts`, and at `table` stand the
 * addresses of its inputs, then of its outputs.
 */
export interface EmittedPlan {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly hosts: readonly HostRoutine[];
  readonly work: readonly Work[];
  /** Slots outside of the arena, in the order of the table. */
  readonly externals: readonly number[];
  readonly regionBytes: number;
  /** Whether there is work for more threads than the first. */
  readonly divided: boolean;
}

/** The functions of one kernel. */
interface StepFunctions {
  readonly scratch: number;
  readonly parts: readonly PartFunction[];
}

interface PartFunction {
  readonly callable: Callable;
  readonly tasks: number;
  readonly own: number;
  /** Whether threads share the tasks. */
  readonly divided: boolean;
}

export function emitPlan(given: Plan, features: Features, options: EmitOptions): EmittedPlan {
  const grouped = rowGroups(given, options.limits, (step) => isNothing(given, step));
  const plan = foldRows(given, options.limits, (step) => !grouped.has(step));
  const { threads, maxPages, winograd } = options;
  const builder = new ModuleBuilder();
  const imports = threads > 1 ? importBarrier(builder) : undefined;
  const mark = options.clock ? builder.import('mark', { params: ['i32'], results: [] }) : undefined;
  const work = workSteps(plan.steps);
  const foreign = foreignNames(work.flatMap((step) => (step.kind === 'kernel' ? [step.kernel] : [])));
  const functions = new Functions(builder, foreign, features);
  const hosts = importHosts(builder, work);
  const context = { builder, functions, features, winograd };
  const byKey = new Map<string, StepFunctions | undefined>();
  const cached = (key: string, emit: () => StepFunctions | undefined): StepFunctions | undefined => {
    if (!byKey.has(key)) byKey.set(key, emit());
    return byKey.get(key);
  };
  const sharing = isWorthWaking(plan, options.limits) ? options : { ...options, threads: 1 };
  const groups = plan === given ? grouped : rowGroups(plan, options.limits, (step) => isNothing(plan, step));
  const functionsOf = (step: WorkStep): StepFunctions => {
    if (step.kind === 'host') return emitHostStep(context, hosts, step.host, sharing);
    const group = groups.get(step);
    const together = group && cached(groupKey(group), () => emitRowGroup(context, plan, group, sharing));
    if (together) return together;
    groups.delete(step);
    return cached(kernelKey(step.kernel), () => emitKernelStep(context, step.kernel, sharing)) ?? noStep();
  };
  const steps = new Map(work.map((step) => [step, functionsOf(step)]));
  const externals = plan.slots.flatMap(({ place }, i) =>
    place.kind === 'arena' || place.kind === 'row' ? [] : [i],
  );
  const layout = layOut({ plan, steps, groups, externals: externals.length, threads });
  const isDivided = (step: WorkStep): boolean =>
    steps.get(step)?.parts.some((part) => part.divided) ?? noStep();
  const divided = work.some(isDivided);
  const barrier = divided && imports ? defineBarrier(builder, threads, imports) : undefined;
  builder.define(
    { params: ['i32', 'i32'], results: [] },
    (code, [region = 0, thread = 0]) => {
      const rows = new Map<number, Local>();
      const push = slotPusher(code, plan, region, externals, rows, layout);
      const turns = new Turns({ code, plan, thread, barrier, threads, scratch: layout.scratch });
      const calls = { code, region, thread, layout, push };
      const emitWork = (step: WorkStep, order: Turns): void => {
        const group = groups.get(step);
        if (isNothing(plan, step) || (group && step !== group.steps.at(-1))) return;
        emitCalls(calls, order, step, group ?? step, steps.get(step) ?? noStep());
        if (!mark) return;
        order.meet();
        code
          .get(thread)
          .op('i32.eqz')
          .if(() => code.i32(work.indexOf(step)).call(mark));
      };
      emitSteps({ code, plan, rows, push, isDivided, emitWork }, plan.steps, turns);
      turns.end();
    },
    'run',
  );
  return {
    bytes: builder.encode({ maxPages, shared: threads > 1 }),
    hosts: hosts.routines,
    work: work.map((step) => groups.get(step) ?? step),
    externals,
    regionBytes: layout.bytes,
    divided,
  };
}

function importHosts(builder: ModuleBuilder, steps: readonly WorkStep[]): Hosts {
  const routines = [
    ...new Set(steps.flatMap((step) => (step.kind === 'host' && !runningFold(step.host) ? [step.host] : []))),
  ];
  if (routines.length === 0) return { call: undefined, routines };
  return { call: builder.import('host', { params: ['i32', 'i32'], results: [] }), routines };
}

/**
 * The function of a host step, which the first thread runs; its scratch memory is the table that it fills. A running fold is
 * code of our own.
 */
function emitHostStep(
  context: EmitContext,
  { call, routines }: Hosts,
  host: HostRoutine,
  { threads, limits }: EmitOptions,
): StepFunctions {
  const operands = host.inputs.length + host.outputs.length;
  const running = runningFold(host);
  if (running) {
    return defineParts(context, running, operands, foldCost(host) >= limits.divideFrom ? threads : 1);
  }
  const { builder } = context;
  const callable = builder.define({ params: paramsFor(operands), results: [] }, (code, locals) => {
    const table = locals[operands] ?? noStep();
    for (const [i, address] of locals.slice(0, operands).entries())
      code
        .get(table)
        .get(address)
        .memory('i32.store', 4 * i);
    code
      .i32(routines.indexOf(host))
      .get(table)
      .call(call ?? noStep());
  });
  return { scratch: 4 * operands, parts: [{ callable, tasks: 1, own: 0, divided: false }] };
}

/** The addresses of operands, then those of a {@link Share}. */
function paramsFor(operands: number): 'i32'[] {
  return Array.from({ length: operands + 4 }, () => 'i32' as const);
}

/** The functions of one kernel, one for each part. */
function emitKernelStep(context: EmitContext, kernel: Kernel, options: EmitOptions): StepFunctions {
  const { functions } = context;
  const routine = kernel.axes.includes(0) ? undefined : withEpilogue(context, kernel, routineFor);
  const operands = kernel.inputs.length + kernel.outputs.length;
  return defineParts(
    context,
    routine ?? kernelCode(functions, kernel),
    operands,
    threadsFor([kernel], options),
  );
}

/** The same of a group of kernels, if each can be written row by row. */
function emitRowGroup(
  context: EmitContext,
  plan: Plan,
  group: RowGroup,
  options: EmitOptions,
): StepFunctions | undefined {
  const code = rowGroupCode(context, plan, group);
  const kernels = group.steps.map(({ kernel }) => kernel);
  const operands = group.inputs.length + group.outputs.length;
  return code && defineParts(context, code, operands, threadsFor(kernels, options));
}

/** How many threads share the work of some kernels. */
function threadsFor(kernels: readonly Kernel[], { threads, limits }: EmitOptions): number {
  const cost = kernels.reduce((sum, kernel) => sum + costOf(kernel), 0);
  return cost >= limits.divideFrom && everywhere(foreignNames(kernels)) ? threads : 1;
}

function defineParts(
  { builder }: EmitContext,
  { scratch, parts }: StepCode,
  operands: number,
  threads: number,
): StepFunctions {
  return {
    scratch,
    parts: parts.map(({ tasks, together = tasks, own = 0, emit }) => {
      const part = builder.define({ params: paramsFor(operands), results: [] }, (code, locals) => {
        const [scratch = 0, own = 0, first = 0, end = 0] = locals.slice(operands);
        emit(code, locals.slice(0, operands), { scratch, own, first, end });
      });
      const divided = threads > 1 && tasks > 1;
      const callable = divided ? inPieces(builder, part, { tasks, threads, together }) : part;
      return { callable, tasks, own, divided };
    }),
  };
}

interface Calls {
  readonly code: Code;
  readonly region: Local;
  readonly thread: Local;
  readonly layout: Layout;
  readonly push: (slot: number) => void;
}

/** Calls the functions of a step, in all threads or in the first; `operands` are those of its group, if it has one. */
function emitCalls(
  calls: Calls,
  turns: Turns,
  step: WorkStep,
  operands: Pick<Work, 'inputs' | 'outputs'>,
  { parts }: StepFunctions,
): void {
  const { code, region, thread, layout, push } = calls;
  const scratchAt = layout.scratch.get(step)?.from ?? 0;
  for (const { callable, tasks, own, divided } of parts) {
    const call = (counters: number) => {
      for (const slot of [...operands.inputs, ...operands.outputs]) push(slot);
      code
        .get(region)
        .i32(layout.arenaAt + scratchAt)
        .op('i32.add');
      code.get(region).i32(layout.ownAt).op('i32.add');
      if (own > 0 && divided) code.get(thread).i32(layout.ownBytes).op('i32.mul').op('i32.add');
      if (divided) code.get(thread).i32(counters);
      else code.i32(0).i32(tasks);
      code.call(callable);
    };
    turns.next(step, operands, divided, call);
  }
}

/** Whether a step copies an argument to its own place: what a loop carries in the memory of a donated argument. */
function isNothing({ slots }: Plan, step: WorkStep): boolean {
  if (step.kind !== 'kernel') return false;
  const { inputs, outputs } = step.kernel;
  const [value] = outputs;
  const [from, to] = [slots[step.inputs[0] ?? -1]?.place, slots[step.outputs[0] ?? -1]?.place];
  return (
    inputs.length === 1 &&
    outputs.length === 1 &&
    value?.kind === 'load' &&
    readsPointwise(step.kernel, 0) &&
    from?.kind === 'input' &&
    to?.kind === 'donated' &&
    from.index === to.index
  );
}

/** Puts the address of a slot on the stack. */
function slotPusher(
  code: Code,
  plan: Plan,
  region: Local,
  externals: readonly number[],
  rows: ReadonlyMap<number, Local>,
  { arenaAt }: Layout,
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
    const address = addresses.get(slot) ?? rows.get(slot);
    const place = plan.slots[slot]?.place;
    if (address !== undefined) code.get(address);
    else if (place?.kind === 'arena')
      code
        .get(region)
        .i32(arenaAt + place.offset)
        .op('i32.add');
    else throw new InternalError(`emit: the plan has no slot ${slot}.`);
  };
}

function noStep(): never {
  throw new InternalError('emit: a step has no function.');
}
