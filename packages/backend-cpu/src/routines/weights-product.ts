import type { ConvGeometry } from '@neumann/core/backend';
import type { Callable, Code, Local } from '../asm/code.ts';
import { countTo, eachTask, elementAt, type Part, type StepCode } from '../emit/part.ts';
import type { EmitContext } from '../emit/plan.ts';
import type { Element } from './element.ts';
import type { ImageLayout, ImageShape } from './image.ts';
import { packRows } from './pack.ts';
import {
  aligned,
  type Block,
  blocksOf,
  eachRun,
  type Level,
  offsetIn,
  PLACE,
  padPart,
  type Run,
  wholeAndRest,
  writePlaces,
} from './patches.ts';
import { panelsOf, productTiles } from './products.ts';
import { coverTiles, TILE_VECTORS, tileRows } from './tile.ts';

/** Points that are added up before a tile goes back to memory: what they take of dy's panel stays in the first-level cache. */
const BLOCK_POINTS = 256;
/** Rows of the weights that are packed together: they stay in the second-level cache. */
const BLOCK_ROWS = 120;
/** Where there are fewer taps, the rows of each are an equal number of blocks for 2 or 4 threads. */
const THREADS = 4;
/** Fewer channels, or pairs of them, do not pay for packing. */
const LEAST_FROM = 32;
const LEAST_TO = 128;
const LEAST_PAIRS = 2 ** 15;

/** Where the images of a weight gradient and the taps stand in memory. */
export interface WeightNest {
  readonly geometry: ConvGeometry;
  readonly shape: ImageShape;
  readonly layout: ImageLayout;
  /** Of the outputs of an image, and of the taps. */
  readonly points: readonly Level[];
  readonly taps: readonly Level[];
  /** Bytes from an image's start to what the first tap of the first output reads. */
  readonly start: number;
}

/** Whether {@link weightProduct} is the quicker way. */
export function isProduct({ groups, c, f }: ConvGeometry): boolean {
  return groups === 1 && c >= LEAST_FROM && f >= LEAST_TO && c * f >= LEAST_PAIRS;
}

interface Gradient extends WeightNest {
  readonly context: EmitContext;
  readonly element: Element;
  /** Points of y, taps. */
  readonly perImage: number;
  readonly tapCount: number;
  /** Bytes of an image as it is read, of x and of dy. */
  readonly imageBytes: number;
  readonly xBytes: number;
  readonly dyBytes: number;
  /** Where packed dy and images with their border stand in scratch memory; places are first. */
  readonly dyAt: number;
  readonly imagesAt: number;
  readonly tileOf: (rows: number, width: number) => Callable;
}

/**
 * The gradient of large weights as a matrix product, [taps × channels of x, points] with [points, channels of dy]. dy is
 * packed to panels of as many columns as a tile has; of x, what some rows of one tap read, at places that a table says.
 */
export function weightProduct(context: EmitContext, element: Element, nest: WeightNest): StepCode {
  const { geometry, shape, layout, points, taps } = nest;
  const { n, c, f } = geometry;
  const size = (levels: readonly Level[]) => levels.reduce((product, { extent }) => product * extent, 1);
  const perImage = size(points);
  const xBytes = shape.extents.reduce((product, extent) => product * extent, c * element.bytes);
  const imageBytes = layout.padded ? aligned(layout.bytes) : xBytes;
  const packed = perImage * Math.ceil(f / element.lanes) * 16;
  const blocks = blocksOf(n, packed + (layout.padded ? imageBytes : 0));
  const most = Math.max(...blocks.map(({ images }) => images));
  const dyAt = aligned(most * perImage * 4);
  const imagesAt = dyAt + aligned(most * packed);
  const rowBytes = f * element.bytes;
  const gradient: Gradient = {
    ...nest,
    context,
    element,
    perImage,
    tapCount: size(taps),
    imageBytes,
    xBytes,
    dyBytes: perImage * rowBytes,
    dyAt,
    imagesAt,
    tileOf: productTiles(context, element, { out: rowBytes }),
  };
  const parts = blocks.flatMap((block) => [
    ...(layout.padded ? [padPart(gradient, block, imagesAt, ([x = 0]) => x)] : []),
    packPart(gradient, block),
    multiplyPart(gradient, block),
  ]);
  return {
    scratch: imagesAt + (layout.padded ? most * imageBytes : 0),
    parts: [placesPart(gradient, most), ...parts],
  };
}

/** The table: for each point of the largest block, the bytes from the first image to what its first tap reads. */
function placesPart({ points, start, imageBytes, perImage }: Gradient, images: number): Part {
  return {
    tasks: 1,
    emit: (code, _, { scratch }) => {
      const [first, base] = [code.local('i32'), code.local('i32')];
      code.i32(0).set(first).i32(0).set(base);
      const levels = [{ extent: images, step: imageBytes }, ...points];
      writePlaces(code, { first, to: scratch, base, levels, start }, images * perImage);
    },
  };
}

/** Copies a block of dy to panels of columns; each is a task. */
function packPart(gradient: Gradient, { first, images }: Block): Part {
  const { context, element, geometry, perImage, dyBytes, dyAt } = gradient;
  const points = images * perImage;
  const rowBytes = geometry.f * element.bytes;
  let [tasks, column, bytes] = [0, 0, 0];
  const panels = panelsOf(element, context.features, geometry.f).map(({ width, vectors, count }) => {
    const steps = { from: width * element.bytes, to: points * vectors * 16 };
    const starts = { from: column * element.bytes - tasks * steps.from, to: bytes - tasks * steps.to };
    tasks += count;
    column += count * width;
    bytes += count * steps.to;
    return { count, vectors, steps, starts };
  });
  return {
    tasks,
    emit: (code, [, dy = 0], { scratch, ...share }) =>
      eachTask(code, share, (task) =>
        eachRun(code, task, panels, ({ vectors, steps, starts }) => {
          const from = elementAt(code, dy, task, steps.from);
          const to = elementAt(code, scratch, task, steps.to);
          code.advance(from, first * dyBytes + starts.from).advance(to, dyAt + starts.to);
          packRows(code, from, to, points, rowBytes, vectors);
        }),
      ),
  };
}

/** Adds a block's products to some rows of the weights of one tap; each is a task. */
function multiplyPart(gradient: Gradient, block: Block): Part {
  const { element, geometry, layout, taps, tapCount, xBytes, dyAt, imagesAt } = gradient;
  const { c, f } = geometry;
  const rows = rowBlocks(gradient);
  const perTap = rows.reduce((sum, { count }) => sum + count, 0);
  const [{ size } = { size: 0 }] = rows;
  const points = block.images * gradient.perImage;
  return {
    tasks: tapCount * perTap,
    own: Math.ceil(size / element.lanes) * 2 * 16 * BLOCK_POINTS + 64,
    emit: (code, [x = 0, , out = 0], { scratch, own, ...share }) =>
      eachTask(code, share, (task) => {
        const [tap, rowBlock, from, to] = code.locals('i32', 4) as [Local, Local, Local, Local];
        code.get(task).i32(perTap).op('i32.div_u').set(tap);
        code.get(task).i32(perTap).op('i32.rem_u').set(rowBlock);
        if (layout.padded) code.get(scratch).i32(imagesAt);
        else code.get(x).i32(block.first * xBytes);
        code.op('i32.add');
        offsetIn(code, taps, tap);
        code.op('i32.add').set(from);
        code.get(elementAt(code, from, rowBlock, size * element.bytes)).set(from);
        code.get(elementAt(code, out, tap, c * f * element.bytes)).set(to);
        code.get(elementAt(code, to, rowBlock, size * f * element.bytes)).set(to);
        eachRun(code, rowBlock, rows, (run) => {
          code.get(from).get(scratch).i32(dyAt).op('i32.add').get(to).get(scratch).get(own);
          code.i32(block.first > 0 ? 1 : 0).call(rowsFunction(gradient, run.size, points));
        });
      }),
  };
}

/** `(x, dy, out, places, own, adds)`: some rows of one tap, all columns, all points. */
function rowsFunction(gradient: Gradient, rows: number, points: number): Callable {
  const { context, element, geometry, tileOf } = gradient;
  const rowBytes = geometry.f * element.bytes;
  const tiles = coverTiles(rows, tileRows(context.features, TILE_VECTORS)).map((tile) => ({
    ...tile,
    vectors: Math.ceil(tile.size / element.lanes),
  }));
  const panels = panelsOf(element, context.features, geometry.f);
  return context.builder.define(
    { params: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'], results: [] },
    (code, [x = 0, dy = 0, out = 0, places = 0, own = 0, adds = 0]) => {
      const [at, end, count, a, b, c] = code.locals('i32', 6) as [Local, Local, Local, Local, Local, Local];
      code.i32(0).set(at).i32(points).set(end);
      countTo(code, at, end, BLOCK_POINTS, () => {
        code.get(end).get(at).op('i32.sub').tee(count);
        code.i32(BLOCK_POINTS).get(count).i32(BLOCK_POINTS).op('i32.lt_s').op('select').set(count);
        code.get(own).set(c).get(x).set(a);
        for (const { size, count: repeats, vectors } of tiles)
          code.repeat(repeats, () => {
            packRowsAt(code, { from: a, places, count, to: c }, vectors);
            code.advance(a, size * element.bytes);
          });
        const [panel, column] = [code.local('i32'), code.local('i32')];
        code.get(dy).set(panel).get(out).set(column);
        for (const { width, vectors: wide, count: repeats } of panels)
          code.repeat(repeats, () => {
            code.get(elementAt(code, panel, at, wide * 16)).set(b);
            code.get(own).set(a).get(column).set(c);
            for (const { size, count: repeated, vectors } of tiles)
              code.repeat(repeated, () => {
                code.get(a).get(b).get(c).get(count).get(adds).call(tileOf(size, width));
                code
                  .get(a)
                  .get(count)
                  .i32(vectors * 16)
                  .op('i32.mul')
                  .op('i32.add')
                  .set(a);
                code.advance(c, size * rowBytes);
              });
            code.advance(panel, points * wide * 16).advance(column, width * element.bytes);
          });
        code
          .i32(1)
          .set(adds)
          .advance(places, BLOCK_POINTS * PLACE);
      });
    },
  );
}

/** Copies `count` rows of some vectors, from places that a table says, to where they follow each other; `to` moves on. */
function packRowsAt(
  code: Code,
  { from, places, count, to }: { from: Local; places: Local; count: Local; to: Local },
  vectors: number,
): void {
  const [place, left, row] = code.locals('i32', 3) as [Local, Local, Local];
  code.get(places).set(place).get(count).set(left);
  code.countdown(left, () => {
    code.get(from).get(place).memory('i32.load').op('i32.add').set(row);
    for (let v = 0; v < vectors; v++)
      code
        .get(to)
        .get(row)
        .memory('v128.load', 16 * v)
        .memory('v128.store', 16 * v);
    code.advance(place, PLACE).advance(to, 16 * vectors);
  });
}

/** Input channels of a tap in blocks, the last one perhaps smaller. */
function rowBlocks({ context, geometry: { c }, tapCount }: Gradient): Run[] {
  const tile = tileRows(context.features, TILE_VECTORS);
  const each = tapCount < THREADS ? THREADS : 1;
  const wanted = Math.ceil(c / BLOCK_ROWS / each) * each;
  const size = Math.ceil(c / wanted / tile) * tile;
  return wholeAndRest(c, size);
}
