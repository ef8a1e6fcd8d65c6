import type { Kernel, Routine } from '@neumann/core/backend';
import type { Callable, Code, Local } from '../asm/code.ts';
import type { EmitContext } from '../emit/plan.ts';
import { type Element, elementOf } from './element.ts';
import { packColumns, packRows } from './pack.ts';
import type { RoutineCode } from './routine.ts';
import { coverTiles, TILE_VECTORS, Tile, tileRows } from './tile.ts';

export type Matmul = Extract<Routine, { name: 'matmul' }>;

/** Terms of the sum that are added up before a tile goes back to memory: a panel of y then stays in the first-level cache. */
const BLOCK_K = 256;
/** Rows of x per pass over y: they stay in the second-level cache. */
const BLOCK_M = 120;

/**
 * Matrix product by register tiles.
 *
 * y is packed to panels of as many columns as a tile has, `BLOCK_K` rows at a time, unless it is row-major and small or
 * used too seldom; x is read where it stands, as the splat of one element needs no order.
 */
export function matmul(context: EmitContext, kernel: Kernel, routine: Matmul): RoutineCode | undefined {
  const element = elementOf(kernel.inputs[0]?.dtype);
  const { m, n, k, transposeY } = routine;
  if (!element || m === 0 || k === 0 || n < 2 || (m < 4 && transposeY)) return undefined;
  return matmulOf(context, element, routine);
}

/** The product of operands of one element type; `m`, `n`, `k` are positive. */
export function matmulOf(context: EmitContext, element: Element, routine: Matmul): RoutineCode {
  const { m, n, k, transposeY } = routine;
  const vectors = vectorsFor(m);
  const packs = transposeY || (m >= 48 && n * element.bytes > 1024);
  const blockK = Math.ceil(k / Math.ceil(k / BLOCK_K));
  const columns = Math.ceil(n / element.lanes) * element.lanes;
  const product = { context, element, routine, vectors, packs, blockK };
  const tiles = new Map<string, Callable>();
  return {
    scratch: packs ? blockK * columns * element.bytes + 64 : 0,
    emit: (code, [x = 0, y = 0, out = 0, scratch = 0]) =>
      emitBatches(code, product, tiles, { x, y, out, scratch }),
  };
}

interface Product {
  readonly context: EmitContext;
  readonly element: Element;
  readonly routine: Matmul;
  /** Of a whole tile. */
  readonly vectors: number;
  readonly packs: boolean;
  readonly blockK: number;
}

interface Pointers {
  readonly x: Local;
  readonly y: Local;
  readonly out: Local;
  readonly scratch: Local;
}

/** Vectors of a tile: few rows leave registers for more columns. */
function vectorsFor(m: number): number {
  if (m >= 4) return TILE_VECTORS;
  return m === 1 ? 8 : 4;
}

function emitBatches(code: Code, product: Product, tiles: Map<string, Callable>, pointers: Pointers): void {
  const { routine, element } = product;
  const { batch, m, n, k } = routine;
  code.repeat(batch, () => {
    for (let k0 = 0; k0 < k; k0 += product.blockK)
      emitBlock(code, product, tiles, pointers, k0, Math.min(product.blockK, k - k0));
    code.advance(pointers.x, m * k * element.bytes);
    code.advance(pointers.y, k * n * element.bytes);
    code.advance(pointers.out, m * n * element.bytes);
  });
}

/** Adds the terms `[k0, k0 + count)` of all sums. */
function emitBlock(
  code: Code,
  product: Product,
  tiles: Map<string, Callable>,
  pointers: Pointers,
  k0: number,
  count: number,
): void {
  const { routine, element, packs } = product;
  const { m, n, k, transposeX, transposeY } = routine;
  const [a, b, c] = [code.local('i32'), code.local('i32'), code.local('i32')];
  const startOfY = k0 * element.bytes * (transposeY ? 1 : n);
  if (packs) packY(code, product, pointers, k0, count);
  const panels = panelsOf(product);
  for (const { size: rows, count: blocks, at } of rowBlocks(m)) {
    const block = code.local('i32');
    code.i32(at).set(block);
    code.repeat(blocks, () => {
      if (packs) code.get(pointers.scratch).set(b);
      else code.get(pointers.y).i32(startOfY).op('i32.add').set(b);
      const columnAt = code.local('i32');
      code.i32(0).set(columnAt);
      for (const { width, count: repeats } of panels)
        code.repeat(repeats, () => {
          const rowBytes = element.bytes * (transposeX ? 1 : k);
          code
            .get(pointers.x)
            .i32(k0 * element.bytes * (transposeX ? m : 1))
            .op('i32.add');
          code.get(block).i32(rowBytes).op('i32.mul').op('i32.add').set(a);
          code
            .get(pointers.out)
            .get(columnAt)
            .op('i32.add')
            .get(block)
            .i32(n * element.bytes)
            .op('i32.mul')
            .op('i32.add')
            .set(c);
          for (const { size, count: repeated } of coverTiles(
            rows,
            tileRows(product.context.features, vectorsOf(element, width)),
          )) {
            const tile = tileFunction(product, tiles, size, width);
            code.repeat(repeated, () => {
              code
                .get(a)
                .get(b)
                .get(c)
                .i32(count)
                .i32(k0 > 0 ? 1 : 0)
                .call(tile);
              code.advance(a, size * rowBytes).advance(c, size * n * element.bytes);
            });
          }
          code.advance(columnAt, width * element.bytes);
          code.advance(b, packs ? count * vectorsOf(element, width) * 16 : width * element.bytes);
        });
      code.advance(block, rows);
    });
  }
}

/** Blocks of rows as runs of equal size: one pass over y for each block. */
function rowBlocks(m: number): { size: number; count: number; at: number }[] {
  const size = Math.ceil(m / Math.ceil(m / BLOCK_M));
  const whole = Math.floor(m / size);
  const rest = m - whole * size;
  return [{ size, count: whole, at: 0 }, ...(rest > 0 ? [{ size: rest, count: 1, at: whole * size }] : [])];
}

/** Panels of columns: whole ones, and a narrower last one. */
function panelsOf({ element, routine, vectors }: Product): { width: number; count: number }[] {
  const width = vectors * element.lanes;
  const whole = Math.floor(routine.n / width);
  const rest = routine.n - whole * width;
  return [{ width, count: whole }, ...(rest > 0 ? [{ width: rest, count: 1 }] : [])];
}

/** Rows `[k0, k0 + count)` of y as panels that follow each other. */
function packY(code: Code, product: Product, pointers: Pointers, k0: number, count: number): void {
  const { element, routine } = product;
  const { n, k, transposeY } = routine;
  const [from, to, start] = [code.local('i32'), code.local('i32'), code.local('i32')];
  code.get(pointers.scratch).set(to);
  code
    .get(pointers.y)
    .i32(k0 * element.bytes * (transposeY ? 1 : n))
    .op('i32.add')
    .set(start);
  for (const { width, count: repeats } of panelsOf(product))
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
  const { context, element, routine, packs } = product;
  const { m, n, k, transposeX } = routine;
  const vectors = vectorsOf(element, width);
  const params = ['i32', 'i32', 'i32', 'i32', 'i32'] as const;
  const made = context.builder.define(
    { params, results: [] },
    (code, [a = 0, b = 0, c = 0, count = 0, accumulate = 0]) => {
      const tile = new Tile(code, element, context.features, { rows, vectors });
      const rowOffset = (r: number) => r * element.bytes * (transposeX ? 1 : k);
      const outOffset = (r: number) => r * n * element.bytes;
      code.countdown(count, () => {
        tile.step(a, rowOffset, b, 0);
        code
          .advance(a, element.bytes * (transposeX ? m : 1))
          .advance(b, packs ? vectors * 16 : n * element.bytes);
      });
      code.get(accumulate).if(() => tile.addFrom(c, outOffset, width));
      tile.store(c, outOffset, width);
    },
  );
  tiles.set(key, made);
  return made;
}
