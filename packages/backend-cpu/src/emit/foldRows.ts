/**
 * Folds of what the kernel before them makes. They are folded row by row instead, so that the kernel and its folds form a group
 * (see `RowGroup`) that reads each row once; what the rows fold to is folded after. An optimizer's update with the norm of
 * something it makes is such, and a layer's gradient with its sum over examples.
 */
import {
  addExpr,
  coord,
  dtypeInfo,
  type Expr,
  type Kernel,
  type KernelStep,
  load,
  loadsOf,
  mulIndex,
  type Plan,
  type Slot,
  type Step,
  sizeOf,
  substituteAll,
} from '@neumann/core/backend';
import type { Limits } from './cost.ts';
import { inChunks, ofChunks } from './split.ts';

/** Rows have about as many points: so much of some tensors fits the fastest cache, and is worth a call. */
const ROW_POINTS = 2048;
/** Longer rows leave the cache before they are read again. */
const MOST_ROW_POINTS = 2 ** 15;

/** A step that folds what another one makes. */
interface Fold {
  readonly step: KernelStep;
  /** The reduce axes that go along the first axes of what it folds, one for each. */
  readonly lead: readonly number[];
}

/** Rows of a kernel: at each point of the axes before `axis`, and of that one `size` points each. */
interface Rows {
  readonly axis: number;
  readonly size: number;
}

/** The plan with folds by rows; `isFree` tells the steps that belong to no group yet. */
export function foldRows(plan: Plan, limits: Limits, isFree: (step: KernelStep) => boolean): Plan {
  const slots = [...plan.slots];
  let { arenaBytes } = plan;
  const newSlot = ({ dtype, size }: Pick<Slot, 'dtype' | 'size'>): number => {
    const offset = Math.ceil(arenaBytes / 64) * 64;
    arenaBytes = offset + size * dtypeInfo(dtype).bytes;
    return slots.push({ dtype, size, place: { kind: 'arena', offset } }) - 1;
  };

  const visit = (steps: readonly Step[]): Step[] => {
    const rewritten: Step[] = [];
    for (let at = 0; at < steps.length; ) {
      const step = steps[at] as Step;
      const folds = step.kind === 'kernel' && isFree(step) ? foldsOf(step, steps.slice(at + 1)) : [];
      const rows = folds.length > 0 ? rowsOf((step as KernelStep).kernel, folds, limits) : undefined;
      if (!rows) rewritten.push(withBlocks(step, visit));
      else rewritten.push(...byRows(step as KernelStep, folds, rows, newSlot));
      at += rows ? 1 + folds.length : 1;
    }
    return rewritten;
  };
  const steps = visit(plan.steps);
  return slots.length === plan.slots.length ? plan : { ...plan, slots, steps, arenaBytes };
}

/** The steps right after a pointwise one that fold what it makes along its first axes, and nothing that they make. */
function foldsOf(maker: KernelStep, later: readonly Step[]): Fold[] {
  const folds: Fold[] = [];
  const { kernel } = maker;
  if (kernel.routine || kernel.reductions.length > 0 || kernel.axes.includes(0)) return folds;
  for (const step of later) {
    if (step.kind !== 'kernel') break;
    const lead = leadOf(maker, step);
    const readsFold = folds.some((early) => early.step.outputs.some((slot) => step.inputs.includes(slot)));
    if (lead.length === 0 || readsFold) break;
    folds.push({ step, lead });
  }
  return folds;
}

/** The reduce axes of a kernel that go along the first axes of all that it reads of another step's results. */
function leadOf(maker: KernelStep, { kernel, inputs }: KernelStep): number[] {
  const { routine, axes, reduceAxes, reductions, outputs } = kernel;
  if (routine || axes.includes(0) || reductions.some(({ op }) => op === 'argmax' || op === 'argmin'))
    return [];
  const isMade = ({ input }: { input: number }) => maker.outputs.includes(inputs[input] ?? -1);
  const loads = loadsOf(reductions.map(({ value }) => value)).filter(isMade);
  if (loadsOf(outputs).some(isMade)) return [];
  const lead: number[] = [];
  for (const [axis, extent] of maker.kernel.axes.entries()) {
    const x = loads[0]?.index[axis];
    const along = x?.kind === 'coord' ? x.axis - axes.length : -1;
    const agree = loads.every(({ input, index }) => {
      const y = index[axis];
      return (
        kernel.inputs[input]?.shape[axis] === extent && y?.kind === 'coord' && y.axis - axes.length === along
      );
    });
    if (along < 0 || !agree || lead.includes(along) || reduceAxes[along] !== extent) break;
    lead.push(along);
  }
  return lead;
}

/** Rows near the best size, a divisor that vectors fit if there is one; undefined if rows do not pay. */
function rowsOf({ axes, outputs }: Kernel, folds: readonly Fold[], limits: Limits): Rows | undefined {
  const results = Math.max(...folds.map(({ step }) => sizeOf(step.kernel.axes)));
  const bytes = outputs.reduce((sum, { dtype }) => sum + sizeOf(axes) * dtypeInfo(dtype).bytes, 0);
  if (bytes < limits.groupBytes) return undefined;
  const leading = Math.min(...folds.map(({ lead }) => lead.length));
  const candidates = axes.slice(0, leading).flatMap((extent, axis) => {
    const inner = sizeOf(axes.slice(axis + 1));
    return divisors(extent).map((size) => ({ axis, size, points: size * inner }));
  });
  const badness = (points: number) => Math.abs(Math.log2(points / ROW_POINTS)) + (points % 16 > 0 ? 1 : 0);
  const [best] = candidates
    .filter(
      ({ points }) =>
        sizeOf(axes) / points >= Math.max(2, limits.rows) &&
        points >= results * limits.rowPoints &&
        points <= MOST_ROW_POINTS,
    )
    .sort((a, b) => badness(a.points) - badness(b.points));
  return best;
}

function divisors(n: number): number[] {
  const small: number[] = [];
  for (let d = 1; d * d <= n; d++) if (n % d === 0) small.push(d);
  return [...new Set([...small, ...small.map((d) => n / d)])];
}

/** The maker by rows, what each row folds to, and the folds of these. */
function byRows(
  maker: KernelStep,
  folds: readonly Fold[],
  rows: Rows,
  newSlot: (slot: Pick<Slot, 'dtype' | 'size'>) => number,
): Step[] {
  const { axis, size } = rows;
  const extents = splitAxis(maker.kernel.axes, rows);
  const number = sizeOf(extents.slice(0, axis + 1));
  const parts = folds.map(({ step, lead }) => {
    const { kernel, inputs } = step;
    const [apart, last] = [lead.slice(0, axis), lead[axis] ?? 0];
    const chunks = { axis: last, count: extents[axis] ?? 1, first: 0, size, length: size };
    const partial = inChunks(kernel, chunks, apart);
    const along = partial.axes.length + last - apart.filter((a) => a < last).length;
    const made = inputs.map((slot) => maker.outputs.includes(slot));
    const results = kernel.reductions.map(({ value: { dtype } }) =>
      newSlot({ dtype, size: number * sizeOf(kernel.axes) }),
    );
    return {
      rows: { ...step, kernel: viewRows(partial, made, rows, along), outputs: results },
      whole: { ...step, kernel: ofChunks(kernel, number), inputs: [...inputs, ...results] },
    };
  });
  return [
    { ...maker, kernel: withRows(maker.kernel, rows) },
    ...parts.map((part) => part.rows),
    ...parts.map((part) => part.whole),
  ];
}

/** A shape with an axis in two: as many rows of it as there are, and the points of one. */
function splitAxis(shape: readonly number[], { axis, size }: Rows): number[] {
  return [...shape.slice(0, axis), (shape[axis] ?? 1) / size, size, ...shape.slice(axis + 1)];
}

/** A kernel that folds nothing, with an axis in two. */
function withRows(kernel: Kernel, rows: Rows): Kernel {
  const { axis, size } = rows;
  const whole = addExpr(mulIndex(coord(axis), size), coord(axis + 1));
  const moved = (a: number): Expr => (a === axis ? whole : coord(a < axis ? a : a + 1));
  return {
    ...kernel,
    axes: splitAxis(kernel.axes, rows),
    outputs: substituteAll(kernel.outputs, { coord: moved }),
  };
}

/** Partial results of rows, the inputs that are `made` seen by rows, in which its coordinate `along` runs. */
function viewRows(kernel: Kernel, made: readonly boolean[], rows: Rows, along: number): Kernel {
  const { axis } = rows;
  const inputs = kernel.inputs.map((view, i) =>
    made[i] ? { ...view, shape: splitAxis(view.shape, rows) } : view,
  );
  const values = substituteAll(
    kernel.reductions.map(({ value }) => value),
    {
      load: (one) => {
        if (!made[one.input]) return one;
        const index = [...one.index.slice(0, axis), coord(axis), coord(along), ...one.index.slice(axis + 1)];
        return load(one.input, inputs[one.input] ?? one.dtype, index, one.guard);
      },
    },
  );
  const reductions = kernel.reductions.map((one, i) => ({ ...one, value: values[i] ?? one.value }));
  return { ...kernel, inputs, reductions };
}

/** A step with its blocks rewritten. */
function withBlocks(step: Step, visit: (steps: readonly Step[]) => Step[]): Step {
  switch (step.kind) {
    case 'kernel':
    case 'host':
      return step;
    case 'loop':
      return { ...step, body: visit(step.body) };
    case 'while':
      return { ...step, condition: visit(step.condition), body: visit(step.body) };
    case 'branch':
      return { ...step, branches: step.branches.map(visit) };
    default:
      return step satisfies never;
  }
}
