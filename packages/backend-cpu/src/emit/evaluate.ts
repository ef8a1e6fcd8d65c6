import { dtypeInfo, InternalError } from '@neumann/core/backend';
import type { Code, Local, ValueType } from '../asm/code.ts';
import type { Functions } from './functions.ts';
import { EPILOGUE, levelOf, type Nest } from './nest.ts';
import { type LoadNode, type Node, operandsOf, type Sum } from './node.ts';
import { type Pointer, Pointers } from './pointers.ts';
import {
  scalarBinary,
  scalarBitcast,
  scalarCast,
  scalarCompare,
  scalarConst,
  scalarLoad,
  scalarStore,
  scalarType,
  scalarUnary,
} from './scalar.ts';
import type { Schedule } from './schedule.ts';
import {
  type VectorWords,
  vectorBinary,
  vectorCast,
  vectorCompare,
  vectorConst,
  vectorIota,
  vectorLoad,
  vectorSelect,
  vectorSplat,
  vectorStore,
  vectorStoreLive,
  vectorUnary,
} from './vector.ts';

/** Some neighbouring points of a strip that one instruction handles: one, or as many as a vector has lanes. */
export interface Slot {
  readonly lanes: number;
  /** How many of them exist; the other lanes hold anything. */
  readonly live: number;
  /** Distance in points from where the strip's pointers stand. */
  readonly offset: number;
  /** Locals of nodes that change along the strip. */
  readonly values: Map<Node, Local>;
  /** Results of the reductions. */
  readonly accs: Local[];
}

export function newSlot(lanes: number, offset: number, live: number = lanes): Slot {
  return { lanes, live, offset, values: new Map(), accs: [] };
}

/** Expressions longer than this are computed in pieces, so that neither JavaScript's nor our stack gets deep. */
const PIECE = 48;
/** How deep expressions are computed for one slot before it is the next one's turn, where slots take turns. */
const STITCH = 4;

/** Puts values of nodes on the stack; what is used again is kept in a local while its scope lasts. */
export class Evaluator {
  readonly code: Code;
  readonly nest: Nest;
  readonly functions: Functions;
  readonly pointers: Pointers;
  /** The coordinate of each loop that was entered. */
  readonly coords: Local[] = [];
  readonly #schedule: Schedule;
  readonly #uses = new Map<Node, number>();
  readonly #scalars = new Map<Node, Local>();
  readonly #splats = new Map<Node, Local>();
  readonly #hoisted: readonly Node[][];
  readonly #splatted: ReadonlySet<Node>;
  readonly #undo: (() => void)[][] = [];

  constructor(code: Code, nest: Nest, schedule: Schedule, functions: Functions, inputs: readonly Local[]) {
    this.code = code;
    this.nest = nest;
    this.functions = functions;
    this.#schedule = schedule;
    this.pointers = new Pointers(code, nest, inputs, ({ node }) => this.isVarying(node));
    const roots = [...nest.graph.values, ...nest.graph.outputs];
    for (const node of [...roots, ...nest.nodes.flatMap(operandsOf)])
      this.#uses.set(node, (this.#uses.get(node) ?? 0) + 1);
    this.#splatted = this.#findSplatted(roots);
    this.#hoisted = this.#findHoisted();
  }

  /** Whether a node differs between the points of a strip. */
  isVarying(node: Node): boolean {
    const { loop } = this.#schedule;
    return ((this.nest.depends.get(node) ?? 0) & (EPILOGUE | (loop < 0 ? 0 : 1 << loop))) !== 0;
  }

  /** Forgets, after `body`, the locals that `body` set. */
  scoped(body: () => void): void {
    this.#undo.push([]);
    body();
    for (const undo of (this.#undo.pop() ?? []).reverse()) undo();
  }

  /** Computes what the loops inside need and what no longer changes once `level` loops were entered. */
  hoist(level: number, slots: readonly Slot[]): void {
    for (const node of this.#hoisted[level] ?? []) {
      if (this.isVarying(node)) for (const slot of slots) this.#keep(node, slot);
      else {
        if (node.kind !== 'const') this.#keep(node, undefined);
        if (this.#splatted.has(node)) {
          this.#splat(node);
          this.code.op('drop');
        }
      }
    }
    for (const pointer of this.pointers.pendingAt(level)) this.#addTerms(pointer);
  }

  /** Puts a node's value for the points of a slot on the stack. */
  push(node: Node, slot: Slot): void {
    if (slot.lanes === 1) this.#scalar(node, slot);
    else this.#vector(node, slot);
  }

  /** Computes the long expressions among `nodes` piece by piece. */
  prepare(nodes: readonly Node[], slot: Slot): void {
    for (const node of nodes) if (node.depth % PIECE === PIECE - 1) this.#keep(node, slot);
  }

  /**
   * Computes `nodes` for all slots a few at a time, so that a processor, which looks only some hundred instructions ahead,
   * finds those of several slots there: of one slot each may have to wait for the one before.
   */
  interleave(nodes: readonly Node[], slots: readonly Slot[]): void {
    for (const node of nodes)
      if (node.depth % STITCH === STITCH - 1) for (const slot of slots) this.#keep(node, slot);
  }

  /** Stores what `push` puts on the stack at the points of a slot. */
  store(pointer: Pointer, node: Node, slot: Slot, push: () => void): void {
    const { code } = this;
    const inStrip = slot.offset * this.#strideInStrip(pointer);
    const offset = Math.max(0, inStrip);
    const address = () => {
      code.get(pointer.current);
      if (inStrip < 0) code.i32(inStrip).op('i32.add');
    };
    if (slot.live < slot.lanes) {
      push();
      vectorStoreLive(this.words(slot), node.dtype, address, offset, slot.live);
      return;
    }
    address();
    push();
    if (slot.lanes === 1) scalarStore(code, node.dtype, offset);
    else vectorStore(this.words(slot), node.dtype, offset);
  }

  /** The type of what {@link push} leaves. */
  typeOf(node: Node, slot: Slot): ValueType {
    return slot.lanes > 1 ? 'v128' : scalarType(node.dtype);
  }

  words({ lanes }: Slot): VectorWords {
    return { code: this.code, functions: this.functions, lanes };
  }

  #strideInStrip(pointer: Pointer): number {
    return pointer.strides[this.#schedule.loop] ?? 0;
  }

  /** Nodes that are wanted as vectors although they are the same at all points of a strip. */
  #findSplatted(roots: readonly Node[]): Set<Node> {
    if (this.#schedule.lanes === 1) return new Set();
    const users = this.nest.nodes.filter((node) => this.isVarying(node) && node.kind !== 'load');
    return new Set([...users.flatMap(operandsOf), ...roots].filter((node) => !this.isVarying(node)));
  }

  /** For each level, the nodes that are computed there for use further inside. */
  #findHoisted(): Node[][] {
    const { nest } = this;
    const { loops, parallel, nodes, graph } = nest;
    const usedAt = new Map<Node, number>();
    const use = (node: Node, level: number) => usedAt.set(node, Math.max(usedAt.get(node) ?? 0, level));
    const stage = (node: Node) => ((nest.depends.get(node) ?? 0) & EPILOGUE ? parallel : levelOf(nest, node));
    for (const node of nodes) for (const operand of operandsOf(node)) use(operand, stage(node));
    for (const node of graph.values) use(node, loops.length);
    for (const node of graph.outputs) use(node, parallel);
    const hoisted: Node[][] = loops.map(() => []);
    for (const node of nodes) {
      if (
        node.kind === 'coord' ||
        node.kind === 'acc' ||
        (node.kind === 'const' && !this.#splatted.has(node))
      )
        continue;
      if ((nest.depends.get(node) ?? 0) & EPILOGUE) continue;
      const level = levelOf(nest, node);
      if (level < (usedAt.get(node) ?? 0)) hoisted[level]?.push(node);
    }
    return hoisted;
  }

  #keep(node: Node, slot: Slot | undefined): void {
    if (node.kind === 'const') return;
    const vector = slot !== undefined && slot.lanes > 1 && this.isVarying(node);
    if ((this.isVarying(node) ? slot?.values : this.#scalars)?.has(node)) return;
    if (vector) this.#vector(node, slot, true);
    else this.#scalar(node, slot, true);
    this.code.op('drop');
  }

  /** `local.tee` into a new local, which `map` knows until the scope ends. */
  #remember(map: Map<Node, Local>, node: Node, local: Local): void {
    this.code.tee(local);
    map.set(node, local);
    this.#undo.at(-1)?.push(() => map.delete(node));
  }

  #scalar(node: Node, slot: Slot | undefined, keep = false): void {
    if (node.kind === 'const') {
      scalarConst(this.code, node.dtype, node.value);
      return;
    }
    const map = this.isVarying(node) ? slot?.values : this.#scalars;
    const known = map?.get(node);
    if (known !== undefined) {
      this.code.get(known);
      return;
    }
    this.#scalarCode(node, slot);
    const again = (this.#uses.get(node) ?? 0) > 1 && node.kind !== 'coord' && node.kind !== 'acc';
    if (map && (keep || again)) this.#remember(map, node, this.code.local(scalarType(node.dtype)));
  }

  #scalarCode(node: Node, slot: Slot | undefined): void {
    const { code } = this;
    const words = { code, functions: this.functions };
    const push = (x: Node) => this.#scalar(x, slot);
    switch (node.kind) {
      case 'const':
        return;
      case 'coord':
        this.#coord(node.axis, slot);
        return;
      case 'acc':
        code.get(this.#acc(node.index, slot));
        return;
      case 'sum':
        this.#sum(node.sum, push, (n) => code.i32(n), 'i32.mul', 'i32.add');
        return;
      case 'load':
        this.#load(
          node,
          slot,
          () => scalarConst(code, node.dtype, 0),
          (offset) => scalarLoad(code, node.dtype, offset),
        );
        return;
      case 'unary':
        push(node.x);
        scalarUnary(words, node.dtype, node.op);
        return;
      case 'binary':
        push(node.x);
        push(node.y);
        scalarBinary(words, node.dtype, node.op, node.y.kind === 'const' ? node.y.value : undefined);
        return;
      case 'compare':
        push(node.x);
        push(node.y);
        scalarCompare(code, node.x.dtype, node.op);
        return;
      case 'select':
        push(node.x);
        push(node.y);
        push(node.cond);
        code.op('select');
        return;
      case 'cast':
        push(node.x);
        scalarCast(code, node.x.dtype, node.dtype);
        return;
      case 'bitcast':
        push(node.x);
        scalarBitcast(code, node.x.dtype, node.dtype);
        return;
      default:
        node satisfies never;
    }
  }

  #vector(node: Node, slot: Slot, keep = false): void {
    if (!this.isVarying(node)) {
      this.#splat(node);
      return;
    }
    const known = slot.values.get(node);
    if (known !== undefined) {
      this.code.get(known);
      return;
    }
    this.#vectorCode(node, slot);
    if (keep || ((this.#uses.get(node) ?? 0) > 1 && node.kind !== 'acc'))
      this.#remember(slot.values, node, this.code.local('v128'));
  }

  #vectorCode(node: Node, slot: Slot): void {
    const { code } = this;
    const words = this.words(slot);
    const push = (x: Node) => this.#vector(x, slot);
    switch (node.kind) {
      case 'const':
        return;
      case 'coord':
        this.#coord(node.axis, slot);
        vectorIota(code.op('i32x4.splat')).op('i32x4.add');
        return;
      case 'acc':
        code.get(this.#acc(node.index, slot));
        return;
      case 'sum':
        this.#sum(node.sum, push, (n) => vectorConst(code, 'int32', n), 'i32x4.mul', 'i32x4.add');
        return;
      case 'load': {
        const stride = this.#strideInStrip(this.pointers.of(node).pointer);
        const zero = () => vectorConst(code, node.dtype, 0);
        this.#load(node, slot, zero, (offset) => vectorLoad(words, node.dtype, offset, stride));
        return;
      }
      case 'unary':
        push(node.x);
        vectorUnary(words, node.dtype, node.op);
        return;
      case 'binary':
        push(node.x);
        push(node.y);
        vectorBinary(words, node.dtype, node.op, node.y.kind === 'const' ? node.y.value : undefined);
        return;
      case 'compare':
        push(node.x);
        push(node.y);
        vectorCompare(words, node.x.dtype, node.op);
        return;
      case 'select':
        push(node.x);
        push(node.y);
        push(node.cond);
        vectorSelect(words, node.dtype);
        return;
      case 'cast':
        push(node.x);
        vectorCast(words, node.x.dtype, node.dtype);
        return;
      case 'bitcast':
        push(node.x);
        return;
      default:
        node satisfies never;
    }
  }

  #splat(node: Node): void {
    const known = this.#splats.get(node);
    if (known !== undefined) {
      this.code.get(known);
      return;
    }
    if (node.kind === 'const') vectorConst(this.code, node.dtype, node.value);
    else {
      this.#scalar(node, undefined);
      vectorSplat(this.code, node.dtype);
    }
    this.#remember(this.#splats, node, this.code.local('v128'));
  }

  /** The coordinate at the first point of a slot. */
  #coord(axis: number, slot: Slot | undefined): void {
    const loop = this.nest.loops.findIndex((l) => l.axis === axis);
    this.code.get(this.coords[loop] ?? missing('coordinate'));
    if (loop === this.#schedule.loop && slot && slot.offset > 0) this.code.i32(slot.offset).op('i32.add');
  }

  #acc(index: number, slot: Slot | undefined): Local {
    return slot?.accs[index] ?? missing('reduction result');
  }

  #sum(
    sum: Sum,
    push: (x: Node) => void,
    number: (n: number) => void,
    mul: 'i32.mul' | 'i32x4.mul',
    add: 'i32.add' | 'i32x4.add',
  ): void {
    // Where axes were merged to one loop, its coordinate stands for those of all.
    const isMerged = (node: Node) =>
      node.kind === 'coord' && !this.nest.loops.some((loop) => loop.axis === node.axis);
    const terms = sum.terms.filter(({ node }) => !isMerged(node));
    terms.forEach(({ node, factor }, i) => {
      push(node);
      if (factor !== 1) {
        number(factor);
        this.code.op(mul);
      }
      if (i > 0) this.code.op(add);
    });
    if (sum.constant === 0) return;
    number(sum.constant);
    this.code.op(add);
  }

  /** Guarded loads add up their whole address first: it may lie outside of memory where the guard does not hold. */
  #load(node: LoadNode, slot: Slot | undefined, zero: () => void, read: (offset: number) => void): void {
    const { code } = this;
    const { pointer, offset, varying } = this.pointers.of(node);
    if (pointer.termsPending) this.#addTerms(pointer);
    const inStrip = this.isVarying(node) ? (slot?.offset ?? 0) * this.#strideInStrip(pointer) : 0;
    const immediate = node.guard || inStrip < 0 ? offset : offset + inStrip;
    code.get(pointer.current);
    if (offset + inStrip !== immediate) code.i32(inStrip).op('i32.add');
    for (const term of varying) {
      this.#scalar(term.node, slot);
      code
        .i32(term.factor * dtypeInfo(node.dtype).bytes)
        .op('i32.mul')
        .op('i32.add');
    }
    if (!node.guard) {
      read(immediate);
      return;
    }
    const address = code.local('i32');
    code.set(address);
    this.#scalar(node.guard, slot);
    const type = slot && slot.lanes > 1 && this.isVarying(node) ? 'v128' : scalarType(node.dtype);
    const readThere = () => {
      code.get(address);
      read(immediate);
    };
    code.choose(type, readThere, zero);
  }

  #addTerms(pointer: Pointer): void {
    const undo = this.pointers.addTerms(pointer, (term) => this.#scalar(term.node, undefined));
    this.#undo.at(-1)?.push(undo);
  }
}

function missing(what: string): never {
  throw new InternalError(`emit: a ${what} is used before it is known.`);
}
