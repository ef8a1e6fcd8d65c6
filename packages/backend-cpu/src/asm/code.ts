import { InternalError } from '@neumann/core/backend';
import { Bytes } from './bytes.ts';
import {
  type AtomicOp,
  atomic as atomicCodes,
  type LaneOp,
  lane as laneCodes,
  type MemoryLaneOp,
  type MemoryOp,
  memory as memoryCodes,
  memoryLane as memoryLaneCodes,
  type PlainOp,
  plain as plainCodes,
} from './opcodes.ts';

export type ValueType = 'i32' | 'f32' | 'f64' | 'v128';

/** A parameter or local variable of a function, by index. */
export type Local = number;

/** A place to branch to: the end of a block, or the start of a loop. */
export interface Label {
  readonly depth: number;
}

/** Something that can be called. */
export interface Callable {
  readonly index: number;
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

export const typeCodes: Readonly<Record<ValueType, number>> = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b };

const EMPTY_BLOCK = 0x40;

/** The body of one function, written instruction by instruction; every method returns the code, so that calls chain. */
export class Code {
  readonly #bytes = new Bytes();
  /** Run first: it sets the constants. */
  readonly #prologue = new Bytes();
  readonly #constants = new Map<string, Local>();
  readonly #paramCount: number;
  readonly #locals: ValueType[] = [];
  #depth = 0;

  constructor(paramCount: number) {
    this.#paramCount = paramCount;
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#bytes.length;
  }

  /** A new local variable; it starts as zero. */
  local(type: ValueType): Local {
    return this.#paramCount + this.#locals.push(type) - 1;
  }

  locals(type: ValueType, count: number): Local[] {
    return Array.from({ length: count }, () => this.local(type));
  }

  op(name: PlainOp): this {
    this.#opcode(plainCodes[name]);
    return this;
  }

  get(local: Local): this {
    return this.#withIndex(0x20, local);
  }

  set(local: Local): this {
    return this.#withIndex(0x21, local);
  }

  tee(local: Local): this {
    return this.#withIndex(0x22, local);
  }

  i32(value: number): this {
    this.#bytes.byte(0x41);
    this.#bytes.signed(value);
    return this;
  }

  f32(value: number): this {
    this.#bytes.byte(0x43);
    this.#bytes.float32(value);
    return this;
  }

  f64(value: number): this {
    this.#bytes.byte(0x44);
    this.#bytes.float64(value);
    return this;
  }

  /** A vector constant of 16 bytes. */
  v128(lanes: Uint8Array): this {
    this.#opcode(0xfd00c);
    this.#bytes.bytes(lanes);
    return this;
  }

  /** A local that holds a vector constant from the start: engines build one anew, in several steps, where it is written. */
  constant(lanes: Uint8Array): Local {
    const key = lanes.join();
    let local = this.#constants.get(key);
    if (local === undefined) {
      local = this.local('v128');
      this.#constants.set(key, local);
      for (const byte of [0xfd, 0x0c]) this.#prologue.byte(byte);
      this.#prologue.bytes(lanes);
      this.#prologue.byte(0x21);
      this.#prologue.unsigned(local);
    }
    return local;
  }

  /** Takes the address from the stack; a store takes the value above it. `offset` is unsigned. */
  memory(name: MemoryOp, offset = 0): this {
    this.#opcode(memoryCodes[name]);
    this.#memoryOperand(offset);
    return this;
  }

  /** Sequentially consistent; takes the address from the stack, a store or an addition the value above it. */
  atomic(name: AtomicOp, offset: number): this {
    this.#opcode(atomicCodes[name]);
    this.#bytes.byte(2);
    this.#bytes.unsigned(offset);
    return this;
  }

  memoryLane(name: MemoryLaneOp, lane: number, offset = 0): this {
    this.#opcode(memoryLaneCodes[name]);
    this.#memoryOperand(offset);
    this.#bytes.byte(lane);
    return this;
  }

  lane(name: LaneOp, lane: number): this {
    this.#opcode(laneCodes[name]);
    this.#bytes.byte(lane);
    return this;
  }

  /** Picks 16 of the 32 bytes of two vectors. */
  shuffle(bytes: readonly number[]): this {
    this.#opcode(0xfd00d);
    this.#bytes.bytes(bytes);
    return this;
  }

  /** Takes destination, byte value and byte count from the stack. */
  fill(): this {
    this.#opcode(0xfc00b);
    this.#bytes.byte(0);
    return this;
  }

  /** Takes destination, source and byte count from the stack. */
  copy(): this {
    this.#opcode(0xfc00a);
    this.#bytes.byte(0);
    this.#bytes.byte(0);
    return this;
  }

  call(callee: Callable): this {
    return this.#withIndex(0x10, callee.index);
  }

  /** `body` may leave by branching to its argument: the end. */
  block(body: (end: Label) => void): this {
    return this.#structure(0x02, EMPTY_BLOCK, body);
  }

  /** `body` runs again if it branches to its argument: the start. */
  loop(body: (start: Label) => void): this {
    return this.#structure(0x03, EMPTY_BLOCK, body);
  }

  /** Takes the condition from the stack. */
  if(then: () => void, otherwise?: () => void): this {
    return this.#if(EMPTY_BLOCK, then, otherwise);
  }

  /** An `if` of which each side leaves one value. */
  choose(type: ValueType, then: () => void, otherwise: () => void): this {
    return this.#if(typeCodes[type], then, otherwise);
  }

  branch(label: Label): this {
    return this.#withIndex(0x0c, this.#depth - label.depth);
  }

  /** Takes the condition from the stack. */
  branchIf(label: Label): this {
    return this.#withIndex(0x0d, this.#depth - label.depth);
  }

  /** local += amount; nothing for 0. */
  advance(local: Local, amount: number): this {
    return amount === 0 ? this : this.get(local).i32(amount).op('i32.add').set(local);
  }

  /** local += other */
  advanceBy(local: Local, other: Local): this {
    return this.get(local).get(other).op('i32.add').set(local);
  }

  /** Runs `body` `count` times, without a loop for 0 and 1. */
  repeat(count: number, body: () => void): this {
    if (count <= 0) return this;
    if (count === 1) {
      body();
      return this;
    }
    const left = this.local('i32');
    return this.i32(count).set(left).countdown(left, body);
  }

  /** Runs `body` and lowers `left` by `step` until it is no longer positive: at least once. */
  countdown(left: Local, body: () => void, step = 1): this {
    return this.loop((again) => {
      body();
      this.get(left).i32(step).op('i32.sub').tee(left).i32(0).op('i32.gt_s').branchIf(again);
    });
  }

  /** The encoded function: its locals, the instructions and the end. */
  encode(into: Bytes): void {
    if (this.#depth !== 0)
      throw new InternalError('assembler: a block is still open at the end of a function.');
    const runs: [count: number, type: ValueType][] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last?.[1] === type) last[0]++;
      else runs.push([1, type]);
    }
    const body = new Bytes();
    body.unsigned(runs.length);
    for (const [count, type] of runs) {
      body.unsigned(count);
      body.byte(typeCodes[type]);
    }
    body.bytes(this.#prologue.view());
    body.bytes(this.#bytes.view());
    body.byte(0x0b);
    into.unsigned(body.length);
    into.bytes(body.view());
  }

  #opcode(code: number): void {
    if (code < 0x100) {
      this.#bytes.byte(code);
      return;
    }
    this.#bytes.byte(code >>> 12);
    this.#bytes.unsigned(code & 0xfff);
  }

  #withIndex(code: number, index: number): this {
    this.#bytes.byte(code);
    this.#bytes.unsigned(index);
    return this;
  }

  /** Alignment is only a hint, so none is given. */
  #memoryOperand(offset: number): void {
    if (offset < 0) throw new InternalError(`assembler: memory offset ${offset} is negative.`);
    this.#bytes.byte(0);
    this.#bytes.unsigned(offset);
  }

  #structure(code: number, type: number, body: (label: Label) => void): this {
    this.#bytes.byte(code);
    this.#bytes.byte(type);
    this.#depth++;
    body({ depth: this.#depth });
    this.#depth--;
    this.#bytes.byte(0x0b);
    return this;
  }

  #if(type: number, then: () => void, otherwise?: () => void): this {
    return this.#structure(0x04, type, () => {
      then();
      if (!otherwise) return;
      this.#bytes.byte(0x05);
      otherwise();
    });
  }
}
