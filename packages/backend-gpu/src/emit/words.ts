/**
 * The scalar words as JavaScript for gpu.js's `webasm` mode, where + - * / sqrt are IEEE float32, min and max are
 * WebAssembly's, and the other functions of `Math` are JavaScript's, rounded to float32. Operands are names or
 * literals. Integers are held as float32 (see range.ts), bool as 0 or 1.
 */
import type { BinaryOp, CompareOp, DType, UnaryOp } from '@neumann/core/backend';
import type { Dialect } from './dialect.ts';

/** What is no literal in some mode of gpu.js: the constant array `special`. */
export const special: readonly number[] = [Infinity, -Infinity, NaN, -0];

type Unary = (x: string) => string;
type Binary = (x: string, y: string) => string;

/** `undefined`: the backend does not have the word. */
export function unaryText(op: UnaryOp, dtype: DType, x: string, dialect: Dialect): string | undefined {
  if (dialect === 'device' && op === 'sign') return `k_sign(${x})`;
  return (
    (dialect === 'device' && dtype === 'float32' ? deviceUnary[op]?.(x) : undefined) ??
    unaryWords[dtype]?.[op]?.(x)
  );
}

export function binaryText(
  op: BinaryOp,
  dtype: DType,
  x: string,
  y: string,
  dialect: Dialect,
  areNatural = false,
): string | undefined {
  if (dialect === 'device' && areNatural && isPositive(y)) {
    if (op === 'div') return naturalQuotient(x, y);
    if (op === 'rem') return `${x} - ${naturalQuotient(x, y)} * ${y}`;
  }
  const words = dialect === 'device' ? deviceWords : binaryWords;
  return words[dtype]?.[op]?.(x, y);
}

export function compareText(op: CompareOp, x: string, y: string): string {
  if (op === 'ne') return `${x} === ${y} ? 0 : 1`; // WGSL's != says of NaN what it likes
  return `${x} ${{ eq: '===', lt: '<', le: '<=' }[op]} ${y} ? 1 : 0`;
}

export function selectText(cond: string, x: string, y: string): string {
  return `${cond} !== 0 ? ${x} : ${y}`;
}

export function castText(from: DType, to: DType, x: string): string | undefined {
  if (to === 'bool') return `${x} === 0 ? 0 : 1`;
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

const isLiteral = (text: string): boolean => /^\(?-?[\d.e+-]+\)?$/.test(text);

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
  int32: {
    ...integerWords((x) => x, -1),
    shl: call('k_shl'),
    shr: call('k_shr'),
    pow: call('k_power'),
  },
  uint8: { ...integerWords(call('k_byte'), 255), pow: call('k_powerOfByte') },
  bool: { and: infix('*'), or: call('Math.max'), xor: (x, y) => `Math.abs(${x} - ${y})` },
};

const [infinity, negativeInfinity, nan] = [0, 1, 2].map((i) => `this.constants.special[${i}]`) as [
  string,
  string,
  string,
];

const deviceUnary: Partial<Record<UnaryOp, Unary>> = {
  sqrt: (x) => `${x} < 0 ? ${nan} : Math.sqrt(${x})`,
  rsqrt: (x) => `${x} < 0 ? ${nan} : 1 / Math.sqrt(${x})`,
  exp: call('k_exp'),
  expm1: call('k_expm1'),
  log: (x) =>
    `${x} > 0 ? (${x} === ${infinity} ? ${x} : k_log(${x})) : (${x} === 0 ? ${negativeInfinity} : ${nan})`,
  log1p: (x) =>
    `${x} > -1 ? (${x} === ${infinity} ? ${x} : k_log1p(${x})) : (${x} === -1 ? ${negativeInfinity} : ${nan})`,
  ...Object.fromEntries(
    (['sin', 'cos', 'tan'] as const).map((op) => [
      op,
      (x: string) => `Math.abs(${x}) < ${infinity} ? k_${op}(${x}) : ${nan}`,
    ]),
  ),
  asin: (x) => `Math.abs(${x}) <= 1 ? k_asin(${x}) : ${nan}`,
  acos: (x) => `Math.abs(${x}) <= 1 ? k_acos(${x}) : ${nan}`,
  atan: (x) => `${x} === ${x} ? k_atan(${x}) : ${x}`,
  sinh: (x) => `${x} === ${x} ? k_sinh(${x}) : ${x}`,
  cosh: (x) => `${x} === ${x} ? k_cosh(${x}) : ${x}`,
  tanh: (x) => `${x} === ${x} ? k_tanh(${x}) : ${x}`,
  asinh: (x) => `Math.abs(${x}) < ${infinity} ? k_asinh(${x}) : ${x}`,
  acosh: (x) => `${x} >= 1 ? (${x} === ${infinity} ? ${x} : k_acosh(${x})) : ${nan}`,
  atanh: (x) =>
    `Math.abs(${x}) < 1 ? k_atanh(${x}) : (${x} === 1 ? ${infinity} : (${x} === -1 ? ${negativeInfinity} : ${nan}))`,
  erfInv: (x) =>
    `Math.abs(${x}) < 1 ? k_erfInv(${x}) : (${x} === 1 ? ${infinity} : (${x} === -1 ? ${negativeInfinity} : ${nan}))`,
  erf: (x) => `${x} === ${x} ? k_erf(${x}) : ${x}`,
  erfc: (x) => `${x} === ${x} ? k_erfc(${x}) : ${x}`,
  trunc: call('k_trunc'),
};

/** Integers divided with a look at the rest, because the quotient of two floats may be wrong in its last place. */
const divisions = (allBits: number): Partial<Record<BinaryOp, Binary>> => ({
  div: (x, y) => (isPowerOfTwo(y) ? `k_trunc(${x} * ${1 / Number(y)})` : `k_divide(${x}, ${y}, ${allBits})`),
  rem: (x, y) =>
    isPowerOfTwo(y) ? `${x} - k_trunc(${x} * ${1 / Number(y)}) * ${y}` : `k_remainder(${x}, ${y})`,
});

/** A product with its inverse is exact. */
const isPowerOfTwo = (text: string): boolean => isPositive(text) && Number.isInteger(Math.log2(Number(text)));

/** The quotient of an integer that is not negative, by a positive literal; exact as a product if that is a power of two. */
export const naturalQuotient = (x: string, y: string): string =>
  isPowerOfTwo(y) ? `Math.floor(${x} * ${1 / Number(y)})` : `k_quotient(${x}, ${y})`;

/** Asks for NaN by itself: of a plain choice some compilers make their own maximum, which drops it. */
const extremum = (x: string, compare: '>' | '<', literal: string): string =>
  `${x} ${compare} ${literal} ? ${x} : (${x} === ${x} ? ${literal} : ${x})`;

const bitwise: Partial<Record<BinaryOp, Binary>> = {
  and: call('k_and'),
  or: call('k_or'),
  xor: call('k_xor'),
};

const deviceWords: typeof binaryWords = {
  float32: {
    ...binaryWords.float32,
    rem: (x, y) => `Math.abs(${x}) < ${infinity} && (${y} < 0 || ${y} > 0) ? k_rem(${x}, ${y}) : ${nan}`,
    pow: (x, y) => `k_powHasValue(${x}, ${y}) > 0.5 ? k_pow(${x}, ${y}) : ${nan}`,
    atan2: (y, x) => `${x} === ${x} && ${y} === ${y} ? k_atan2(${y}, ${x}) : ${nan}`,
    max: (x, y) => (isLiteral(y) ? extremum(x, '>', y) : `k_max(${x}, ${y})`),
    min: (x, y) => (isLiteral(y) && Number(y) !== 0 ? extremum(x, '<', y) : `k_min(${x}, ${y})`), // -0 is less than 0
  },
  int32: { ...binaryWords.int32, ...divisions(-1), ...bitwise },
  uint8: { ...binaryWords.uint8, ...divisions(255), ...bitwise },
  bool: binaryWords.bool ?? {},
};
