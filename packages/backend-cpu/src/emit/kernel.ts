import { dtypeInfo, type Kernel } from '@neumann/core/backend';
import type { Code, Local } from '../asm/code.ts';
import { Evaluator, newSlot, type Slot } from './evaluate.ts';
import { type Accumulator, accumulate, combine, newAccumulator, resetAccumulator } from './fold.ts';
import type { Functions } from './functions.ts';
import { buildGraph } from './graph.ts';
import { strips } from './loops.ts';
import { buildNest, type Nest } from './nest.ts';
import { type Node, reachable } from './node.ts';
import type { Pointer } from './pointers.ts';
import { chooseSchedule, type Schedule } from './schedule.ts';
import { segments } from './segments.ts';

/**
 * Writes the loop nest of a kernel into a function whose parameters are the addresses of the inputs, then of the
 * outputs.
 */
export function emitKernel(code: Code, functions: Functions, kernel: Kernel, params: readonly Local[]): void {
  if (kernel.axes.includes(0)) return;
  for (const ranges of segments(kernel)) {
    const graph = buildGraph(kernel, ranges);
    const nest = buildNest(graph.values.length > 0 ? kernel : withoutReductions(kernel), graph);
    new NestEmitter(code, functions, nest, params).emit();
  }
}

/** Only the epilogue, for a kernel that folds nothing. */
function withoutReductions(kernel: Kernel): Kernel {
  return { ...kernel, reduceAxes: [], reductions: [] };
}

/** One loop nest: parallel loops, inside of them the reduce loops, then the epilogue. */
class NestEmitter {
  readonly #code: Code;
  readonly #nest: Nest;
  readonly #schedule: Schedule;
  readonly #evaluator: Evaluator;
  readonly #outputs: readonly { readonly node: Node; readonly pointer: Pointer }[];
  readonly #bodyNodes: readonly Node[];
  readonly #epilogueNodes: readonly Node[];

  constructor(code: Code, functions: Functions, nest: Nest, params: readonly Local[]) {
    this.#code = code;
    this.#nest = nest;
    this.#schedule = chooseSchedule(nest);
    this.#evaluator = new Evaluator(code, nest, this.#schedule, functions, params);
    const inputs = nest.kernel.inputs.length;
    this.#outputs = nest.graph.outputs.map((node, i) => ({
      node,
      pointer: this.#evaluator.pointers.output(params[inputs + i] ?? 0, nest.graph.place, dtypeInfo(node.dtype).bytes),
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
    const { kernel, values, loops, parallel } = { ...this.#nest, values: this.#nest.graph.values };
    if (kernel.reductions.length === 0) {
      this.#epilogue(slots);
      return;
    }
    const accumulators: Accumulator[][] = kernel.reductions.map(() => []);
    const folded = (slot: Slot, at: number) =>
      kernel.reductions.map(({ op, value }, r) => {
        const list = accumulators[r] ?? [];
        return (list[at] ??= newAccumulator(this.#evaluator.words(slot), op, value.dtype));
      });
    if (this.#schedule.loop >= parallel && loops.length > parallel) {
      this.#alongReduction(slots[0] ?? newSlot(1, 0), folded, accumulators);
      return;
    }
    slots.forEach((slot, s) => folded(slot, s).forEach((acc) => resetAccumulator(this.#evaluator.words(slot), acc)));
    this.#reduce(parallel, slots, (inner) => inner.forEach((slot, s) => this.#accumulate(slot, folded(slot, s), values)));
    slots.forEach((slot, s) => slot.accs.push(...folded(slot, s).map((acc) => acc.position ?? acc.best)));
    this.#epilogue(slots);
  }

  /** A reduction whose innermost loop is in strips: several accumulators for one point. */
  #alongReduction(
    point: Slot,
    folded: (slot: Slot, at: number) => Accumulator[],
    accumulators: readonly (readonly Accumulator[])[],
  ): void {
    const { loops, parallel, graph } = this.#nest;
    const { lanes, unroll, loop } = this.#schedule;
    const extent = (loops[loop]?.high ?? 0) - (loops[loop]?.low ?? 0);
    const vectors = lanes > 1 || unroll > 1 ? Math.min(unroll, Math.max(1, Math.floor(extent / lanes))) : 1;
    for (let s = 0; s < vectors; s++) folded(newSlot(lanes, 0), s);
    if (lanes > 1 && extent % lanes > 0) folded(newSlot(1, 0), vectors);
    for (const list of accumulators)
      for (const acc of list) resetAccumulator(this.#evaluator.words(newSlot(acc.lanes, 0)), acc);
    this.#reduce(parallel, [point], (slots) =>
      slots.forEach((slot, s) => this.#accumulate(slot, folded(slot, slot.lanes === lanes ? s : vectors), graph.values)),
    );
    const words = this.#evaluator.words(point);
    for (const list of accumulators) point.accs.push(list[0]?.position ?? combine(words, list));
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
    evaluator.prepare(this.#bodyNodes, slot);
    accumulators.forEach((acc, r) => {
      const value = values[r];
      if (!value) return;
      accumulate(words, acc, () => evaluator.push(value, slot), () => evaluator.push(this.#nest.position, slot));
    });
  }

  /** Computes all outputs of a slot before it stores any: an output may take the place of an input. */
  #epilogue(slots: readonly Slot[]): void {
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
        this.#outputs.forEach(({ node, pointer }, i) =>
          evaluator.store(pointer, node, slot, () => this.#code.get(results[i] ?? 0)),
        );
      });
  }

  /** The loop in strips: `body` for the slots of each. */
  #stripped(level: number, body: (slots: readonly Slot[]) => void): void {
    const loop = this.#nest.loops[level];
    if (!loop) return;
    const { lanes, unroll } = this.#schedule;
    const long = this.#nest.nodes.length > 40;
    const { pointers } = this.#evaluator;
    const leave = pointers.enter(level, loop.low);
    const coord = this.#startCoord(level, loop.low);
    let at = loop.low;
    for (const strip of strips(loop.high - loop.low, lanes, unroll, long)) {
      const points = strip.lanes * strip.unroll;
      at += points * strip.trips;
      const once = () => {
        const slots = Array.from({ length: strip.unroll }, (_, i) => newSlot(strip.lanes, i * strip.lanes));
        this.#evaluator.scoped(() => body(slots));
      };
      if (strip.trips > 1) this.#repeat(level, coord, at, points, once);
      else {
        once();
        if (at < loop.high) this.#step(level, coord, points);
      }
    }
    leave();
  }

  #loop(level: number, points: number, body: () => void): void {
    const loop = this.#nest.loops[level];
    if (!loop) return;
    const leave = this.#evaluator.pointers.enter(level, loop.low);
    const coord = this.#startCoord(level, loop.low);
    this.#repeat(level, coord, loop.high, points, () => this.#evaluator.scoped(body));
    leave();
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
    const coord = (this.#evaluator.coords[level] ??= this.#code.local('i32'));
    this.#code.i32(low).set(coord);
    return coord;
  }
}
