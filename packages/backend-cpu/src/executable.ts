import {
  type Buffer,
  type DType,
  dtypeInfo,
  type Executable,
  InternalError,
  type Plan,
  type Slot,
} from '@neumann/core/backend';
import { heirOf, leaseOf } from './buffer.ts';
import type { EmittedPlan } from './emit/plan.ts';
import type { Lease, Residency, Storage } from './memory/residency.ts';

/** Where the address of an external slot comes from. */
type Source =
  | { readonly kind: 'argument'; readonly index: number }
  | { readonly kind: 'created'; readonly index: number };

/** Where a result comes from. */
interface Result {
  readonly dtype: DType;
  readonly size: number;
  readonly source: Source;
  readonly donated: boolean;
  /** The result of which it is the same slot. */
  readonly same: number;
}

/** A plan in WebAssembly, with everything worked out that is the same in every run. */
export class CpuExecutable implements Executable {
  readonly #residency: Residency;
  readonly #entry: (region: number) => void;
  readonly #regionBytes: number;
  readonly #arguments: readonly Pick<Slot, 'dtype' | 'size'>[];
  readonly #created: readonly number[];
  readonly #table: readonly Source[];
  readonly #results: readonly Result[];
  readonly #own: (dtype: DType, size: number, storage: Storage) => Buffer;

  constructor(
    plan: Plan,
    { externals, regionBytes }: EmittedPlan,
    entry: (region: number) => void,
    residency: Residency,
    own: (dtype: DType, size: number, storage: Storage) => Buffer,
  ) {
    this.#residency = residency;
    this.#entry = entry;
    this.#regionBytes = regionBytes;
    this.#own = own;
    this.#arguments = plan.inputs.map((slot) => slotAt(plan, slot));
    const created = externals.filter((slot) => slotAt(plan, slot).place.kind === 'output');
    this.#created = created.map(
      (slot) => slotAt(plan, slot).size * dtypeInfo(slotAt(plan, slot).dtype).bytes,
    );
    const sourceOf = (slot: number): Source => {
      const { place } = slotAt(plan, slot);
      if (place.kind === 'input' || place.kind === 'donated') return { kind: 'argument', index: place.index };
      if (place.kind === 'output') return { kind: 'created', index: created.indexOf(slot) };
      throw new InternalError(`cpu: slot ${slot} is a result, but it lies in the arena.`);
    };
    this.#table = externals.map(sourceOf);
    this.#results = plan.outputs.map((slot) => {
      const { dtype, size, place } = slotAt(plan, slot);
      const same = plan.outputs.indexOf(slot);
      return { dtype, size, source: sourceOf(slot), donated: place.kind === 'donated', same };
    });
  }

  run(inputs: readonly Buffer[]): Buffer[] {
    const leases = this.#arguments.map((wanted, i) => checkedLease(wanted, inputs[i], i));
    const given = leases.map(({ storage }) => storage);
    const { created, region } = this.#residency.prepare(
      given,
      this.#created,
      this.#regionBytes,
      'a compiled program',
    );
    for (const lease of leases) this.#residency.own(lease);
    const storageAt = ({ kind, index }: Source): Storage => {
      const storage = kind === 'argument' ? given[index] : created[index];
      if (!storage) throw new InternalError(`cpu: the plan has no ${kind} ${index}.`);
      return storage;
    };
    const table = new Uint32Array(this.#residency.memory.buffer, region, this.#table.length);
    for (const [i, source] of this.#table.entries()) table[i] = storageAt(source).address;
    this.#entry(region);
    const results: Buffer[] = [];
    for (const { dtype, size, source, donated, same } of this.#results) {
      const argument = source.kind === 'argument' ? inputs[source.index] : undefined;
      results.push(
        results[same] ??
          (donated ? heirOf(argument) : (argument ?? this.#own(dtype, size, storageAt(source)))),
      );
    }
    return results;
  }
}

/** The lease of argument `i`, which must be what the plan was made for. */
function checkedLease(wanted: Pick<Slot, 'dtype' | 'size'>, buffer: Buffer | undefined, i: number): Lease {
  const lease = leaseOf(buffer, `argument ${i} of a compiled program`);
  if (buffer?.dtype !== wanted.dtype || buffer.size !== wanted.size)
    throw new InternalError(
      `cpu: argument ${i} of a compiled program must be ${wanted.size} × ${wanted.dtype}, ` +
        `but is ${buffer?.size} × ${buffer?.dtype}.`,
    );
  return lease;
}

function slotAt(plan: Plan, index: number): Slot {
  const slot = plan.slots[index];
  if (!slot) throw new InternalError(`cpu: the plan has no slot ${index}.`);
  return slot;
}
