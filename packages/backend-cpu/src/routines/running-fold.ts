import { type DType, dtypeInfo, type RunningFold, rangeOf } from '@neumann/core/backend';
import type { Code, Local } from '../asm/code.ts';
import type { PlainOp } from '../asm/opcodes.ts';

/** Sequences that are folded together, one in each lane: a vector of 32-bit elements, two of float64. */
export const QUAD = 4;

/** Neighbouring elements of up to four sequences. */
type Vectors = readonly Local[];

/** Addresses of the operands, and then of the result. */
export type Pointers = readonly Local[];

const UPPER = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];
const LOWER_HALVES = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
const LOWER_WORDS = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];

/** Four sequences that are folded in step. Its state is in locals: float32 is added up in float64. */
export class FourFolds {
  readonly operands: number;
  /** Bytes of one element of each operand, and of the result. */
  readonly bytes: readonly number[];
  /** Bytes of a state in memory. */
  readonly stateBytes: number;
  /** Whether positions are sought, which are int32 whatever the operand is. */
  readonly isArg: boolean;
  readonly #code: Code;
  readonly #fold: RunningFold;
  readonly #dtype: DType;
  readonly #state: Vectors;
  readonly #position: Local;
  readonly #positions: Local;
  readonly #notFirst: Local;

  constructor(code: Code, fold: RunningFold, dtype: DType) {
    this.#code = code;
    this.#fold = fold;
    this.#dtype = dtype;
    this.isArg = fold.op === 'max' || fold.op === 'min';
    this.operands = fold.op === 'recurrence' ? 2 : 1;
    const { bytes } = dtypeInfo(dtype);
    this.bytes = [...Array.from({ length: this.operands }, () => bytes), this.isArg ? 4 : bytes];
    const isFloat = dtype === 'float32' || dtype === 'float64';
    const held = this.isArg ? 1 + bytes / 4 : isFloat ? 2 : 1;
    this.#state = code.locals('v128', held);
    this.stateBytes = 16 * held;
    this.#position = code.local('i32');
    this.#positions = code.local('v128');
    this.#notFirst = code.local('v128');
  }

  /** The state before the first elements. */
  reset(): void {
    const { reverse, n } = this.#fold;
    const code = this.#code;
    code.i32(reverse ? n - 1 : 0).set(this.#position);
    this.#splatPosition();
    code.v128(new Uint8Array(16)).set(this.#notFirst);
    const best = this.isArg ? this.#state.slice(1) : this.#state;
    for (const local of best) code.v128(this.#start()).set(local);
    if (this.isArg) code.get(this.#positions).set(this.#state[0] ?? 0);
  }

  loadState(pointer: Local, offset: number): void {
    for (const [i, local] of this.#state.entries())
      this.#code
        .get(pointer)
        .memory('v128.load', offset + 16 * i)
        .set(local);
  }

  storeState(pointer: Local, offset: number): void {
    for (const [i, local] of this.#state.entries())
      this.#code
        .get(pointer)
        .get(local)
        .memory('v128.store', offset + 16 * i);
  }

  /** The elements that follow come next in their sequences. */
  advance(): void {
    if (this.isArg) {
      this.#code.advance(this.#position, this.#fold.reverse ? -1 : 1);
      this.#splatPosition();
    } else if (this.#fold.op === 'recurrence') this.#code.i32(-1).op('i32x4.splat').set(this.#notFirst);
  }

  /** Takes in the next elements of each operand; what the folds are now, in new locals. */
  step(elements: readonly Vectors[]): Vectors {
    const [first = [], second = []] = elements;
    if (this.isArg) return this.#seek(first);
    const [a, b] =
      this.operands === 2 ? [this.#wide(first), this.#wide(second)] : [undefined, this.#wide(first)];
    const type = this.#state.length === 1 ? 'i32x4' : 'f64x2';
    const code = this.#code;
    for (const [i, local] of this.#state.entries()) {
      code.get(local);
      if (a)
        code
          .get(a[i] ?? 0)
          .op(`${type}.mul`)
          .get(this.#notFirst)
          .op('v128.and');
      code
        .get(b[i] ?? 0)
        .op(`${type}.add`)
        .set(local);
    }
    return this.#narrow();
  }

  /** Four neighbouring elements. */
  load(operand: number, pointer: Local, offset: number): Vectors {
    return Array.from({ length: (this.bytes[operand] ?? 4) / 4 }, (_, i) => {
      const local = this.#code.local('v128');
      this.#code
        .get(pointer)
        .memory('v128.load', offset + 16 * i)
        .set(local);
      return local;
    });
  }

  store(pointer: Local, offset: number, result: Vectors): void {
    for (const [i, local] of result.entries())
      this.#code
        .get(pointer)
        .get(local)
        .memory('v128.store', offset + 16 * i);
  }

  /** The elements at `count` places that are `apart` bytes apart. */
  gather(operand: number, pointer: Local, offset: number, count: number, apart: number): Vectors {
    const bytes = this.bytes[operand] ?? 4;
    const code = this.#code;
    return Array.from({ length: bytes / 4 }, (_, v) => {
      const local = code.local('v128');
      const first = Math.min((v * 16) / bytes, count - 1);
      code
        .get(pointer)
        .memory(bytes === 8 ? 'v128.load64_zero' : 'v128.load32_zero', offset + first * apart)
        .set(local);
      for (let lane = 1; lane < 16 / bytes && first + lane < count; lane++)
        code
          .get(pointer)
          .get(local)
          .memoryLane(
            bytes === 8 ? 'v128.load64_lane' : 'v128.load32_lane',
            lane,
            offset + (first + lane) * apart,
          )
          .set(local);
      return local;
    });
  }

  scatter(pointer: Local, offset: number, count: number, apart: number, result: Vectors): void {
    const bytes = this.bytes.at(-1) ?? 4;
    for (let i = 0; i < count; i++) {
      const lane = i % (16 / bytes);
      this.#code
        .get(pointer)
        .get(result[Math.floor((i * bytes) / 16)] ?? 0)
        .memoryLane(bytes === 8 ? 'v128.store64_lane' : 'v128.store32_lane', lane, offset + i * apart);
    }
  }

  #splatPosition(): void {
    this.#code.get(this.#position).op('i32x4.splat').set(this.#positions);
  }

  /** Nothing added up, or what every element reaches. */
  #start(): Uint8Array {
    const { op } = this.#fold;
    const value = this.isArg ? (rangeOf[this.#dtype][op === 'max' ? 0 : 1] ?? 0) : 0;
    if (this.#dtype === 'float64') return new Uint8Array(new Float64Array(2).fill(value).buffer);
    if (this.#dtype === 'float32') return new Uint8Array(new Float32Array(4).fill(value).buffer);
    return new Uint8Array(new Uint32Array(4).fill(value).buffer);
  }

  /** float32 as float64. */
  #wide(quad: Vectors): Vectors {
    if (this.#dtype !== 'float32') return quad;
    const [x = 0] = quad;
    const [low, high] = this.#code.locals('v128', 2) as [Local, Local];
    this.#code.get(x).op('f64x2.promote_low_f32x4').set(low);
    this.#code.get(x).get(x).shuffle(UPPER).op('f64x2.promote_low_f32x4').set(high);
    return [low, high];
  }

  /** The state as elements of the result. */
  #narrow(): Vectors {
    const code = this.#code;
    if (this.#dtype !== 'float32')
      return this.#state.map((local) => {
        const copy = code.local('v128');
        code.get(local).set(copy);
        return copy;
      });
    const result = code.local('v128');
    for (const local of this.#state) code.get(local).op('f32x4.demote_f64x2_zero');
    code.shuffle(LOWER_HALVES).set(result);
    return [result];
  }

  /** A greater (smaller) element wins, and the first NaN over all. */
  #seek(x: Vectors): Vectors {
    const code = this.#code;
    const [place = 0, ...best] = this.#state;
    const isFloat = this.#dtype === 'float32' || this.#dtype === 'float64';
    const type = this.#dtype === 'float32' ? 'f32x4' : 'f64x2';
    const sign = this.#dtype === 'uint32' ? '_u' : '_s';
    const word = this.#fold.op === 'max' ? 'gt' : 'lt';
    const beats: PlainOp = isFloat ? `${type}.${word}` : `i32x4.${word}${sign}`;
    const wins = x.map((vector, i) => {
      const mask = code.local('v128');
      const held = best[i] ?? 0;
      code.get(vector).get(held).op(beats);
      if (isFloat) {
        code.get(held).get(held).op(`${type}.eq`);
        code.get(vector).get(vector).op(`${type}.eq`).op('v128.andnot').op('v128.or');
      }
      code.set(mask);
      code.get(vector).get(held).get(mask).op('v128.bitselect').set(held);
      return mask;
    });
    const [first = 0, second] = wins;
    code.get(this.#positions).get(place).get(first);
    if (second !== undefined) code.get(second).shuffle(LOWER_WORDS);
    code.op('v128.bitselect').set(place);
    const result = code.local('v128');
    code.get(place).set(result);
    return [result];
  }
}
