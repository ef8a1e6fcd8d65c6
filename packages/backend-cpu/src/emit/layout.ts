import { blocksOf, type Plan, type Step, type WorkStep, workSteps } from '@neumann/core/backend';
import type { RowGroup } from './rowGroup.ts';
import { type Extent, extentOf } from './turns.ts';

const ALIGN = 64;

/** Rounds up to a whole number of cache lines. */
const aligned = (bytes: number): number => Math.ceil(bytes / ALIGN) * ALIGN;

/** Where everything lies in a region: bytes from its start. */
export interface Layout {
  readonly arenaAt: number;
  /** Scratch memory of steps, which threads share: in the arena, where no value lies meanwhile, or behind it. */
  readonly scratch: ReadonlyMap<WorkStep, Extent>;
  /** Scratch memory of each thread, one after the other. */
  readonly ownAt: number;
  readonly ownBytes: number;
  /** All of it. */
  readonly bytes: number;
}

interface Contents {
  readonly plan: Plan;
  readonly steps: ReadonlyMap<
    WorkStep,
    { readonly scratch: number; readonly parts: readonly { own: number }[] }
  >;
  readonly groups: ReadonlyMap<WorkStep, RowGroup>;
  /** Entries of the table. */
  readonly externals: number;
  readonly threads: number;
}

export function layOut({ plan, steps, groups, externals, threads }: Contents): Layout {
  const arenaAt = aligned(4 * externals);
  const values = valuesOf(plan);
  const scratch = new Map<WorkStep, Extent>();
  for (const [moment, top] of plan.steps.entries())
    for (const step of workSteps([top])) {
      const bytes = aligned(steps.get(step)?.scratch ?? 0);
      // A group runs where its last step is, so what its first step reads lies there until then.
      const since = plan.steps.indexOf(groups.get(step)?.steps[0] ?? top);
      const from = since < 0 ? moment : since;
      const held = values.filter((value) => value.first <= moment && from <= value.last);
      if (bytes > 0) scratch.set(step, firstGap(held, bytes));
    }
  const end = Math.max(plan.arenaBytes, ...[...scratch.values()].map(({ to }) => to));
  const ownAt = arenaAt + aligned(end);
  const own = [...steps.values()].flatMap(({ parts }) => parts.map((part) => part.own));
  const ownBytes = aligned(Math.max(0, ...own));
  return { arenaAt, scratch, ownAt, ownBytes, bytes: ownAt + threads * ownBytes };
}

/** What lies in the arena, and the first and the last of the plan's steps that use it. */
interface Value extends Extent {
  readonly first: number;
  last: number;
}

function valuesOf(plan: Plan): Value[] {
  const values = new Map<number, Value>();
  for (const [moment, step] of plan.steps.entries())
    for (const slot of slotsOf(step)) {
      const extent = extentOf(plan, slot);
      if (extent.of !== 'arena') continue;
      const whole = wholeOf(plan, slot);
      const value = values.get(whole) ?? { ...extent, first: moment, last: moment };
      value.last = moment;
      values.set(whole, value);
    }
  return [...values.values()].sort((a, b) => a.from - b.from);
}

/** The slot of which this one is a row, or a row of a row. */
function wholeOf(plan: Plan, slot: number): number {
  const place = plan.slots[slot]?.place;
  return place?.kind === 'row' ? wholeOf(plan, place.of) : slot;
}

/** The slots of a step, with those of the steps inside it. */
function slotsOf(step: Step): number[] {
  const inner = blocksOf(step).flatMap((block) => block.flatMap(slotsOf));
  switch (step.kind) {
    case 'kernel':
    case 'host':
      return [...step.inputs, ...step.outputs];
    case 'loop':
      return [...step.rows, ...inner];
    case 'while':
      return [step.predicate, ...inner];
    case 'branch':
      return [step.index, ...inner];
    default:
      return step satisfies never;
  }
}

/** The first stretch of the arena, or of what is behind it, with none of the values; these in the order of their places. */
function firstGap(values: readonly Extent[], bytes: number): Extent {
  let from = 0;
  for (const value of values) {
    if (from + bytes <= value.from) break;
    from = Math.max(from, aligned(value.to));
  }
  return { of: 'arena', from, to: from + bytes };
}
