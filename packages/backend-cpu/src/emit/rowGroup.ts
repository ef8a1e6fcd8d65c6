import {
  blocksOf,
  dtypeInfo,
  type Kernel,
  type KernelStep,
  kernelKey,
  loadsOf,
  nodesOf,
  type Plan,
  type Step,
  sizeOf,
  type WorkStep,
  workSteps,
} from '@neumann/core/backend';
import type { Limits } from './cost.ts';
import { type Extent, extentOf, overlap } from './turns.ts';

/**
 * Consecutive steps that run together, some rows at a time: what one of them makes or reads is still in the cache when the
 * next one reads it. Softmax, its gradient and normalisations are such: each row is reduced, and then read again.
 */
export interface RowGroup {
  readonly kind: 'rows';
  readonly steps: readonly KernelStep[];
  /** The product of as many leading axes, the same of all kernels. */
  readonly rows: number;
  /** Slots that were written before. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Slots that only these steps use: of them there need only be the rows at hand. */
  readonly inner: readonly number[];
}

/** Rows with more bytes than this leave the cache before the next step reads them. */
const MOST_ROW_BYTES = 2 ** 18;
const MOST_STEPS = 16;

/** The groups of a plan, by each of their steps. */
export function rowGroups(
  plan: Plan,
  limits: Limits,
  isNothing: (step: WorkStep) => boolean,
): Map<WorkStep, RowGroup> {
  const groups = new Map<WorkStep, RowGroup>();
  const finder = new Finder(plan, limits, isNothing);
  const visit = (steps: readonly Step[]): void => {
    for (let at = 0; at < steps.length; ) {
      const group = finder.longest(steps, at);
      for (const step of group?.steps ?? []) groups.set(step, group as RowGroup);
      at += group?.steps.length ?? 1;
    }
    for (const step of steps) for (const block of blocksOf(step)) visit(block);
  };
  visit(plan.steps);
  return groups;
}

/** What tells groups apart: the kernels, which of their operands are the same, and which are inner. */
export function groupKey({ steps, rows, inputs, outputs, inner }: RowGroup): string {
  const slots = [...inputs, ...outputs, ...inner];
  const operands = ({ kernel, ...step }: KernelStep) =>
    [kernelKey(kernel), ...[...step.inputs, ...step.outputs].map((slot) => slots.indexOf(slot))].join(' ');
  return [rows, inputs.length, outputs.length, ...steps.map(operands)].join('\n');
}

/** Bytes of one row of a slot. */
export function rowBytesOf({ slots }: Plan, slot: number, rows: number): number {
  const { dtype, size } = slots[slot] ?? { dtype: 'bool' as const, size: 0 };
  return (size * dtypeInfo(dtype).bytes) / rows;
}

class Finder {
  readonly #plan: Plan;
  readonly #limits: Limits;
  readonly #isNothing: (step: WorkStep) => boolean;
  /** How often each slot is used. */
  readonly #uses = new Map<number, number>();

  constructor(plan: Plan, limits: Limits, isNothing: (step: WorkStep) => boolean) {
    this.#plan = plan;
    this.#limits = limits;
    this.#isNothing = isNothing;
    const use = (slot: number) => this.#uses.set(slot, (this.#uses.get(slot) ?? 0) + 1);
    for (const { inputs, outputs } of workSteps(plan.steps)) [...inputs, ...outputs].forEach(use);
    for (const { place } of plan.slots) if (place.kind === 'row') use(place.of);
    plan.outputs.forEach(use);
    const visit = (steps: readonly Step[]): void => {
      for (const step of steps) {
        if (step.kind === 'branch') use(step.index);
        if (step.kind === 'while') use(step.predicate);
        blocksOf(step).forEach(visit);
      }
    };
    visit(plan.steps);
  }

  /** The group of the most steps from `at` on, if there is one. */
  longest(steps: readonly Step[], at: number): RowGroup | undefined {
    const run: KernelStep[] = [];
    let rows = 0;
    for (const step of steps.slice(at, at + MOST_STEPS)) {
      if (step.kind !== 'kernel' || step.kernel.routine || this.#isNothing(step)) break;
      if (run.length > 0 && !sharesRows(run, step)) break;
      run.push(step);
      if (run.length === 1) continue;
      const found = this.#rowsOf(run);
      if (found === 0) {
        run.pop();
        break;
      }
      rows = found;
    }
    return run.length > 1 ? this.#group(run, rows) : undefined;
  }

  #group(steps: readonly KernelStep[], rows: number): RowGroup | undefined {
    const uses = new Map<number, number>();
    for (const { inputs, outputs } of steps)
      for (const slot of [...inputs, ...outputs]) uses.set(slot, (uses.get(slot) ?? 0) + 1);
    const made = new Set(steps.flatMap(({ outputs }) => outputs));
    const isInner = (slot: number) =>
      this.#plan.slots[slot]?.place.kind === 'arena' && uses.get(slot) === this.#uses.get(slot);
    const bytes = [...uses.keys()].reduce((sum, slot) => sum + rowBytesOf(this.#plan, slot, 1), 0);
    if (bytes < this.#limits.groupBytes) return undefined;
    return {
      kind: 'rows',
      steps,
      rows,
      inputs: [...uses.keys()].filter((slot) => !made.has(slot)),
      outputs: [...made].filter((slot) => !isInner(slot)),
      inner: [...made].filter(isInner),
    };
  }

  /** How many rows steps can be divided into, as many as make sense; 0 if they cannot. */
  #rowsOf(steps: readonly KernelStep[]): number {
    const [first, ...others] = steps.map(({ kernel }) => kernel.axes);
    if (!first) return 0;
    const differs = first.findIndex((extent, axis) => others.some((axes) => axes[axis] !== extent));
    const points = Math.max(...steps.map(({ kernel }) => sizeOf(kernel.axes) * sizeOf(kernel.reduceAxes)));
    for (let leading = differs < 0 ? first.length : differs; leading > 0; leading--) {
      const rows = sizeOf(first.slice(0, leading));
      if (rows < this.#limits.rows) return 0;
      if (points < rows * this.#limits.rowPoints) continue;
      const bytes = steps.flatMap(({ outputs }) => outputs.map((slot) => rowBytesOf(this.#plan, slot, rows)));
      if (Math.max(...bytes) > MOST_ROW_BYTES) return 0;
      if (this.#keepToRows(steps, leading)) return rows;
    }
    return 0;
  }

  /** Whether no step reads or overwrites other rows of what the steps before it use than its own, nor large operands across. */
  #keepToRows(steps: readonly KernelStep[], leading: number): boolean {
    return steps.every(
      (late, j) =>
        late.inputs.every((slot, i) => this.#isSmall(slot) || !readsAcross(late.kernel, i, leading)) &&
        steps.slice(0, j).every((early) => {
          const readsItsRows = late.inputs.every(
            (slot, i) => !early.outputs.includes(slot) || readsRows(late.kernel, i, leading),
          );
          return readsItsRows && late.outputs.every((slot) => this.#mayOverwrite(slot, early, leading));
        }),
    );
  }

  /** Whether all of a slot stays in the cache. */
  #isSmall(slot: number): boolean {
    return rowBytesOf(this.#plan, slot, 1) <= MOST_ROW_BYTES;
  }

  /** Whether a slot takes no memory of an earlier step, or the same rows of it. */
  #mayOverwrite(slot: number, early: KernelStep, leading: number): boolean {
    const written = extentOf(this.#plan, slot);
    const isApart = (other: number) => {
      const extent = extentOf(this.#plan, other);
      return !overlap([written], [extent]) || this.#sameRows(slot, written, other, extent);
    };
    return (
      early.outputs.every(isApart) &&
      early.inputs.every(
        (other, i) =>
          !overlap([written], [extentOf(this.#plan, other)]) ||
          (isApart(other) && readsRows(early.kernel, i, leading)),
      )
    );
  }

  #sameRows(slot: number, a: Extent, other: number, b: Extent): boolean {
    const isRow = [slot, other].some((s) => this.#plan.slots[s]?.place.kind === 'row');
    const bytes = [slot, other].map((s) => rowBytesOf(this.#plan, s, 1));
    return !isRow && a.from === b.from && bytes[0] === bytes[1];
  }
}

/** Whether a step reads what one before it makes or reads too. */
function sharesRows(steps: readonly KernelStep[], { inputs, kernel }: KernelStep): boolean {
  return inputs.some((slot, i) =>
    steps.some(
      (early) =>
        early.outputs.includes(slot) ||
        (early.inputs.includes(slot) && sizeOf(kernel.inputs[i]?.shape ?? []) > 1),
    ),
  );
}

/** Whether a row of a kernel is spread over an input, whose slowest axis then is none of the rows'. */
function readsAcross({ inputs, outputs, reductions }: Kernel, input: number, leading: number): boolean {
  const slowest = (inputs[input]?.shape ?? []).findIndex((extent) => extent > 1);
  return loadsOf([...reductions.map(({ value }) => value), ...outputs])
    .filter((load) => load.input === input)
    .some(
      ({ index }) =>
        !nodesOf(index.slice(slowest, slowest + 1)).some((x) => x.kind === 'coord' && x.axis < leading),
    );
}

/** Whether a kernel reads, at each point, only the row of an input that has the point's own leading coordinates. */
function readsRows({ inputs, axes, outputs, reductions }: Kernel, input: number, leading: number): boolean {
  const shape = inputs[input]?.shape ?? [];
  const lead = axes.slice(0, leading);
  return (
    lead.every((extent, axis) => shape[axis] === extent) &&
    loadsOf([...reductions.map(({ value }) => value), ...outputs])
      .filter((load) => load.input === input)
      .every(({ index }) =>
        lead.every((extent, axis) => {
          const x = index[axis];
          return (x?.kind === 'coord' && x.axis === axis) || (extent === 1 && x?.kind === 'const');
        }),
      )
  );
}
