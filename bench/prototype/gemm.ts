import { COLUMNS, Tile } from './tile.ts';
import { at, define, type Local, type ModuleBuilder, memo } from './words.ts';

/** Elements from one row to the next, and from one column to the next. */
export interface Steps {
  readonly row: number;
  readonly column: number;
}

const ROWS = 6;
const BLOCK_K = 256;
const BLOCK_M = 120;

/** Elements of working memory that a product wants. */
export const gemmWork = (n: number): number => BLOCK_K * (BLOCK_M + ROWS + n + 2 * COLUMNS);

/**
 * `(a, b, out, work)`: a product of any strides, out row-major. Blocks of b and of a are copied to panels, in the order
 * in which register tiles of 6 × 8 read them.
 */
export function gemm(
  builder: ModuleBuilder,
  { m, n, k, a, b }: { m: number; n: number; k: number; a: Steps; b: Steps },
  name: string,
): void {
  const aBytes = 4 * BLOCK_K * (BLOCK_M + ROWS);
  const tile = memo((rows: number, width: number, count: number, adds: boolean) =>
    define(builder, 3, (code, x = 0, y = 0, out = 0) => {
      const sums = new Tile(code, rows);
      if (adds) sums.load(out, 4 * n, width);
      code.repeat(count, () => {
        sums.step(x, 4, y);
        code.advance(x, 4 * ROWS).advance(y, 4 * COLUMNS);
      });
      sums.store(out, 4 * n, width);
    }),
  );
  /** `(from, to)`: `count` terms of neighbouring rows of a, or columns of b, as rows of `width`. */
  const pack = memo((lanes: number, apart: number, step: number, count: number, width: number) =>
    define(builder, 2, (code, from = 0, to = 0) => {
      const copy = (load: 'v128.load' | 'f32.load', offset: number, target: number) =>
        code
          .get(to)
          .get(from)
          .memory(load, offset)
          .memory(load === 'v128.load' ? 'v128.store' : 'f32.store', target);
      code.repeat(count, () => {
        // Vectors that reach into the next row come before it.
        if (apart === 1) for (const offset of [0, 16]) copy('v128.load', offset, offset);
        else for (let l = 0; l < lanes; l++) copy('f32.load', 4 * l * apart, 4 * l);
        code.advance(from, 4 * step).advance(to, 4 * width);
      });
    }),
  );
  /** Calls `visit` for panels of `width` out of `extent`, equal ones in a loop that moves pointers on. */
  const panels = (extent: number, width: number, visit: (lanes: number, repeats: number) => void) => {
    visit(width, Math.floor(extent / width));
    if (extent % width > 0) visit(extent % width, 1);
  };
  define(
    builder,
    4,
    (code, x = 0, y = 0, out = 0, work = 0) => {
      const [from, to, column, packed] = code.locals('i32', 4) as [Local, Local, Local, Local];
      const packAll = (
        extent: number,
        width: number,
        { lane, step }: { lane: number; step: number },
        count: number,
      ) =>
        panels(extent, width, (lanes, repeats) =>
          code.repeat(repeats, () => {
            code
              .get(from)
              .get(to)
              .call(pack(lanes, lane, step, count, width));
            code.advance(from, 4 * lanes * lane).advance(to, 4 * count * width);
          }),
        );
      for (let k0 = 0; k0 < k; k0 += BLOCK_K) {
        const count = Math.min(BLOCK_K, k - k0);
        at(code, y, 4 * k0 * b.row).set(from);
        at(code, work, aBytes).set(to);
        packAll(n, COLUMNS, { lane: b.column, step: b.row }, count);
        for (let i0 = 0; i0 < m; i0 += BLOCK_M) {
          const rows = Math.min(BLOCK_M, m - i0);
          at(code, x, 4 * (i0 * a.row + k0 * a.column)).set(from);
          code.get(work).set(to);
          packAll(rows, ROWS, { lane: a.row, step: a.column }, count);
          at(code, work, aBytes).set(packed);
          at(code, out, 4 * i0 * n).set(column);
          panels(n, COLUMNS, (width, repeats) =>
            code.repeat(repeats, () => {
              code.get(work).set(from).get(column).set(to);
              panels(rows, ROWS, (some, times) =>
                code.repeat(times, () => {
                  code
                    .get(from)
                    .get(packed)
                    .get(to)
                    .call(tile(some, width, count, k0 > 0));
                  code.advance(from, 4 * count * ROWS).advance(to, 4 * some * n);
                }),
              );
              code.advance(column, 4 * width).advance(packed, 4 * count * COLUMNS);
            }),
          );
        }
      }
    },
    name,
  );
}
