import { type Code, type Local, load, store } from './words.ts';

/** Columns of a register tile: two vectors. */
export const COLUMNS = 8;

/** Sums of products in registers: `rows` × {@link COLUMNS} of them. */
export class Tile {
  readonly #code: Code;
  readonly #sums: readonly (readonly Local[])[];
  readonly #b: readonly Local[];
  readonly #a: Local;

  constructor(code: Code, rows: number) {
    this.#code = code;
    this.#sums = Array.from({ length: rows }, () => code.locals('v128', COLUMNS / 4));
    this.#b = code.locals('v128', COLUMNS / 4);
    this.#a = code.local('v128');
  }

  /** Starts from what lies in memory, rows `rowBytes` apart. */
  load(from: Local, rowBytes: number, width = COLUMNS): void {
    this.#each(rowBytes, width, (sum, offset, lanes) => {
      if (lanes === 4) load(this.#code, from, offset).set(sum);
      for (let l = 0; l < lanes % 4; l++)
        this.#code
          .get(from)
          .get(sum)
          .memoryLane('v128.load32_lane', l, offset + 4 * l)
          .set(sum);
    });
  }

  /** Adds one term: rows of a `rowBytes` apart, and the columns of b. */
  step(a: Local, rowBytes: number, b: Local, aOffset = 0, bOffset = 0): void {
    const code = this.#code;
    for (const [v, local] of this.#b.entries()) load(code, b, bOffset + 16 * v).set(local);
    for (const [r, sums] of this.#sums.entries()) {
      code
        .get(a)
        .memory('v128.load32_splat', aOffset + r * rowBytes)
        .set(this.#a);
      for (const [v, sum] of sums.entries())
        code
          .get(this.#a)
          .get(this.#b[v] ?? 0)
          .get(sum)
          .op('f32x4.relaxed_madd')
          .set(sum);
    }
  }

  store(to: Local, rowBytes: number, width = COLUMNS, finish: () => void = () => {}): void {
    this.#each(rowBytes, width, (sum, offset, lanes) => {
      if (lanes === 4)
        store(this.#code, to, offset, () => {
          this.#code.get(sum);
          finish();
        });
      for (let l = 0; l < lanes % 4; l++)
        this.#code
          .get(to)
          .get(sum)
          .memoryLane('v128.store32_lane', l, offset + 4 * l);
    });
  }

  /** Visits the registers, with what they have of `width` columns. */
  #each(rowBytes: number, width: number, visit: (sum: Local, offset: number, lanes: number) => void): void {
    for (const [r, sums] of this.#sums.entries())
      for (const [v, sum] of sums.entries())
        if (width > 4 * v) visit(sum, r * rowBytes + 16 * v, Math.min(4, width - 4 * v));
  }
}

/** How many tiles of at most `most` rows cover `extent`, without tiles of one or two rows where that can be helped. */
export function cover(extent: number, most: number): number[] {
  const tiles = new Array<number>(Math.floor(extent / most)).fill(most);
  const rest = extent % most;
  if (rest === 0) return tiles;
  if (tiles.length === 0 || rest >= most - 2) return [...tiles, rest];
  return [...tiles.slice(1), Math.ceil((rest + most) / 2), Math.floor((rest + most) / 2)];
}
