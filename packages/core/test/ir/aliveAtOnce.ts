import { dtypeInfo } from '../../src/dtype.ts';
import { blocksOf, type Plan, type Step, workSteps } from '../../src/ir/plan.ts';

/**
 * The largest number of bytes of the arena that hold a value which is still needed, over all steps.
 *
 * A value is needed from the first step that writes it to the last that reads it; what a loop uses of older values, to
 * the end of the loop; stacks of rows, from its beginning.
 */
export function aliveAtOnce(plan: Plan): number {
  const lives = new Map<number, { from: number; to: number }>();
  let now = 0;
  const use = (slot: number, at: number): void => {
    const life = lives.get(slot);
    lives.set(slot, { from: Math.min(life?.from ?? at, at), to: Math.max(life?.to ?? at, at) });
    const place = plan.slots[slot]?.place;
    if (place?.kind === 'row') use(place.of, at);
  };
  const visit = (steps: readonly Step[]): void => {
    for (const step of steps) {
      const begin = now++;
      if (step.kind === 'kernel' || step.kind === 'host') {
        for (const slot of [...step.inputs, ...step.outputs]) use(slot, begin);
        continue;
      }
      const older = new Set(lives.keys());
      if (step.kind === 'loop') for (const row of step.rows) use(row, begin);
      for (const block of blocksOf(step)) visit(block);
      const end = now++;
      if (step.kind === 'branch') use(step.index, end);
      else {
        const used = workSteps([step]).flatMap((work) => [...work.inputs, ...work.outputs]);
        for (const slot of used) if (older.has(slot)) use(slot, end);
        if (step.kind === 'while') use(step.predicate, end);
        else for (const row of step.rows) use(row, end);
      }
    }
  };
  visit(plan.steps);
  const spans = [...lives].flatMap(([slot, life]) => {
    const { place, size, dtype } = plan.slots[slot] as Plan['slots'][number];
    if (place.kind !== 'arena') return [];
    const bytes = Math.ceil((size * dtypeInfo(dtype).bytes) / 64) * 64;
    return [{ ...life, start: place.offset, end: place.offset + bytes }];
  });
  const at = (moment: number): number => {
    const alive = spans
      .filter(({ from, to }) => from <= moment && moment <= to)
      .sort((a, b) => a.start - b.start);
    let [sum, end] = [0, 0]; // a result in the place of an operand counts once
    for (const span of alive) {
      sum += Math.max(0, span.end - Math.max(span.start, end));
      end = Math.max(end, span.end);
    }
    return sum;
  };
  return Math.max(0, ...spans.map(({ from }) => at(from)));
}
