/** Gives every value of a lowered program a place: arguments, results, donated memory, or one shared arena. */
import { sizeOf } from '../shape.ts';
import {
  blocksOf,
  type Carry,
  type KernelLaunch,
  type Launch,
  type LoopLaunch,
  type Lowered,
  launchCopy,
} from './launch.ts';
import { keepOutputs } from './outputs.ts';
import { type Block, packBlocks } from './packBlocks.ts';
import type { Place, Plan, Slot, Step } from './plan.ts';
import { readsPointwise } from './pointwise.ts';
import type { Var } from './program.ts';
import { bytesOf, type Group, timeline } from './timeline.ts';

const alignment = 64;

export function allocate(lowered: Lowered, donate: readonly boolean[]): Plan {
  return new Allocation(lowered, donate).plan();
}

type WritablePlace = Place | { readonly kind: 'arena'; offset: number };

class Allocation {
  readonly #lowered: Lowered;
  readonly #time: ReturnType<typeof timeline>;
  readonly #slots: { dtype: Slot['dtype']; size: number; place: WritablePlace }[] = [];
  readonly #slotOf = new Map<Group, number>();
  readonly #blockOf = new Map<Group, Block>();
  /** Donated arguments that nothing has taken yet. */
  readonly #gifts: { v: Var; index: number }[];

  constructor(lowered: Lowered, donate: readonly boolean[]) {
    this.#lowered = lowered;
    this.#time = timeline(lowered);
    const { inputs, outputs } = lowered;
    this.#gifts = inputs.flatMap((v, index) => (donate[index] && !outputs.includes(v) ? [{ v, index }] : []));
  }

  plan(): Plan {
    const { inputs, outputs } = this.#lowered;
    for (const [index, v] of inputs.entries()) this.#addSlot(v, { kind: 'input', index });
    this.#placeIn(this.#lowered);
    const arenaBytes = packBlocks([...new Set(this.#blockOf.values())]);
    for (const [group, { offset }] of this.#blockOf) {
      const slot = this.#slots[this.#slotOf.get(group) as number];
      if (slot) slot.place = { kind: 'arena', offset };
    }
    const at = (v: Var): number => this.#slotOf.get(this.#time.groupOf(v)) as number;
    return {
      slots: this.#slots,
      steps: this.#lowered.launches.flatMap((launch) => stepsOf(launch, at)),
      inputs: inputs.map(at),
      outputs: outputs.map(at),
      arenaBytes,
    };
  }

  #addSlot(v: Var, place: WritablePlace): number {
    const slot = this.#slots.push({ dtype: v.aval.dtype, size: sizeOf(v.aval.shape), place }) - 1;
    this.#slotOf.set(this.#time.groupOf(v), slot);
    return slot;
  }

  #placeIn(block: Lowered): void {
    for (const launch of block.launches) {
      if (launch.kind === 'kernel' || launch.kind === 'host') {
        const taken = new Set<Group>();
        for (const v of launch.outputs) this.#place(v, launch, taken);
        continue;
      }
      if (launch.kind === 'loop' || launch.kind === 'while')
        for (const { current } of launch.carries) this.#place(current, launch, new Set());
      if (launch.kind === 'loop') {
        for (const { stack } of launch.writes) this.#place(stack, launch, new Set());
        for (const { row, stack } of launch.reads)
          this.#addSlot(row, { kind: 'row', of: this.#slot(stack), reverse: launch.reverse });
      }
      for (const inner of blocksOf(launch)) this.#placeIn(inner);
      if (launch.kind === 'branch') for (const v of launch.outputs) this.#place(v, launch, new Set());
    }
  }

  #slot(v: Var): number {
    return this.#slotOf.get(this.#time.groupOf(v)) as number;
  }

  /** Where a value lies that `launch` is the first to write; `taken` are the operands whose place it has used. */
  #place(v: Var, launch: Launch, taken: Set<Group>): void {
    const group = this.#time.groupOf(v);
    if (this.#slotOf.has(group)) return;
    const { pin } = group;
    if (pin?.kind === 'row') {
      this.#addSlot(v, { kind: 'row', of: this.#slot(pin.stack), reverse: pin.reverse });
      return;
    }
    if (pin) {
      const index = this.#takeGift(v, launch);
      this.#addSlot(v, index === undefined ? { kind: 'output' } : { kind: 'donated', index });
      return;
    }
    this.#addSlot(v, { kind: 'arena', offset: 0 });
    const source = launch.inputs.find((o) => {
      const operand = this.#time.groupOf(o);
      return this.#blockOf.has(operand) && !taken.has(operand) && this.#mayOverwrite(launch, o, v);
    });
    if (source) {
      const operand = this.#time.groupOf(source);
      taken.add(operand);
      const block = this.#blockOf.get(operand) as Block;
      block.to = Math.max(block.to, group.to);
      this.#blockOf.set(group, block);
      return;
    }
    const bytes = Math.ceil(bytesOf(v) / alignment) * alignment;
    this.#blockOf.set(group, { bytes, from: group.from, to: group.to, offset: 0 });
  }

  /** The donated argument in whose memory a result can lie: nobody needs it any more when the result is written. */
  #takeGift(v: Var, launch: Launch): number | undefined {
    const { from } = this.#time.groupOf(v);
    const at = this.#gifts.findIndex(
      (gift) =>
        gift.v.aval.dtype === v.aval.dtype &&
        bytesOf(gift.v) === bytesOf(v) &&
        (this.#time.groupOf(gift.v).to < from || this.#mayOverwrite(launch, gift.v, v)),
    );
    return at < 0 ? undefined : this.#gifts.splice(at, 1)[0]?.index;
  }

  /** Whether `launch` reads `operand` for the last time anywhere, and only at the points at which it writes `v`. */
  #mayOverwrite(launch: Launch, operand: Var, v: Var): boolean {
    const moment = this.#time.momentOf.get(launch);
    const [last, first] = [this.#time.groupOf(operand), this.#time.groupOf(v)];
    if (last.to !== moment || first.from !== moment || bytesOf(operand) !== bytesOf(v)) return false;
    if (launch.kind === 'kernel')
      return launch.inputs.every((o, i) => o !== operand || readsPointwise(launch.kernel, i));
    if (launch.kind !== 'loop' && launch.kind !== 'while') return false;
    const begins = launch.carries.filter(({ init }) => init === operand);
    return begins.length === 1 && begins[0]?.current === v;
  }
}

/** A launch as steps; what a loop carries is copied into its slot before the loop and after each pass, unless it is there. */
function stepsOf(launch: Launch, at: (v: Var) => number): Step[] {
  const steps = (block: Lowered): Step[] => block.launches.flatMap((inner) => stepsOf(inner, at));
  switch (launch.kind) {
    case 'kernel': {
      const kept = withoutCopiesToThemselves(launch, at);
      return kept ? [{ ...kept, inputs: kept.inputs.map(at), outputs: kept.outputs.map(at) }] : [];
    }
    case 'host':
      return [{ ...launch, inputs: launch.inputs.map(at), outputs: launch.outputs.map(at) }];
    case 'loop':
      return [
        ...launch.carries.flatMap(({ init, current }) => copySteps(init, current, at)),
        {
          kind: 'loop',
          length: launch.length,
          rows: rowSlots(launch, at),
          body: bodySteps(launch, steps, at),
        },
      ];
    case 'while':
      return [
        ...launch.carries.flatMap(({ init, current }) => copySteps(init, current, at)),
        {
          kind: 'while',
          condition: steps(launch.condition),
          predicate: at(launch.condition.outputs[0] as Var),
          body: bodySteps(launch, steps, at),
        },
      ];
    case 'branch':
      return [{ kind: 'branch', index: at(launch.index), branches: launch.branches.map(steps) }];
    default:
      return launch satisfies never;
  }
}

/** A branch that keeps what a loop carries copies it to where it is. */
function withoutCopiesToThemselves(launch: KernelLaunch, at: (v: Var) => number): KernelLaunch | undefined {
  const { kernel, inputs, outputs } = launch;
  const moves = kernel.outputs.map((value, i) => {
    if (value.kind !== 'load' || value.guard || !readsPointwise(kernel, value.input)) return true;
    return at(inputs[value.input] as Var) !== at(outputs[i] as Var);
  });
  if (moves.every(Boolean)) return launch;
  return moves.some(Boolean) ? keepOutputs(launch, moves) : undefined;
}

const bodySteps = (
  { body, carries }: { readonly body: Lowered; readonly carries: readonly Carry[] },
  steps: (block: Lowered) => Step[],
  at: (v: Var) => number,
): Step[] => [...steps(body), ...carries.flatMap(({ next, current }) => copySteps(next, current, at))];

function copySteps(from: Var, to: Var, at: (v: Var) => number): Step[] {
  return at(from) === at(to) ? [] : stepsOf(launchCopy(from, to), at);
}

function rowSlots({ reads, writes }: LoopLaunch, at: (v: Var) => number): number[] {
  return [...reads, ...writes].map(({ row }) => at(row));
}
