import { type DType, type HostRoutine, type RunningFold, runningFoldOf } from '@neumann/core/backend';
import type { Code, Local } from '../asm/code.ts';
import { countTo, eachGroup, type Part, type StepCode, unitsOf } from '../emit/part.ts';
import { transposeWords } from '../emit/transpose.ts';
import { FourFolds, type Pointers, QUAD } from './running-fold.ts';

/** Columns that one task folds together, at least. */
const UNIT = 64;
/** So many units have their states in the cache. */
const MOST_UNITS = 128;
/** Bundles of rows are divided into as many tasks. */
const TASKS = 64;

/**
 * Running sums, recurrences and extremes. Each sequence is folded in its order, in float64, so that the bits are those of the
 * host function; four sequences at a time. Where they lie side by side, their states are in memory and rows are read as they
 * come; where they follow each other, four of them are transposed in registers.
 */
export function runningFold(host: HostRoutine): StepCode | undefined {
  const fold = runningFoldOf(host);
  const dtype = host.inputs[0]?.dtype;
  if (!fold || !dtype || dtype === 'uint8' || dtype === 'bool') return undefined;
  if (fold.outer * fold.n * fold.inner === 0) return { scratch: 0, parts: [] };
  return fold.inner < QUAD ? bundles(fold, dtype) : columns(fold, dtype);
}

/** Raises each pointer by so many of its own elements. */
function advanceBy(code: Code, { bytes }: FourFolds, pointers: Pointers, elements: number): void {
  for (const [i, pointer] of pointers.entries()) code.advance(pointer, elements * (bytes[i] ?? 0));
}

/** New pointers, so many elements times `index` further than others. */
function placeAt(code: Code, { bytes }: FourFolds, from: Pointers, index: Local, elements: number): Pointers {
  return from.map((pointer, i) => {
    const moved = code.local('i32');
    code
      .get(pointer)
      .get(index)
      .i32(elements * (bytes[i] ?? 0))
      .op('i32.mul')
      .op('i32.add')
      .set(moved);
    return moved;
  });
}

/** Sequences side by side. */
function columns(fold: RunningFold, dtype: DType): StepCode {
  const { outer, n, inner, reverse } = fold;
  const units = Math.floor(inner / UNIT);
  const each = Math.max(1, units);
  const quads = Math.ceil(Math.max(UNIT * Math.min(units, MOST_UNITS), inner % UNIT) / QUAD);
  const emit: Part['emit'] = (code, params, share) => {
    const folds = new FourFolds(code, fold, dtype);
    const moving = params.map(() => code.local('i32'));
    const state = code.local('i32');
    /** Folds along the rows what `row` goes through, with `count` states. */
    const walk = (from: Pointers, pushQuads: () => void, row: (pointers: Pointers) => void) => {
      const left = code.local('i32');
      folds.reset();
      code.get(share.own).set(state);
      pushQuads();
      code.set(left).countdown(left, () => {
        folds.storeState(state, 0);
        code.advance(state, folds.stateBytes);
      });
      if (reverse) advanceBy(code, folds, from, (n - 1) * inner);
      code.repeat(n, () => {
        for (const [i, pointer] of from.entries()) code.get(pointer).set(moving[i] ?? 0);
        code.get(share.own).set(state);
        row(moving);
        advanceBy(code, folds, from, reverse ? -inner : inner);
        folds.advance();
      });
    };
    const quadAt = (pointers: Pointers, at: number, count: number) => {
      const offset = (i: number) => at * (folds.bytes[i] ?? 0);
      const isWhole = count === QUAD;
      const result = pointers.at(-1) ?? 0;
      folds.loadState(state, (at / QUAD) * folds.stateBytes);
      const elements = pointers
        .slice(0, -1)
        .map((pointer, i) =>
          isWhole
            ? folds.load(i, pointer, offset(i))
            : folds.gather(i, pointer, offset(i), count, folds.bytes[i] ?? 0),
        );
      const folded = folds.step(elements);
      const [resultAt, apart] = [offset(folds.operands), folds.bytes[folds.operands] ?? 0];
      if (isWhole) folds.store(result, resultAt, folded);
      else folds.scatter(result, resultAt, count, apart, folded);
      folds.storeState(state, (at / QUAD) * folds.stateBytes);
    };
    const rest = inner - units * UNIT;
    eachGroup(code, share, each, (group, first, end) => {
      const start = placeAt(code, folds, params, group, n * inner);
      if (units > 0) {
        const [from, count] = [code.local('i32'), code.local('i32')];
        code.get(first).set(from);
        countTo(code, from, end, MOST_UNITS, () => {
          code.get(end).get(from).op('i32.sub').tee(count).i32(MOST_UNITS);
          code.get(count).i32(MOST_UNITS).op('i32.lt_s').op('select').set(count);
          const pushQuads = () =>
            code
              .get(count)
              .i32(UNIT / QUAD)
              .op('i32.mul');
          walk(placeAt(code, folds, start, from, UNIT), pushQuads, (pointers) => {
            const left = code.local('i32');
            code
              .get(count)
              .i32(UNIT / (2 * QUAD))
              .op('i32.mul')
              .set(left);
            code.countdown(left, () => {
              for (const at of [0, QUAD]) quadAt(pointers, at, QUAD);
              advanceBy(code, folds, pointers, 2 * QUAD);
              code.advance(state, 2 * folds.stateBytes);
            });
          });
        });
      }
      if (rest === 0) return;
      code.get(end).i32(each).op('i32.eq');
      code.if(() => {
        const one = code.local('i32');
        code.i32(units).set(one);
        walk(
          placeAt(code, folds, start, one, UNIT),
          () => code.i32(Math.ceil(rest / QUAD)),
          (pointers) => {
            for (let at = 0; at < rest; at += QUAD) quadAt(pointers, at, Math.min(QUAD, rest - at));
          },
        );
      });
    });
  };
  const own = quads * MOST_STATE_BYTES;
  return { scratch: 0, parts: [{ tasks: outer * each, own, emit }] };
}

/** Of four sequences: a place and four numbers of float64. */
const MOST_STATE_BYTES = 48;

/** Sequences one after the other, four to a bundle; or, where two or three lie side by side, these. */
function bundles(fold: RunningFold, dtype: DType): StepCode {
  const { outer, n, inner, reverse } = fold;
  const height = inner === 1 ? QUAD : 1;
  const count = Math.ceil(outer / height);
  const emit: Part['emit'] = (code, params, share) => {
    const folds = new FourFolds(code, fold, dtype);
    const { first, end } = unitsOf(code, share, TASKS, count);
    /** Elements between one sequence and the next. */
    const apart = inner === 1 ? n : 1;
    const one = (pointers: Pointers, width: number) => {
      const elements = pointers
        .slice(0, -1)
        .map((pointer, i) => folds.gather(i, pointer, 0, width, apart * (folds.bytes[i] ?? 0)));
      const result = folds.step(elements);
      folds.scatter(pointers.at(-1) ?? 0, 0, width, apart * (folds.bytes[folds.operands] ?? 0), result);
      folds.advance();
    };
    const all = (pointers: Pointers, width: number) => {
      const side = inner === 1 && width === QUAD ? sideOf(folds, dtype) : 1;
      const squares = side > 1 ? Math.floor(n / side) : 0;
      folds.reset();
      // In reverse the pointers stand at the last element of what comes next.
      if (reverse) advanceBy(code, folds, pointers, (n - 1) * inner);
      if (squares > 0) {
        if (reverse) advanceBy(code, folds, pointers, 1 - side);
        code.repeat(squares, () => {
          square(code, folds, pointers, side, n, reverse);
          advanceBy(code, folds, pointers, reverse ? -side : side);
        });
        if (reverse) advanceBy(code, folds, pointers, side - 1);
      }
      code.repeat(n - squares * side, () => {
        one(pointers, width);
        advanceBy(code, folds, pointers, reverse ? -inner : inner);
      });
    };
    countTo(code, first, end, 1, () => {
      const pointers = placeAt(code, folds, params, first, height * n * inner);
      const width = inner === 1 ? QUAD : inner;
      const left = inner === 1 ? outer % QUAD : 0;
      if (left === 0) all(pointers, width);
      else
        code
          .get(first)
          .i32(count - 1)
          .op('i32.eq')
          .if(
            () => all(pointers, left),
            () => all(pointers, width),
          );
    });
  };
  return { scratch: 0, parts: [{ tasks: TASKS, emit }] };
}

/** How many elements of four sequences are transposed together; positions of float64 elements are not. */
function sideOf({ isArg }: FourFolds, dtype: DType): number {
  return dtype !== 'float64' ? 4 : isArg ? 1 : 2;
}

/** The next `side` elements of four sequences that lie `n` elements apart. */
function square(
  code: Code,
  folds: FourFolds,
  pointers: Pointers,
  side: number,
  n: number,
  reverse: boolean,
): void {
  const elements = pointers.slice(0, -1).map((pointer, i) => {
    const rows = code.locals('v128', QUAD);
    for (const [r, row] of rows.entries())
      code
        .get(pointer)
        .memory('v128.load', r * n * (folds.bytes[i] ?? 0))
        .set(row);
    return transposed(code, rows, side);
  });
  const places = Array.from({ length: side }, (_, at) => (reverse ? side - 1 - at : at));
  const results: (readonly Local[])[] = [];
  for (const at of places) {
    results[at] = folds.step(elements.map((quads) => quads[at] ?? []));
    folds.advance();
  }
  const rows =
    side === QUAD ? results.flat() : [0, 1].flatMap((half) => results.map((quad) => quad[half] ?? 0));
  transposed(code, rows, side);
  for (const [r, row] of rows.entries())
    code
      .get(pointers.at(-1) ?? 0)
      .get(row)
      .memory('v128.store', r * n * (folds.bytes[folds.operands] ?? 0));
}

/** Rows of `side` elements, in place, as what stands at each of `side` places in all rows. */
function transposed(code: Code, rows: readonly Local[], side: number): (readonly Local[])[] {
  if (side === QUAD) {
    transposeWords(code, rows);
    return rows.map((row) => [row]);
  }
  const halves = [rows.slice(0, 2), rows.slice(2)];
  for (const half of halves) transposeWords(code, half);
  return [0, 1].map((at) => halves.map((half) => half[at] ?? 0));
}
