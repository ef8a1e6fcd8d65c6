import {
  dtypeInfo,
  InternalError,
  type Plan,
  type Step,
  type WorkStep,
  workSteps,
} from '@neumann/core/backend';
import type { Callable, Code, Local } from '../asm/code.ts';

/** Who runs a part of a step, and what memory it uses beside its slots. */
interface Turn {
  readonly divided: boolean;
  readonly usesScratch: boolean;
}

/** Bytes that a part reads or writes: of the arena, of one argument or result, or of the scratch memory. */
export interface Extent {
  readonly of: string;
  readonly from: number;
  readonly to: number;
}

const SCRATCH: Extent = { of: 'scratch', from: 0, to: 1 };

/**
 * The order of the parts of a plan: each thread runs its share of one after the other, and waits for the others only
 * where a part touches what parts since the last barrier, run by other threads, have touched.
 */
export class Turns {
  readonly #code: Code;
  readonly #plan: Plan;
  readonly #thread: Local;
  readonly #barrier: Callable | undefined;
  /** Since the last barrier, by the first thread alone and by all. */
  #alone: { reads: Extent[]; writes: Extent[] } = { reads: [], writes: [] };
  #together: { reads: Extent[]; writes: Extent[] } = { reads: [], writes: [] };

  /** Without a barrier, there is only one thread. */
  constructor(code: Code, plan: Plan, thread: Local, barrier: Callable | undefined) {
    this.#code = code;
    this.#plan = plan;
    this.#thread = thread;
    this.#barrier = barrier;
  }

  /** Writes the part that `call` calls. */
  next(step: Pick<WorkStep, 'inputs' | 'outputs'>, { divided, usesScratch }: Turn, call: () => void): void {
    if (!this.#barrier) {
      call();
      return;
    }
    const scratch = usesScratch ? [SCRATCH] : [];
    this.#order(step.inputs, step.outputs, scratch, divided, call);
  }

  /** Writes a loop or branch whose parts the first thread runs alone: `emit` gets their order, in which nobody waits. */
  alone(step: Step, reads: readonly number[], emit: (order: Turns) => void): void {
    const work = workSteps([step]);
    const inputs = [...reads, ...work.flatMap((one) => one.inputs)];
    const outputs = work.flatMap((one) => one.outputs);
    const order = new Turns(this.#code, this.#plan, this.#thread, undefined);
    if (this.#barrier) this.#order(inputs, outputs, [SCRATCH], false, () => emit(order));
    else emit(order);
  }

  #order(
    inputs: readonly number[],
    outputs: readonly number[],
    scratch: readonly Extent[],
    divided: boolean,
    call: () => void,
  ): void {
    const reads = inputs.map((slot) => extentOf(this.#plan, slot));
    const writes = [...outputs.map((slot) => extentOf(this.#plan, slot)), ...scratch];
    const others = divided ? [this.#alone, this.#together] : [this.#together];
    const conflict = others.some(
      (other) =>
        overlap(writes, other.reads) || overlap(writes, other.writes) || overlap(reads, other.writes),
    );
    if (conflict) this.meet();
    const mine = divided ? this.#together : this.#alone;
    mine.reads.push(...reads);
    mine.writes.push(...writes);
    if (divided) call();
    else this.#code.get(this.#thread).op('i32.eqz').if(call);
  }

  /** All threads wait for each other. */
  meet(): void {
    if (this.#barrier) this.#code.call(this.#barrier);
    this.#alone = { reads: [], writes: [] };
    this.#together = { reads: [], writes: [] };
  }

  /** What every thread did is done. */
  end(): void {
    if (this.#barrier) this.meet();
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
