import type { Code, Local } from '../asm/code.ts';
import { transposeWords } from '../emit/transpose.ts';
import type { Element } from './element.ts';

/** Rows that are copied side by side: each is read in its order, and whole cache lines are written. */
const ROWS = 8;

/**
 * Copies `count` rows of `panels` × `vectors` vectors, `stride` bytes apart, to panels that follow each other, the rows of
 * each as well. Both pointers move on: `from` by all rows, `to` by all vectors. Reads up to a vector beyond the last
 * row's end.
 */
export function packRows(
  code: Code,
  from: Local,
  to: Local,
  count: number,
  stride: number,
  vectors: number,
  panels = 1,
): void {
  const rowBytes = 16 * vectors;
  const packSome = (rows: number) => {
    code.repeat(panels, () => {
      for (let r = 0; r < rows; r++)
        for (let v = 0; v < vectors; v++)
          code
            .get(to)
            .get(from)
            .memory('v128.load', r * stride + 16 * v)
            .memory('v128.store', r * rowBytes + 16 * v);
      if (panels > 1) code.advance(from, rowBytes).advance(to, count * rowBytes);
    });
    const back = panels > 1 ? panels * rowBytes : 0;
    code.advance(from, rows * stride - back).advance(to, rows * rowBytes - back * count);
  };
  code.repeat(Math.floor(count / ROWS), () => packSome(ROWS));
  if (count % ROWS > 0) packSome(count % ROWS);
  code.advance(to, (panels - 1) * count * rowBytes);
}

/**
 * Transposes `width` columns of `count` contiguous elements each, `stride` bytes apart, to `count` rows of `vectors`
 * vectors, `apart` bytes apart or one after the other; missing columns are zero. `from` moves on by one column's length,
 * `to` by all rows.
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
    readonly apart?: number;
  },
): void {
  const { count, stride, width, vectors, apart = vectors * 16 } = columns;
  const { bytes, lanes } = element;
  const block = code.locals('v128', lanes);
  code.repeat(Math.floor(count / lanes), () => {
    for (let v = 0; v < vectors; v++) {
      for (const [l, local] of block.entries()) {
        if (v * lanes + l < width) code.get(from).memory('v128.load', (v * lanes + l) * stride);
        else code.v128(new Uint8Array(16));
        code.set(local);
      }
      transposeWords(code, block);
      for (const [l, local] of block.entries())
        code
          .get(to)
          .get(local)
          .memory('v128.store', l * apart + v * 16);
    }
    code.advance(from, lanes * bytes).advance(to, lanes * apart);
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
    code.advance(from, bytes).advance(to, apart);
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
