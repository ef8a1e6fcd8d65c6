import { acc, type ConvGeometry, coord, type Kernel, load } from '@neumann/core/backend';
import type { Callable, Code, Local } from '../asm/code.ts';
import { kernelCode } from '../emit/kernel.ts';
import { countTo, eachTask, elementAt, type Part, type StepCode } from '../emit/part.ts';
import type { EmitContext } from '../emit/plan.ts';
import { depthwiseWeights } from './depthwise.ts';
import type { Element } from './element.ts';
import { type ImageLayout, type ImageShape, layoutOf, padImage } from './image.ts';
import type { Level } from './patches.ts';
import { panelsOf } from './products.ts';
import { coverTiles, TILE_VECTORS, Tile, tileRows } from './tile.ts';
import { isProduct, weightProduct } from './weights-product.ts';

/** Bytes of dy that one pass of all tiles reads: they stay in the first-level cache. */
const BLOCK_BYTES = 32768;

interface Gradient {
  readonly context: EmitContext;
  readonly element: Element;
  readonly geometry: ConvGeometry;
  /** Spatial extents, always three. */
  readonly kernel: readonly number[];
  readonly y: readonly number[];
  readonly stride: readonly number[];
  readonly layout: ImageLayout;
  readonly tiles: Map<string, Callable>;
}

/**
 * Gradient of a convolution with respect to its weights, by register tiles of some weights of one output channel panel:
 * the tile stays in registers while it walks over the points of y, which are contiguous in both operands.
 */
export function weightGradient(context: EmitContext, element: Element, geometry: ConvGeometry): StepCode {
  const three = (values: readonly number[], missing: number) => [
    ...new Array<number>(3 - values.length).fill(missing),
    ...values,
  ];
  const [kernel, x, y] = [three(geometry.kernel, 1), three(geometry.x, 1), three(geometry.y, 1)];
  const [stride, low] = [three(geometry.stride, 1), three(geometry.padLow, 0)];
  const [dilateX, dilateW] = [three(geometry.dilateX, 1), three(geometry.dilateW, 1)];
  const at = (values: readonly number[], d: number) => values[d] ?? 1;
  const last = (d: number) =>
    (at(y, d) - 1) * at(stride, d) + (at(kernel, d) - 1) * at(dilateW, d) - (low[d] ?? 0);
  const shape: ImageShape = {
    extents: x,
    low: low.map((p) => Math.max(0, p)),
    high: x.map((extent, d) => Math.max(0, last(d) - (extent - 1) * at(dilateX, d))),
    dilation: dilateX,
    pixel: geometry.c * element.bytes,
  };
  const layout = layoutOf(shape);
  const steps = (factors: readonly number[], extents: readonly number[]): Level[] =>
    layout.strides.map((step, d) => ({ extent: at(extents, d), step: step * at(factors, d) }));
  const [points, taps] = [steps(stride, y), steps(dilateW, kernel)];
  const start = layout.strides.reduce((sum, step, d) => sum + Math.max(0, -(low[d] ?? 0)) * step, 0);
  if (isProduct(geometry))
    return weightProduct(context, element, { geometry, shape, layout, points, taps, start });
  const gradient: Gradient = { context, element, geometry, kernel, y, stride, layout, tiles: new Map() };
  const imageBytes = layout.padded ? Math.ceil(layout.bytes / 64) * 64 + 64 : 0;
  const entries = entriesOf(gradient, dilateW, low);
  const outBytes = entries.length * geometry.f * element.bytes;
  const xBytes = x.reduce((size, extent) => size * extent, geometry.c * element.bytes);
  const yBytes = y.reduce((size, extent) => size * extent, geometry.f * element.bytes);
  const isDepthwise = geometry.groups === geometry.c && geometry.c === geometry.f;
  const ofDepthwise = isDepthwise
    ? depthwiseWeights(context, element, entries, {
        y,
        channels: geometry.c,
        steps: layout.strides.map((step, d) => step * at(stride, d)),
      })
    : undefined;
  const chunks = chunksOf(geometry.n, outBytes);
  /** Adds up the gradient of the images from number `at` up to `end`. */
  const emitImages = (
    code: Code,
    [x, dy, out, own]: readonly [Local, Local, Local, Local],
    at: Local,
    end: Local,
  ) => {
    code.get(out).i32(0).i32(outBytes).fill();
    const [input, image, ofY] = [
      code.local('i32'),
      elementAt(code, x, at, xBytes),
      elementAt(code, dy, at, yBytes),
    ];
    countTo(code, at, end, 1, () => {
      if (layout.padded) {
        padImage(code, shape, layout, image, own);
        code.get(own).set(input);
      } else code.get(image).set(input);
      if (ofDepthwise) code.get(input).get(ofY).get(out).call(ofDepthwise);
      else emitImage(code, gradient, entries, { input, dy: ofY, out });
      if (!layout.padded) code.advance(image, layout.bytes);
      code.advance(ofY, yBytes);
    });
  };
  const emit: Part['emit'] = (code, [x = 0, dy = 0, out = 0], { first, end, scratch, own }) => {
    if (layout.padded) code.get(own).i32(0).i32(imageBytes).fill();
    const [at, last] = [code.local('i32'), code.local('i32')];
    const imageOf = (chunk: Local, plus: number, to: Local) =>
      code
        .get(chunk)
        .i32(plus)
        .op('i32.add')
        .i32(geometry.n)
        .op('i32.mul')
        .i32(chunks)
        .op('i32.div_u')
        .set(to);
    eachTask(code, { first, end }, (chunk) => {
      imageOf(chunk, 0, at);
      imageOf(chunk, 1, last);
      const to = chunks === 1 ? out : elementAt(code, scratch, chunk, outBytes);
      emitImages(code, [x, dy, to, own], at, last);
    });
  };
  const each: Part = { tasks: chunks, together: 1, own: imageBytes, emit };
  if (chunks === 1) return { scratch: 0, parts: [each] };
  const sums = sumOf(chunks, outBytes / element.bytes, element);
  const sum: Part[] = kernelCode(context.functions, sums).parts.map((part) => ({
    ...part,
    emit: (code, params, share) => part.emit(code, [share.scratch, params[2] ?? 0], share),
  }));
  return { scratch: chunks * outBytes, parts: [each, ...sum] };
}

/** Partial gradients take at most so many bytes. */
const CHUNK_BYTES = 2 ** 25;
/** Images are added up in at most so many chunks, one after the other only within a chunk. */
const MOST_CHUNKS = 8;

/** Chunks of images of which the gradient is added up apart, for threads to share: a power of two. */
function chunksOf(images: number, outBytes: number): number {
  let chunks = 1;
  while (2 * chunks <= Math.min(MOST_CHUNKS, images) && 2 * chunks * outBytes <= CHUNK_BYTES) chunks *= 2;
  return chunks;
}

/** The sum of the rows of a matrix. */
function sumOf(rows: number, columns: number, { dtype }: Element): Kernel {
  const value = load(0, dtype, [coord(1), coord(0)]);
  return {
    name: 'sum of weight gradients',
    inputs: [{ shape: [rows, columns], dtype }],
    axes: [columns],
    reduceAxes: [rows],
    reductions: [{ op: 'add', value }],
    outputs: [acc(dtype, 0)],
  };
}

/** For each row of the weights [...kernel, c / groups]: the bytes from the image's start to its first input, in group 0. */
function entriesOf(
  { element, geometry, kernel, layout }: Gradient,
  dilateW: readonly number[],
  low: readonly number[],
): number[] {
  const [depth = 1, height = 1, width = 1] = kernel;
  const entries: number[] = [];
  const start = layout.strides.reduce((sum, stride, d) => sum + Math.max(0, -(low[d] ?? 0)) * stride, 0);
  for (let z = 0; z < depth; z++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let c = 0; c < geometry.c / geometry.groups; c++) {
          const point = [z, y, x].reduce(
            (sum, k, d) => sum + k * (dilateW[d] ?? 1) * (layout.strides[d] ?? 0),
            start,
          );
          entries.push(point + c * element.bytes);
        }
  return entries;
}

interface ImagePointers {
  readonly input: Local;
  readonly dy: Local;
  readonly out: Local;
}

/** Adds the gradient of one image, block of rows by block of rows. */
function emitImage(
  code: Code,
  gradient: Gradient,
  entries: readonly number[],
  { input, dy, out }: ImagePointers,
): void {
  const { element, geometry, y, stride, layout } = gradient;
  const [depth = 1, height = 1, width = 1] = y;
  const { groups, f, c } = geometry;
  const rowBytes = width * f * element.bytes;
  const block = Math.max(1, Math.min(height, Math.floor(BLOCK_BYTES / rowBytes)));
  const [plane, x, yRow, rows, left, xGroup, yGroup] = code.locals('i32', 7) as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ];
  code.get(input).set(plane).get(dy).set(yRow);
  code.repeat(depth, () => {
    code.get(plane).set(x).i32(height).set(left);
    code.countdown(
      left,
      () => {
        code.i32(block).get(left).get(left).i32(block).op('i32.gt_s').op('select').set(rows);
        code.get(x).set(xGroup).get(yRow).set(yGroup);
        const outGroup = code.local('i32');
        code.get(out).set(outGroup);
        code.repeat(groups, () => {
          emitTiles(code, gradient, entries, { x: xGroup, dy: yGroup, out: outGroup, rows });
          code.advance(xGroup, (c / groups) * element.bytes);
          code.advance(yGroup, (f / groups) * element.bytes).advance(outGroup, (f / groups) * element.bytes);
        });
        code.advance(x, block * (stride[1] ?? 1) * layout.strides[1]).advance(yRow, block * rowBytes);
      },
      block,
    );
    const overshoot = (Math.ceil(height / block) * block - height) * rowBytes;
    code.advance(yRow, -overshoot).advance(plane, (stride[0] ?? 1) * layout.strides[0]);
  });
}

interface BlockPointers {
  readonly x: Local;
  readonly dy: Local;
  readonly out: Local;
  readonly rows: Local;
}

/** All weights of one group over one block of rows. */
function emitTiles(
  code: Code,
  gradient: Gradient,
  entries: readonly number[],
  pointers: BlockPointers,
): void {
  const { element, geometry, context } = gradient;
  const panels = panelsOf(element, context.features, geometry.f / geometry.groups);
  const rows = tileRows(
    context.features,
    Math.min(TILE_VECTORS, Math.ceil(geometry.f / geometry.groups / element.lanes)),
  );
  const rowBytes = geometry.f * element.bytes;
  const [x, dy, out] = code.locals('i32', 3) as [Local, Local, Local];
  for (const { at, offsets, count, advance } of tilesOf(entries, rows)) {
    const first = code.local('i32');
    code
      .get(pointers.x)
      .i32(offsets[0] ?? 0)
      .op('i32.add')
      .set(x);
    code
      .get(pointers.out)
      .i32(at * rowBytes)
      .op('i32.add')
      .set(first);
    code.repeat(count, () => {
      code.get(first).set(out).get(pointers.dy).set(dy);
      for (const { width, count: repeats } of panels)
        code.repeat(repeats, () => {
          code
            .get(x)
            .get(dy)
            .get(out)
            .get(pointers.rows)
            .call(tileFunction(gradient, offsets, width));
          code.advance(dy, width * element.bytes).advance(out, width * element.bytes);
        });
      code.advance(x, advance).advance(first, offsets.length * rowBytes);
    });
  }
}

/** Rows of the weights that one tile computes, and how often that repeats with everything moved on by `advance` bytes. */
interface TileRun {
  readonly at: number;
  readonly offsets: readonly number[];
  count: number;
  advance: number;
}

/** Covers the entries with tiles; equal tiles that follow each other at equal distances become one run. */
function tilesOf(entries: readonly number[], most: number): TileRun[] {
  const runs: TileRun[] = [];
  let at = 0;
  for (const { size, count } of coverTiles(entries.length, most))
    for (let i = 0; i < count; i++, at += size) {
      const offsets = entries.slice(at, at + size);
      const last = runs.at(-1);
      const distance = last
        ? (offsets[0] ?? 0) - (last.offsets[0] ?? 0) - (last.count - 1) * last.advance
        : 0;
      const alike =
        last !== undefined && last.offsets.length === size && distances(last.offsets) === distances(offsets);
      if (last && alike && (last.count === 1 || distance === last.advance)) {
        last.advance = last.count === 1 ? distance : last.advance;
        last.count++;
      } else runs.push({ at, offsets, count: 1, advance: 0 });
    }
  return runs;
}

/** Distances of a tile's rows from its first. */
function distances(offsets: readonly number[]): string {
  return offsets.map((offset) => offset - (offsets[0] ?? 0)).join();
}

/** `(x, dy, out, rows)`: adds the products over `rows` rows of y to a tile. */
function tileFunction(gradient: Gradient, offsets: readonly number[], width: number): Callable {
  const { context, element, geometry, y, stride, layout, tiles } = gradient;
  const key = `${distances(offsets)} ${width}`;
  const known = tiles.get(key);
  if (known) return known;
  const vectors = Math.ceil(width / element.lanes);
  const pixelY = geometry.f * element.bytes;
  const stepX = (stride[2] ?? 1) * layout.strides[2];
  const points = y[2] ?? 1;
  const first = offsets[0] ?? 0;
  const made = context.builder.define(
    { params: ['i32', 'i32', 'i32', 'i32'], results: [] },
    (code, [x = 0, dy = 0, out = 0, rows = 0]) => {
      const tile = new Tile(code, element, context.features, { rows: offsets.length, vectors });
      const outOffset = (r: number) => r * pixelY;
      tile.load(out, outOffset, width);
      code.countdown(rows, () => {
        tile.repeat(points, x, (r) => (offsets[r] ?? 0) - first, dy, { a: stepX, b: pixelY });
        code.advance(x, (stride[1] ?? 1) * layout.strides[1] - points * stepX);
      });
      tile.store(out, outOffset, width);
    },
  );
  tiles.set(key, made);
  return made;
}
