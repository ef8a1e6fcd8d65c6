import {
  dtypeInfo,
  InternalError,
  type Plan,
  type Step,
  type WorkStep,
  workSteps,
} from '@neumann/core/backend';
import type { Callable, Code, Local } from '../asm/code.ts';
import { BARRIER, spinsFor } from './barrier.ts';
import { costOf } from './cost.ts';
import { counterBytes, mostCounted } from './pieces.ts';

/** Bytes that a part reads or writes: of the arena, or of one argument or result. */
export interface Extent {
  readonly of: string;
  readonly from: number;
  readonly to: number;
}

/** What turns are written with. */
interface Setting {
  readonly code: Code;
  readonly plan: Plan;
  readonly thread: Local;
  /** Without it, there is only one thread. */
  readonly barrier: Callable | undefined;
  readonly threads: number;
  /** Where the scratch memory of steps is that the threads share. */
  readonly scratch: ReadonlyMap<WorkStep, Extent>;
}

/**
 * The order of the parts of a plan: each thread runs its share of one after the other, and waits for the others only
 * where a part touches what parts since the last barrier, run by other threads, have touched.
 */
export class Turns {
  readonly #setting: Setting;
  /** Since the last barrier, by the first thread alone and by all. */
  #alone: { reads: Extent[]; writes: Extent[] } = { reads: [], writes: [] };
  #together: { reads: Extent[]; writes: Extent[] } = { reads: [], writes: [] };
  /** Of the work since then. */
  #cost = 0;
  /** Parts since then that all share. */
  #shared = 0;

  constructor(setting: Setting) {
    this.#setting = setting;
  }

  /** Writes a part of a step, which `call` calls with the address of its counters; all threads share it, or the first runs it. */
  next(
    step: WorkStep,
    { inputs, outputs }: Pick<WorkStep, 'inputs' | 'outputs'>,
    divided: boolean,
    call: (counters: number) => void,
  ): void {
    if (this.#setting.barrier) this.#order(inputs, outputs, [step], divided, call);
    else call(0);
  }

  /** Writes a loop or branch whose parts the first thread runs alone: `emit` gets their order, in which nobody waits. */
  alone(step: Step, reads: readonly number[], emit: (order: Turns) => void): void {
    const work = workSteps([step]);
    const inputs = [...reads, ...work.flatMap((one) => one.inputs)];
    const outputs = work.flatMap((one) => one.outputs);
    const order = new Turns({ ...this.#setting, barrier: undefined });
    if (this.#setting.barrier) this.#order(inputs, outputs, work, false, () => emit(order));
    else emit(order);
  }

  #order(
    inputs: readonly number[],
    outputs: readonly number[],
    steps: readonly WorkStep[],
    divided: boolean,
    call: (counters: number) => void,
  ): void {
    const { code, plan, thread, threads } = this.#setting;
    const scratch = steps.flatMap((step) => this.#setting.scratch.get(step) ?? []);
    const reads = inputs.map((slot) => extentOf(plan, slot));
    const writes = [...outputs.map((slot) => extentOf(plan, slot)), ...scratch];
    const others = divided ? [this.#alone, this.#together] : [this.#together];
    const conflict = others.some(
      (other) =>
        overlap(writes, other.reads) || overlap(writes, other.writes) || overlap(reads, other.writes),
    );
    if (conflict || (divided && this.#shared === mostCounted(threads))) this.meet();
    const mine = divided ? this.#together : this.#alone;
    mine.reads.push(...reads);
    mine.writes.push(...writes);
    this.#cost += steps.reduce((sum, step) => sum + (step.kind === 'kernel' ? costOf(step.kernel) : 0), 0);
    if (divided) call(BARRIER.counters + this.#shared++ * counterBytes(threads));
    else
      code
        .get(thread)
        .op('i32.eqz')
        .if(() => call(0));
  }

  /** All threads wait for each other. */
  meet(): void {
    const { code, barrier, threads } = this.#setting;
    const counted = this.#shared * counterBytes(threads);
    if (barrier) code.i32(spinsFor(this.#cost)).i32(counted).call(barrier);
    this.#cost = 0;
    this.#shared = 0;
    this.#alone = { reads: [], writes: [] };
    this.#together = { reads: [], writes: [] };
  }

  /** What every thread did is done. */
  end(): void {
    if (this.#setting.barrier) this.meet();
  }
}

/** The bytes of a slot. */
export function extentOf(plan: Plan, index: number): Extent {
  const slot = plan.slots[index];
  if (!slot) throw new InternalError(`emit: the plan has no slot ${index}.`);
  const { place, size, dtype } = slot;
  switch (place.kind) {
    case 'arena':
      return { of: 'arena', from: place.offset, to: place.offset + size * dtypeInfo(dtype).bytes };
    case 'output':
      return { of: `slot ${index}`, from: 0, to: 1 };
    case 'input':
    case 'donated':
      return { of: `argument ${place.index}`, from: 0, to: 1 };
    case 'row':
      return extentOf(plan, place.of);
    default:
      return place satisfies never;
  }
}

/** Whether any of some bytes are among the others. */
export function overlap(some: readonly Extent[], others: readonly Extent[]): boolean {
  return some.some((a) => others.some((b) => a.of === b.of && a.from < b.to && b.from < a.to));
}
