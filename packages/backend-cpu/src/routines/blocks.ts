import type { Callable, Code, Local } from '../asm/code.ts';
import type { Finish } from '../emit/epilogue.ts';
import { countTo, eachGroup, elementAt, type Share, type StepCode } from '../emit/part.ts';
import type { EmitContext } from '../emit/plan.ts';
import type { Features } from '../features.ts';
import type { Element } from './element.ts';
import type { Matmul } from './matmul.ts';
import { packColumns, packRows } from './pack.ts';
import { coverTiles, TILE_VECTORS, Tile, tileRows, tileVectors } from './tile.ts';

/** Terms of the sum that are added up before a tile goes back to memory: a panel of y then stays in the first-level cache. */
const BLOCK_K = 256;
/** Rows of x per pass over y: they stay in the second-level cache. */
const BLOCK_M = 120;
/** Columns from which on it is worth to copy x to the order in which tiles read it. */
const PACK_X_FROM = 128;
/** Rows of x from which on it is worth to copy y, where its rows are not short. */
const PACK_Y_FROM = 6;
/** Rows of x from which on it is worth to copy y even so, where the first-level cache does not hold a block of it. */
const PACK_ALL_FROM = 512;
const FIRST_LEVEL = 2 ** 15;
/** Bytes of a row of y that are copied in one go: enough to be prefetched, if there are a few of them for threads to share. */
const RUN = 512;
/**
 * Bytes of a block of y that tiles multiply row after row, so that they write the result line after line: they stay in
 * the second-level cache.
 */
const GROUP = 2 ** 18;

interface Product {
  readonly context: EmitContext;
  readonly element: Element;
  readonly routine: Matmul;
  /** Of a whole tile. */
  readonly vectors: number;
  readonly packs: boolean;
  readonly packsX: boolean;
  readonly blockK: number;
  readonly groups: readonly Group[];
  readonly tiles: Map<string, Callable>;
}

/** `count` times `panels` panels of `width` columns each, side by side. */
interface Group {
  readonly width: number;
  readonly panels: number;
  readonly count: number;
}

/** Addresses of what the terms of a sum begin with. */
interface Pointers {
  readonly x: Local;
  readonly y: Local;
  readonly out: Local;
}

/** Some terms of the sums. */
interface Terms {
  readonly count: number;
  /** Whether they are added to what is there: 0 or 1. */
  readonly accumulate: Local;
  readonly areLast: boolean;
}

/**
 * Matrix product by register tiles.
 *
 * y is copied to panels of as many columns as a tile has, `BLOCK_K` rows at a time, unless it is row-major and small or
 * used too seldom. A block of x is copied to panels of as many rows as a tile has where there are many columns: rows that
 * are a power of two apart would take each other's place in the first-level cache. Transposed operands differ in how they
 * are copied only. `m`, `n`, `k` are positive.
 *
 * Threads share the columns where there are few rows, else the rows; then each copies all of y for itself.
 */
export function blocks(context: EmitContext, element: Element, routine: Matmul): StepCode {
  const { batch, m, n, k, transposeY } = routine;
  const vectors = vectorsFor(context.features, m);
  const blockK = Math.ceil(k / Math.ceil(k / BLOCK_K));
  const rowBytes = n * element.bytes;
  const packs =
    transposeY ||
    (m >= PACK_Y_FROM && rowBytes > 1024) ||
    (m >= PACK_ALL_FROM && blockK * rowBytes > FIRST_LEVEL);
  const packsX = m >= 4 && n >= PACK_X_FROM;
  const hasFewRows = m < 8 * tileRows(context.features, vectors) || (m <= BLOCK_M + 8 && n >= 2 * m);
  const sharesColumns = batch === 1 && hasFewRows;
  const groups = groupsOf(element, vectors, n, sharesColumns ? Math.min(RUN, rowBytes / 4) : GROUP / blockK);
  const product = { context, element, routine, vectors, packs, packsX, blockK, groups, tiles: new Map() };
  return sharesColumns ? byColumns(product) : byRows(product);
}

/** Threads share groups of columns. */
function byColumns(product: Product): StepCode {
  const { element, routine, packs, packsX, blockK, groups } = product;
  const { m, k, transposeY } = routine;
  const bytesOfX = packsX ? bytesOfRows(product, m) : 0;
  const [widest] = groups;
  const bytesOfY = packs && widest ? blockK * widest.panels * vectorsOf(element, widest.width) * 16 : 0;
  const emit = (code: Code, [x = 0, y = 0, out = 0]: readonly Local[], share: Share) => {
    const packedY = code.local('i32');
    code.get(share.own).i32(bytesOfX).op('i32.add').set(packedY);
    eachTerms(code, product, { x, y, out }, (pointers, terms) => {
      if (packsX) packX(code, product, pointers.x, share.own, m, terms.count);
      const a = packsX ? share.own : pointers.x;
      const [at, last] = [code.local('i32'), code.local('i32')];
      let before = 0;
      let column = 0;
      for (const group of groups) {
        const width = group.width * group.panels;
        const skipped = column - before * width;
        const start = (pointer: Local, bytesOfColumn: number): Local => {
          const from = elementAt(code, pointer, at, width * bytesOfColumn);
          code.advance(from, skipped * bytesOfColumn);
          return from;
        };
        code.get(share.first).i32(before).get(share.first).i32(before).op('i32.gt_s').op('select').set(at);
        const end = before + group.count;
        code.get(share.end).i32(end).get(share.end).i32(end).op('i32.lt_s').op('select').set(last);
        countTo(code, at, last, 1, () => {
          const b = start(pointers.y, transposeY ? element.bytes * k : element.bytes);
          const c = start(pointers.out, element.bytes);
          const one = [{ ...group, count: 1 }];
          if (packs) packY(code, product, b, packedY, terms.count, one);
          emitTiles(code, product, { a, b: packs ? packedY : b, c }, m, terms, one);
        });
        before = end;
        column += width * group.count;
      }
    });
  };
  const tasks = groups.reduce((sum, { count }) => sum + count, 0);
  return { scratch: 0, parts: [{ tasks, own: bytesOfX + bytesOfY, emit }] };
}

/** Threads share blocks of rows, of all products of a batch. */
function byRows(product: Product): StepCode {
  const { context, element, routine, vectors, packs, packsX, blockK, groups } = product;
  const { batch, m, n, k, transposeX } = routine;
  const { size, count } = rowBlocks(m, tileRows(context.features, vectors));
  const bytesOfX = packsX ? bytesOfRows(product, size) : 0;
  const bytesOfY = packs ? blockK * Math.ceil(n / element.lanes) * 16 : 0;
  const finish = context.finishRows?.(batch * m);
  const rest = m % size;
  const emit = (code: Code, [x = 0, y = 0, out = 0]: readonly Local[], share: Share) => {
    const packedY = code.local('i32');
    code.get(share.own).i32(bytesOfX).op('i32.add').set(packedY);
    eachGroup(code, share, count, (group, first, end) => {
      const own: Pointers = {
        x: elementAt(code, x, group, m * k * element.bytes),
        y: elementAt(code, y, group, k * n * element.bytes),
        out: elementAt(code, out, group, m * n * element.bytes),
      };
      eachTerms(code, product, own, (pointers, terms) => {
        if (packs) packY(code, product, pointers.y, packedY, terms.count, groups);
        const emitRows = (row: Local, rows: number) => {
          const from = elementAt(code, pointers.x, row, element.bytes * (transposeX ? 1 : k));
          if (packsX) packX(code, product, from, share.own, rows, terms.count);
          const a = packsX ? share.own : from;
          const c = elementAt(code, pointers.out, row, n * element.bytes);
          emitTiles(code, product, { a, b: packs ? packedY : pointers.y, c }, rows, terms, groups);
          if (terms.areLast && finish) finishRows(code, finish, group, m, row, rows);
        };
        const [row, stop, last] = [code.local('i32'), code.local('i32'), code.local('i32')];
        code.get(first).i32(size).op('i32.mul').set(row);
        code.get(end).i32(size).op('i32.mul').tee(stop);
        code
          .i32(m - rest)
          .get(stop)
          .i32(m - rest)
          .op('i32.lt_s')
          .op('select')
          .set(last);
        countTo(code, row, last, size, () => emitRows(row, size));
        if (rest > 0)
          code
            .get(stop)
            .i32(m)
            .op('i32.ge_s')
            .if(() => {
              code.i32(m - rest).set(row);
              emitRows(row, rest);
            });
      });
    });
  };
  const tasks = batch * count;
  return { scratch: 0, finishes: finish !== undefined, parts: [{ tasks, own: bytesOfX + bytesOfY, emit }] };
}

/** Tells that `rows` rows of product `group` of a batch are done, from `row` on. */
function finishRows(code: Code, finish: Finish, group: Local, m: number, row: Local, rows: number): void {
  const [first, end] = [code.local('i32'), code.local('i32')];
  code.get(group).i32(m).op('i32.mul').get(row).op('i32.add').tee(first);
  code.i32(rows).op('i32.add').set(end);
  finish(code, first, end);
}

/** Runs `body` for each `blockK` terms, with x and y at the first of them. */
function eachTerms(
  code: Code,
  { element, routine, blockK }: Product,
  { x, y, out }: Pointers,
  body: (pointers: Pointers, terms: Terms) => void,
): void {
  const { m, n, k, transposeX, transposeY } = routine;
  const [ownX, ownY, accumulate] = [code.local('i32'), code.local('i32'), code.local('i32')];
  code.get(x).set(ownX).get(y).set(ownY).i32(0).set(accumulate);
  const pointers = { x: ownX, y: ownY, out };
  const more = Math.ceil(k / blockK) - 1;
  code.repeat(more, () => {
    body(pointers, { count: blockK, accumulate, areLast: false });
    code.advance(ownX, blockK * element.bytes * (transposeX ? m : 1));
    code.advance(ownY, blockK * element.bytes * (transposeY ? 1 : n));
    code.i32(1).set(accumulate);
  });
  body(pointers, { count: k - more * blockK, accumulate, areLast: true });
}

/** Adds terms to some rows, where a, b and c are those of the first row and column. */
function emitTiles(
  code: Code,
  product: Product,
  { a, b, c }: { a: Local; b: Local; c: Local },
  rows: number,
  { count, accumulate }: Terms,
  groups: readonly Group[],
): void {
  const { routine, element, packsX } = product;
  const { n, k, transposeX } = routine;
  const rowBytes = element.bytes * (transposeX ? 1 : k);
  const [panel = 0, column = 0, row = 0, atA = 0, atB = 0, atC = 0] = code.locals('i32', 6);
  code.get(b).set(panel).get(c).set(column);
  for (const { width, panels, count: repeats } of groups)
    code.repeat(repeats, () => {
      code.get(a).set(atA).get(column).set(row);
      for (const { size, count: repeated } of tilesOfRows(product, rows, width))
        code.repeat(repeated, () => {
          code.get(panel).set(atB).get(row).set(atC);
          code.repeat(panels, () => {
            const tile = tileFunction(product, size, width);
            code.get(atA).get(atB).get(atC).i32(count).get(accumulate).call(tile);
            code.advance(atB, panelStep(product, width, count)).advance(atC, width * element.bytes);
          });
          code.advance(atA, packsX ? count * vectorsOf(element, size) * 16 : size * rowBytes);
          code.advance(row, size * n * element.bytes);
        });
      code.advance(panel, panels * panelStep(product, width, count));
      code.advance(column, panels * width * element.bytes);
    });
}

/** Vectors of a tile: few rows leave registers for more columns. */
function vectorsFor(features: Features, m: number): number {
  if (m >= 4) return tileVectors(features);
  return m === 1 ? 8 : 4;
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
 * Columns in panels: whole ones, of which some make up `run` bytes, and narrower last ones. A panel with a vector that is
 * not full has no more than `TILE_VECTORS`: single elements are stored from registers of 128 bits, and there are no more.
 */
function groupsOf({ lanes }: Element, vectors: number, n: number, run: number): Group[] {
  const groups: Group[] = [];
  let left = n;
  const take = (width: number, panels: number) => {
    const count = panels > 0 ? Math.floor(left / (width * panels)) : 0;
    if (count > 0) groups.push({ width, panels, count });
    left -= count * width * panels;
  };
  const panels = Math.max(1, Math.floor(run / (vectors * 16)));
  take(vectors * lanes, panels);
  take(vectors * lanes, Math.floor(left / (vectors * lanes)));
  take(TILE_VECTORS * lanes, 1);
  if (left > 0) take(left, 1);
  return groups;
}

/** How rows are covered with tiles of so many columns; all alike if x is packed. */
function tilesOfRows(product: Product, rows: number, width: number): { size: number; count: number }[] {
  const { context, element, vectors, packsX } = product;
  return coverTiles(rows, tileRows(context.features, packsX ? vectors : vectorsOf(element, width)));
}

/** Bytes of the panels of so many rows of x. */
function bytesOfRows(product: Product, rows: number): number {
  const { element, blockK, vectors } = product;
  const panels = tilesOfRows(product, rows, vectors * element.lanes);
  return panels.reduce((sum, { size, count }) => sum + count * blockK * vectorsOf(element, size) * 16, 0);
}

/** `count` terms of some rows of x as panels that follow each other: a tile's elements of one term are neighbours. */
function packX(code: Code, product: Product, start: Local, packed: Local, rows: number, count: number): void {
  const { element, routine, vectors: columns } = product;
  const { m, k, transposeX } = routine;
  const [from, to, panel] = [code.local('i32'), code.local('i32'), code.local('i32')];
  code.get(packed).set(to).get(start).set(panel);
  for (const { size, count: repeats } of tilesOfRows(product, rows, columns * element.lanes))
    code.repeat(repeats, () => {
      const vectors = vectorsOf(element, size);
      code.get(panel).set(from);
      if (transposeX) packRows(code, from, to, count, m * element.bytes, vectors);
      else packColumns(code, element, from, to, { count, stride: k * element.bytes, width: size, vectors });
      code.advance(panel, size * element.bytes * (transposeX ? 1 : k));
    });
}

/** `count` rows of some columns of y as panels that follow each other. */
function packY(
  code: Code,
  product: Product,
  start: Local,
  packed: Local,
  count: number,
  groups: readonly Group[],
): void {
  const { element, routine } = product;
  const { n, k, transposeY } = routine;
  const [from, to, column] = [code.local('i32'), code.local('i32'), code.local('i32')];
  code.get(packed).set(to).get(start).set(column);
  for (const { width, panels, count: repeats } of groups) {
    const vectors = vectorsOf(element, width);
    if (transposeY)
      code.repeat(panels * repeats, () => {
        code.get(column).set(from);
        packColumns(code, element, from, to, { count, stride: k * element.bytes, width, vectors });
        code.advance(column, width * element.bytes * k);
      });
    else
      code.repeat(repeats, () => {
        code.get(column).set(from);
        packRows(code, from, to, count, n * element.bytes, vectors, panels);
        code.advance(column, panels * width * element.bytes);
      });
  }
}

/** Bytes between neighbouring panels of y. */
function panelStep({ element, packs }: Product, width: number, count: number): number {
  return packs ? count * vectorsOf(element, width) * 16 : width * element.bytes;
}

function vectorsOf({ lanes }: Element, width: number): number {
  return Math.ceil(width / lanes);
}

/** `(a, b, c, count, accumulate)`: a tile of `rows` × `width` from `count` terms, added to what is there or not. */
function tileFunction(product: Product, rows: number, width: number): Callable {
  const { context, element, routine, packs, packsX, tiles } = product;
  const key = `${rows} ${width}`;
  const known = tiles.get(key);
  if (known) return known;
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
      const bytes = { a: termBytes, b: packs ? vectors * 16 : n * element.bytes };
      tile.steps(count, a, rowOffset, b, bytes);
      code.get(accumulate).if(() => tile.addFrom(c, outOffset, width));
      tile.store(c, outOffset, width);
    },
  );
  tiles.set(key, made);
  return made;
}
