import type { Callable, Code, Local } from '../asm/code.ts';
import { countTo, eachGroup, elementAt, type StepCode } from '../emit/part.ts';
import type { EmitContext } from '../emit/plan.ts';
import { transposeWords } from '../emit/transpose.ts';
import type { Features } from '../features.ts';
import type { Element } from './element.ts';
import type { Matmul } from './matmul.ts';
import { coverTiles, loadColumns, multiplyAdd, storeColumns, TILE_VECTORS } from './tile.ts';

/** Rows of the small operand that a tile has at most. */
const FEW = 6;
/** Rows of the large operand that a tile has at most. */
const MANY = 8;
/** Rows of the large operand from which on the small one may be transposed for them. */
const TRANSPOSE_FROM = 48;
/** Terms from which on it is worth to add up what the elements of a vector hold. */
const TERMS = 32;
/** Rows of the large operand in a task, about. */
const BLOCK = 32;

/** A matrix product as inner products of many rows of one operand and a few rows of the other. */
interface Dots {
  readonly context: EmitContext;
  readonly element: Element;
  readonly batch: number;
  /** Rows of the large operand, one after the other in memory. */
  readonly many: number;
  /** Rows of the small one. */
  readonly few: number;
  /** Elements of a row. */
  readonly k: number;
  /** Whether the small operand is stored by columns, and so has to be transposed first. */
  readonly packs: boolean;
  /** Whether the large operand is x; else it is y. */
  readonly manyAreX: boolean;
}

/**
 * How a product is made of inner products, where that is the best way: vectors lie along k, so that columns that do not fill
 * the vectors of a tile cost no more than others.
 */
function dotsOf(context: EmitContext, element: Element, routine: Matmul): Dots | undefined {
  const { batch, m, n, k, transposeX, transposeY } = routine;
  const width = TILE_VECTORS * element.lanes;
  if (k < TERMS) return undefined;
  const common = { context, element, batch, k };
  if (n <= 2 * width - 2 && (n + 1) % width > 1 && m >= (transposeY ? MANY : TRANSPOSE_FROM) && !transposeX)
    return { ...common, many: m, few: n, packs: !transposeY, manyAreX: true };
  if (m <= MANY && n >= (transposeX ? TRANSPOSE_FROM : MANY) && transposeY)
    return { ...common, many: n, few: m, packs: transposeX, manyAreX: false };
  return undefined;
}

/** Inner products, if they are the best way. */
export function dots(context: EmitContext, element: Element, routine: Matmul): StepCode | undefined {
  const product = dotsOf(context, element, routine);
  if (!product) return undefined;
  const { batch, many, few, k, packs, manyAreX } = product;
  const widths = coverTiles(few, FEW);
  const rows = rowsFor(context.features, Math.max(...widths.map(({ size }) => size)));
  const size = rows * Math.ceil(BLOCK / rows);
  const count = Math.ceil(many / size);
  const rest = many % rows;
  const finish = manyAreX ? context.finishRows?.(batch * many) : undefined;
  const tiles = new Map<string, Callable>();
  const rowBytes = packs ? Math.ceil(k / element.lanes) * 16 : k * element.bytes;
  const [outMany, outFew] = manyAreX
    ? [few * element.bytes, element.bytes]
    : [element.bytes, many * element.bytes];
  return {
    scratch: 0,
    finishes: finish !== undefined,
    parts: [
      {
        tasks: batch * count,
        own: packs ? few * rowBytes : 0,
        emit: (code, [x = 0, y = 0, out = 0], share) =>
          eachGroup(code, share, count, (group, first, end) => {
            const a = elementAt(code, manyAreX ? x : y, group, many * k * element.bytes);
            let b = elementAt(code, manyAreX ? y : x, group, few * k * element.bytes);
            const c = elementAt(code, out, group, many * few * element.bytes);
            if (packs) {
              packFew(code, product, b, share.own, rowBytes);
              b = share.own;
            }
            const emitTiles = (row: Local, height: number) => {
              const [from, to] = [
                elementAt(code, a, row, k * element.bytes),
                elementAt(code, c, row, outMany),
              ];
              let before = 0;
              for (const { size: width, count: repeats } of widths)
                for (let i = 0; i < repeats; i++) {
                  code
                    .get(from)
                    .get(b)
                    .i32(before * rowBytes)
                    .op('i32.add');
                  code
                    .get(to)
                    .i32(before * outFew)
                    .op('i32.add');
                  code.call(tileFunction(product, tiles, { rows: height, width, rowBytes, outMany, outFew }));
                  before += width;
                }
            };
            const [block = 0, row = 0, last = 0] = code.locals('i32', 3);
            code.get(first).set(block);
            countTo(code, block, end, 1, () => {
              code.get(block).i32(size).op('i32.mul').tee(row).i32(size).op('i32.add').tee(last);
              code
                .i32(many - rest)
                .get(last)
                .i32(many - rest)
                .op('i32.lt_s')
                .op('select')
                .set(last);
              const start = code.local('i32');
              code.get(row).set(start);
              countTo(code, row, last, rows, () => emitTiles(row, rows));
              if (rest > 0)
                code
                  .get(block)
                  .i32(count - 1)
                  .op('i32.eq')
                  .if(() => {
                    emitTiles(last, rest);
                    code.advance(last, rest);
                  });
              if (!finish) return;
              const base = code.local('i32');
              code.get(group).i32(many).op('i32.mul').set(base);
              code.advanceBy(start, base).advanceBy(last, base);
              finish(code, start, last);
            });
          }),
      },
    ],
  };
}

/** Rows of a tile beside `few` of the small operand: accumulators, the smaller side and one more vector fill the registers. */
function rowsFor({ relaxedSimd, fullRegisters }: Features, few: number): number {
  const registers = relaxedSimd && fullRegisters ? 15 : 11;
  let rows = 1;
  while (rows < MANY && (rows + 1) * few + Math.min(rows + 1, few) + 1 <= registers) rows++;
  return rows;
}

/** [k, few] -> [few, k], rows `rowBytes` apart. */
function packFew(code: Code, { element, few, k }: Dots, from: Local, to: Local, rowBytes: number): void {
  const { lanes, bytes } = element;
  const [at = 0, into = 0] = code.locals('i32', 2);
  const block = code.locals('v128', lanes);
  code.get(from).set(at).get(to).set(into);
  const square = (height: number) => {
    for (let f = 0; f < few; f += lanes) {
      for (const [l, local] of block.entries())
        if (l < height)
          code
            .get(at)
            .memory('v128.load', (l * few + f) * bytes)
            .set(local);
      transposeWords(code, block);
      for (const [l, local] of block.entries())
        if (f + l < few)
          code
            .get(into)
            .get(local)
            .memory('v128.store', (f + l) * rowBytes);
    }
    code.advance(at, lanes * few * bytes).advance(into, 16);
  };
  code.repeat(Math.floor(k / lanes), () => square(lanes));
  if (k % lanes > 0) square(k % lanes);
}

interface Shape {
  readonly rows: number;
  readonly width: number;
  /** Bytes between rows of the small operand. */
  readonly rowBytes: number;
  /** Bytes between results of neighbouring rows of the large and of the small operand. */
  readonly outMany: number;
  readonly outFew: number;
}

/** `(a, b, c)`: the inner products of `rows` rows at a and `width` rows at b. */
function tileFunction(product: Dots, tiles: Map<string, Callable>, shape: Shape): Callable {
  const { context, element, k } = product;
  const { rows, width, rowBytes, outMany, outFew } = shape;
  const key = `${rows} ${width}`;
  const known = tiles.get(key);
  if (known) return known;
  const made = context.builder.define(
    { params: ['i32', 'i32', 'i32'], results: [] },
    (code, [a = 0, b = 0, c = 0]) => {
      const acc = code.locals('v128', rows * width);
      for (const local of acc) code.v128(new Uint8Array(16)).set(local);
      const held = code.locals('v128', Math.min(rows, width));
      const next = code.local('v128');
      const rowsHeld = rows <= width;
      const load = (isRow: boolean, i: number, count: number, to: Local) => {
        if (count < element.lanes) code.v128(new Uint8Array(16)).set(to);
        loadColumns(code, element, [to], isRow ? a : b, i * (isRow ? k * element.bytes : rowBytes), count);
      };
      const step = (count: number) => {
        for (const [i, local] of held.entries()) load(rowsHeld, i, count, local);
        for (let j = 0; j < Math.max(rows, width); j++) {
          load(!rowsHeld, j, count, next);
          for (const [i, local] of held.entries()) {
            const [r, w] = rowsHeld ? [i, j] : [j, i];
            multiplyAdd(code, element, context.features, acc[r * width + w] ?? 0, next, local);
          }
        }
      };
      code.repeat(Math.floor(k / element.lanes), () => {
        step(element.lanes);
        code.advance(a, 16).advance(b, 16);
      });
      if (k % element.lanes > 0) step(k % element.lanes);
      storeSums(code, element, acc, c, (i) => Math.floor(i / width) * outMany + (i % width) * outFew);
    },
  );
  tiles.set(key, made);
  return made;
}

/** Stores the sum of the elements of each vector. */
function storeSums(
  code: Code,
  element: Element,
  vectors: readonly Local[],
  to: Local,
  offset: (i: number) => number,
): void {
  const { lanes, bytes } = element;
  const order = [...vectors.keys()].sort((i, j) => offset(i) - offset(j));
  for (let from = 0; from < order.length; from += lanes) {
    const group = order.slice(from, from + lanes);
    const block = [...group.map((i) => vectors[i] ?? 0), ...code.locals('v128', lanes - group.length)];
    transposeWords(code, block);
    const [sum = 0, ...others] = block;
    for (const other of others) code.get(sum).get(other).op(element.add).set(sum);
    const at = group.map(offset);
    if (at.every((place, i) => place === (at[0] ?? 0) + i * bytes))
      storeColumns(code, element, [sum], to, at[0] ?? 0, group.length);
    else
      for (const [lane, place] of at.entries())
        code.get(to).get(sum).memoryLane(element.storeLane, lane, place);
  }
}
