import type { Code, Local } from '../asm/code.ts';
import type { Features } from '../features.ts';
import type { Element } from './element.ts';

/** Extents of a register tile: accumulators are `rows` × `vectors`, and one row of vectors and a splat go with them. */
export interface TileShape {
  readonly rows: number;
  readonly vectors: number;
}

/** Vectors of a tile: two rows of loads feed many accumulators. */
export const TILE_VECTORS: number = 2;

/** Vectors of a tile of a matrix product; where pairs of them share a register, twice as many. */
export function tileVectors({ revectorize }: Features): number {
  return revectorize ? 2 * TILE_VECTORS : TILE_VECTORS;
}

/**
 * Rows of a tile of so many vectors that keeps the vector registers busy: enough accumulators to hide the latency of
 * multiply-adds, and as many of them per load as there are registers. Without fused multiply-add the product takes a
 * register too. More than two vectors in 256-bit mode are pairs that share registers.
 */
export function tileRows({ relaxedSimd, fullRegisters, revectorize }: Features, vectors: number): number {
  const registers = revectorize && vectors > TILE_VECTORS ? Math.ceil(vectors / 2) : vectors;
  return Math.max(1, Math.floor((relaxedSimd && fullRegisters ? 12 : 8) / registers));
}

/**
 * Covers `extent` with tiles of at most `most`, largest first, avoiding a tail so small that it cannot hide latency.
 * Tiles of one size follow each other.
 */
export function coverTiles(extent: number, most: number): { size: number; count: number }[] {
  const whole = Math.floor(extent / most);
  const rest = extent - whole * most;
  const runs =
    rest === 0 || whole === 0 || rest >= most - 2
      ? [most, whole, rest, rest > 0 ? 1 : 0]
      : [most, whole - 1, Math.ceil((rest + most) / 2), 1, Math.floor((rest + most) / 2), 1];
  const tiles: { size: number; count: number }[] = [];
  for (let i = 0; i < runs.length; i += 2) {
    const [size = 0, count = 0] = runs.slice(i, i + 2);
    const last = tiles.at(-1);
    if (last?.size === size) last.count += count;
    else if (count > 0 && size > 0) tiles.push({ size, count });
  }
  return tiles;
}

/** Bytes between neighbouring terms of both operands. */
export interface TermBytes {
  readonly a: number;
  readonly b: number;
}

/** Where the first of some terms stands, and the others after it. */
type Where = [a: Local, rowOffset: (row: number) => number, b: Local, bytes: TermBytes];

/** Accumulators in registers: `acc[r][v] += splat(a[r]) * b[v]`, one step for each term of a sum. */
export class Tile {
  readonly #code: Code;
  readonly #element: Element;
  readonly #features: Features;
  readonly #rows: number;
  readonly #vectors: number;
  readonly #acc: readonly Local[];
  readonly #b: readonly Local[];
  readonly #a: Local;

  constructor(code: Code, element: Element, features: Features, { rows, vectors }: TileShape) {
    this.#code = code;
    this.#element = element;
    this.#features = features;
    this.#rows = rows;
    this.#vectors = vectors;
    this.#acc = code.locals('v128', rows * vectors);
    this.#b = code.locals('v128', vectors);
    this.#a = code.local('v128');
    for (const acc of this.#acc) code.v128(new Uint8Array(16)).set(acc);
  }

  /** One term: row r of `a` stands `rowOffset(r)` bytes from its pointer, the vectors of `b` follow each other. */
  step(a: Local, rowOffset: (row: number) => number, b: Local, bOffset: number): void {
    const code = this.#code;
    for (const [v, local] of this.#b.entries())
      code
        .get(b)
        .memory('v128.load', bOffset + 16 * v)
        .set(local);
    for (let r = 0; r < this.#rows; r++) {
      code.get(a).memory(this.#element.loadSplat, rowOffset(r)).set(this.#a);
      for (const [v, local] of this.#b.entries())
        multiplyAdd(
          code,
          this.#element,
          this.#features,
          this.#acc[r * this.#vectors + v] ?? 0,
          this.#a,
          local,
        );
    }
  }

  /** As many terms as `count` says, at least one, of which each stands some bytes after the one before; pointers move on. */
  steps(count: Local, ...where: Where): void {
    const code = this.#code;
    const unrolled = this.#unrolled();
    if (unrolled === 1) {
      code.countdown(count, () => this.#some(1, ...where));
      return;
    }
    const rounds = code.local('i32');
    code.get(count).i32(unrolled).op('i32.div_u').tee(rounds);
    code.if(() => code.countdown(rounds, () => this.#some(unrolled, ...where)));
    code.get(count).i32(unrolled).op('i32.rem_u').tee(rounds);
    code.if(() => code.countdown(rounds, () => this.#some(1, ...where)));
  }

  /** `count` such terms. */
  repeat(count: number, ...where: Where): void {
    const unrolled = this.#unrolled();
    this.#code.repeat(Math.floor(count / unrolled), () => this.#some(unrolled, ...where));
    this.#some(count % unrolled, ...where);
  }

  /** Terms in one go of a loop: in 256-bit mode, decoding its instructions takes nearly as long as to multiply. */
  #unrolled(): number {
    return this.#features.revectorize ? 4 : 1;
  }

  #some(terms: number, a: Local, rowOffset: (row: number) => number, b: Local, bytes: TermBytes): void {
    for (let t = 0; t < terms; t++) this.step(a, (r) => t * bytes.a + rowOffset(r), b, t * bytes.b);
    this.#code.advance(a, terms * bytes.a).advance(b, terms * bytes.b);
  }

  /** Starts from what lies in memory; `width` columns of each row exist. */
  load(from: Local, rowOffset: (row: number) => number, width: number): void {
    for (let r = 0; r < this.#rows; r++)
      loadColumns(this.#code, this.#element, this.#row(r), from, rowOffset(r), width);
  }

  /** Adds what lies in memory. */
  addFrom(from: Local, rowOffset: (row: number) => number, width: number): void {
    this.#each(rowOffset, width, (acc, offset, lanes) => {
      const code = this.#code;
      if (lanes === this.#element.lanes)
        code.get(acc).get(from).memory('v128.load', offset).op(this.#element.add).set(acc);
      else {
        code.v128(new Uint8Array(16)).set(this.#a);
        for (let lane = 0; lane < lanes; lane++)
          code
            .get(from)
            .get(this.#a)
            .memoryLane(this.#element.loadLane, lane, offset + lane * this.#element.bytes)
            .set(this.#a);
        code.get(acc).get(this.#a).op(this.#element.add).set(acc);
      }
    });
  }

  /** Stores `width` columns of each row. */
  store(to: Local, rowOffset: (row: number) => number, width: number): void {
    for (let r = 0; r < this.#rows; r++)
      storeColumns(this.#code, this.#element, this.#row(r), to, rowOffset(r), width);
  }

  #row(r: number): Local[] {
    return this.#acc.slice(r * this.#vectors, (r + 1) * this.#vectors);
  }

  #each(
    rowOffset: (row: number) => number,
    width: number,
    visit: (acc: Local, offset: number, lanes: number) => void,
  ): void {
    const { lanes } = this.#element;
    for (let r = 0; r < this.#rows; r++)
      for (let v = 0; v < this.#vectors; v++) {
        const count = Math.min(lanes, width - v * lanes);
        if (count > 0) visit(this.#acc[r * this.#vectors + v] ?? 0, rowOffset(r) + 16 * v, count);
      }
  }
}

/** acc += a * b */
export function multiplyAdd(
  code: Code,
  { madd, mul, add }: Element,
  { relaxedSimd }: Features,
  acc: Local,
  a: Local,
  b: Local,
): void {
  if (relaxedSimd) code.get(a).get(b).get(acc).op(madd).set(acc);
  else code.get(acc).get(a).get(b).op(mul).op(add).set(acc);
}

/** Loads `width` neighbouring elements into vectors; lanes beyond keep what they hold. */
export function loadColumns(
  code: Code,
  { lanes, bytes, loadLane }: Element,
  vectors: readonly Local[],
  from: Local,
  offset: number,
  width: number,
): void {
  for (const [v, vector] of vectors.entries()) {
    const count = Math.min(lanes, width - v * lanes);
    const at = offset + 16 * v;
    if (count === lanes) code.get(from).memory('v128.load', at).set(vector);
    for (let lane = 0; lane < count && count < lanes; lane++)
      code
        .get(from)
        .get(vector)
        .memoryLane(loadLane, lane, at + lane * bytes)
        .set(vector);
  }
}

/** Stores `width` neighbouring elements from vectors. */
export function storeColumns(
  code: Code,
  { lanes, bytes, storeLane }: Element,
  vectors: readonly Local[],
  to: Local,
  offset: number,
  width: number,
): void {
  for (const [v, vector] of vectors.entries()) {
    const count = Math.min(lanes, width - v * lanes);
    const at = offset + 16 * v;
    if (count === lanes) code.get(to).get(vector).memory('v128.store', at);
    for (let lane = 0; lane < count && count < lanes; lane++)
      code
        .get(to)
        .get(vector)
        .memoryLane(storeLane, lane, at + lane * bytes);
  }
}
