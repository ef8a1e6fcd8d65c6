import {
  type BinaryOp,
  type CompareOp,
  type DType,
  InternalError,
  isFloat,
  type UnaryOp,
} from '@neumann/core/backend';
import type { Code, ValueType } from '../asm/code.ts';
import type { MemoryOp, PlainOp } from '../asm/opcodes.ts';
import { type Functions, foreignName, specialName } from './functions.ts';

/** Every scalar word of the kernel language as instructions that take operands from the stack. */
export interface ScalarWords {
  readonly code: Code;
  readonly functions: Functions;
}

/** How a scalar of a dtype is held: integers and bool (0 or 1) as i32. */
export function scalarType(dtype: DType): ValueType {
  return dtype === 'float32' ? 'f32' : dtype === 'float64' ? 'f64' : 'i32';
}

export function scalarConst(code: Code, dtype: DType, value: number): Code {
  if (dtype === 'float32') return code.f32(value);
  if (dtype === 'float64') return code.f64(value);
  return code.i32(value);
}

const loads: Record<DType, MemoryOp> = {
  float32: 'f32.load',
  float64: 'f64.load',
  int32: 'i32.load',
  uint32: 'i32.load',
  uint8: 'i32.load8_u',
  bool: 'i32.load8_u',
};
const stores: Record<DType, MemoryOp> = {
  float32: 'f32.store',
  float64: 'f64.store',
  int32: 'i32.store',
  uint32: 'i32.store',
  uint8: 'i32.store8',
  bool: 'i32.store8',
};

/** address -> value */
export function scalarLoad(code: Code, dtype: DType, offset: number): Code {
  return code.memory(loads[dtype], offset);
}

/** address, value -> */
export function scalarStore(code: Code, dtype: DType, offset: number): Code {
  return code.memory(stores[dtype], offset);
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
export function scalarUnary(words: ScalarWords, dtype: DType, op: UnaryOp): void {
  const { code } = words;
  const special = specialName(dtype, op);
  const foreign = foreignName(dtype, op);
  if (special) throughVector(code, 1, () => code.call(words.functions.special(special)));
  else if (foreign) throughFloat64(code, dtype, 1, () => code.call(words.functions.foreign(foreign)));
  else if (isFloat(dtype)) floatUnaryCode(code, dtype, op);
  else integerUnary(code, dtype, op);
}

function floatUnaryCode(code: Code, dtype: DType, op: UnaryOp): void {
  const type = scalarType(dtype) === 'f32' ? 'f32' : 'f64';
  if (Object.hasOwn(floatUnary, op)) {
    code.op(`${type}.${floatUnary[op as keyof typeof floatUnary]}`);
    return;
  }
  const x = code.local(type);
  const number = (value: number) => scalarConst(code, dtype, value);
  if (op === 'rsqrt') {
    code.op(`${type}.sqrt`).set(x);
    number(1).get(x).op(`${type}.div`);
  } else if (op === 'sign') {
    code.set(x);
    number(1);
    number(-1).get(x).get(x);
    number(0).op(`${type}.lt`).op('select').get(x);
    number(0).op(`${type}.gt`).op('select');
  } else undefinedWord(op, dtype);
}

function integerUnary(code: Code, dtype: DType, op: UnaryOp): void {
  const signed = dtype === 'int32';
  if (op === 'not') code.i32(dtype === 'bool' ? 1 : -1).op('i32.xor');
  else if (op === 'neg') code.i32(-1).op('i32.mul');
  else if (op === 'abs') {
    if (!signed) return;
    const x = code.local('i32');
    const sign = code.local('i32');
    code.tee(x).i32(31).op('i32.shr_s').tee(sign).get(x).op('i32.xor').get(sign).op('i32.sub');
  } else if (op === 'sign') {
    const x = code.local('i32');
    code.tee(x).i32(0).op('i32.ne');
    if (signed) code.get(x).i32(31).op('i32.shr_s').op('i32.or');
  } else undefinedWord(op, dtype);
  if (dtype === 'uint8') code.i32(255).op('i32.and');
}

const floatBinary = {
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  div: 'div',
  max: 'max',
  min: 'min',
} as const satisfies Partial<Record<BinaryOp, string>>;

const integerBinary = {
  add: 'i32.add',
  sub: 'i32.sub',
  mul: 'i32.mul',
  and: 'i32.and',
  or: 'i32.or',
  xor: 'i32.xor',
} as const satisfies Partial<Record<BinaryOp, PlainOp>>;

/** x, y -> op(x, y); `constant` is y's value where it is known. */
export function scalarBinary(words: ScalarWords, dtype: DType, op: BinaryOp, constant?: number): void {
  const { code, functions } = words;
  const special = specialName(dtype, op);
  const foreign = foreignName(dtype, op);
  if (special) throughVector(code, 2, () => code.call(functions.special(special)));
  else if (foreign) throughFloat64(code, dtype, 2, () => code.call(functions.foreign(foreign)));
  else if (isFloat(dtype)) {
    if (!Object.hasOwn(floatBinary, op)) undefinedWord(op, dtype);
    code.op(`${dtype === 'float32' ? 'f32' : 'f64'}.${floatBinary[op as keyof typeof floatBinary]}`);
  } else {
    integerBinaryCode(words, dtype, op, constant);
    if (dtype === 'uint8') code.i32(255).op('i32.and');
  }
}

function integerBinaryCode(
  { code, functions }: ScalarWords,
  dtype: DType,
  op: BinaryOp,
  constant?: number,
): void {
  const suffix = dtype === 'int32' ? 's' : 'u';
  if (Object.hasOwn(integerBinary, op)) code.op(integerBinary[op as keyof typeof integerBinary]);
  else if (op === 'div' || op === 'rem') {
    const harmless = constant !== undefined && constant !== 0 && constant !== -1;
    if (harmless) code.op(`i32.${op}_${suffix}`);
    else code.call(functions.helper(`${op}_${suffix}`));
  } else if (op === 'pow') code.call(functions.helper(`pow_${suffix}`));
  else if (op === 'max' || op === 'min') {
    const [x, y] = [code.local('i32'), code.local('i32')];
    code
      .set(y)
      .tee(x)
      .get(y)
      .get(x)
      .get(y)
      .op(`i32.${op === 'max' ? 'gt' : 'lt'}_${suffix}`)
      .op('select');
  } else if (op === 'shl' || op === 'shr') shift(code, op === 'shl' ? 'i32.shl' : `i32.shr_${suffix}`);
  else undefinedWord(op, dtype);
}

/** WebAssembly takes shift counts modulo 32; ours are not reduced. */
function shift(code: Code, op: 'i32.shl' | 'i32.shr_s' | 'i32.shr_u'): void {
  const count = code.local('i32');
  if (op === 'i32.shr_s') {
    code.set(count).get(count).i32(31).get(count).i32(31).op('i32.lt_u').op('select').op(op);
    return;
  }
  code.tee(count).op(op).i32(0).get(count).i32(32).op('i32.lt_u').op('select');
}

/** x, y -> 0 or 1 */
export function scalarCompare(code: Code, dtype: DType, op: CompareOp): void {
  if (dtype === 'float32') code.op(`f32.${op}`);
  else if (dtype === 'float64') code.op(`f64.${op}`);
  else if (op === 'eq' || op === 'ne') code.op(`i32.${op}`);
  else code.op(`i32.${op}_${dtype === 'int32' ? 's' : 'u'}`);
}

/** x of `from` -> the same number as `to` */
export function scalarCast(code: Code, from: DType, to: DType): void {
  if (from === to) return;
  if (to === 'bool') {
    scalarConst(code, from, 0);
    scalarCompare(code, from, 'ne');
  } else if (isFloat(from)) castOfFloat(code, from === 'float32' ? 'f32' : 'f64', to);
  else if (to === 'float32' || to === 'float64')
    code.op(`${to === 'float32' ? 'f32' : 'f64'}.convert_i32_${from === 'uint32' ? 'u' : 's'}`);
  else if (to === 'uint8' && from !== 'bool') code.i32(255).op('i32.and');
}

function castOfFloat(code: Code, from: 'f32' | 'f64', to: DType): void {
  if (to === 'float32') code.op('f32.demote_f64');
  else if (to === 'float64') code.op('f64.promote_f32');
  else if (to === 'int32') code.op(`i32.trunc_sat_${from}_s`);
  else code.op(`i32.trunc_sat_${from}_u`);
  if (to !== 'uint8') return;
  const x = code.local('i32');
  code.tee(x).i32(255).get(x).i32(255).op('i32.lt_u').op('select');
}

/** x of `from` -> the same bits as `to` */
export function scalarBitcast(code: Code, from: DType, to: DType): void {
  if (from === 'float32' && to !== 'float32') code.op('i32.reinterpret_f32');
  else if (from !== 'float32' && to === 'float32') code.op('f32.reinterpret_i32');
}

/** Runs `body` on vectors of the `count` topmost float32 operands: a result does not depend on where its element stands. */
function throughVector(code: Code, count: 1 | 2, body: () => void): void {
  if (count === 2) {
    const y = code.local('f32');
    code.set(y).op('f32x4.splat').get(y);
  }
  code.op('f32x4.splat');
  body();
  code.lane('f32x4.extract_lane', 0);
}

/** Runs `body` on the float64 values of the `count` topmost operands, and rounds its result. */
function throughFloat64(code: Code, dtype: DType, count: 1 | 2, body: () => void): void {
  if (dtype === 'float64') {
    body();
    return;
  }
  if (count === 2) {
    const y = code.local('f32');
    code.set(y).op('f64.promote_f32').get(y);
  }
  code.op('f64.promote_f32');
  body();
  code.op('f32.demote_f64');
}

export function undefinedWord(op: string, dtype: DType): never {
  throw new InternalError(`emit: ${op} is not defined for ${dtype}.`);
}
