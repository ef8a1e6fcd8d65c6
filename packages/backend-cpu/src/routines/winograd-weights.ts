import type { ConvGeometry } from '@neumann/core/backend';
import type { Code, Local } from '../asm/code.ts';
import { eachTask, elementAt, type Part, type StepCode } from '../emit/part.ts';
import type { EmitContext } from '../emit/plan.ts';
import type { Element } from './element.ts';
import { padImage } from './image.ts';
import { productTiles } from './products.ts';
import { coverTiles, tileRows } from './tile.ts';
import { haloOf, OUTPUTS, panelsOf, type Square, squareOf } from './winograd.ts';
import { POINTS, SIDE, transformFunction } from './winograd-transforms.ts';

/** Transformed tiles of one block of images take about as many bytes, or as many as the products, up to a limit. */
const BLOCK_BYTES = 1_500_000;
const MOST_BLOCK_BYTES = 2 ** 24;
/** Blocks make code. */
const MOST_BLOCKS = 16;

/** Images of which the tiles are transformed, and then multiplied, in one go. */
interface Block {
  readonly first: number;
  readonly count: number;
}

/** What all parts know. */
interface Gradient {
  readonly context: EmitContext;
  readonly element: Element;
  readonly square: Square;
  /** Tiles of an image, and of the largest block. */
  readonly perImage: number;
  readonly most: number;
  /** Bytes of one of the 36 matrices of products. */
  readonly matrix: number;
  /** Where transformed tiles of x and of dy stand in scratch memory; the products are first. */
  readonly inputsAt: number;
  readonly gradientsAt: number;
  readonly bytes: number;
}

/**
 * The gradient of the weights by the adjoint of Winograd's F(4×4, 3×3): tiles of x and of dy are transformed, 36 matrix
 * products add up over all tiles, and the sums are transformed to the gradients of nine taps.
 */
export function winogradWeights(
  context: EmitContext,
  element: Element,
  geometry: ConvGeometry,
): StepCode | undefined {
  const square = squareOf(element, 'y', geometry);
  if (!square) return undefined;
  const { images, from, to, tiles } = square;
  const perImage = tiles[0] * tiles[1];
  const matrix = from * to * 4;
  const imageBytes = perImage * POINTS * (from + to) * 4;
  if (imageBytes > MOST_BLOCK_BYTES) return undefined;
  const wanted = Math.max(BLOCK_BYTES, Math.min(POINTS * matrix, MOST_BLOCK_BYTES));
  const together = Math.max(1, Math.floor(wanted / imageBytes), Math.ceil(images / MOST_BLOCKS));
  const count = Math.ceil(images / Math.ceil(images / together));
  const blocks = Array.from({ length: Math.ceil(images / count) }, (_, i): Block => {
    return { first: i * count, count: Math.min(count, images - i * count) };
  });
  const most = count * perImage;
  const inputsAt = POINTS * matrix;
  const gradientsAt = inputsAt + POINTS * most * from * 4;
  const bytes = gradientsAt + POINTS * most * to * 4;
  const gradient = { context, element, square, perImage, most, matrix, inputsAt, gradientsAt, bytes };
  const transform = transformPart(gradient);
  const multiply = multiplyPart(gradient);
  const parts = blocks.flatMap((block) => [transform(block), multiply(block)]);
  return { scratch: bytes, parts: [...parts, sumPart(gradient)] };
}

/** Transforms the tiles of a block's images; each is a task. */
function transformPart({
  context,
  square,
  perImage,
  most,
  inputsAt,
  gradientsAt,
}: Gradient): (block: Block) => Part {
  const { from, to, input, output, tiles } = square;
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
  const rowBytes = output[1] * to * 4;
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
  /** `(x, dy, transformed x, transformed dy, own)` of one image */
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
  const [xBytes, dyBytes] = [input[0] * input[1] * from * 4, output[0] * rowBytes];
  return ({ first, count }) => ({
    tasks: count,
    own: imageBytes + POINTS * 16,
    emit: (code, [x = 0, dy = 0], { scratch, own, ...share }) => {
      code.get(own).i32(0).i32(imageBytes).fill();
      eachTask(code, share, (task) => {
        const at = (base: Local, offset: number, step: number) =>
          code
            .get(elementAt(code, base, task, step))
            .i32(offset)
            .op('i32.add');
        at(x, first * xBytes, xBytes);
        at(dy, first * dyBytes, dyBytes);
        at(scratch, inputsAt, perImage * from * 4);
        at(scratch, gradientsAt, perImage * to * 4);
        code.get(own).call(image);
      });
    },
  });
}

/** Adds a block's products to the 36 matrices; each is a task. */
function multiplyPart({
  context,
  element,
  square,
  perImage,
  most,
  matrix,
  inputsAt,
  gradientsAt,
}: Gradient): (block: Block) => Part {
  const { from, to } = square;
  const kernelOf = productTiles(context, element, { a: from * 4, b: to * 4, out: to * 4 });
  /** `(x, dy, products, tiles, whether to add)` of one point */
  for (const { width } of panelsOf(to))
    for (const { size } of coverTiles(from, tileRows(context.features, width / 4))) kernelOf(size, width);
  const point = context.builder.define(
    { params: ['i32', 'i32', 'i32', 'i32', 'i32'], results: [] },
    (code, [x = 0, dy = 0, products = 0, tiles = 0, adds = 0]) => {
      const [a, c] = [code.local('i32'), code.local('i32')];
      for (const { width, count } of panelsOf(to))
        code.repeat(count, () => {
          code.get(x).set(a).get(products).set(c);
          for (const { size, count: repeats } of coverTiles(from, tileRows(context.features, width / 4)))
            code.repeat(repeats, () => {
              code.get(a).get(dy).get(c).get(tiles).get(adds).call(kernelOf(size, width));
              code.advance(a, size * 4).advance(c, size * to * 4);
            });
          code.advance(dy, width * 4).advance(products, width * 4);
        });
    },
  );
  return ({ first, count }) => ({
    tasks: POINTS,
    emit: (code: Code, _, { scratch, ...share }) =>
      eachTask(code, share, (task) => {
        code
          .get(elementAt(code, scratch, task, most * from * 4))
          .i32(inputsAt)
          .op('i32.add');
        code
          .get(elementAt(code, scratch, task, most * to * 4))
          .i32(gradientsAt)
          .op('i32.add');
        code.get(elementAt(code, scratch, task, matrix));
        code
          .i32(count * perImage)
          .i32(first > 0 ? 1 : 0)
          .call(point);
      }),
  });
}

/** Transforms the sums to the gradient of the weights; each input channel is a task. */
function sumPart({ context, square, matrix }: Gradient): Part {
  const { from, to } = square;
  const transform = transformFunction(
    context,
    'weightGradient',
    to / 4,
    { row: SIDE * matrix, column: matrix },
    { row: 3 * matrix, column: matrix },
  );
  return {
    tasks: from,
    own: POINTS * 16,
    emit: (code, [, , out = 0], { scratch, own, ...share }) =>
      eachTask(code, share, (task) => {
        code.get(elementAt(code, scratch, task, to * 4));
        code.get(elementAt(code, out, task, to * 4));
        code.get(own).call(transform);
      }),
  };
}
