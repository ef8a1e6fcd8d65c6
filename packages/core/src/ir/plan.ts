import type { DType } from '../dtype.ts';
import type { HostRoutine } from './host.ts';
import type { Kernel } from './kernel.ts';

/**
 * A list of steps with a place for every value: what a backend compiles.
 *
 * Slots are the values. A slot never changes once written, is written by one step (or is an input), and slots that
 * are alive at the same time never overlap, with one exception: where a kernel reads an input only at the very point
 * it writes, its output may take the input's place.
 */
export interface Plan {
  readonly slots: readonly Slot[];
  readonly steps: readonly Step[];
  /** Slots of the arguments, in order. */
  readonly inputs: readonly number[];
  /** Slots of the results, in order; a slot may occur twice and may be an input. */
  readonly outputs: readonly number[];
  /** Bytes of scratch memory that `arena` places point into. */
  readonly arenaBytes: number;
}

export interface Slot {
  readonly dtype: DType;
  /** Number of elements. */
  readonly size: number;
  readonly place: Place;
}

export type Place =
  /** The buffer handed in as argument `index`. */
  | { readonly kind: 'input'; readonly index: number }
  /** A new buffer, to be handed out. */
  | { readonly kind: 'output' }
  /** The memory of donated argument `index`, to be handed out as a new buffer. */
  | { readonly kind: 'donated'; readonly index: number }
  /** Scratch: a multiple of 64 bytes from the arena's start. */
  | { readonly kind: 'arena'; readonly offset: number };

export type Step = KernelStep | HostStep;

/** One kernel applied to slots: `kernel.inputs[i]` views `inputs[i]`, `kernel.outputs[i]` is written to `outputs[i]`. */
export interface KernelStep {
  readonly kind: 'kernel';
  readonly kernel: Kernel;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** One host routine applied to slots, alike. Its outputs share no memory with its inputs. */
export interface HostStep {
  readonly kind: 'host';
  readonly host: HostRoutine;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** What a step is called in profiles and messages. */
export function stepName(step: Step): string {
  switch (step.kind) {
    case 'kernel':
      return step.kernel.name;
    case 'host':
      return step.host.name;
    default:
      return step satisfies never;
  }
}
