import { dtypeInfo } from '@neumann/core/backend';
import type { Code, Local } from '../asm/code.ts';
import { Evaluator, newSlot, type Slot } from './evaluate.ts';
import {
  type Accumulator,
  accumulate,
  combine,
  identity,
  newAccumulator,
  resetAccumulator,
  resultOf,
} from './fold.ts';
import type { Functions } from './functions.ts';
import { pointsOf, type Strip, strips } from './loops.ts';
import type { Nest } from './nest.ts';
import { type Node, reachable } from './node.ts';
import { countTo, type Share, unitsOf } from './part.ts';
import type { Pointer } from './pointers.ts';
import { chooseSchedule, type Schedule } from './schedule.ts';
import { vectorKeepLive } from './vector.ts';

/** A loop nest is divided into as many tasks: enough for any number of threads to get about the same. */
export const TASKS = 64;

/** What only the thread that has the last task does. */
export function whenLast(code: Code, share: Share, body: () => void): void {
  code.get(share.end).i32(TASKS).op('i32.eq').if(body);
}

/** A loop that threads divide among each other, and in how many units. */
export interface Divided {
  readonly level: number;
  readonly units: number;
  /** Tasks that the units make up. */
  readonly tasks: number;
}

/**
 * The outermost parallel loop with enough units, or else the one with the most. The loop in strips is divided between
 * iterations of its first strip, so that each point is computed by the same instructions however many threads there are. The loop
 * of the axis `sequential`, if one is given, stays whole.
 */
export function dividedLoop(
  nest: Nest,
  { loop, lanes, unroll, tail } = chooseSchedule(nest),
  sequential?: number,
): Divided {
  const { loops, parallel } = nest;
  let most: Divided = { level: -1, units: 1, tasks: TASKS };
  for (const [level, { low, high, axis }] of loops.slice(0, parallel).entries()) {
    if (axis === sequential) continue;
    const strip = level === loop ? strips(high - low, lanes, unroll, tail)[0] : undefined;
    const units = strip ? strip.trips : high - low;
    if (units > most.units) most = { level, units, tasks: TASKS };
    if (units >= TASKS / 2) break;
  }
  return most;
}

/** One loop nest: parallel loops, inside of them the reduce loops, then the epilogue. */
export class NestEmitter {
  readonly #code: Code;
  readonly #nest: Nest;
  readonly #schedule: Schedule;
  readonly #evaluator: Evaluator;
  readonly #share: Share | undefined;
  readonly #divided: Divided;
  readonly #outputs: readonly { readonly node: Node; readonly pointer: Pointer }[];
  readonly #bodyNodes: readonly Node[];
  readonly #epilogueNodes: readonly Node[];

  constructor(
    code: Code,
    functions: Functions,
    nest: Nest,
    params: readonly Local[],
    share: Share | undefined,
    divided?: Divided,
  ) {
    this.#code = code;
    this.#nest = nest;
    this.#schedule = chooseSchedule(nest);
    this.#share = share;
    this.#divided = divided ?? dividedLoop(nest, this.#schedule);
    this.#evaluator = new Evaluator(code, nest, this.#schedule, functions, params);
    const inputs = nest.kernel.inputs.length;
    this.#outputs = nest.graph.outputs.map((node, i) => ({
      node,
      pointer: this.#evaluator.pointers.output(
        params[inputs + i] ?? 0,
        nest.graph.place,
        dtypeInfo(node.dtype).bytes,
      ),
    }));
    this.#bodyNodes = reachable(nest.graph.values);
    this.#epilogueNodes = reachable(nest.graph.outputs);
  }

  emit(): void {
    this.#evaluator.scoped(() => {
      this.#evaluator.pointers.begin();
      this.#parallel(0);
    });
  }

  /** The loops from `level` on, inside of those before. */
  #parallel(level: number): void {
    const { parallel } = this.#nest;
    const point = [newSlot(1, 0)];
    if (level === parallel) {
      this.#points(point);
      return;
    }
    this.#evaluator.hoist(level, point);
    if (level === this.#schedule.loop) this.#stripped(level, (slots) => this.#points(slots));
    else this.#loop(level, 1, () => this.#parallel(level + 1));
  }

  /** Everything for the points of some slots. */
  #points(slots: readonly Slot[]): void {
    const { kernel, graph, loops, parallel } = this.#nest;
    if (kernel.reductions.length === 0) this.#epilogue(slots);
    else if (loops.length > parallel && this.#schedule.loop >= parallel) this.#reduceInStrips(slots);
    else {
      const accumulators = slots.map((slot) => this.#accumulators(slot));
      this.#reduce(parallel, slots, (inner) => {
        for (const [s, slot] of inner.entries()) this.#accumulate(slot, accumulators[s] ?? [], graph.values);
      });
      for (const [s, slot] of slots.entries())
        slot.accs.push(...(accumulators[s] ?? []).map((acc) => resultOf(this.#evaluator.words(slot), acc)));
      this.#epilogue(slots);
    }
  }

  /** One accumulator for each reduction, with nothing folded yet. */
  #accumulators(slot: Slot): Accumulator[] {
    const words = this.#evaluator.words(slot);
    return this.#nest.kernel.reductions.map(({ op, value }) => {
      const accumulator = newAccumulator(words, op, value.dtype);
      resetAccumulator(words, accumulator);
      return accumulator;
    });
  }

  /** The reduction of one point with its innermost loop in strips: each slot folds into accumulators of its own. */
  #reduceInStrips([point = newSlot(1, 0)]: readonly Slot[]): void {
    const { loops, parallel, graph, kernel } = this.#nest;
    const { lanes, unroll, loop, tail } = this.#schedule;
    const extent = (loops[loop]?.high ?? 0) - (loops[loop]?.low ?? 0);
    const whole = tail === 'vector' ? Math.ceil(extent / lanes) : Math.floor(extent / lanes);
    const count = Math.min(unroll, Math.max(1, whole));
    const vectors = Array.from({ length: count }, () => this.#accumulators(newSlot(lanes, 0)));
    const singles =
      lanes > 1 && tail !== 'vector' && extent % lanes > 0 ? [this.#accumulators(newSlot(1, 0))] : [];
    this.#reduce(parallel, [point], (slots) => {
      for (const [s, slot] of slots.entries())
        this.#accumulate(slot, (slot.lanes === lanes ? vectors[s] : singles[0]) ?? [], graph.values);
    });
    for (const r of kernel.reductions.keys()) {
      const all = [...vectors, ...singles].flatMap((accumulators) => accumulators[r] ?? []);
      point.accs.push(combine(this.#evaluator.words(point), all));
    }
    this.#epilogue([point]);
  }

  /** The reduce loops from `level` on. */
  #reduce(level: number, slots: readonly Slot[], body: (slots: readonly Slot[]) => void): void {
    const evaluator = this.#evaluator;
    if (level === this.#nest.loops.length) {
      evaluator.scoped(() => body(slots));
      return;
    }
    evaluator.scoped(() => {
      evaluator.hoist(level, slots);
      if (level === this.#schedule.loop) this.#stripped(level, body);
      else this.#loop(level, 1, () => this.#reduce(level + 1, slots, body));
    });
  }

  #accumulate(slot: Slot, accumulators: readonly Accumulator[], values: readonly Node[]): void {
    const evaluator = this.#evaluator;
    const words = evaluator.words(slot);
    const acrossLanes = this.#schedule.loop >= this.#nest.parallel;
    evaluator.prepare(this.#bodyNodes, slot);
    for (const [r, acc] of accumulators.entries()) {
      const value = values[r];
      if (!value) continue;
      const push = () => {
        evaluator.push(value, slot);
        if (acrossLanes) vectorKeepLive(words, value.dtype, identity(acc.op, value.dtype), slot.live);
      };
      accumulate(words, acc, push, () => evaluator.push(this.#nest.position, slot));
    }
  }

  /** Computes all outputs of a slot before it stores any: an output may take the place of an input. */
  #epilogue(slots: readonly Slot[]): void {
    const evaluator = this.#evaluator;
    evaluator.scoped(() => {
      if (this.#schedule.interleaved) evaluator.interleave(this.#epilogueNodes, slots);
      this.#results(slots);
    });
  }

  #results(slots: readonly Slot[]): void {
    const evaluator = this.#evaluator;
    for (const slot of slots)
      evaluator.scoped(() => {
        evaluator.prepare(this.#epilogueNodes, slot);
        const [only] = this.#outputs;
        if (only && this.#outputs.length === 1) {
          evaluator.store(only.pointer, only.node, slot, () => evaluator.push(only.node, slot));
          return;
        }
        const results = this.#outputs.map(({ node }) => {
          evaluator.push(node, slot);
          const result = this.#code.local(evaluator.typeOf(node, slot));
          this.#code.set(result);
          return result;
        });
        for (const [i, { node, pointer }] of this.#outputs.entries())
          evaluator.store(pointer, node, slot, () => this.#code.get(results[i] ?? 0));
      });
  }

  /** The loop in strips: `body` for the slots of each. */
  #stripped(level: number, body: (slots: readonly Slot[]) => void): void {
    const loop = this.#nest.loops[level];
    if (!loop) return;
    const { lanes, unroll, tail } = this.#schedule;
    const all = strips(loop.high - loop.low, lanes, unroll, tail);
    const leave = this.#evaluator.pointers.enter(level, loop.low);
    const coord = this.#startCoord(level, loop.low);
    const share = this.#shareOf(level);
    const [first] = all;
    if (share && first) {
      const points = pointsOf(first);
      this.#repeatShare(level, coord, loop.low, share, first.trips, points, () => this.#strip(first, body));
      const rest = all.slice(1);
      if (rest.length > 0)
        whenLast(this.#code, share, () => {
          this.#strips(level, coord, loop.low + points * first.trips, rest, body);
        });
    } else this.#strips(level, coord, loop.low, all, body);
    leave();
  }

  /** Strips that follow each other from `low` on. */
  #strips(
    level: number,
    coord: Local,
    low: number,
    all: readonly Strip[],
    body: (slots: readonly Slot[]) => void,
  ): void {
    let at = low;
    for (const strip of all) {
      const points = pointsOf(strip);
      at += points * strip.trips;
      if (strip.trips > 1) this.#repeat(level, coord, at, points, () => this.#strip(strip, body));
      else {
        this.#strip(strip, body);
        if (strip !== all.at(-1)) this.#step(level, coord, points);
      }
    }
  }

  /** One iteration of a strip. */
  #strip({ lanes, unroll, last }: Strip, body: (slots: readonly Slot[]) => void): void {
    const slots = Array.from({ length: unroll }, (_, i) =>
      newSlot(lanes, i * lanes, i === unroll - 1 ? last : lanes),
    );
    this.#evaluator.scoped(() => body(slots));
  }

  #loop(level: number, points: number, body: () => void): void {
    const loop = this.#nest.loops[level];
    if (!loop) return;
    const leave = this.#evaluator.pointers.enter(level, loop.low);
    const coord = this.#startCoord(level, loop.low);
    const once = () => this.#evaluator.scoped(body);
    const share = this.#shareOf(level);
    if (share) this.#repeatShare(level, coord, loop.low, share, loop.high - loop.low, points, once);
    else this.#repeat(level, coord, loop.high, points, once);
    leave();
  }

  /** The share in which the loop is divided, if it is. */
  #shareOf(level: number): Share | undefined {
    return level === this.#divided.level ? this.#share : undefined;
  }

  /** Runs `body` for the thread's share of `units` units of `points` points from `low` on. */
  #repeatShare(
    level: number,
    coord: Local,
    low: number,
    share: Share,
    units: number,
    points: number,
    body: () => void,
  ): void {
    const code = this.#code;
    const { first, end } = unitsOf(code, share, this.#divided.tasks, units);
    const coordOf = (unit: Local, to: Local) =>
      code.get(unit).i32(points).op('i32.mul').i32(low).op('i32.add').set(to);
    this.#evaluator.pointers.advanceBy(level, first, points);
    coordOf(first, coord);
    coordOf(end, end);
    countTo(code, coord, end, points, () => {
      body();
      this.#evaluator.pointers.advance(level, points);
    });
  }

  /** Runs `body` until the coordinate reaches `end`: at least once. */
  #repeat(level: number, coord: Local, end: number, points: number, body: () => void): void {
    this.#code.loop((again) => {
      body();
      this.#step(level, coord, points);
      this.#code.get(coord).i32(end).op('i32.lt_s').branchIf(again);
    });
  }

  #step(level: number, coord: Local, points: number): void {
    this.#evaluator.pointers.advance(level, points);
    this.#code.advance(coord, points);
  }

  #startCoord(level: number, low: number): Local {
    const coord = this.#evaluator.coords[level] ?? this.#code.local('i32');
    this.#evaluator.coords[level] = coord;
    this.#code.i32(low).set(coord);
    return coord;
  }
}
