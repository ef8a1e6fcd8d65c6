import { type DType, isFloat, rangeOf, type Reduction } from '@neumann/core/backend';
import type { Local } from '../asm/code.ts';
import { scalarBinary, scalarCompare, scalarConst, scalarType } from './scalar.ts';
import { vectorBinary, vectorCompare, vectorConst, vectorExtract, vectorSelect as selectLanes, type VectorWords } from './vector.ts';

/** The running result of one reduction for the points of one slot. */
export interface Accumulator {
  readonly op: Reduction['op'];
  /** The dtype that is folded. */
  readonly dtype: DType;
  readonly lanes: number;
  readonly best: Local;
  /** Where `best` was found, for argmax and argmin. */
  readonly position: Local | undefined;
}

type Op = Reduction['op'];

/** The result of folding nothing. */
export function identity(op: Op, dtype: DType): number {
  if (op === 'add') return 0;
  if (op === 'mul') return 1;
  return rangeOf[dtype][op === 'max' || op === 'argmax' ? 0 : 1];
}

export function newAccumulator({ code, lanes }: VectorWords, op: Op, dtype: DType): Accumulator {
  const isArg = op === 'argmax' || op === 'argmin';
  const best = code.local(lanes === 1 ? scalarType(dtype) : 'v128');
  const position = isArg ? code.local(lanes === 1 ? 'i32' : 'v128') : undefined;
  const accumulator = { op, dtype, lanes, best, position };
  return accumulator;
}

export function resetAccumulator({ code, lanes }: VectorWords, { op, dtype, best, position }: Accumulator): void {
  (lanes === 1 ? scalarConst : vectorConst)(code, dtype, identity(op, dtype)).set(best);
  if (position !== undefined) (lanes === 1 ? scalarConst : vectorConst)(code, 'int32', 0).set(position);
}

/** Takes in the value that `push` puts on the stack, found at the position that `pushPosition` does. */
export function accumulate(words: VectorWords, acc: Accumulator, push: () => void, pushPosition: () => void): void {
  const { code } = words;
  if (acc.position !== undefined) {
    accumulatePosition(words, acc, acc.position, push, pushPosition);
    return;
  }
  code.get(acc.best);
  push();
  fold(words, acc);
  code.set(acc.best);
}

/** Folds all of `accumulators`, of one reduction, into one scalar local. */
export function combine(words: VectorWords, accumulators: readonly Accumulator[]): Local {
  const { code } = words;
  const [first] = accumulators;
  if (!first) throw new Error('emit: a reduction has no accumulator.');
  const vectors = accumulators.filter(({ lanes }) => lanes > 1);
  const scalars = accumulators.filter(({ lanes }) => lanes === 1).map(({ best }) => best);
  const vector = tree(vectors.map(({ best }) => best), (a, b) => {
    code.get(a).get(b);
    fold({ ...words, lanes: vectors[0]?.lanes ?? 1 }, first);
    code.set(a);
  });
  if (vector !== undefined && vectors[0]) {
    const { lanes, dtype } = vectors[0];
    for (let lane = 0; lane < lanes; lane++) {
      const scalar = code.local(scalarType(dtype));
      code.get(vector);
      vectorExtract({ ...words, lanes }, dtype, lane);
      code.set(scalar);
      scalars.push(scalar);
    }
  }
  const result = tree(scalars, (a, b) => {
    code.get(a).get(b);
    fold({ ...words, lanes: 1 }, first);
    code.set(a);
  });
  return result ?? first.best;
}

/** acc, x -> acc op x */
function fold(words: VectorWords, { op, dtype }: Pick<Accumulator, 'op' | 'dtype'>): void {
  const word = op === 'argmax' ? 'max' : op === 'argmin' ? 'min' : op;
  if (dtype === 'bool') words.code.op(words.lanes === 1 ? (word === 'max' ? 'i32.or' : 'i32.and') : word === 'max' ? 'v128.or' : 'v128.and');
  else if (words.lanes === 1) scalarBinary(words, dtype, word);
  else vectorBinary(words, dtype, word);
}

/** The first greatest (smallest) wins, and the first NaN over all. */
function accumulatePosition(
  words: VectorWords,
  { op, dtype, best }: Accumulator,
  position: Local,
  push: () => void,
  pushPosition: () => void,
): void {
  const { code, lanes } = words;
  const compare = (word: 'lt' | 'ne' | 'eq') =>
    lanes === 1 ? scalarCompare(code, dtype, word) : vectorCompare(words, dtype, word);
  const [and, or] = lanes === 1 ? (['i32.and', 'i32.or'] as const) : (['v128.and', 'v128.or'] as const);
  const x = code.local(lanes === 1 ? scalarType(dtype) : 'v128');
  const wins = code.local(lanes === 1 ? 'i32' : 'v128');
  push();
  code.set(x);
  if (op === 'argmax') code.get(best).get(x);
  else code.get(x).get(best);
  compare('lt');
  if (isFloat(dtype)) {
    code.get(x).get(x);
    compare('ne');
    code.get(best).get(best);
    compare('eq');
    code.op(and).op(or);
  }
  code.set(wins);
  if (lanes === 1) {
    code.get(x).get(best).get(wins).op('select').set(best);
    pushPosition();
    code.get(position).get(wins).op('select').set(position);
    return;
  }
  code.get(x).get(best).get(wins);
  selectLanes(words, dtype);
  code.set(best);
  pushPosition();
  code.get(position).get(wins);
  selectLanes(words, 'int32');
  code.set(position);
}

function tree(locals: readonly Local[], fold: (a: Local, b: Local) => void): Local | undefined {
  for (let step = 1; step < locals.length; step *= 2)
    for (let i = 0; i + step < locals.length; i += 2 * step) fold(locals[i] ?? 0, locals[i + step] ?? 0);
  return locals[0];
}
