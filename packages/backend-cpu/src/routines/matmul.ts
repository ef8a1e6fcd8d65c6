import type { Kernel, Routine } from '@neumann/core/backend';
import type { Callable, Code, Local } from '../asm/code.ts';
import type { Finish } from '../emit/epilogue.ts';
import { countTo, eachGroup, elementAt, type Share, type StepCode } from '../emit/part.ts';
import type { EmitContext } from '../emit/plan.ts';
import type { Features } from '../features.ts';
import { combinations } from './combinations.ts';
import { dots } from './dots.ts';
import { type Element, elementOf } from './element.ts';
import { packColumns, packRows } from './pack.ts';
import { coverTiles, TILE_VECTORS, Tile, tileRows, tileVectors } from './tile.ts';

export type Matmul = Extract<Routine, { name: 'matmul' }>;

/** Terms of the sum that are added up before a tile goes back to memory: a panel of y then stays in the first-level cache. */
const BLOCK_K = 256;
/** Rows of x per pass over y: they stay in the second-level cache. */
const BLOCK_M = 120;
/** Columns from which on it is worth to copy x to the order in which tiles read it. */
const PACK_X_FROM = 128;

/**
 * Matrix product by register tiles.
 *
 * y is packed to panels of as many columns as a tile has, `BLOCK_K` rows at a time, unless it is row-major and small or
 * used too seldom. A block of x is packed to panels of as many rows as a tile has where there are many columns: rows that
 * are a power of two apart would take each other's place in the first-level cache. Transposed operands differ in how they
 * are packed only.
 */
export function matmul(context: EmitContext, kernel: Kernel, routine: Matmul): StepCode | undefined {
  const element = elementOf(kernel.inputs[0]?.dtype);
  const { m, n, k, transposeY } = routine;
  if (!element || m === 0 || n === 0 || k === 0) return undefined;
  const small = dots(context, element, routine) ?? combinations(context, element, routine);
  if (small || n < 2 || (m < 4 && transposeY)) return small;
  return matmulOf(context, element, routine);
}

/** The product of operands of one element type; `m`, `n`, `k` are positive. */
export function matmulOf(context: EmitContext, element: Element, routine: Matmul): StepCode {
  const { m, n, k, transposeY } = routine;
  const vectors = vectorsFor(context.features, m);
  const packs = transposeY || (m >= 48 && n * element.bytes > 1024);
  const blockK = Math.ceil(k / Math.ceil(k / BLOCK_K));
  const columns = Math.ceil(n / element.lanes) * element.lanes;
  const blocks = rowBlocks(m, tileRows(context.features, vectors));
  const tiles = new Map<string, Callable>();
  const byColumns = blocks.count === 1 && routine.batch === 1;
  const packsX = !byColumns && m >= 4 && n >= PACK_X_FROM;
  const product: Product = { context, element, routine, vectors, packs, packsX, blockK, blocks };
  const bytesOfY = packs ? blockK * columns * element.bytes : 0;
  const bytesOfX = packsX
    ? rowPanels(product, blocks.size).reduce((sum, { bytes, count }) => sum + bytes * count, 0)
    : 0;
  const panels = panelsOf(product).reduce((sum, { count }) => sum + count, 0);
  const finish = byColumns ? undefined : context.finishRows?.(routine.batch * m);
  return {
    scratch: 0,
    finishes: finish !== undefined,
    parts: [
      {
        tasks: byColumns ? panels : routine.batch * blocks.count,
        own: packs || packsX ? bytesOfY + bytesOfX + 64 : 0,
        emit: (code, [x = 0, y = 0, out = 0], share) => {
          const packedX = code.local('i32');
          code.get(share.own).i32(bytesOfY).op('i32.add').set(packedX);
          const pointers = { x, y, out, packedX, packedY: share.own };
          if (byColumns) emitColumns(code, product, tiles, pointers, share);
          else emitBatches(code, product, tiles, pointers, share, finish);
        },
      },
    ],
  };
}

interface Product {
  readonly context: EmitContext;
  readonly element: Element;
  readonly routine: Matmul;
  /** Of a whole tile. */
  readonly vectors: number;
  readonly packs: boolean;
  readonly packsX: boolean;
  readonly blockK: number;
  readonly blocks: RowBlocks;
}

interface Pointers {
  readonly x: Local;
  readonly y: Local;
  readonly out: Local;
  readonly packedX: Local;
  readonly packedY: Local;
}

/** Vectors of a tile: few rows leave registers for more columns. */
function vectorsFor(features: Features, m: number): number {
  if (m >= 4) return tileVectors(features);
  return m === 1 ? 8 : 4;
}

/** The row blocks of a share, of all products of a batch; every thread packs y for itself. */
function emitBatches(
  code: Code,
  product: Product,
  tiles: Map<string, Callable>,
  pointers: Pointers,
  share: Share,
  finish: Finish | undefined,
): void {
  const { routine, element, blocks, blockK } = product;
  const { m, n, k } = routine;
  eachGroup(code, share, blocks.count, (batch, first, end) => {
    const own: Pointers = {
      ...pointers,
      x: elementAt(code, pointers.x, batch, m * k * element.bytes),
      y: elementAt(code, pointers.y, batch, k * n * element.bytes),
      out: elementAt(code, pointers.out, batch, m * n * element.bytes),
    };
    const done = finish && rowsOfBatch(finish, batch, m);
    for (let k0 = 0; k0 < k; k0 += blockK) {
      const terms = { k0, count: Math.min(blockK, k - k0) };
      const isLast = k0 + blockK >= k;
      emitBlock(code, product, tiles, own, terms, { first, end, ...(isLast && done ? { done } : {}) });
    }
  });
}

/** Tells that `rows` rows of a product of a batch are done, from `row` on. */
type RowsDone = (code: Code, row: Local, rows: number) => void;

function rowsOfBatch(finish: Finish, batch: Local, m: number): RowsDone {
  return (code, row, rows) => {
    const [first, end] = [code.local('i32'), code.local('i32')];
    code.get(batch).i32(m).op('i32.mul').get(row).op('i32.add').tee(first);
    code.i32(rows).op('i32.add').set(end);
    finish(code, first, end);
  };
}

/** The column panels of a share, of a product with one block of rows. */
function emitColumns(
  code: Code,
  product: Product,
  tiles: Map<string, Callable>,
  pointers: Pointers,
  share: Share,
): void {
  const { routine, element, blockK } = product;
  const { k, transposeY } = routine;
  const [at, last] = [code.local('i32'), code.local('i32')];
  let before = 0;
  let column = 0;
  for (const { width, count } of panelsOf(product)) {
    const skipped = column - before * width;
    const start = (pointer: Local, bytesOfColumn: number): Local => {
      const from = elementAt(code, pointer, at, width * bytesOfColumn);
      code.advance(from, skipped * bytesOfColumn);
      return from;
    };
    larger(code, share.first, before, at);
    smaller(code, share.end, before + count, last);
    countTo(code, at, last, 1, () => {
      const own: Pointers = {
        ...pointers,
        y: start(pointers.y, transposeY ? element.bytes * k : element.bytes),
        out: start(pointers.out, element.bytes),
      };
      for (let k0 = 0; k0 < k; k0 += blockK)
        emitBlock(code, product, tiles, own, { k0, count: Math.min(blockK, k - k0) }, undefined, [
          { width, count: 1 },
        ]);
    });
    before += count;
    column += width * count;
  }
}

function larger(code: Code, a: Local, b: number, to: Local): void {
  code.get(a).i32(b).get(a).i32(b).op('i32.gt_s').op('select').set(to);
}

function smaller(code: Code, a: Local, b: number, to: Local): void {
  code.get(a).i32(b).get(a).i32(b).op('i32.lt_s').op('select').set(to);
}

/** The terms of a sum that are added in one go. */
interface Terms {
  readonly k0: number;
  readonly count: number;
}

/** Adds some terms of the sums of some row blocks (all if not said) and column panels. */
function emitBlock(
  code: Code,
  product: Product,
  tiles: Map<string, Callable>,
  pointers: Pointers,
  terms: Terms,
  range: { first: Local; end: Local; done?: RowsDone } | undefined,
  panels = panelsOf(product),
): void {
  const { routine, element, packs, packsX, blocks } = product;
  const { m, n, k, transposeX, transposeY } = routine;
  const { k0, count } = terms;
  const [a, b, c] = [code.local('i32'), code.local('i32'), code.local('i32')];
  const startOfY = k0 * element.bytes * (transposeY ? 1 : n);
  if (packs) packY(code, product, pointers, terms, panels);
  const rowBytes = element.bytes * (transposeX ? 1 : k);
  /** Rows from `row` on. */
  const emitRows = (row: Local, rows: number) => {
    const [startOfX, columnAt] = [code.local('i32'), code.local('i32')];
    code
      .get(pointers.x)
      .i32(k0 * element.bytes * (transposeX ? m : 1))
      .op('i32.add');
    code.get(row).i32(rowBytes).op('i32.mul').op('i32.add').set(startOfX);
    if (packsX) packX(code, product, startOfX, pointers.packedX, rows, count);
    if (packs) code.get(pointers.packedY).set(b);
    else code.get(pointers.y).i32(startOfY).op('i32.add').set(b);
    code.i32(0).set(columnAt);
    for (const { width, count: repeats } of panels)
      code.repeat(repeats, () => {
        code.get(packsX ? pointers.packedX : startOfX).set(a);
        code
          .get(pointers.out)
          .get(columnAt)
          .op('i32.add')
          .get(row)
          .i32(n * element.bytes)
          .op('i32.mul')
          .op('i32.add')
          .set(c);
        for (const { size, count: repeated } of tilesOfRows(product, rows, width)) {
          const tile = tileFunction(product, tiles, size, width);
          code.repeat(repeated, () => {
            code
              .get(a)
              .get(b)
              .get(c)
              .i32(count)
              .i32(k0 > 0 ? 1 : 0)
              .call(tile);
            code.advance(a, packsX ? count * vectorsOf(element, size) * 16 : size * rowBytes);
            code.advance(c, size * n * element.bytes);
          });
        }
        code.advance(columnAt, width * element.bytes);
        code.advance(b, packs ? count * vectorsOf(element, width) * 16 : width * element.bytes);
      });
  };
  const row = code.local('i32');
  if (!range) {
    code.i32(0).set(row);
    emitRows(row, m);
    return;
  }
  const [first, end, rest] = [code.local('i32'), code.local('i32'), m % blocks.size];
  code.get(range.first).i32(blocks.size).op('i32.mul').set(row);
  code.get(range.end).i32(blocks.size).op('i32.mul').set(end);
  code
    .i32(m - rest)
    .get(end)
    .get(end)
    .i32(m - rest)
    .op('i32.gt_s')
    .op('select')
    .set(first);
  countTo(code, row, first, blocks.size, () => {
    emitRows(row, blocks.size);
    range.done?.(code, row, blocks.size);
  });
  if (rest === 0) return;
  code
    .get(end)
    .get(first)
    .op('i32.gt_s')
    .if(() => {
      code.i32(m - rest).set(row);
      emitRows(row, rest);
      range.done?.(code, row, rest);
    });
}

/** Rows in blocks of `size`, the last one perhaps of fewer. */
interface RowBlocks {
  readonly size: number;
  readonly count: number;
}

/** One pass over y for each block, and an equal number of blocks for 2 or 4 threads where there is enough to do. */
function rowBlocks(m: number, tile: number): RowBlocks {
  const wanted = m < 8 * tile ? 1 : Math.ceil(m / BLOCK_M / 4) * 4;
  const size = Math.ceil(m / wanted / tile) * tile;
  return wanted === 1 ? { size: m, count: 1 } : { size, count: Math.ceil(m / size) };
}

/**
 * Panels of columns: whole ones, and narrower last ones. A panel with a vector that is not full has no more than
 * `TILE_VECTORS`: single elements are stored from registers of 128 bits, and there are no more of those.
 */
function panelsOf({ element, routine, vectors }: Product): { width: number; count: number }[] {
  const panels: { width: number; count: number }[] = [];
  let left = routine.n;
  for (const width of new Set([vectors, TILE_VECTORS].map((count) => count * element.lanes))) {
    const count = Math.floor(left / width);
    if (count > 0) panels.push({ width, count });
    left -= count * width;
  }
  if (left > 0) panels.push({ width: left, count: 1 });
  return panels;
}

/** How rows are covered with tiles of so many columns; all alike if x is packed. */
function tilesOfRows(product: Product, rows: number, width: number): { size: number; count: number }[] {
  const { context, element, vectors, packsX } = product;
  return coverTiles(rows, tileRows(context.features, packsX ? vectors : vectorsOf(element, width)));
}

/** The panels of so many rows of x, and the bytes of each where all `blockK` terms are packed. */
function rowPanels(product: Product, rows: number): { size: number; count: number; bytes: number }[] {
  const { element, blockK, vectors } = product;
  return tilesOfRows(product, rows, vectors * element.lanes).map((tiles) => ({
    ...tiles,
    bytes: blockK * vectorsOf(element, tiles.size) * 16,
  }));
}

/** `count` terms of some rows of x as panels that follow each other: a tile's elements of one term are neighbours. */
function packX(code: Code, product: Product, start: Local, packed: Local, rows: number, count: number): void {
  const { element, routine } = product;
  const { m, k, transposeX } = routine;
  const [from, to, panel] = [code.local('i32'), code.local('i32'), code.local('i32')];
  code.get(packed).set(to).get(start).set(panel);
  for (const { size, count: repeats } of rowPanels(product, rows))
    code.repeat(repeats, () => {
      const vectors = vectorsOf(element, size);
      code.get(panel).set(from);
      if (transposeX) packRows(code, from, to, count, m * element.bytes, vectors);
      else packColumns(code, element, from, to, { count, stride: k * element.bytes, width: size, vectors });
      code.advance(panel, size * element.bytes * (transposeX ? 1 : k));
    });
}

/** Some rows of y as panels that follow each other. */
function packY(
  code: Code,
  product: Product,
  pointers: Pointers,
  { k0, count }: Terms,
  panels: readonly { width: number; count: number }[],
): void {
  const { element, routine } = product;
  const { n, k, transposeY } = routine;
  const [from, to, start] = [code.local('i32'), code.local('i32'), code.local('i32')];
  code.get(pointers.packedY).set(to);
  code
    .get(pointers.y)
    .i32(k0 * element.bytes * (transposeY ? 1 : n))
    .op('i32.add')
    .set(start);
  for (const { width, count: repeats } of panels)
    code.repeat(repeats, () => {
      const vectors = vectorsOf(element, width);
      code.get(start).set(from);
      if (transposeY)
        packColumns(code, element, from, to, { count, stride: k * element.bytes, width, vectors });
      else packRows(code, from, to, count, n * element.bytes, vectors);
      code.advance(start, width * element.bytes * (transposeY ? k : 1));
    });
}

function vectorsOf({ lanes }: Element, width: number): number {
  return Math.ceil(width / lanes);
}

/** `(a, b, c, count, accumulate)`: a tile of `rows` × `width` from `count` terms, added to what is there or not. */
function tileFunction(product: Product, tiles: Map<string, Callable>, rows: number, width: number): Callable {
  const key = `${rows} ${width}`;
  const known = tiles.get(key);
  if (known) return known;
  const { context, element, routine, packs, packsX } = product;
  const { m, n, k, transposeX } = routine;
  const vectors = vectorsOf(element, width);
  const apart = packsX || transposeX ? element.bytes : element.bytes * k;
  const termBytes = packsX ? vectorsOf(element, rows) * 16 : element.bytes * (transposeX ? m : 1);
  const params = ['i32', 'i32', 'i32', 'i32', 'i32'] as const;
  const made = context.builder.define(
    { params, results: [] },
    (code, [a = 0, b = 0, c = 0, count = 0, accumulate = 0]) => {
      const tile = new Tile(code, element, context.features, { rows, vectors });
      const rowOffset = (r: number) => r * apart;
      const outOffset = (r: number) => r * n * element.bytes;
      code.countdown(count, () => {
        tile.step(a, rowOffset, b, 0);
        code.advance(a, termBytes).advance(b, packs ? vectors * 16 : n * element.bytes);
      });
      code.get(accumulate).if(() => tile.addFrom(c, outOffset, width));
      tile.store(c, outOffset, width);
    },
  );
  tiles.set(key, made);
  return made;
}
