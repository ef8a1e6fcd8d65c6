import type { Plan } from '@neumann/core/backend';
import type { CpuBackend } from '../backend.ts';
import type { Work } from '../emit/plan.ts';

/** One run of one step. Milliseconds. */
export interface Event {
  readonly step: Work;
  readonly plan: Plan;
  readonly start: number;
  readonly end: number;
}

/** Takes down when each step of the plans that run meanwhile has ended. */
export class Recorder {
  readonly events: Event[] = [];
  readonly backends = new Set<CpuBackend>();
  #last = 0;

  /** A plan starts. */
  begin(backend: CpuBackend): void {
    this.backends.add(backend);
    this.#last = performance.now();
  }

  /** A step has ended. */
  mark(plan: Plan, step: Work): void {
    const end = performance.now();
    this.events.push({ step, plan, start: this.#last, end });
    this.#last = performance.now();
  }
}

let current: Recorder | undefined;

/** What is taking down steps at the moment. */
export function currentRecorder(): Recorder | undefined {
  return current;
}

export function setRecorder(recorder: Recorder | undefined): void {
  current = recorder;
}
