import type { Callable, Local } from '../asm/code.ts';
import { countTo, eachGroup, elementAt, type StepCode } from '../emit/part.ts';
import type { EmitContext } from '../emit/plan.ts';
import type { Element } from './element.ts';
import type { Matmul } from './matmul.ts';
import { coverTiles, loadColumns, multiplyAdd, storeColumns, tileVectors } from './tile.ts';

/** Most results: tiles of wider registers are worth to copy y for sooner. And most that are added to at a time. */
const FEW = { narrow: 12, wide: 8 };
const TOGETHER = 5;
/** Columns from which on rows are worth to be read as a whole, for up to three results and for more. */
const COLUMNS = 64;
const MANY_COLUMNS = 512;
/** Bytes of a row that are one task: some cache lines. */
const TASK = 256;
/** Bytes of results that are added to at a time: they stay in the first-level cache. */
const BLOCK = 3 * 2 ** 13;
/** Factors that are kept in registers. */
const KEPT = 8;

/** A matrix product as combinations of long rows: each of a few results is a sum of all rows, times factors. */
interface Combinations {
  readonly context: EmitContext;
  readonly element: Element;
  readonly batch: number;
  /** How many results, and of how many columns. */
  readonly few: number;
  readonly columns: number;
  /** Rows. */
  readonly k: number;
  readonly rowsAreX: boolean;
  /** Elements between factors of two results, and of two rows. */
  readonly perResult: number;
  readonly perRow: number;
}

/** How a product is made of combinations, where that is the best way: the large operand is then read in its own order. */
function combinationsOf(context: EmitContext, element: Element, routine: Matmul): Combinations | undefined {
  const { batch, m, n, k, transposeX, transposeY } = routine;
  const common = { context, element, batch, k };
  const most = context.features.revectorize ? FEW.wide : FEW.narrow;
  if (m <= most && n >= (m <= 3 ? COLUMNS : MANY_COLUMNS) && !transposeY) {
    const [perResult, perRow] = transposeX ? [1, m] : [k, 1];
    return { ...common, few: m, columns: n, rowsAreX: false, perResult, perRow };
  }
  if (n === 1 && m >= COLUMNS && transposeX)
    return { ...common, few: 1, columns: m, rowsAreX: true, perResult: 0, perRow: 1 };
  return undefined;
}

/** Rows a power of two apart share a place in the first-level cache; factors of two results and four rows fill the registers. */
function rowsAtATime(few: number, rowBytes: number): number {
  return few === 2 || (few > 2 && rowBytes % 1024 === 0) ? 4 : 8;
}

/** Combinations of rows, if they are the best way. */
export function combinations(context: EmitContext, element: Element, routine: Matmul): StepCode | undefined {
  const product = combinationsOf(context, element, routine);
  if (!product) return undefined;
  const { batch, few, columns, k, rowsAreX, perResult, perRow } = product;
  const { bytes } = element;
  const tasks = Math.ceil((columns * bytes) / TASK);
  const most = Math.max(1, Math.floor(BLOCK / few / TASK)) * TASK;
  const together = coverTiles(few, Math.ceil(few / Math.ceil(few / TOGETHER)));
  const step = rowsAtATime(Math.min(few, TOGETHER), columns * bytes);
  const rest = (columns * bytes) % (16 * tileVectors(context.features));
  const whole = columns * bytes - rest;
  const passes = new Map<string, Callable>();
  return {
    scratch: 0,
    parts: [
      {
        tasks: batch * tasks,
        emit: (code, [x = 0, y = 0, out = 0], share) =>
          eachGroup(code, share, tasks, (group, first, end) => {
            const [a, factors] = [
              elementAt(code, rowsAreX ? x : y, group, k * columns * bytes),
              elementAt(code, rowsAreX ? y : x, group, k * few * bytes),
            ];
            const c = elementAt(code, out, group, few * columns * bytes);
            const [at = 0, stop = 0, next = 0] = code.locals('i32', 3);
            const [from = 0, factor = 0, to = 0, left = 0] = code.locals('i32', 4);
            /** Adds all rows to the results from byte `at` of each on: `left` bytes, or `width` columns. */
            const emitRows = (width: number) => {
              code.get(c).get(at).op('i32.add').set(to);
              code.get(a).get(at).op('i32.add').set(from);
              code.get(factors).set(factor);
              const emitStep = (rows: number) => {
                for (const { size, count } of together) {
                  const pass = passFunction(product, passes, { results: size, rows, width });
                  for (let i = 0; i < count; i++) {
                    code.get(from).get(factor).get(to).get(left).call(pass);
                    code.advance(factor, size * perResult * bytes).advance(to, size * columns * bytes);
                  }
                }
                code.advance(factor, (rows * perRow - few * perResult) * bytes);
                code.advance(to, -few * columns * bytes).advance(from, rows * columns * bytes);
              };
              code.repeat(Math.floor(k / step), () => emitStep(step));
              if (k % step > 0) emitStep(k % step);
            };
            code.get(first).i32(TASK).op('i32.mul').set(at);
            code.get(end).i32(TASK).op('i32.mul').set(stop);
            code.i32(whole).get(stop).i32(whole).get(stop).op('i32.lt_s').op('select').set(stop);
            countTo(code, at, stop, most, () => {
              code.get(at).i32(most).op('i32.add').tee(next).get(stop).get(next).get(stop);
              code.op('i32.lt_s').op('select').get(at).op('i32.sub').set(left);
              for (let f = 0; f < few; f++) {
                code
                  .get(c)
                  .get(at)
                  .op('i32.add')
                  .i32(f * columns * bytes)
                  .op('i32.add');
                code.i32(0).get(left).fill();
              }
              emitRows(0);
            });
            if (rest === 0) return;
            code
              .get(end)
              .i32(tasks)
              .op('i32.eq')
              .if(() => {
                code.i32(whole).set(at);
                for (let f = 0; f < few; f++) {
                  code
                    .get(c)
                    .i32(f * columns * bytes + whole)
                    .op('i32.add');
                  code.i32(0).i32(rest).fill();
                }
                emitRows(rest / bytes);
              });
          }),
      },
    ],
  };
}

/**
 * `(rows, factors, results, bytes)`: adds some rows times their factors to some results, in whole steps of vectors as far
 * as `bytes` reach; or `width` columns only, if that is not 0.
 */
function passFunction(
  product: Combinations,
  passes: Map<string, Callable>,
  { results: few, rows, width }: { results: number; rows: number; width: number },
): Callable {
  const { context, element, columns, perResult, perRow } = product;
  const { bytes, lanes } = element;
  const key = `${few} ${rows} ${width}`;
  const known = passes.get(key);
  if (known) return known;
  const made = context.builder.define(
    { params: ['i32', 'i32', 'i32', 'i32'], results: [] },
    (code, [from = 0, factors = 0, to = 0, left = 0]) => {
      const side = width > 0 ? width : tileVectors(context.features) * lanes;
      const vectors = Math.ceil(side / lanes);
      const acc = code.locals('v128', few * vectors);
      const values = code.locals('v128', vectors);
      const results = (f: number) => acc.slice(f * vectors, (f + 1) * vectors);
      const loadFactor = (f: number, r: number, local: Local) =>
        code
          .get(factors)
          .memory(element.loadSplat, (f * perResult + r * perRow) * bytes)
          .set(local);
      const keeps = few * rows <= KEPT;
      const kept = code.locals('v128', keeps ? few * rows : 1);
      if (keeps) for (const [i, local] of kept.entries()) loadFactor(Math.floor(i / rows), i % rows, local);
      const body = () => {
        for (let f = 0; f < few; f++) loadColumns(code, element, results(f), to, f * columns * bytes, side);
        for (let r = 0; r < rows; r++) {
          loadColumns(code, element, values, from, r * columns * bytes, side);
          for (let f = 0; f < few; f++) {
            const factor = kept[keeps ? f * rows + r : 0] ?? 0;
            if (!keeps) loadFactor(f, r, factor);
            for (const [v, value] of values.entries())
              multiplyAdd(code, element, context.features, results(f)[v] ?? 0, factor, value);
          }
        }
        for (let f = 0; f < few; f++) storeColumns(code, element, results(f), to, f * columns * bytes, side);
      };
      if (width > 0) body();
      else
        code.countdown(
          left,
          () => {
            body();
            code.advance(from, 16 * vectors).advance(to, 16 * vectors);
          },
          16 * vectors,
        );
    },
  );
  passes.set(key, made);
  return made;
}
