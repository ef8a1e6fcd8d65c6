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
  | { readonly kind: 'arena'; readonly offset: number }
  /** One row of slot `of`: another one in each pass of the loop that lists this slot, from the last if `reverse`. */
  | { readonly kind: 'row'; readonly of: number; readonly reverse: boolean };

export type Step = WorkStep | LoopStep | WhileStep | BranchStep;

/** A step that computes; the others only say which steps run, and how often. */
export type WorkStep = KernelStep | HostStep;

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

/**
 * Runs `body` `length` times.
 *
 * Slots with a place `row` are views: those in `rows` stand at the first row of their slot in the first pass (at the
 * last if reversed) and move on by one row after each.
 */
export interface LoopStep {
  readonly kind: 'loop';
  readonly length: number;
  readonly rows: readonly number[];
  readonly body: readonly Step[];
}

/** Runs `condition`, then `body` if slot `predicate` (one bool) is true, and so on until it is false. */
export interface WhileStep {
  readonly kind: 'while';
  readonly condition: readonly Step[];
  readonly predicate: number;
  readonly body: readonly Step[];
}

/** Runs the branch whose number stands in slot `index` (one int32, in range), which no step of it overwrites. */
export interface BranchStep {
  readonly kind: 'branch';
  readonly index: number;
  readonly branches: readonly (readonly Step[])[];
}

/** What a step is called in profiles and messages. */
export function stepName(step: Step): string {
  switch (step.kind) {
    case 'kernel':
      return step.kernel.name;
    case 'host':
      return step.host.name;
    case 'loop':
    case 'while':
    case 'branch':
      return step.kind;
    default:
      return step satisfies never;
  }
}

/** The lists of steps inside a step. */
export function blocksOf(step: Step): readonly (readonly Step[])[] {
  switch (step.kind) {
    case 'kernel':
    case 'host':
      return [];
    case 'loop':
      return [step.body];
    case 'while':
      return [step.condition, step.body];
    case 'branch':
      return step.branches;
    default:
      return step satisfies never;
  }
}

/** All steps that compute, wherever they stand. */
export function workSteps(steps: readonly Step[]): WorkStep[] {
  return steps.flatMap((step) =>
    step.kind === 'kernel' || step.kind === 'host' ? [step] : blocksOf(step).flatMap(workSteps),
  );
}
