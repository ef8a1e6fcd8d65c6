/** Gives every value of a lowered program a place: arguments, results, donated memory, or one shared arena. */
import { dtypeInfo } from '../dtype.ts';
import { sizeOf } from '../shape.ts';
import type { Launch, Lowered } from './lower.ts';
import type { Place, Plan, Slot, Step } from './plan.ts';
import { readsPointwise } from './pointwise.ts';
import type { Var } from './program.ts';

const alignment = 64;

const bytesOf = (v: Var): number => sizeOf(v.aval.shape) * dtypeInfo(v.aval.dtype).bytes;

/** A stretch of the arena, held from the step that first writes it to the last that reads it. */
interface Block {
  readonly bytes: number;
  readonly from: number;
  to: number;
  offset: number;
}

export function allocate({ inputs, launches, outputs }: Lowered, donate: readonly boolean[]): Plan {
  const lastUse = new Map<Var, number>();
  for (const [step, launch] of launches.entries()) for (const v of launch.inputs) lastUse.set(v, step);
  const results = new Set(outputs);

  const places = new Map<Var, Place>();
  for (const [index, v] of inputs.entries()) places.set(v, { kind: 'input', index });
  const gifts = inputs.flatMap((v, index) => (donate[index] && !results.has(v) ? [{ v, index }] : []));
  const blockOf = new Map<Var, Block>();
  const blocks: Block[] = [];

  for (const [step, launch] of launches.entries()) {
    const { inputs: operands, outputs: made } = launch;
    const inPlace = (v: Var): boolean =>
      lastUse.get(v) === step &&
      launch.kind === 'kernel' &&
      operands.every((o, i) => o !== v || readsPointwise(launch.kernel, i));
    const taken = new Set<Var>();
    for (const v of made) {
      if (results.has(v)) {
        const at = gifts.findIndex(
          (gift) =>
            gift.v.aval.dtype === v.aval.dtype &&
            bytesOf(gift.v) === bytesOf(v) &&
            ((lastUse.get(gift.v) ?? -1) < step || inPlace(gift.v)),
        );
        const [gift] = at >= 0 ? gifts.splice(at, 1) : [];
        places.set(v, gift ? { kind: 'donated', index: gift.index } : { kind: 'output' });
        continue;
      }
      const until = lastUse.get(v) ?? step;
      const source = operands.find(
        (o) => blockOf.has(o) && !taken.has(o) && bytesOf(o) === bytesOf(v) && inPlace(o),
      );
      if (source) {
        taken.add(source);
        const block = blockOf.get(source) as Block;
        block.to = until;
        blockOf.set(v, block);
        continue;
      }
      const block = {
        bytes: Math.ceil(bytesOf(v) / alignment) * alignment,
        from: step,
        to: until,
        offset: 0,
      };
      blocks.push(block);
      blockOf.set(v, block);
    }
  }
  const arenaBytes = packBlocks(blocks);
  for (const [v, { offset }] of blockOf) places.set(v, { kind: 'arena', offset });
  return assemble({ inputs, launches, outputs }, places, arenaBytes);
}

/** Largest first, each at the lowest offset that is free for as long as it is needed. */
function packBlocks(blocks: readonly Block[]): number {
  const placed: Block[] = [];
  let top = 0;
  for (const block of [...blocks].sort((a, b) => b.bytes - a.bytes || a.from - b.from)) {
    const busy = placed
      .filter((p) => p.from <= block.to && block.from <= p.to)
      .sort((a, b) => a.offset - b.offset);
    let offset = 0;
    for (const p of busy) {
      if (offset + block.bytes <= p.offset) break;
      offset = Math.max(offset, p.offset + p.bytes);
    }
    block.offset = offset;
    top = Math.max(top, offset + block.bytes);
    placed.push(block);
  }
  return top;
}

function assemble(
  { inputs, launches, outputs }: Lowered,
  places: ReadonlyMap<Var, Place>,
  arenaBytes: number,
): Plan {
  const slots: Slot[] = [];
  const slotOf = new Map<Var, number>();
  for (const [v, place] of places) {
    slotOf.set(v, slots.length);
    slots.push({ dtype: v.aval.dtype, size: sizeOf(v.aval.shape), place });
  }
  const at = (v: Var): number => slotOf.get(v) as number;
  return {
    slots,
    steps: launches.map((l) => stepOf(l, at)),
    inputs: inputs.map(at),
    outputs: outputs.map(at),
    arenaBytes,
  };
}

function stepOf(launch: Launch, at: (v: Var) => number): Step {
  return { ...launch, inputs: launch.inputs.map(at), outputs: launch.outputs.map(at) };
}
