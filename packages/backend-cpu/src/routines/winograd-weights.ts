import type { ConvGeometry } from '@neumann/core/backend';
import type { Callable, Code, Local } from '../asm/code.ts';
import { countTo, eachTask, elementAt, type Part, type StepCode } from '../emit/part.ts';
import type { EmitContext } from '../emit/plan.ts';
import type { Element } from './element.ts';
import { padImage } from './image.ts';
import { panelsOf, productTiles } from './products.ts';
import { coverTiles, tileRows } from './tile.ts';
import { haloOf, OUTPUTS, type Square, squareOf } from './winograd.ts';
import { POINTS, SIDE, TEMPORARY, transformFunction } from './winograd-transforms.ts';

/** Transformed tiles of a block of images take about as many bytes, or as many as the products, up to a limit. */
const BLOCK_BYTES = { ofThread: 400_000, ofAll: 1_500_000 };
const MOST_BLOCK_BYTES = 2 ** 24;
/** Blocks that threads share make code. */
const MOST_BLOCKS = 16;
/** Chunks of images of which products are added up apart; fewer would leave threads idle. */
const MOST_CHUNKS = 8;
const LEAST_CHUNKS = 4;
/** The products of all chunks take at most so many bytes, and those of one add up at least so many tiles. */
const CHUNK_BYTES = 2 ** 23;
const CHUNK_TILES = 64;

/** What all parts know. */
interface Gradient {
  readonly context: EmitContext;
  readonly element: Element;
  readonly square: Square;
  /** Images of a block, of which the tiles are transformed, and then multiplied, in one go; the last may have fewer. */
  readonly together: number;
  /** Tiles of an image, and of a block. */
  readonly perImage: number;
  readonly most: number;
  /** Bytes of an image of x, of one of dy, and of one of the 36 matrices of products. */
  readonly xBytes: number;
  readonly dyBytes: number;
  readonly matrix: number;
}

/**
 * The gradient of the weights by the adjoint of Winograd's F(4×4, 3×3): tiles of x and of dy are transformed, 36 matrix
 * products add up over all tiles, and the sums are transformed to the gradients of nine taps. Threads add up chunks of
 * the images apart, each with products of its own, or share block after block where so many products are too large.
 */
export function winogradWeights(
  context: EmitContext,
  element: Element,
  geometry: ConvGeometry,
): StepCode | undefined {
  const square = squareOf(element, 'y', geometry);
  if (!square) return undefined;
  const { images, from, to, input, output, tiles } = square;
  const perImage = tiles[0] * tiles[1];
  const matrix = from * to * 4;
  const imageBytes = perImage * POINTS * (from + to) * 4;
  if (imageBytes > MOST_BLOCK_BYTES) return undefined;
  const chunks = chunksOf(images, perImage, POINTS * matrix);
  const least = chunks > 1 ? BLOCK_BYTES.ofThread : BLOCK_BYTES.ofAll;
  const wanted = Math.max(least, Math.min(POINTS * matrix, MOST_BLOCK_BYTES));
  const fewest = chunks > 1 ? 1 : Math.ceil(images / MOST_BLOCKS);
  const fit = Math.max(fewest, Math.floor(wanted / imageBytes));
  const count = Math.ceil(images / chunks);
  const together = Math.ceil(count / Math.ceil(count / fit));
  const [xBytes, dyBytes] = [input[0] * input[1] * from * 4, output[0] * output[1] * to * 4];
  const most = together * perImage;
  const gradient = { context, element, square, together, perImage, most, xBytes, dyBytes, matrix };
  return chunks > 1 ? inChunks(gradient, chunks) : inBlocks(gradient);
}

/** A power of two, which is 1 where chunks do not pay. */
function chunksOf(images: number, perImage: number, bytes: number): number {
  const most = Math.min(MOST_CHUNKS, images, CHUNK_BYTES / bytes, (images * perImage) / CHUNK_TILES);
  return most < LEAST_CHUNKS ? 1 : 2 ** Math.floor(Math.log2(most));
}

/** Transforms and multiplies block after block of a chunk of the images; each chunk is a task. */
function inChunks(gradient: Gradient, chunks: number): StepCode {
  const { square, together, perImage, most, xBytes, dyBytes, matrix } = gradient;
  const { images, from, to } = square;
  const transform = imageFunction(gradient);
  const multiply = pointFunction(gradient);
  const inputsAt = transform.bytes;
  const gradientsAt = inputsAt + POINTS * most * from * 4;
  const chunk: Part = {
    tasks: chunks,
    together: 1,
    own: gradientsAt + POINTS * most * to * 4,
    emit: (code, [x = 0, dy = 0], { scratch, own, ...share }) => {
      transform.clear(code, own);
      const [start, at, end] = code.locals('i32', 3) as [Local, Local, Local];
      const [image, last, tiles] = code.locals('i32', 3) as [Local, Local, Local];
      const [a, b, c] = code.locals('i32', 3) as [Local, Local, Local];
      const startOf = (task: Local, plus: number, to: Local) => {
        code.get(task).i32(plus).op('i32.add').i32(images).op('i32.mul');
        code.i32(chunks).op('i32.div_u').set(to);
      };
      const toTiles = () => {
        code.get(own).i32(inputsAt).op('i32.add').set(a);
        code.get(own).i32(gradientsAt).op('i32.add').set(b);
      };
      eachTask(code, share, (task) => {
        startOf(task, 0, start);
        startOf(task, 1, end);
        code.get(start).set(at);
        countTo(code, at, end, together, () => {
          code.get(at).i32(together).op('i32.add').tee(last).get(end);
          code.get(last).get(end).op('i32.lt_s').op('select').set(last);
          code.get(last).get(at).op('i32.sub').i32(perImage).op('i32.mul').set(tiles);
          toTiles();
          code.get(at).set(image);
          countTo(code, image, last, 1, () => {
            code.get(elementAt(code, x, image, xBytes)).get(elementAt(code, dy, image, dyBytes));
            code.get(a).get(b).get(own).call(transform.image);
            code.advance(a, perImage * from * 4).advance(b, perImage * to * 4);
          });
          toTiles();
          code.get(elementAt(code, scratch, task, POINTS * matrix)).set(c);
          code.repeat(POINTS, () => {
            code.get(a).get(b).get(c).get(tiles).get(at).get(start).op('i32.gt_s').call(multiply);
            code
              .advance(a, most * from * 4)
              .advance(b, most * to * 4)
              .advance(c, matrix);
          });
        });
      });
    },
  };
  return { scratch: chunks * POINTS * matrix, parts: [chunk, sumPart(gradient, chunks)] };
}

/** Blocks one after another: each image that is transformed is a task, and then each of the 36 products. */
function inBlocks(gradient: Gradient): StepCode {
  const { square, together, perImage, most, xBytes, dyBytes, matrix } = gradient;
  const { images, from, to } = square;
  const transform = imageFunction(gradient);
  const multiply = pointFunction(gradient);
  const inputsAt = POINTS * matrix;
  const gradientsAt = inputsAt + POINTS * most * from * 4;
  const parts: Part[] = [];
  for (let first = 0; first < images; first += together) {
    const count = Math.min(together, images - first);
    const at = (code: Code, base: Local, task: Local, offset: number, step: number) =>
      code
        .get(elementAt(code, base, task, step))
        .i32(offset)
        .op('i32.add');
    parts.push({
      tasks: count,
      own: transform.bytes,
      emit: (code, [x = 0, dy = 0], { scratch, own, ...share }) => {
        transform.clear(code, own);
        eachTask(code, share, (task) => {
          at(code, x, task, first * xBytes, xBytes);
          at(code, dy, task, first * dyBytes, dyBytes);
          at(code, scratch, task, inputsAt, perImage * from * 4);
          at(code, scratch, task, gradientsAt, perImage * to * 4);
          code.get(own).call(transform.image);
        });
      },
    });
    parts.push({
      tasks: POINTS,
      together: 1,
      emit: (code, _, { scratch, ...share }) =>
        eachTask(code, share, (task) => {
          at(code, scratch, task, inputsAt, most * from * 4);
          at(code, scratch, task, gradientsAt, most * to * 4);
          at(code, scratch, task, 0, matrix);
          code
            .i32(count * perImage)
            .i32(first > 0 ? 1 : 0)
            .call(multiply);
        }),
    });
  }
  return { scratch: gradientsAt + POINTS * most * to * 4, parts: [...parts, sumPart(gradient, 1)] };
}

/** Transforms the tiles of an image. */
interface ImageTransform {
  /** `(x, dy, transformed x, transformed dy, own)` */
  readonly image: Callable;
  /** Bytes of own memory that it wants, and clears it for the first call. */
  readonly bytes: number;
  readonly clear: (code: Code, own: Local) => void;
}

function imageFunction({ context, square, most, dyBytes }: Gradient): ImageTransform {
  const { from, to, output, tiles } = square;
  const { shape, layout } = haloOf(square);
  const imageBytes = Math.ceil(layout.bytes / 64) * 64 + 64;
  const pointsOf = (channels: number) => ({
    row: SIDE * most * channels * 4,
    column: most * channels * 4,
  });
  const ofInput = transformFunction(
    context,
    'input',
    from / 4,
    { row: layout.strides[1], column: layout.strides[2] },
    pointsOf(from),
  );
  const rowBytes = dyBytes / output[0];
  const ofGradient = (rows: number, columns: number) =>
    transformFunction(
      context,
      'gradient',
      to / 4,
      { row: rowBytes, column: to * 4, rows, columns },
      pointsOf(to),
    );
  /** Sizes of tiles along a side of the image: whole ones, and what is left. */
  const sizes = (extent: number) => {
    const rest = extent % OUTPUTS;
    const whole = { size: OUTPUTS, count: Math.floor(extent / OUTPUTS) };
    return rest > 0 ? [whole, { size: rest, count: 1 }] : [whole];
  };
  const image = context.builder.define(
    { params: ['i32', 'i32', 'i32', 'i32', 'i32'], results: [] },
    (code, [x = 0, dy = 0, inputs = 0, gradients = 0, own = 0]) => {
      const [temporary, source] = code.locals('i32', 2) as [Local, Local];
      code.get(own).i32(imageBytes).op('i32.add').set(temporary);
      padImage(code, shape, layout, x, own);
      code.get(own).set(source);
      code.repeat(tiles[0], () => {
        code.repeat(tiles[1], () => {
          code.get(source).get(inputs).get(temporary).call(ofInput);
          code.advance(source, OUTPUTS * layout.strides[2]).advance(inputs, from * 4);
        });
        code.advance(source, OUTPUTS * (layout.strides[1] - tiles[1] * layout.strides[2]));
      });
      code.get(dy).set(source);
      for (const rows of sizes(output[0]))
        code.repeat(rows.count, () => {
          for (const columns of sizes(output[1])) {
            const transform = ofGradient(rows.size, columns.size);
            code.repeat(columns.count, () => {
              code.get(source).get(gradients).get(temporary).call(transform);
              code.advance(source, columns.size * to * 4).advance(gradients, to * 4);
            });
          }
          code.advance(source, (rows.size - 1) * rowBytes);
        });
    },
  );
  return {
    image,
    bytes: imageBytes + TEMPORARY,
    clear: (code, own) => code.get(own).i32(0).i32(imageBytes).fill(),
  };
}

/** `(x, dy, products, tiles, whether to add)`: the product of one point, row after row. */
function pointFunction({ context, element, square }: Gradient): Callable {
  const { from, to } = square;
  const kernelOf = productTiles(context, element, { a: from * 4, b: to * 4, out: to * 4 });
  const panels = panelsOf(element, context.features, to);
  const rows = coverTiles(
    from,
    tileRows(context.features, Math.max(...panels.map(({ vectors }) => vectors))),
  );
  for (const { width } of panels) for (const { size } of rows) kernelOf(size, width);
  return context.builder.define(
    { params: ['i32', 'i32', 'i32', 'i32', 'i32'], results: [] },
    (code, [x = 0, dy = 0, products = 0, tiles = 0, adds = 0]) => {
      const b = code.local('i32');
      for (const { size, count } of rows)
        code.repeat(count, () => {
          code.get(dy).set(b);
          for (const { width, count: repeats } of panels)
            code.repeat(repeats, () => {
              code.get(x).get(b).get(products).get(tiles).get(adds).call(kernelOf(size, width));
              code.advance(b, width * 4).advance(products, width * 4);
            });
          code.advance(x, size * 4).advance(products, (size - 1) * to * 4);
        });
    },
  );
}

/** Adds the products of all chunks, and transforms them to the gradient of the weights; each input channel is a task. */
function sumPart({ context, square, matrix }: Gradient, chunks: number): Part {
  const { from, to } = square;
  const transform = transformFunction(
    context,
    'weightGradient',
    to / 4,
    { row: SIDE * matrix, column: matrix },
    { row: 3 * matrix, column: matrix },
  );
  /** Adds to the products of the first chunk, in the order of chunks. */
  const addChunks = (code: Code, at: Local) =>
    code.repeat(POINTS, () => {
      code.repeat(to / 4, () => {
        code.get(at).get(at).memory('v128.load');
        for (let chunk = 1; chunk < chunks; chunk++)
          code
            .get(at)
            .memory('v128.load', chunk * POINTS * matrix)
            .op('f32x4.add');
        code.memory('v128.store').advance(at, 16);
      });
      code.advance(at, matrix - to * 4);
    });
  return {
    tasks: from,
    together: 1,
    own: TEMPORARY,
    emit: (code, [, , out = 0], { scratch, own, ...share }) =>
      eachTask(code, share, (task) => {
        if (chunks > 1) addChunks(code, elementAt(code, scratch, task, to * 4));
        code.get(elementAt(code, scratch, task, to * 4));
        code.get(elementAt(code, out, task, to * 4));
        code.get(own).call(transform);
      }),
  };
}
