import { type Aval, showAval } from '../aval.ts';
import { type DType, dtypeInfo } from '../dtype.ts';
import { InternalError } from '../errors.ts';
import { sizeOf } from '../shape.ts';
import { checkKernel, type Fail, isCount } from './check.ts';
import type { Kernel } from './kernel.ts';
import {
  type BranchStep,
  type LoopStep,
  type Place,
  type Plan,
  type Slot,
  type Step,
  stepName,
  type WhileStep,
  type WorkStep,
} from './plan.ts';
import { readsPointwise } from './pointwise.ts';

/**
 * Throws unless the plan is well-formed: every kernel is, every slot is written once (or as loops and branches may)
 * and before it is read, sizes and dtypes agree, and no slot takes the place of one that is still needed.
 */
export function checkPlan(plan: Plan): void {
  new PlanCheck(plan).run();
}

/** The moments from the one that writes a slot (-1: an argument) to the last that reads it. */
interface Lifetime {
  from: number;
  to: number;
}

class PlanCheck {
  readonly #plan: Plan;
  readonly #lifetimes: Lifetime[];
  readonly #checked = new Set<Kernel>();
  /** Slots with a value, at the current moment. */
  #defined = new Set<number>();
  /** Slots that were written in the current pass of the innermost loop. */
  #written = new Set<number>();
  /** Loops around the current moment, outermost first: when they began, and the older slots that they use. */
  readonly #loops: { readonly begin: number; readonly older: Set<number> }[] = [];
  /** What happens at each moment: a step that computes, or the begin or end of a loop. */
  readonly #moments: { readonly where: string; readonly step: Step }[] = [];

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#lifetimes = plan.slots.map(() => ({ from: Infinity, to: -Infinity }));
  }

  run(): void {
    const plan = this.#plan;
    for (const [i, slot] of plan.slots.entries()) this.#checkSlot(i, slot);
    for (const [i, slot] of plan.inputs.entries()) {
      const { place } = this.#slotAt(slot, `argument ${i}:`);
      if (place.kind !== 'input' || place.index !== i)
        this.#fail(`argument ${i} is slot ${slot}, whose place is ${showPlace(place)}, not input ${i}`);
      this.#define(slot, -1);
    }
    this.#checkSteps(plan.steps, '');
    for (const [i, slot] of plan.outputs.entries()) {
      const { place } = this.#slotAt(slot, `result ${i}:`);
      if (!this.#defined.has(slot)) this.#fail(`result ${i}: slot ${slot} is never written`);
      if (place.kind === 'arena')
        this.#fail(`result ${i}: slot ${slot} lies in the arena and cannot be handed out`);
      this.#use(slot, this.#moments.length);
    }
    for (const [i, { place }] of plan.slots.entries())
      if ((place.kind === 'output' || place.kind === 'donated') && !plan.outputs.includes(i))
        this.#fail(`slot ${i} has place ${showPlace(place)} but is no result`);
    this.#checkOverlaps();
  }

  #fail(what: string): never {
    throw new InternalError(`plan: ${what}.`);
  }

  #slotAt(index: number, what: string): Slot {
    return this.#plan.slots[index] ?? this.#fail(`${what} slot ${index} does not exist`);
  }

  #checkSlot(i: number, { dtype, size, place }: Slot): void {
    const plan = this.#plan;
    const fail: Fail = (what) => this.#fail(what);
    if (!isCount(size)) fail(`slot ${i} has ${size} elements`);
    const bytes = size * dtypeInfo(dtype).bytes;
    if (place.kind === 'arena') {
      if (!isCount(place.offset) || place.offset % 64 !== 0)
        fail(`slot ${i} is at ${place.offset} of the arena, no multiple of 64`);
      if (place.offset + bytes > plan.arenaBytes)
        fail(`slot ${i} ends at ${place.offset + bytes} of an arena of ${plan.arenaBytes} bytes`);
    }
    if (place.kind === 'input' && plan.inputs[place.index] !== i)
      fail(`slot ${i} has place input ${place.index}, but that argument is slot ${plan.inputs[place.index]}`);
    if (place.kind === 'donated') {
      const argument = plan.slots[plan.inputs[place.index] ?? -1];
      if (!argument) fail(`slot ${i} takes the memory of argument ${place.index} of ${plan.inputs.length}`);
      const available = argument.size * dtypeInfo(argument.dtype).bytes;
      if (bytes !== available)
        fail(
          `slot ${i} of ${bytes} bytes takes the memory of argument ${place.index}, which has ${available}`,
        );
    }
    if (place.kind === 'row') {
      const stack = this.#slotAt(place.of, `slot ${i} is a row of`);
      if (stack.dtype !== dtype) fail(`slot ${i} of ${dtype} is a row of slot ${place.of} of ${stack.dtype}`);
    }
  }

  /* ---- Steps ---- */

  #checkSteps(steps: readonly Step[], prefix: string): void {
    for (const [s, step] of steps.entries()) {
      const where = `step ${prefix}${s} (${stepName(step)})`;
      switch (step.kind) {
        case 'kernel':
        case 'host':
          this.#checkWork(step, where);
          break;
        case 'loop':
          this.#checkLoop(step, where, `${prefix}${s}.`);
          break;
        case 'while':
          this.#checkWhile(step, where, `${prefix}${s}.`);
          break;
        case 'branch':
          this.#checkBranch(step, where, `${prefix}${s}.`);
          break;
        default:
          step satisfies never;
      }
    }
  }

  #checkWork(step: WorkStep, where: string): void {
    if (step.kind === 'kernel' && !this.#checked.has(step.kernel)) {
      checkKernel(step.kernel);
      this.#checked.add(step.kernel);
    }
    const { inputs, outputs } = step;
    const work = worksOn(step);
    const now = this.#moment(where, step);
    if (inputs.length !== work.inputs.length)
      this.#fail(`${where} has ${inputs.length} inputs, its ${work.what} ${work.inputs.length}`);
    if (outputs.length !== work.outputs.length)
      this.#fail(`${where} has ${outputs.length} outputs, its ${work.what} ${work.outputs.length}`);
    for (const [i, aval] of work.inputs.entries()) {
      const slot = inputs[i] as number;
      const what = `${where} input ${i}`;
      this.#checkHolds(what, slot, work.what, aval);
      this.#read(slot, now, what);
    }
    for (const [i, aval] of work.outputs.entries()) {
      const slot = outputs[i] as number;
      const what = `${where} output ${i}`;
      this.#checkHolds(what, slot, work.what, aval);
      const isArgument = this.#plan.slots[slot]?.place.kind === 'input';
      if (isArgument || this.#written.has(slot)) this.#fail(`${what}: slot ${slot} is written a second time`);
      this.#define(slot, now);
    }
  }

  #checkHolds(what: string, index: number, work: string, aval: Aval): void {
    const slot = this.#slotAt(index, `${what}:`);
    if (slot.dtype !== aval.dtype || slot.size !== sizeOf(aval.shape))
      this.#fail(
        `${what}: slot ${index} holds ${slot.size} of ${slot.dtype}, but the ${work} has ${showAval(aval)}`,
      );
  }

  #checkLoop(step: LoopStep, where: string, prefix: string): void {
    if (!isCount(step.length)) this.#fail(`${where} has ${step.length} passes`);
    const read = new Set<number>();
    const stacks = step.rows.map((row) => {
      const { place, size } = this.#slotAt(row, `${where}:`);
      if (place.kind !== 'row') this.#fail(`${where}: slot ${row} is ${showPlace(place)}, no row`);
      const stack = this.#slotAt(place.of, `${where}:`);
      if (stack.size !== size * step.length)
        this.#fail(`${where}: slot ${place.of} of ${stack.size} has no ${step.length} rows of ${size}`);
      if (this.#defined.has(place.of)) read.add(row);
      return place.of;
    });
    const begin = (now: number): void => {
      for (const stack of stacks) this.#use(stack, now);
      for (const row of read) this.#define(row, now);
    };
    this.#checkPasses(step, where, begin, () => {
      this.#checkSteps(step.body, prefix);
      for (const row of step.rows) {
        if (!this.#defined.has(row)) this.#fail(`${where}: slot ${row}, a row, is never written`);
      }
    });
    const now = this.#moments.length - 1;
    for (const stack of stacks) {
      this.#use(stack, now);
      this.#defined.add(stack);
      this.#written.add(stack);
    }
  }

  #checkWhile(step: WhileStep, where: string, prefix: string): void {
    this.#checkPasses(
      step,
      where,
      () => undefined,
      () => {
        this.#checkSteps(step.condition, `${prefix}condition.`);
        this.#checkHolds(where, step.predicate, 'condition', { shape: [], dtype: 'bool' });
        this.#read(step.predicate, this.#moments.length - 1, where);
        this.#checkSteps(step.body, prefix);
        this.#use(step.predicate, this.#moments.length);
      },
    );
  }

  /** What was written before the loop and is used in it is needed until it ends; what it wrote first is gone then. */
  #checkPasses(step: Step, where: string, start: (now: number) => void, passes: () => void): void {
    const begin = this.#moment(where, step);
    const older = new Set<number>();
    const [written, defined] = [this.#written, new Set(this.#defined)];
    this.#written = new Set();
    start(begin);
    this.#loops.push({ begin, older });
    passes();
    this.#loops.pop();
    const end = this.#moment(where, step);
    for (const slot of older) this.#use(slot, end);
    this.#written = written;
    this.#defined = defined;
  }

  #checkBranch(step: BranchStep, where: string, prefix: string): void {
    this.#checkHolds(where, step.index, 'branch', { shape: [], dtype: 'int32' });
    this.#read(step.index, this.#moment(where, step), where);
    const [defined, written] = [this.#defined, this.#written];
    const after: Set<number>[] = [];
    const all = new Set(written);
    for (const [b, branch] of step.branches.entries()) {
      this.#defined = new Set(defined);
      this.#written = new Set(written);
      this.#checkSteps(branch, `${prefix}${b}.`);
      after.push(this.#defined);
      for (const slot of this.#written) all.add(slot);
    }
    this.#defined = new Set([...(after[0] ?? defined)].filter((slot) => after.every((set) => set.has(slot))));
    this.#written = all;
    this.#use(step.index, this.#moment(where, step));
  }

  #moment(where: string, step: Step): number {
    return this.#moments.push({ where, step }) - 1;
  }

  #read(slot: number, now: number, what: string): void {
    if (!this.#defined.has(slot)) this.#fail(`${what}: slot ${slot} is read before it is written`);
    this.#use(slot, now);
  }

  #define(slot: number, now: number): void {
    this.#defined.add(slot);
    this.#written.add(slot);
    this.#use(slot, now);
  }

  #use(slot: number, now: number): void {
    const lifetime = this.#lifetimes[slot] as Lifetime;
    lifetime.from = Math.min(lifetime.from, now);
    lifetime.to = Math.max(lifetime.to, now);
    this.#loops.find(({ begin }) => lifetime.from < begin)?.older.add(slot);
    const place = this.#plan.slots[slot]?.place;
    if (place?.kind === 'row') this.#use(place.of, now);
  }

  /* ---- Memory ---- */

  /** Slots that share bytes must not share moments, but for a pointwise step that writes into its own input. */
  #checkOverlaps(): void {
    const { slots } = this.#plan;
    const regions = slots
      .map((slot, index) => ({ index, ...regionOf(slot), ...(this.#lifetimes[index] as Lifetime) }))
      .filter((r) => r.space !== undefined && r.bytes > 0 && r.from !== Infinity)
      .sort((a, b) => a.from - b.from);
    for (const [i, a] of regions.entries())
      for (const b of regions.slice(i + 1)) {
        const apart = a.space !== b.space || a.start + a.bytes <= b.start || b.start + b.bytes <= a.start;
        if (apart || a.to < b.from) continue;
        const moment = this.#moments[b.from];
        const inPlace =
          a.to === b.from &&
          a.from < b.from &&
          a.start === b.start &&
          moment &&
          this.#writesInPlace(moment.step, a.index, b.index);
        if (!inPlace)
          this.#fail(
            `slots ${a.index} and ${b.index} share memory (${showPlace(slots[a.index]?.place)}, ` +
              `${showPlace(slots[b.index]?.place)}) while both are needed ` +
              (moment ? `at ${moment.where}` : 'at the end'),
          );
      }
  }

  /** Whether `step` reads slot `from` only at the points where it writes `to`, of the same element size. */
  #writesInPlace(step: Step, from: number, to: number): boolean {
    const bytes = (slot: number): number => dtypeInfo(this.#plan.slots[slot]?.dtype as DType).bytes;
    return (
      step.kind === 'kernel' &&
      bytes(from) === bytes(to) &&
      step.inputs.every((slot, input) => slot !== from || readsPointwise(step.kernel, input))
    );
  }
}

/** What a step reads and writes. */
function worksOn(step: WorkStep): { what: string; inputs: readonly Aval[]; outputs: readonly Aval[] } {
  switch (step.kind) {
    case 'kernel': {
      const { inputs, axes, outputs } = step.kernel;
      return { what: 'kernel', inputs, outputs: outputs.map(({ dtype }) => ({ shape: axes, dtype })) };
    }
    case 'host':
      return { what: 'host routine', inputs: step.host.inputs, outputs: step.host.outputs };
    default:
      return step satisfies never;
  }
}

/** The bytes that a slot occupies; none of its own space if its memory is new, or that of another slot. */
function regionOf({ dtype, size, place }: Slot): { space: string | undefined; start: number; bytes: number } {
  const bytes = size * dtypeInfo(dtype).bytes;
  switch (place.kind) {
    case 'output':
    case 'row':
      return { space: undefined, start: 0, bytes };
    case 'input':
    case 'donated':
      return { space: `argument ${place.index}`, start: 0, bytes };
    case 'arena':
      return { space: 'arena', start: place.offset, bytes };
    default:
      return place satisfies never;
  }
}

function showPlace(place: Place | undefined): string {
  switch (place?.kind) {
    case 'arena':
      return `arena at ${place.offset}`;
    case 'row':
      return `row of slot ${place.of}`;
    case 'input':
    case 'donated':
      return `${place.kind} ${place.index}`;
    default:
      return String(place?.kind);
  }
}
