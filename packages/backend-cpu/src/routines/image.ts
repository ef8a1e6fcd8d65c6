import type { DType } from '@neumann/core/backend';
import type { Code, Local } from '../asm/code.ts';
import { vectorConst } from '../emit/vector.ts';
import { copyBytes } from './pack.ts';

/** A dense NHWC image as it stands in memory, and the zeros that are wanted around it. Three spatial dimensions. */
export interface ImageShape {
  readonly extents: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** Points between neighbours; with more than 1, zeros are put between them. */
  readonly dilation: readonly number[];
  /** Bytes of the channels of one point. */
  readonly pixel: number;
}

/** Bytes between neighbours in each dimension, and of the whole. */
export interface ImageLayout {
  readonly strides: readonly [number, number, number];
  readonly bytes: number;
  /** Whether the image must be copied to its layout. */
  readonly padded: boolean;
}

export function layoutOf({ extents, low, high, dilation, pixel }: ImageShape): ImageLayout {
  const [, h = 0, w = 0] = extents.map(
    (n, d) => (n - 1) * (dilation[d] ?? 1) + 1 + (low[d] ?? 0) + (high[d] ?? 0),
  );
  const [depth = 0] = extents.map(
    (n, d) => (n - 1) * (dilation[d] ?? 1) + 1 + (low[d] ?? 0) + (high[d] ?? 0),
  );
  const padded = [...low, ...high].some((n) => n > 0) || dilation.some((n) => n > 1);
  return { strides: [h * w * pixel, w * pixel, pixel], bytes: depth * h * w * pixel, padded };
}

/** Copies one image into the middle of its layout, whose border is filled already. `from` moves on by the image. */
export function padImage(code: Code, shape: ImageShape, layout: ImageLayout, from: Local, to: Local): void {
  walkRows(code, shape, layout, from, to, (dense, spread, bytes) => copyBytes(code, dense, spread, bytes));
}

/** Copies the middle of a layout to a dense image. `to` moves on by the image. */
export function copyImageBack(
  code: Code,
  shape: ImageShape,
  layout: ImageLayout,
  from: Local,
  to: Local,
): void {
  walkRows(code, shape, layout, to, from, (dense, spread, bytes) => copyBytes(code, spread, dense, bytes));
}

/** Fills `bytes` of memory, and up to a vector more, with one number. */
export function fillImage(code: Code, dtype: DType, value: number, to: Local, bytes: number): void {
  if (Object.is(value, 0)) {
    code.get(to).i32(0).i32(bytes).fill();
    return;
  }
  const at = code.local('i32');
  code.get(to).set(at);
  const isByte = dtype === 'uint8' || dtype === 'bool';
  code.repeat(Math.ceil(bytes / 16), () => {
    code.get(at);
    vectorConst(code, isByte ? 'int32' : dtype, isByte ? value * 0x01010101 : value).memory('v128.store');
    code.advance(at, 16);
  });
}

/** Visits the rows (or the points, where there is room between them) of an image and of its layout together. */
function walkRows(
  code: Code,
  shape: ImageShape,
  layout: ImageLayout,
  dense: Local,
  layoutStart: Local,
  visit: (dense: Local, spread: Local, bytes: number) => void,
): void {
  const [depth = 1, height = 1, width = 1] = shape.extents;
  const steps = layout.strides.map((stride, d) => stride * (shape.dilation[d] ?? 1));
  const [stepZ = 0, stepY = 0, stepX = 0] = steps;
  const start = layout.strides.reduce((sum, stride, d) => sum + stride * (shape.low[d] ?? 0), 0);
  const row = code.local('i32');
  code.get(layoutStart).i32(start).op('i32.add').set(row);
  code.repeat(depth, () => {
    code.repeat(height, () => {
      if (stepX === shape.pixel) {
        visit(dense, row, width * shape.pixel);
        code.advance(dense, width * shape.pixel);
      } else {
        const point = code.local('i32');
        code.get(row).set(point);
        code.repeat(width, () => {
          visit(dense, point, shape.pixel);
          code.advance(dense, shape.pixel).advance(point, stepX);
        });
      }
      code.advance(row, stepY);
    });
    code.advance(row, stepZ - height * stepY);
  });
}
