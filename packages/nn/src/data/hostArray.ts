import { FileError, type TypedArray } from '@neumann/core';
import ndarray, { type NdArray } from 'ndarray';
import { checkValues } from '../options.ts';

/** Values in host memory with a shape, dense and row-major: what files hold before a part of it becomes a tensor. */
export type HostArray<T extends TypedArray = TypedArray> = NdArray<T>;

/** The most elements that a tensor can have. */
const MOST_ELEMENTS = 2 ** 31 - 1;

/**
 * A host array of values in row-major order.
 * @throws {OptionError} unless there are as many as the shape has places.
 */
export function hostArray<T extends TypedArray>(values: T, shape: readonly number[]): HostArray<T> {
  checkValues('hostArray', values, shape);
  return ndarray<T>(values, [...shape]);
}

/**
 * The number of elements of a shape that a file announces.
 * @throws {FileError} if no tensor can have so many.
 */
export function announcedSize(format: string, shape: readonly number[]): number {
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (!Number.isSafeInteger(size) || size > MOST_ELEMENTS || shape.some((n) => !Number.isSafeInteger(n)))
    throw new FileError(
      `${format}: the file announces an array of shape [${shape.join(', ')}], more than the ${MOST_ELEMENTS} elements a tensor can have.`,
    );
  return size;
}
