/**
 * When each value of a lowered program is alive, and which values share one slot.
 *
 * The launches are laid out on one line of time, loops with a moment before, between and after their passes. A value
 * from outside that a loop reads is alive until the loop ends; what a loop carries, and the stacks that it writes, from
 * the moment it begins.
 */
import { dtypeInfo } from '../dtype.ts';
import { InternalError } from '../errors.ts';
import { sizeOf } from '../shape.ts';
import {
  blocksOf,
  type Carry,
  type Launch,
  type LoopLaunch,
  type Lowered,
  type WhileLaunch,
} from './launch.ts';
import { readsPointwise } from './pointwise.ts';
import type { Var } from './program.ts';

export const bytesOf = (v: Var): number => sizeOf(v.aval.shape) * dtypeInfo(v.aval.dtype).bytes;

/** Values in one slot: alive from the first moment to the last. */
export interface Group {
  from: number;
  to: number;
  /** Its place is decided by something else: it is a result, an argument, or a row of a stack. */
  pin:
    | { readonly kind: 'result' | 'argument' }
    | { readonly kind: 'row'; readonly stack: Var; readonly reverse: boolean }
    | undefined;
}

export interface Timeline {
  /** The moment of a launch; of a loop or branch, when it begins. */
  readonly momentOf: ReadonlyMap<Launch, number>;
  groupOf(v: Var): Group;
}

export function timeline(lowered: Lowered): Timeline {
  const { lives, momentOf } = layOut(lowered);
  const groups = new Map<Var, Group>();
  const parent = new Map<Group, Group>();
  const find = (group: Group): Group => {
    const up = parent.get(group);
    return up ? find(up) : group;
  };
  const groupOf = (v: Var): Group => {
    const known = groups.get(v);
    if (known) return find(known);
    const { from, to } = lives.get(v) ?? { from: Number.NaN, to: Number.NaN };
    const group: Group = { from, to, pin: undefined };
    groups.set(v, group);
    return group;
  };
  const unite = (a: Group, b: Group): boolean => {
    if (a === b) return true;
    if (a.pin && b.pin) return false;
    a.from = Math.min(a.from, b.from);
    a.to = Math.max(a.to, b.to);
    a.pin ??= b.pin;
    parent.set(b, a);
    return true;
  };

  for (const v of lowered.outputs) groupOf(v).pin = { kind: 'result' };
  for (const v of lowered.inputs) groupOf(v).pin = { kind: 'argument' };

  /** The initial value has no other use, and was computed here: the loop goes on in its slot. */
  const startInPlace = ({ init, current }: Carry, begin: number, mine: ReadonlySet<Var>): void => {
    if (mine.has(init) && groupOf(init).to === begin) unite(groupOf(init), groupOf(current));
  };

  /** The next value overwrites the current one, if nothing reads that any more. */
  const nextInPlace = ({ current, next }: Carry, body: Lowered): void => {
    const group = groupOf(next);
    const isWritten = (v: Var): boolean => groupOf(v) === group;
    if (overwrites(body, current, isWritten)) unite(groupOf(current), group);
  };

  const visit = (block: Lowered): void => {
    const mine = new Set<Var>();
    for (const launch of block.launches) {
      for (const inner of blocksOf(launch)) visit(inner);
      if (launch.kind === 'branch')
        for (const branch of launch.branches)
          for (const [i, v] of branch.outputs.entries()) unite(groupOf(launch.outputs[i] as Var), groupOf(v));
      if (launch.kind === 'loop')
        for (const { row, stack } of launch.writes)
          groupOf(row).pin = { kind: 'row', stack, reverse: launch.reverse };
      if (launch.kind === 'loop' || launch.kind === 'while')
        for (const carry of launch.carries) {
          startInPlace(carry, momentOf.get(launch) as number, mine);
          nextInPlace(carry, launch.body);
        }
      for (const v of launch.outputs) mine.add(v);
    }
  };
  visit(lowered);
  return { momentOf, groupOf };
}

/**
 * Whether a block may write the values that `isWritten` tells in the place of `current`: where it writes one, that has
 * been read for the last time on the way there, or is read at the same point.
 */
function overwrites(block: Lowered, current: Var, isWritten: (v: Var) => boolean): boolean {
  const writes = (launch: Launch): boolean =>
    launch.outputs.some(isWritten) || blocksOf(launch).some((inner) => inner.launches.some(writes));
  let written = false;
  for (const launch of block.launches) {
    const reads = launch.inputs.includes(current);
    if (reads && written) return false;
    if (!writes(launch)) continue;
    written = true;
    if (reads && !readsInPlace(launch, current, isWritten)) return false;
  }
  return true;
}

/** Whether a launch that writes in the place of `current` reads it early enough. */
function readsInPlace(launch: Launch, current: Var, isWritten: (v: Var) => boolean): boolean {
  switch (launch.kind) {
    case 'kernel':
      return launch.inputs.every((v, i) => v !== current || readsPointwise(launch.kernel, i));
    case 'host':
      return false;
    case 'branch':
      return (
        launch.index !== current && launch.branches.every((branch) => overwrites(branch, current, isWritten))
      );
    case 'loop':
    case 'while': {
      // It begins with the value, goes on in its place, and reads it in no other way.
      const begins = launch.carries.filter(({ init }) => init === current);
      const stacks = launch.kind === 'loop' ? launch.reads : [];
      const inside = blocksOf(launch).flatMap((inner) => inner.launches.flatMap((one) => one.inputs));
      return (
        begins.length === 1 &&
        begins.every((carry) => isWritten(carry.current)) &&
        !stacks.some(({ stack }) => stack === current) &&
        !inside.includes(current)
      );
    }
    default:
      return launch satisfies never;
  }
}

interface Life {
  from: number;
  to: number;
}

/** Moments of all launches, and the lives of all values. */
function layOut(lowered: Lowered): {
  lives: ReadonlyMap<Var, Life>;
  momentOf: ReadonlyMap<Launch, number>;
} {
  const lives = new Map<Var, Life>();
  const momentOf = new Map<Launch, number>();
  /** Loops around the current moment, outermost first, with the values from outside that they read. */
  const loops: { readonly begin: number; readonly outside: Set<Var> }[] = [];
  let now = 0;
  const define = (v: Var, at: number): void => {
    const life = lives.get(v);
    if (life) life.to = Math.max(life.to, at);
    else lives.set(v, { from: at, to: at });
  };
  const read = (v: Var, at: number): void => {
    const life = lives.get(v);
    if (!life) throw new InternalError('timeline: a value is read before it is computed.');
    life.to = Math.max(life.to, at);
    loops.find(({ begin }) => life.from < begin)?.outside.add(v);
  };

  const block = ({ launches, outputs }: Lowered): void => {
    for (const launch of launches) {
      momentOf.set(launch, now);
      switch (launch.kind) {
        case 'kernel':
        case 'host':
          for (const v of launch.inputs) read(v, now);
          for (const v of launch.outputs) define(v, now);
          now++;
          break;
        case 'branch':
          branch(launch.index, launch.branches, launch.outputs);
          break;
        case 'loop':
        case 'while':
          loop(launch);
          break;
        default:
          launch satisfies never;
      }
    }
    for (const v of outputs) read(v, now);
    now++;
  };

  /** The index is alive to the end, so that whoever reads it later reads the same. */
  const branch = (index: Var, branches: readonly Lowered[], outputs: readonly Var[]): void => {
    now++;
    for (const one of branches) block(one);
    read(index, now);
    for (const v of outputs) define(v, now);
    now++;
  };

  const loop = (launch: LoopLaunch | WhileLaunch): void => {
    const begin = now++;
    for (const { init } of launch.carries) read(init, begin);
    const outside = new Set<Var>();
    loops.push({ begin, outside });
    const { carries, body } = launch;
    for (const { current } of carries) define(current, begin);
    if (launch.kind === 'loop') {
      for (const { row, stack } of launch.reads) {
        read(stack, begin);
        define(row, begin);
      }
      for (const { stack } of launch.writes) define(stack, begin);
    } else block(launch.condition);
    block(body); // its end is the moment at which next values are copied
    loops.pop();
    const end = now++;
    for (const v of outside) read(v, end);
    for (const { current } of carries) read(current, end);
    if (launch.kind === 'loop') {
      for (const { stack } of launch.reads) read(stack, end);
      for (const { stack } of launch.writes) read(stack, end);
    } else for (const v of launch.condition.outputs) read(v, end);
  };

  for (const v of lowered.inputs) define(v, -1);
  block(lowered);
  return { lives, momentOf };
}
