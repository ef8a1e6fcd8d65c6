import type { Code, Local } from '../asm/code.ts';
import { eachTask, elementAt, type Part } from '../emit/part.ts';
import { transposeWords } from '../emit/transpose.ts';
import type { Element } from './element.ts';
import { type ImageLayout, type ImageShape, padImage } from './image.ts';

/** One level of a nest of positions in memory: how many there are, and the bytes between neighbours. */
export interface Level {
  readonly extent: number;
  readonly step: number;
}

/** Puts on the stack how many bytes position number `index` of a nest is away from the first; the last level varies fastest. */
export function offsetIn(code: Code, levels: readonly Level[], index: Local): void {
  const rest = code.local('i32');
  code.get(index).set(rest).i32(0);
  for (const { extent, step } of levels.filter((level) => level.extent > 1).reverse()) {
    code.get(rest).i32(extent).op('i32.rem_u').i32(step).op('i32.mul').op('i32.add');
    code.get(rest).i32(extent).op('i32.div_u').set(rest);
  }
}

/** Some images, and what is to be put around them. */
export interface Padding {
  readonly shape: ImageShape;
  readonly layout: ImageLayout;
  /** Bytes of an image without and with its border. */
  readonly xBytes: number;
  readonly imageBytes: number;
}

/** Some of a batch of images. */
export interface Block {
  readonly first: number;
  readonly images: number;
}

/** What a block copies takes at most so many bytes, unless one image alone takes more or there are too many blocks. */
const BLOCK_BYTES = 2 ** 25;
/** Blocks make code. */
const MOST_BLOCKS = 16;

/** Images in blocks that are copied in one go, `bytes` of each. */
export function blocksOf(images: number, bytes: number): Block[] {
  const most = Math.max(1, Math.floor(BLOCK_BYTES / bytes), Math.ceil(images / MOST_BLOCKS));
  const size = Math.ceil(images / Math.ceil(images / most));
  return Array.from({ length: Math.ceil(images / size) }, (_, i) => {
    return { first: i * size, images: Math.min(size, images - i * size) };
  });
}

/** Copies a block's images to scratch memory, from byte `at` on, where they have a border. */
export function padPart(
  { shape, layout, xBytes, imageBytes }: Padding,
  { first, images }: Block,
  at: number,
  operand: (params: readonly Local[]) => Local,
): Part {
  return {
    tasks: images,
    emit: (code, params, { scratch, ...share }) =>
      eachTask(code, share, (task) => {
        const from = elementAt(code, operand(params), task, xBytes);
        const to = elementAt(code, scratch, task, imageBytes);
        code.advance(from, first * xBytes).advance(to, at);
        code.get(to).i32(0).i32(imageBytes).fill();
        padImage(code, shape, layout, from, to);
      }),
  };
}

/** Parts of an extent: whole ones of `size`, and a smaller last one. */
export interface Run {
  readonly size: number;
  readonly count: number;
}

export function wholeAndRest(extent: number, size: number): Run[] {
  return [
    { size, count: Math.floor(extent / size) },
    { size: extent % size, count: extent % size > 0 ? 1 : 0 },
  ].filter(({ count }) => count > 0);
}

/** Writes `body` for each run of parts; the one that part number `index` belongs to is executed. */
export function eachRun<T extends Pick<Run, 'count'>>(
  code: Code,
  index: Local,
  [run, ...others]: readonly T[],
  body: (run: T) => void,
  before = 0,
): void {
  if (!run) return;
  if (others.length === 0) {
    body(run);
    return;
  }
  const end = before + run.count;
  code.get(index).i32(end).op('i32.lt_s');
  code.if(
    () => body(run),
    () => eachRun(code, index, others, body, end),
  );
}

/** Bytes in whole cache lines, and one more: what is read beyond the end is there. */
export function aligned(bytes: number): number {
  return Math.ceil(bytes / 64) * 64 + 64;
}

/** Bytes of an address in a table of places. */
export const PLACE = 4;

/** Writes the addresses of positions from number `first` on of a nest. */
export function writePlaces(
  code: Code,
  nest: { first: Local; to: Local; base: Local; levels: readonly Level[]; start: number },
  count: number,
): void {
  const [to, at] = [code.local('i32'), code.local('i32')];
  code.get(nest.to).set(to).get(nest.first).set(at);
  code.repeat(count, () => {
    code.get(to).get(nest.base).i32(nest.start).op('i32.add');
    offsetIn(code, nest.levels, at);
    code.op('i32.add').memory('i32.store');
    code.advance(to, PLACE).advance(at, 1);
  });
}

/** Transposes `count` channels of some pixels, at addresses that a table says, to rows of vectors; `to` moves on. */
export function packPlaces(
  code: Code,
  element: Element,
  { place, offset, to, count }: { place: Local; offset: Local; to: Local; count: number },
  pixels: number,
): void {
  const { lanes } = element;
  const vectors = Math.ceil(pixels / lanes);
  const pointers = code.locals('i32', pixels);
  const square = code.locals('v128', lanes);
  for (const [i, pointer] of pointers.entries())
    code
      .get(place)
      .memory('i32.load', PLACE * i)
      .get(offset)
      .op('i32.add')
      .set(pointer);
  code.repeat(count / lanes, () => {
    for (let v = 0; v < vectors; v++) {
      for (const [l, row] of square.entries()) {
        const pointer = pointers[v * lanes + l];
        if (pointer === undefined) code.v128(new Uint8Array(16)).set(row);
        else code.get(pointer).memory('v128.load').set(row);
      }
      transposeWords(code, square);
      for (const [l, row] of square.entries())
        code
          .get(to)
          .get(row)
          .memory('v128.store', (l * vectors + v) * 16);
    }
    for (const pointer of pointers) code.advance(pointer, 16);
    code.advance(to, lanes * vectors * 16);
  });
}
