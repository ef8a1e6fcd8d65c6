import {
  type CompareOp,
  type DType,
  InternalError,
  isFloat,
  type Reduction,
  rangeOf,
} from '@neumann/core/backend';
import type { Local } from '../asm/code.ts';
import { scalarBinary, scalarCompare, scalarConst, scalarType } from './scalar.ts';
import {
  type VectorWords,
  vectorBinary,
  vectorCompare,
  vectorConst,
  vectorExtract,
  vectorRotate,
  vectorSelect,
} from './vector.ts';

/** The running result of one reduction for the points of one slot. */
export interface Accumulator {
  readonly op: Reduction['op'];
  /** The dtype that is folded. */
  readonly dtype: DType;
  readonly lanes: number;
  readonly best: Local;
  /** Where `best` was found, for argmax and argmin. */
  readonly position: Local | undefined;
  /** What takes the place of `best` until {@link resultOf} is asked for: see {@link extremes}. */
  readonly bits: readonly Local[] | undefined;
}

/**
 * The greatest and smallest float32 numbers by what their bits are as integers, which takes three instructions for four
 * numbers, where the maximum of floats, with NaN and both zeros in their places, takes eight.
 *
 * Numbers without a sign bit are in the order of their bits, those with one in the opposite order, and NaN lie beyond the
 * infinities. So the greatest of all is the greatest signed integer if that has no sign, and else the least unsigned one; the
 * smallest is the greatest unsigned integer if that has a sign, and else the least.
 */
const extremes = ['i32x4.max_s', 'i32x4.min_u', 'i32x4.max_u'] as const;

type Op = Reduction['op'];

/** The result of folding nothing. */
export function identity(op: Op, dtype: DType): number {
  if (op === 'add') return 0;
  if (op === 'mul') return 1;
  return rangeOf[dtype][op === 'max' || op === 'argmax' ? 0 : 1];
}

export function newAccumulator(words: VectorWords, op: Op, dtype: DType): Accumulator {
  const isArg = op === 'argmax' || op === 'argmin';
  const best = newLocal(words, dtype);
  const byBits = words.lanes === 4 && dtype === 'float32' && (op === 'max' || op === 'min');
  return {
    op,
    dtype,
    lanes: words.lanes,
    best,
    position: isArg ? newLocal(words, 'int32') : undefined,
    bits: byBits ? extremes.map(() => words.code.local('v128')) : undefined,
  };
}

export function resetAccumulator(
  { code, lanes }: VectorWords,
  { op, dtype, best, position, bits }: Accumulator,
): void {
  if (bits) {
    for (const local of bits) vectorConst(code, dtype, identity(op, dtype)).set(local);
    return;
  }
  (lanes === 1 ? scalarConst : vectorConst)(code, dtype, identity(op, dtype)).set(best);
  if (position !== undefined) (lanes === 1 ? scalarConst : vectorConst)(code, 'int32', 0).set(position);
}

/** Takes in the value that `push` puts on the stack, found at the position that `pushPosition` does. */
export function accumulate(
  words: VectorWords,
  acc: Accumulator,
  push: () => void,
  pushPosition: () => void,
): void {
  const { code } = words;
  if (acc.bits) {
    push();
    code.set(acc.best);
    foldBits(words, acc.bits, () => code.get(acc.best));
    return;
  }
  if (acc.position === undefined) {
    code.get(acc.best);
    push();
    fold(words, acc);
    code.set(acc.best);
    return;
  }
  const x: Accumulator = { ...acc, best: newLocal(words, acc.dtype), position: newLocal(words, 'int32') };
  push();
  code.set(x.best);
  beats(words, x, acc);
  const wins = newLocal(words, 'bool');
  code.set(wins);
  takeWhere(words, acc.dtype, wins, () => code.get(x.best), acc.best);
  takeWhere(words, 'int32', wins, pushPosition, acc.position);
}

/** The local that holds the result, once everything is taken in. */
export function resultOf(words: VectorWords, acc: Accumulator): Local {
  if (acc.bits) extremeOf(words, acc, acc.bits);
  return acc.position ?? acc.best;
}

/** best = what the bits say */
function extremeOf({ code }: VectorWords, { op, best }: Accumulator, bits: readonly Local[]): void {
  const [signed = 0, least = 0, unsigned = 0] = bits;
  const infinity = op === 'max' ? 0xff800000 | 0 : 0x7f800000;
  const [extreme, beyond] = op === 'max' ? [signed, unsigned] : [unsigned, signed];
  const hasSign = () => code.get(extreme).i32(31).op('i32x4.shr_s');
  if (op === 'max') code.get(least).get(extreme);
  else code.get(extreme).get(least);
  hasSign();
  code.op('v128.bitselect').set(best);
  // A NaN of the sign that the extreme has not.
  code.get(beyond).get(best).get(beyond);
  vectorConst(code, 'int32', infinity).op(op === 'max' ? 'i32x4.gt_u' : 'i32x4.gt_s');
  code.op('v128.bitselect').set(best);
}

function foldBits({ code }: VectorWords, bits: readonly Local[], push: (i: number) => void): void {
  for (const [i, local] of bits.entries()) {
    code.get(local);
    push(i);
    code.op(extremes[i] ?? 'i32x4.max_s').set(local);
  }
}

/** Folds all of `accumulators`, of one reduction, into one scalar: the local that holds the result. */
export function combine(words: VectorWords, accumulators: readonly Accumulator[]): Local {
  const vectors = accumulators.filter(({ lanes }) => lanes > 1);
  const scalars = accumulators.filter(({ lanes }) => lanes === 1);
  const vector = mergeAll(words, vectors);
  if (vector)
    scalars.unshift(...(vector.position === undefined ? [foldLanes(words, vector)] : lanesOf(words, vector)));
  const result = mergeAll(words, scalars);
  if (!result) throw new InternalError('emit: a reduction has no accumulator.');
  return result.position ?? result.best;
}

/** Merges all into the first, in a tree. */
function mergeAll(words: VectorWords, all: readonly Accumulator[]): Accumulator | undefined {
  for (let step = 1; step < all.length; step *= 2)
    for (let i = 0; i + step < all.length; i += 2 * step) {
      const [a, b] = [all[i], all[i + step]];
      if (a && b) merge({ ...words, lanes: a.lanes }, a, b);
    }
  return all[0];
}

/** a = a and b, of which neither comes before the other. */
function merge(words: VectorWords, a: Accumulator, b: Accumulator): void {
  const { code } = words;
  const { bits } = b;
  if (a.bits && bits) {
    foldBits(words, a.bits, (i) => code.get(bits[i] ?? 0));
    return;
  }
  if (a.position === undefined || b.position === undefined) {
    code.get(a.best).get(b.best);
    fold(words, a);
    code.set(a.best);
    return;
  }
  const { position } = b;
  const wins = newLocal(words, 'bool');
  const or = words.lanes === 1 ? 'i32.or' : 'v128.or';
  beats(words, b, a);
  beats(words, a, b); // neither beats the other: the first position wins
  code.get(a.position).get(b.position);
  compare(words, 'int32', 'le');
  code.op(or);
  negate(words);
  code.op(or).set(wins);
  takeWhere(words, a.dtype, wins, () => code.get(b.best), a.best);
  takeWhere(words, 'int32', wins, () => code.get(position), a.position);
}

/** The lanes of a vector folded into a scalar. */
function foldLanes(words: VectorWords, vector: Accumulator): Accumulator {
  const { code } = words;
  const vectorWords = { ...words, lanes: vector.lanes };
  resultOf(vectorWords, vector);
  for (let step = vector.lanes / 2; step >= 1; step /= 2) {
    code.get(vector.best).get(vector.best);
    vectorRotate(vectorWords, vector.dtype, step);
    fold(vectorWords, vector);
    code.set(vector.best);
  }
  const best = code.local(scalarType(vector.dtype));
  code.get(vector.best);
  vectorExtract(vectorWords, vector.dtype, 0);
  code.set(best);
  return { ...vector, lanes: 1, best, bits: undefined };
}

/** The lanes of a vector as scalars. */
function lanesOf(words: VectorWords, { op, dtype, lanes, best, position }: Accumulator): Accumulator[] {
  const { code } = words;
  return Array.from({ length: lanes }, (_, lane) => {
    const scalar = newAccumulator({ ...words, lanes: 1 }, op, dtype);
    code.get(best);
    vectorExtract({ ...words, lanes }, dtype, lane);
    code.set(scalar.best);
    if (position === undefined || scalar.position === undefined) return scalar;
    code.get(position);
    vectorExtract({ ...words, lanes }, 'int32', lane);
    code.set(scalar.position);
    return scalar;
  });
}

/** Whether x is greater (smaller) than `best`, or NaN while `best` is not. */
function beats(words: VectorWords, x: Accumulator, best: Accumulator): void {
  const { code, lanes } = words;
  const [smaller, greater] = x.op === 'argmax' ? [best.best, x.best] : [x.best, best.best];
  if (!isFloat(x.dtype)) {
    code.get(smaller).get(greater);
    compare(words, x.dtype, 'lt');
    return;
  }
  code.get(best.best).get(best.best);
  compare(words, x.dtype, 'eq');
  code.get(greater).get(smaller);
  compare(words, x.dtype, 'le');
  if (lanes === 1) code.op('i32.eqz').op('i32.and');
  else code.op('v128.andnot');
}

/** to = what `push` puts on the stack, where `wins` holds */
function takeWhere(words: VectorWords, dtype: DType, wins: Local, push: () => void, to: Local): void {
  const { code } = words;
  push();
  code.get(to).get(wins);
  if (words.lanes === 1) code.op('select');
  else vectorSelect(words, dtype);
  code.set(to);
}

function compare(words: VectorWords, dtype: DType, op: CompareOp): void {
  if (words.lanes === 1) scalarCompare(words.code, dtype, op);
  else vectorCompare(words, dtype, op);
}

function negate({ code, lanes }: VectorWords): void {
  if (lanes === 1) code.op('i32.eqz');
  else code.op('v128.not');
}

function newLocal({ code, lanes }: VectorWords, dtype: DType): Local {
  return code.local(lanes === 1 ? scalarType(dtype) : 'v128');
}

/** acc, x -> acc op x */
function fold(words: VectorWords, { op, dtype }: Pick<Accumulator, 'op' | 'dtype'>): void {
  const word = op === 'argmax' ? 'max' : op === 'argmin' ? 'min' : op;
  if (dtype === 'bool')
    words.code.op(
      words.lanes === 1 ? (word === 'max' ? 'i32.or' : 'i32.and') : word === 'max' ? 'v128.or' : 'v128.and',
    );
  else if (words.lanes === 1) scalarBinary(words, dtype, word);
  else vectorBinary(words, dtype, word);
}
