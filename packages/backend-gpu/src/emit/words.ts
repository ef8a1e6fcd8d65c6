/**
 * The scalar words as JavaScript for gpu.js's `webasm` mode, where + - * / sqrt are IEEE float32, min and max are
 * WebAssembly's, and the other functions of `Math` are JavaScript's, rounded to float32. Operands are names or
 * literals. Integers are held as float32 (see range.ts), bool as 0 or 1.
 */
import type { BinaryOp, CompareOp, DType, UnaryOp } from '@neumann/core/backend';

type Unary = (x: string) => string;
type Binary = (x: string, y: string) => string;

/** `undefined`: the backend does not have the word. */
export function unaryText(op: UnaryOp, dtype: DType, x: string): string | undefined {
  return unaryWords[dtype]?.[op]?.(x);
}

export function binaryText(op: BinaryOp, dtype: DType, x: string, y: string): string | undefined {
  return binaryWords[dtype]?.[op]?.(x, y);
}

export function compareText(op: CompareOp, x: string, y: string): string {
  return `${x} ${{ eq: '===', ne: '!==', lt: '<', le: '<=' }[op]} ${y} ? 1 : 0`;
}

export function selectText(cond: string, x: string, y: string): string {
  return `${cond} !== 0 ? ${x} : ${y}`;
}

export function castText(from: DType, to: DType, x: string): string | undefined {
  if (to === 'bool') return `${x} !== 0 ? 1 : 0`;
  if (to === 'float32') return `${x} + 0`; // arithmetic makes -0 of integers, which have none
  if (to === 'int32') return from === 'float32' ? `k_toInteger(${x}, -2147483648, 2147483647)` : x;
  if (to !== 'uint8') return undefined;
  if (from === 'float32') return `k_toInteger(${x}, 0, 255)`;
  return from === 'int32' ? `k_byte(${x})` : x;
}

const call =
  (name: string) =>
  (...operands: readonly string[]): string =>
    `${name}(${operands.join(', ')})`;

const infix =
  (operator: string): Binary =>
  (x, y) =>
    `${x} ${operator} ${y}`;

const unaryWords: Partial<Record<DType, Partial<Record<UnaryOp, Unary>>>> = {
  float32: {
    sqrt: call('Math.sqrt'),
    rsqrt: (x) => `1 / Math.sqrt(${x})`,
    exp: call('Math.exp'),
    expm1: call('Math.expm1'),
    log: call('Math.log'),
    log1p: call('Math.log1p'),
    sin: call('Math.sin'),
    cos: call('Math.cos'),
    tan: call('Math.tan'),
    asin: call('Math.asin'),
    acos: call('Math.acos'),
    atan: call('Math.atan'),
    sinh: call('Math.sinh'),
    cosh: call('Math.cosh'),
    tanh: call('Math.tanh'),
    asinh: call('Math.asinh'),
    acosh: call('Math.acosh'),
    atanh: call('Math.atanh'),
    erf: call('k_erf'),
    erfc: call('k_erfc'),
    erfInv: call('k_erfInv'),
    sigmoid: call('k_sigmoid'),
    floor: call('Math.floor'),
    ceil: call('Math.ceil'),
    trunc: call('Math.trunc'),
    round: call('k_round'),
    neg: (x) => `-${x}`,
    abs: call('Math.abs'),
    sign: call('Math.sign'),
  },
  int32: { neg: (x) => `-${x}`, abs: call('Math.abs'), sign: call('Math.sign'), not: (x) => `-1 - ${x}` },
  uint8: { neg: (x) => `k_byte(-${x})`, abs: (x) => x, sign: call('Math.sign'), not: (x) => `255 - ${x}` },
  bool: { not: (x) => `1 - ${x}` },
};

/** Whether the text is a positive literal: most divisors are, and need no look for 0. */
const isPositive = (text: string): boolean => /^[1-9]/.test(text);

/** `wrap` brings a sum, difference or product into the dtype's range. */
const integerWords = (wrap: Unary, allBits: number): Partial<Record<BinaryOp, Binary>> => ({
  add: (x, y) => wrap(`${x} + ${y}`),
  sub: (x, y) => wrap(`${x} - ${y}`),
  mul: (x, y) => wrap(`${x} * ${y}`),
  div: (x, y) => (isPositive(y) ? `Math.trunc(${x} / ${y})` : `k_divide(${x}, ${y}, ${allBits})`),
  rem: (x, y) => (isPositive(y) ? `${x} - Math.trunc(${x} / ${y}) * ${y}` : `k_remainder(${x}, ${y})`),
  max: call('Math.max'),
  min: call('Math.min'),
  and: infix('&'),
  or: infix('|'),
  xor: infix('^'),
});

const binaryWords: Partial<Record<DType, Partial<Record<BinaryOp, Binary>>>> = {
  float32: {
    add: infix('+'),
    sub: infix('-'),
    mul: infix('*'),
    div: infix('/'),
    rem: call('k_rem'),
    pow: call('k_pow'),
    atan2: call('Math.atan2'),
    max: call('Math.max'),
    min: call('Math.min'),
  },
  int32: { ...integerWords((x) => x, -1), shl: call('k_shl'), shr: call('k_shr') },
  uint8: integerWords(call('k_byte'), 255),
  bool: { and: infix('*'), or: call('Math.max'), xor: (x, y) => `Math.abs(${x} - ${y})` },
};
