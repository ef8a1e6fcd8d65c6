import { type BinaryOp, type CompareOp, type DType, isFloat, type UnaryOp } from '@neumann/core/backend';
import type { Code } from '../asm/code.ts';
import type { LaneOp, PlainOp } from '../asm/opcodes.ts';
import { vectorDivision } from './division.ts';
import { foreignName, specialName } from './functions.ts';
import { type ScalarWords, scalarBinary, scalarType, scalarUnary, undefinedWord } from './scalar.ts';

/**
 * The words of the kernel language on vectors, taking operands from the stack.
 *
 * With 4 lanes a vector holds float32, int32, uint32, uint8 (as 0..255 in 32 bits) or bool (as a mask of 32 bits).
 * With 2 lanes float64 and masks of 64 bits fill the vector, and the 32-bit dtypes the lower half of it.
 */
export interface VectorWords extends ScalarWords {
  readonly lanes: number;
}

/** A vector constant: the same number in each lane. */
export function vectorConst(code: Code, dtype: DType, value: number): Code {
  if (dtype === 'float32') return code.v128(bytesOf(new Float32Array(4).fill(value)));
  if (dtype === 'float64') return code.v128(bytesOf(new Float64Array(2).fill(value)));
  return code.v128(bytesOf(new Int32Array(4).fill(dtype === 'bool' ? -value : value)));
}

/** scalar -> vector */
export function vectorSplat(code: Code, dtype: DType): Code {
  if (dtype === 'float32') return code.op('f32x4.splat');
  if (dtype === 'float64') return code.op('f64x2.splat');
  if (dtype === 'bool') code.i32(-1).op('i32.mul');
  return code.op('i32x4.splat');
}

/** The numbers 0, 1, 2, 3 as int32 lanes. */
export function vectorIota(code: Code): Code {
  return code.get(code.constant(bytesOf(Int32Array.of(0, 1, 2, 3))));
}

/** Loads from `address`, which is on the stack once, `stride` bytes apart. */
export function vectorLoad({ code, lanes }: VectorWords, dtype: DType, offset: number, stride: number): void {
  const width = dtype === 'float64' ? 64 : isByte(dtype) ? 8 : 32;
  if (stride * 8 !== width) {
    const address = code.local('i32');
    code.set(address);
    vectorConst(code, 'int32', 0);
    const value = code.local('v128');
    for (let lane = 0; lane < lanes; lane++) {
      code.set(value).get(address);
      if (stride < 0) code.i32(lane * stride).op('i32.add');
      code.get(value).memoryLane(`v128.load${width}_lane`, lane, offset + (stride < 0 ? 0 : lane * stride));
    }
  } else if (width * lanes === 128) code.memory('v128.load', offset);
  else if (width === 32) code.memory('v128.load64_zero', offset);
  else if (lanes === 4) code.memory('v128.load32_zero', offset);
  else {
    vectorConst(code, 'int32', 0);
    code.memoryLane('v128.load16_lane', 0, offset);
  }
  if (width !== 8) return;
  code.op('i16x8.extend_low_i8x16_u').op('i32x4.extend_low_i16x8_u');
  if (dtype === 'bool') widenMask(code.op('i32x4.neg'), lanes);
}

/** address, vector -> */
export function vectorStore(words: VectorWords, dtype: DType, offset: number): void {
  const { code, lanes } = words;
  if (isByte(dtype)) {
    narrowToBytes(words, dtype);
    code.memoryLane(lanes === 4 ? 'v128.store32_lane' : 'v128.store16_lane', 0, offset);
  } else if (lanes === 4 || dtype === 'float64') code.memory('v128.store', offset);
  else code.memoryLane('v128.store64_lane', 0, offset);
}

/** vector -> ; stores only the first `live` lanes at the address that `address` puts on the stack. */
export function vectorStoreLive(
  words: VectorWords,
  dtype: DType,
  address: () => void,
  offset: number,
  live: number,
): void {
  const { code } = words;
  const width = dtype === 'float64' ? 64 : isByte(dtype) ? 8 : 32;
  const value = code.local('v128');
  if (isByte(dtype)) narrowToBytes(words, dtype);
  code.set(value);
  for (let lane = 0; lane < live; lane++) {
    address();
    code.get(value);
    if (width === 32 && lane + 2 <= live)
      code.memoryLane('v128.store64_lane', lane++ / 2, offset + (lane - 1) * 4);
    else code.memoryLane(`v128.store${width}_lane`, lane, offset + (lane * width) / 8);
  }
}

/** uint8 or bool lanes -> the same as neighbouring bytes */
function narrowToBytes({ code, lanes }: VectorWords, dtype: DType): void {
  if (dtype === 'bool') vectorConst(narrowMask(code, lanes), 'int32', 1).op('v128.and');
  const value = code.local('v128');
  code.tee(value).get(value).op('i16x8.narrow_i32x4_u').tee(value).get(value).op('i8x16.narrow_i16x8_u');
}

/** vector -> the same with `value` in all lanes but the first `live` */
export function vectorKeepLive(
  { code, lanes }: VectorWords,
  dtype: DType,
  value: number,
  live: number,
): void {
  if (live === lanes) return;
  vectorConst(code, dtype, value);
  const bytes = laneBytes(dtype, lanes);
  code.v128(Uint8Array.from({ length: 16 }, (_, i) => (i < live * bytes ? 255 : 0))).op('v128.bitselect');
}

/** vector -> the lanes `step` further on in the place of each (cyclically) */
export function vectorRotate({ code, lanes }: VectorWords, dtype: DType, step: number): void {
  const bytes = laneBytes(dtype, lanes);
  const value = code.local('v128');
  code.tee(value).get(value);
  code.shuffle(Array.from({ length: 16 }, (_, i) => (i + step * bytes) % 16));
}

function laneBytes(dtype: DType, lanes: number): number {
  return lanes === 2 && (dtype === 'float64' || dtype === 'bool') ? 8 : 4;
}

const floatUnary = {
  sqrt: 'sqrt',
  floor: 'floor',
  ceil: 'ceil',
  trunc: 'trunc',
  round: 'nearest',
  neg: 'neg',
  abs: 'abs',
} as const satisfies Partial<Record<UnaryOp, string>>;

/** x -> op(x) */
export function vectorUnary(words: VectorWords, dtype: DType, op: UnaryOp): void {
  const { code, functions } = words;
  const special = specialName(dtype, op);
  if (special) functions.applySpecial(code, special);
  else if (foreignName(dtype, op)) laneByLane(words, dtype, 1, () => scalarUnary(words, dtype, op));
  else if (isFloat(dtype)) {
    const type = dtype === 'float32' ? 'f32x4' : 'f64x2';
    if (Object.hasOwn(floatUnary, op)) code.op(`${type}.${floatUnary[op as keyof typeof floatUnary]}`);
    else if (op === 'rsqrt') {
      const root = code.local('v128');
      code.op(`${type}.sqrt`).set(root);
      vectorConst(code, dtype, 1).get(root).op(`${type}.div`);
    } else if (op === 'sign') floatSign(code, dtype, type);
    else undefinedWord(op, dtype);
  } else if (op === 'not') code.op('v128.not');
  else if (op === 'neg') code.op('i32x4.neg');
  else if (op === 'abs') {
    if (dtype === 'int32') code.op('i32x4.abs');
  } else if (op === 'sign') integerSign(code, dtype);
  else undefinedWord(op, dtype);
  if (dtype === 'uint8') vectorConst(code, 'int32', 255).op('v128.and');
}

function floatSign(code: Code, dtype: DType, type: 'f32x4' | 'f64x2'): void {
  const x = code.local('v128');
  code.set(x);
  vectorConst(code, dtype, 1);
  vectorConst(code, dtype, -1).get(x).get(x);
  vectorConst(code, dtype, 0).op(`${type}.lt`).op('v128.bitselect').get(x);
  vectorConst(code, dtype, 0).op(`${type}.gt`).op('v128.bitselect');
}

function integerSign(code: Code, dtype: DType): void {
  const x = code.local('v128');
  code.set(x);
  if (dtype === 'int32') code.get(x).i32(31).op('i32x4.shr_s');
  code.get(x);
  vectorConst(code, 'int32', 0).op('i32x4.ne');
  vectorConst(code, 'int32', 1).op('v128.and');
  if (dtype === 'int32') code.op('v128.or');
}

const floatBinary = {
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  div: 'div',
  max: 'max',
  min: 'min',
} as const satisfies Partial<Record<BinaryOp, string>>;

const bitwise = { and: 'v128.and', or: 'v128.or', xor: 'v128.xor' } as const satisfies Partial<
  Record<BinaryOp, PlainOp>
>;

const integerArithmetic = { add: 'i32x4.add', sub: 'i32x4.sub', mul: 'i32x4.mul' } as const satisfies Partial<
  Record<BinaryOp, PlainOp>
>;

/** x, y -> op(x, y); `constant` is y's value where it is known. */
export function vectorBinary(words: VectorWords, dtype: DType, op: BinaryOp, constant?: number): void {
  const { code, functions } = words;
  const special = specialName(dtype, op);
  const perLane = () => laneByLane(words, dtype, 2, () => scalarBinary(words, dtype, op, constant));
  if (special) functions.applySpecial(code, special);
  else if (foreignName(dtype, op)) perLane();
  else if (Object.hasOwn(bitwise, op)) code.op(bitwise[op as keyof typeof bitwise]);
  else if (dtype === 'bool') {
    if (op !== 'max' && op !== 'min') undefinedWord(op, dtype);
    code.op(op === 'max' ? 'v128.or' : 'v128.and');
  } else if (isFloat(dtype)) {
    if (!Object.hasOwn(floatBinary, op)) undefinedWord(op, dtype);
    if ((op === 'max' || op === 'min') && isBound(op, constant)) boundBy(code, dtype, op, constant);
    else code.op(`${dtype === 'float32' ? 'f32x4' : 'f64x2'}.${floatBinary[op as keyof typeof floatBinary]}`);
  } else if (Object.hasOwn(integerArithmetic, op))
    code.op(integerArithmetic[op as keyof typeof integerArithmetic]);
  else if (op === 'max' || op === 'min') code.op(`i32x4.${op}_${dtype === 'int32' ? 's' : 'u'}`);
  else if ((op === 'shl' || op === 'shr') && constant !== undefined && constant >= 0 && constant < 32) {
    code
      .op('drop')
      .i32(constant)
      .op(op === 'shl' ? 'i32x4.shl' : `i32x4.shr_${dtype === 'int32' ? 's' : 'u'}`);
  } else if (op === 'div' || op === 'rem') vectorDivision(code, dtype, words.lanes, op, constant);
  else perLane();
  if (dtype === 'uint8') vectorConst(code, 'int32', 255).op('v128.and');
}

/** Whether {@link boundBy} is right for a constant: NaN and the zero that is the smaller one are not. */
const isBound = (op: 'max' | 'min', y: number | undefined): boolean =>
  y !== undefined && !Number.isNaN(y) && !(op === 'min' && Object.is(y, -0));

/**
 * x, y -> the greater (smaller) one, where y is a known number: one instruction of the machine instead of eight, which keeps x if
 * they are equal or x is NaN. What remains is -0, of which 0 is the greater.
 */
function boundBy(code: Code, dtype: DType, op: 'max' | 'min', y: number | undefined): void {
  const type = dtype === 'float32' ? 'f32x4' : 'f64x2';
  code.op(`${type}.p${op}`);
  if (op === 'max' && Object.is(y, 0)) vectorConst(code, dtype, 0).op(`${type}.add`);
}

/** x, y -> mask */
export function vectorCompare({ code, lanes }: VectorWords, dtype: DType, op: CompareOp): void {
  if (dtype === 'float32') widenMask(code.op(`f32x4.${op}`), lanes);
  else if (dtype === 'float64') code.op(`f64x2.${op}`);
  else if (dtype === 'bool') compareMasks(code, op);
  else if (op === 'eq' || op === 'ne') widenMask(code.op(`i32x4.${op}`), lanes);
  else widenMask(code.op(`i32x4.${op}_${dtype === 'int32' ? 's' : 'u'}`), lanes);
}

function compareMasks(code: Code, op: CompareOp): void {
  if (op === 'eq') code.op('v128.xor').op('v128.not');
  else if (op === 'ne') code.op('v128.xor');
  else {
    const y = code.local('v128');
    const x = code.local('v128');
    code.set(y).set(x);
    if (op === 'lt') code.get(y).get(x).op('v128.andnot');
    else code.get(x).get(y).op('v128.andnot').op('v128.not');
  }
}

/** x, y, mask -> */
export function vectorSelect({ code, lanes, functions }: VectorWords, dtype: DType): void {
  if (dtype !== 'float64' && dtype !== 'bool') narrowMask(code, lanes);
  // All bits of a lane's mask are equal, so that one of them is enough: one instruction of the machine instead of three.
  code.op(functions.relaxed ? 'i32x4.relaxed_laneselect' : 'v128.bitselect');
}

/** x of `from` -> the same numbers as `to` */
export function vectorCast(words: VectorWords, from: DType, to: DType): void {
  const { code, lanes } = words;
  if (from === to) return;
  if (to === 'bool') {
    vectorConst(code, from, 0);
    vectorCompare(words, from, 'ne');
  } else if (from === 'bool') {
    if (to !== 'float64') narrowMask(code, lanes);
    vectorConst(code, to, 1).op('v128.and');
  } else if (isFloat(from)) castOfFloat(code, from, to);
  else if (to === 'float32') code.op(from === 'uint32' ? 'f32x4.convert_i32x4_u' : 'f32x4.convert_i32x4_s');
  else if (to === 'float64')
    code.op(from === 'uint32' ? 'f64x2.convert_low_i32x4_u' : 'f64x2.convert_low_i32x4_s');
  else if (to === 'uint8') vectorConst(code, 'int32', 255).op('v128.and');
}

function castOfFloat(code: Code, from: DType, to: DType): void {
  const single = from === 'float32';
  if (to === 'float32') code.op('f32x4.demote_f64x2_zero');
  else if (to === 'float64') code.op('f64x2.promote_low_f32x4');
  else if (to === 'int32') code.op(single ? 'i32x4.trunc_sat_f32x4_s' : 'i32x4.trunc_sat_f64x2_s_zero');
  else code.op(single ? 'i32x4.trunc_sat_f32x4_u' : 'i32x4.trunc_sat_f64x2_u_zero');
  if (to === 'uint8') vectorConst(code, 'int32', 255).op('i32x4.min_u');
}

const extracts: Record<DType, LaneOp> = {
  float32: 'f32x4.extract_lane',
  float64: 'f64x2.extract_lane',
  int32: 'i32x4.extract_lane',
  uint32: 'i32x4.extract_lane',
  uint8: 'i32x4.extract_lane',
  bool: 'i32x4.extract_lane',
};
const replaces: Record<DType, LaneOp> = {
  float32: 'f32x4.replace_lane',
  float64: 'f64x2.replace_lane',
  int32: 'i32x4.replace_lane',
  uint32: 'i32x4.replace_lane',
  uint8: 'i32x4.replace_lane',
  bool: 'i32x4.replace_lane',
};

/** vector -> the scalar in a lane */
export function vectorExtract({ code, lanes }: VectorWords, dtype: DType, lane: number): void {
  code.lane(extracts[dtype], dtype === 'bool' && lanes === 2 ? 2 * lane : lane);
  if (dtype === 'bool') code.i32(1).op('i32.and');
}

/** Applies scalar code to each lane of one or two operands. */
function laneByLane(words: VectorWords, dtype: DType, operands: 1 | 2, scalar: () => void): void {
  const { code, lanes } = words;
  const [y, x] = [code.local('v128'), code.local('v128')];
  const result = code.local(scalarType(dtype));
  if (operands === 2) code.set(y);
  code.set(x).get(x);
  for (let lane = 0; lane < lanes; lane++) {
    code.get(x);
    vectorExtract(words, dtype, lane);
    if (operands === 2) {
      code.get(y);
      vectorExtract(words, dtype, lane);
    }
    scalar();
    code.set(result).get(result).lane(replaces[dtype], lane);
  }
}

function isByte(dtype: DType): boolean {
  return dtype === 'uint8' || dtype === 'bool';
}

/** A mask of 32 bits -> one that fits the lanes. */
function widenMask(code: Code, lanes: number): Code {
  return lanes === 2 ? code.op('i64x2.extend_low_i32x4_s') : code;
}

/** A mask -> one of 32 bits. */
function narrowMask(code: Code, lanes: number): Code {
  if (lanes === 4) return code;
  const mask = code.local('v128');
  return code.tee(mask).get(mask).shuffle([0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11]);
}

function bytesOf(lanes: Float32Array | Float64Array | Int32Array): Uint8Array {
  return new Uint8Array(lanes.buffer);
}
