import type { ConvGeometry } from '@neumann/core/backend';
import type { Callable, Code, Local } from '../asm/code.ts';
import { countTo, eachGroup, eachTask, elementAt, type Part, type StepCode } from '../emit/part.ts';
import type { EmitContext } from '../emit/plan.ts';
import { transposeWords } from '../emit/transpose.ts';
import type { Element } from './element.ts';
import { type ImageLayout, type ImageShape, layoutOf, padImage } from './image.ts';
import { columnGroups, panelsOf } from './products.ts';
import { coverTiles, Tile, tileRows, tileVectors } from './tile.ts';
import { POINTS, SIDE, TEMPORARY, transformFunction } from './winograd-transforms.ts';

/** Outputs along each side of a tile. */
export const OUTPUTS = 4;

/** A convolution of 3×3 taps with stride 1, or its input gradient, which is one too. */
export interface Square {
  readonly images: number;
  readonly input: readonly [height: number, width: number];
  readonly output: readonly [height: number, width: number];
  readonly low: readonly [y: number, x: number];
  /** Channels that are summed over, and that are computed. */
  readonly from: number;
  readonly to: number;
  /** Tiles along y and x. */
  readonly tiles: readonly [number, number];
}

/** Channels below this leave too little to multiply. */
const LEAST_CHANNELS = 16;
/** Fewer points than this do not pay for the transformation of the weights. */
const LEAST_POINTS = 128;

/** The convolution as one that Winograd's algorithm is the quickest for, if it is. */
export function squareOf(element: Element, target: 'x' | 'y', conv: ConvGeometry): Square | undefined {
  const isOne = (values: readonly number[]) => values.every((v) => v === 1);
  const is3x3 = conv.kernel.length === 2 && conv.kernel.every((k) => k === 3);
  if (!is3x3 || element.dtype !== 'float32' || conv.groups !== 1) return undefined;
  if (![conv.stride, conv.dilateX, conv.dilateW].every(isOne)) return undefined;
  const two = (values: readonly number[]) => [values[0] ?? 0, values[1] ?? 0] as const;
  const [x, y, pad] = [two(conv.x), two(conv.y), two(conv.padLow)];
  const [input, output] = target === 'y' ? [x, y] : [y, x];
  const low = target === 'y' ? pad : ([2 - pad[0], 2 - pad[1]] as const);
  const [from, to] = target === 'y' ? [conv.c, conv.f] : [conv.f, conv.c];
  const tiles = [Math.ceil(output[0] / OUTPUTS), Math.ceil(output[1] / OUTPUTS)] as const;
  const fits = [0, 1].every((d) => {
    const high = (tiles[d] ?? 0) * OUTPUTS + 2 - (input[d] ?? 0) - (low[d] ?? 0);
    return (low[d] ?? 0) >= 0 && high >= 0;
  });
  const points = conv.n * output[0] * output[1];
  const wholeVectors = from % element.lanes === 0 && to % element.lanes === 0;
  if (!fits || !wholeVectors || Math.min(from, to) < LEAST_CHANNELS || points < LEAST_POINTS)
    return undefined;
  // Tiles that reach far beyond the outputs compute for nothing.
  if (points < 0.4 * conv.n * tiles[0] * tiles[1] * OUTPUTS ** 2) return undefined;
  return { images: conv.n, input, output, low, from, to, tiles };
}

/** A group of tiles that are multiplied together: some images, or some rows of tiles of one. */
interface Grouping {
  readonly images: number;
  readonly rows: number;
  /** Groups of rows in an image. */
  readonly bands: number;
}

/** Bytes of transformed tiles that stay in the second-level cache. */
const BLOCK_BYTES = 400_000;

function groupingOf({ images, from, to, tiles: [rows, columns] }: Square): Grouping {
  // Large weights are read from far away for each group, which should be worth it.
  const wanted = Math.max(BLOCK_BYTES / (POINTS * 4 * (from + to)), (from * to) / 2048);
  const tiles = Math.min(48, Math.max(12, wanted));
  const perImage = rows * columns;
  if (perImage <= tiles) {
    const together = Math.min(images, Math.max(1, Math.round(tiles / perImage)));
    return { images: Math.ceil(images / Math.ceil(images / together)), rows, bands: 1 };
  }
  const bands = Math.ceil(rows / Math.max(1, Math.round(tiles / columns)));
  return { images: 1, rows: Math.ceil(rows / bands), bands: Math.ceil(rows / Math.ceil(rows / bands)) };
}

/** Image with the zeros around that tiles want. */
export function haloOf(square: Pick<Square, 'input' | 'low' | 'tiles' | 'from'>): {
  shape: ImageShape;
  layout: ImageLayout;
} {
  const { input, low, tiles, from } = square;
  const high = input.map((n, d) => (tiles[d] ?? 0) * OUTPUTS + 2 - n - (low[d] ?? 0));
  const shape: ImageShape = {
    extents: [1, ...input],
    low: [0, ...low],
    high: [0, ...high],
    dilation: [1, 1, 1],
    pixel: from * 4,
  };
  return { shape, layout: layoutOf(shape) };
}

/**
 * Convolution by Winograd's F(4×4, 3×3): tiles of the input and the weights are transformed, multiplied by one matrix
 * product for each of 36 points, and the results transformed back. Errors are about ten times those of a plain sum.
 */
export function winograd(
  context: EmitContext,
  element: Element,
  target: 'x' | 'y',
  square: Square,
): StepCode {
  const { images, from, to, input, output, tiles } = square;
  const group = groupingOf(square);
  const { shape, layout } = haloOf(square);
  const count = group.images * group.rows * tiles[1];
  const groups = Math.ceil(images / group.images);
  const slices = columnGroups(context.features, element, to, groups * group.bands);
  const slice = to / slices;
  const aligned = (bytes: number) => Math.ceil(bytes / 64) * 64 + 64;
  const imageBytes = aligned(layout.bytes);
  const transformedAt = group.images * imageBytes;
  const productsAt = transformedAt + aligned(POINTS * count * from * 4);
  const temporaryAt = productsAt + aligned(POINTS * count * slice * 4);
  const multiply = productFunction(context, element, { count, from, to, slice });
  const toPoints = transformFunction(
    context,
    'input',
    from / 4,
    { row: layout.strides[1], column: layout.strides[2] },
    { row: SIDE * count * from * 4, column: count * from * 4 },
  );
  const fromPoints = new Map<string, Callable>();
  const outputTransform = (rows: number, columns: number): Callable => {
    const key = `${rows} ${columns}`;
    const made =
      fromPoints.get(key) ??
      transformFunction(
        context,
        'output',
        slice / 4,
        { row: SIDE * count * slice * 4, column: count * slice * 4 },
        { row: output[1] * to * 4, column: to * 4, rows, columns },
      );
    fromPoints.set(key, made);
    return made;
  };
  const operands = ([first = 0, second = 0, out = 0]: readonly Local[]) =>
    target === 'y' ? { x: first, w: second, out } : { x: second, w: first, out };
  const inBytes = input[0] * input[1] * from * 4;
  const outBytes = output[0] * output[1] * to * 4;

  const finish = slices === 1 ? context.finishRows?.(images * output[0]) : undefined;
  const narrow = output[1] % OUTPUTS;
  const short = output[0] % OUTPUTS;

  const compute: Part = {
    tasks: slices * groups * group.bands,
    together: group.bands,
    own: temporaryAt + TEMPORARY,
    emit: (code, params, { scratch, own, ...share }) => {
      const { x, out } = operands(params);
      const at = (bytes: number) => code.get(own).i32(bytes).op('i32.add');
      const [points, products, temporary, source, target, image] = code.locals('i32', 6) as Six;
      at(transformedAt).set(points);
      at(productsAt).set(products);
      at(temporaryAt).set(temporary);
      code.get(own).i32(0).i32(transformedAt).fill();
      const inputTiles = () =>
        code.repeat(tiles[1], () => {
          code.get(source).get(target).get(temporary).call(toPoints);
          code.advance(source, OUTPUTS * layout.strides[2]).advance(target, from * 4);
        });
      const outputTiles = (rows: number) => {
        const some = (columns: number, repeats: number) =>
          code.repeat(repeats, () => {
            code.get(source).get(target).get(temporary).call(outputTransform(rows, columns));
            code.advance(source, slice * 4).advance(target, OUTPUTS * to * 4);
          });
        some(OUTPUTS, tiles[1] - (narrow > 0 ? 1 : 0));
        if (narrow > 0) some(narrow, 1);
      };
      eachGroup(code, share, group.bands, (g, first, end) => {
        const [firstImage, count_, padded, band, s] = code.locals('i32', 5) as Five;
        code.get(g).i32(groups).op('i32.div_u').set(s);
        code.get(g).i32(groups).op('i32.rem_u').i32(group.images).op('i32.mul').set(firstImage);
        code.i32(images).get(firstImage).op('i32.sub').set(count_);
        least(code, count_, group.images); // the last group may have fewer
        const [input_, weights_, output_] = [
          elementAt(code, x, firstImage, inBytes),
          elementAt(code, scratch, s, from * slice * 4),
          elementAt(code, elementAt(code, out, firstImage, outBytes), s, slice * 4),
        ];
        code.get(own).set(padded);
        const eachImage = (body: () => void) => {
          code.i32(0).set(image);
          countTo(code, image, count_, 1, body);
        };
        eachImage(() => {
          padImage(code, shape, layout, input_, padded);
          code.advance(padded, imageBytes);
        });
        code.get(first).set(band);
        countTo(code, band, end, 1, () => {
          const [row, last] = code.locals('i32', 2) as [Local, Local];
          /** Visits the rows of tiles of a band; `pointer` goes to the first of each. */
          const eachRow = (
            base: Local,
            imageStep: number,
            pointer: Local,
            rowStep: number,
            body: () => void,
          ) => {
            eachImage(() => {
              code.get(band).i32(group.rows).op('i32.mul').tee(row).i32(group.rows).op('i32.add').set(last);
              least(code, last, tiles[0]);
              countTo(code, row, last, 1, () => {
                code.get(base).get(image).i32(imageStep).op('i32.mul').op('i32.add');
                code.get(row).i32(rowStep).op('i32.mul').op('i32.add').set(pointer);
                body();
              });
            });
          };
          code.get(points).set(target);
          eachRow(own, imageBytes, source, OUTPUTS * layout.strides[1], inputTiles);
          code.get(points).get(weights_).get(products).call(multiply);
          code.get(products).set(source);
          eachRow(output_, outBytes, target, OUTPUTS * output[1] * to * 4, () => {
            if (short === 0) outputTiles(OUTPUTS);
            else {
              code
                .get(row)
                .i32(tiles[0] - 1)
                .op('i32.lt_s');
              code.if(
                () => outputTiles(OUTPUTS),
                () => outputTiles(short),
              );
            }
          });
          if (!finish) return;
          // The rows of these bands of these images.
          const [from_, to_] = [code.local('i32'), code.local('i32')];
          if (group.bands > 1) {
            code
              .get(band)
              .i32(group.rows * OUTPUTS)
              .op('i32.mul')
              .tee(from_)
              .i32(group.rows * OUTPUTS)
              .op('i32.add')
              .set(to_);
            least(code, to_, output[0]);
            for (const at of [from_, to_])
              code.get(firstImage).i32(output[0]).op('i32.mul').get(at).op('i32.add').set(at);
          } else {
            code.get(firstImage).i32(output[0]).op('i32.mul').tee(from_);
            code.get(count_).i32(output[0]).op('i32.mul').op('i32.add').set(to_);
          }
          finish(code, from_, to_);
        });
      });
    },
  };
  const weights = transformWeights(context, element, target, from, to, (params) => operands(params).w);
  return { scratch: weights.bytes, parts: [weights.part, compute], finishes: finish !== undefined };
}

type Five = [Local, Local, Local, Local, Local];
type Six = [...Five, Local];

/** local = min(local, most) */
function least(code: Code, local: Local, most: number): void {
  code.get(local).i32(most).get(local).i32(most).op('i32.lt_s').op('select').set(local);
}

/** `(points, weights, products)`: 36 products of [count, from] with a slice of [from, to], of which the second is in panels. */
function productFunction(
  context: EmitContext,
  element: Element,
  { count, from, to, slice }: { count: number; from: number; to: number; slice: number },
): Callable {
  const kernels = new Map<string, Callable>();
  const panels = panelsOf(element, context.features, slice);
  const tilesOf = (vectors: number) => coverTiles(count, tileRows(context.features, vectors));
  const kernelOf = (rows: number, vectors: number): Callable => {
    const key = `${rows} ${vectors}`;
    const width = 4 * vectors;
    const made =
      kernels.get(key) ??
      context.builder.define(
        { params: ['i32', 'i32', 'i32'], results: [] },
        (code, [a = 0, b = 0, c = 0]) => {
          const tile = new Tile(code, element, context.features, { rows, vectors });
          tile.repeat(from, a, (r) => r * from * 4, b, { a: 4, b: width * 4 });
          tile.store(c, (r) => r * slice * 4, width);
        },
      );
    kernels.set(key, made);
    return made;
  };
  for (const { vectors } of panels) for (const { size } of tilesOf(vectors)) kernelOf(size, vectors);
  return context.builder.define(
    { params: ['i32', 'i32', 'i32'], results: [] },
    (code, [points = 0, weights = 0, products = 0]) => {
      const [a, c] = [code.local('i32'), code.local('i32')];
      code.repeat(POINTS, () => {
        for (const { width, vectors, count: repeated } of panels)
          code.repeat(repeated, () => {
            code.get(points).set(a).get(products).set(c);
            for (const { size, count: repeats } of tilesOf(vectors))
              code.repeat(repeats, () => {
                code.get(a).get(weights).get(c).call(kernelOf(size, vectors));
                code.advance(a, size * from * 4).advance(c, size * slice * 4);
              });
            code.advance(weights, from * width * 4).advance(products, width * 4);
          });
        code.advance(points, count * from * 4).advance(products, (count - 1) * slice * 4);
        code.advance(weights, from * (to - slice) * 4);
      });
    },
  );
}

/** The weights [3, 3, c, f] as 36 matrices [from, to] in panels of columns; turned around for the input gradient. */
function transformWeights(
  context: EmitContext,
  element: Element,
  target: 'x' | 'y',
  from: number,
  to: number,
  weightsOf: (params: readonly Local[]) => Local,
): { bytes: number; part: Part } {
  const [matrix, tap, buffer] = [from * to * 4, from * to * 4, POINTS * 16];
  const panels = panelsOf(element, context.features, to);
  const buffers = 4 * tileVectors(context.features);
  const rowBytes = (target === 'y' ? to : from) * 4;
  const transform = transformFunction(
    context,
    'weight',
    1,
    { row: 3 * tap, column: tap, flipped: target === 'x' },
    { row: SIDE * 16, column: 16 },
  );
  const part: Part = {
    tasks: from / 4,
    together: 1,
    own: buffers * buffer + TEMPORARY,
    emit: (code, params, { scratch, own, ...share }) => {
      const w = weightsOf(params);
      const [temporary, source, result, row] = code.locals('i32', 4) as [Local, Local, Local, Local];
      const square = code.locals('v128', 4);
      const transformTo = (at: number, offset: number) => {
        code.get(source).i32(offset).op('i32.add');
        code
          .get(own)
          .i32(at * buffer)
          .op('i32.add');
        code.get(temporary).call(transform);
      };
      const fromBuffer = (at: number, point: number) =>
        code.get(own).memory('v128.load', at * buffer + point * 16);
      code
        .get(own)
        .i32(buffers * buffer)
        .op('i32.add')
        .set(temporary);
      // Four rows of a panel at a time: few pages are written to for each of the 36 matrices.
      eachTask(code, share, (task) => {
        code.get(task).i32(4).op('i32.mul').set(row);
        code
          .get(w)
          .get(row)
          .i32(target === 'y' ? rowBytes : 4)
          .op('i32.mul')
          .op('i32.add')
          .set(source);
        let column = 0;
        for (const { width, vectors, count } of panels) {
          const to_ = (point: number, r: number, v: number) => point * matrix + r * width * 4 + v * 16;
          code
            .get(scratch)
            .i32(column * from * 4)
            .op('i32.add');
          code
            .get(row)
            .i32(width * 4)
            .op('i32.mul')
            .op('i32.add')
            .set(result);
          code.repeat(count, () => {
            for (let v = 0; v < vectors; v++)
              for (let r = 0; r < 4; r++)
                transformTo(4 * v + r, target === 'y' ? r * rowBytes + v * 16 : (4 * v + r) * rowBytes);
            for (let point = 0; point < POINTS; point++)
              for (let v = 0; v < vectors; v++) {
                for (const [r, local] of square.entries()) fromBuffer(4 * v + r, point).set(local);
                if (target === 'x') transposeWords(code, square); // the vectors run along f, the rows too
                for (const [r, local] of square.entries())
                  code
                    .get(result)
                    .get(local)
                    .memory('v128.store', to_(point, r, v));
              }
            code.advance(source, target === 'y' ? width * 4 : width * rowBytes);
            code.advance(result, from * width * 4);
          });
          column += count * width;
        }
      });
    },
  };
  return { bytes: POINTS * matrix, part };
}
