import type { Code, Local } from '../asm/code.ts';
import type { Element } from './element.ts';

/**
 * Copies `count` rows of `vectors` vectors, `stride` bytes apart, to where they follow each other. Both pointers move on:
 * `from` by all rows, `to` by all vectors. Reads up to a vector beyond the last row's end.
 */
export function packRows(
  code: Code,
  from: Local,
  to: Local,
  count: number,
  stride: number,
  vectors: number,
): void {
  code.repeat(count, () => {
    for (let v = 0; v < vectors; v++)
      code
        .get(to)
        .get(from)
        .memory('v128.load', 16 * v)
        .memory('v128.store', 16 * v);
    code.advance(from, stride).advance(to, 16 * vectors);
  });
}

/**
 * Transposes `width` columns of `count` contiguous elements each, `stride` bytes apart, to `count` rows of `vectors`
 * vectors that follow each other; missing columns are zero. `from` moves on by one column's length, `to` by all vectors.
 */
export function packColumns(
  code: Code,
  element: Element,
  from: Local,
  to: Local,
  columns: {
    readonly count: number;
    readonly stride: number;
    readonly width: number;
    readonly vectors: number;
  },
): void {
  const { count, stride, width, vectors } = columns;
  const { bytes, lanes } = element;
  const block = code.locals('v128', lanes);
  code.repeat(Math.floor(count / lanes), () => {
    for (let v = 0; v < vectors; v++) {
      for (const [l, local] of block.entries()) {
        if (v * lanes + l < width) code.get(from).memory('v128.load', (v * lanes + l) * stride);
        else code.v128(new Uint8Array(16));
        code.set(local);
      }
      transpose(code, block);
      for (const [l, local] of block.entries())
        code
          .get(to)
          .get(local)
          .memory('v128.store', (l * vectors + v) * 16);
    }
    code.advance(from, lanes * bytes).advance(to, lanes * vectors * 16);
  });
  const row = block[0] ?? 0;
  code.repeat(count % lanes, () => {
    for (let v = 0; v < vectors; v++) {
      code.v128(new Uint8Array(16)).set(row);
      for (let l = 0; l < lanes && v * lanes + l < width; l++)
        code
          .get(from)
          .get(row)
          .memoryLane(element.loadLane, l, (v * lanes + l) * stride)
          .set(row);
      code
        .get(to)
        .get(row)
        .memory('v128.store', 16 * v);
    }
    code.advance(from, bytes).advance(to, vectors * 16);
  });
}

/** Copies `bytes` from one pointer to another; they may not overlap. */
export function copyBytes(code: Code, from: Local, to: Local, bytes: number): void {
  const vectors = Math.floor(bytes / 16);
  const copy = (at: number) => code.get(to).get(from).memory('v128.load', at).memory('v128.store', at);
  if (vectors > 64) code.get(to).get(from).i32(bytes).copy();
  else if (vectors > 0) {
    for (let v = 0; v < vectors; v++) copy(16 * v);
    if (bytes % 16 > 0) copy(bytes - 16);
  } else {
    let at = 0;
    for (; at + 4 <= bytes; at += 4) code.get(to).get(from).memory('i32.load', at).memory('i32.store', at);
    for (; at < bytes; at++) code.get(to).get(from).memory('i32.load8_u', at).memory('i32.store8', at);
  }
}

/** A square of vectors in place: 4 × 4 of 32 bits or 2 × 2 of 64 bits. */
function transpose(code: Code, rows: readonly Local[]): void {
  const [a = 0, b = 0, c = 0, d = 0] = rows;
  const low = words(0, 1, 4, 5);
  const high = words(2, 3, 6, 7);
  const mix = (x: Local, y: Local, lanes: readonly number[]) => code.get(x).get(y).shuffle(lanes);
  if (rows.length === 2) {
    mix(a, b, low);
    mix(a, b, high).set(b).set(a);
    return;
  }
  mix(a, b, words(0, 4, 1, 5));
  mix(a, b, words(2, 6, 3, 7));
  mix(c, d, words(0, 4, 1, 5));
  mix(c, d, words(2, 6, 3, 7));
  code.set(d).set(c).set(b).set(a); // a0 b0 a1 b1, a2 b2 a3 b3, c0 d0 c1 d1, c2 d2 c3 d3
  mix(a, c, low);
  mix(a, c, high);
  mix(b, d, low);
  mix(b, d, high);
  code.set(d).set(c).set(b).set(a);
}

/** The bytes of a shuffle that picks 32-bit words from two vectors. */
function words(...picks: readonly number[]): number[] {
  return picks.flatMap((w) => [4 * w, 4 * w + 1, 4 * w + 2, 4 * w + 3]);
}
