import { FileError, type TypedArray } from '@neumann/core';
import { checkBytes } from '../options.ts';
import { announcedSize, type HostArray, hostArray } from './hostArray.ts';

interface ElementFormat {
  readonly bytes: number;
  readonly array: new (length: number) => TypedArray;
  readonly read: (view: DataView, at: number) => number;
}

/** By the third byte of the file. Narrow integers become int32. */
const formats: Readonly<Record<number, ElementFormat>> = {
  8: { bytes: 1, array: Uint8Array, read: (view, at) => view.getUint8(at) },
  9: { bytes: 1, array: Int32Array, read: (view, at) => view.getInt8(at) },
  11: { bytes: 2, array: Int32Array, read: (view, at) => view.getInt16(at) },
  12: { bytes: 4, array: Int32Array, read: (view, at) => view.getInt32(at) },
  13: { bytes: 4, array: Float32Array, read: (view, at) => view.getFloat32(at) },
  14: { bytes: 8, array: Float64Array, read: (view, at) => view.getFloat64(at) },
};

/**
 * The array of an IDX file, the format of MNIST and Fashion-MNIST (LeCun, Cortes, Burges):
 *
 *     0 0 type rank | rank × u32 extents | elements, all big-endian
 *
 * @param bytes The unpacked file; see {@link gunzip}.
 * @throws {FileError} if the file is foreign, truncated, or followed by something else.
 * @example
 * decodeIdx(new Uint8Array([0, 0, 8, 1, 0, 0, 0, 2, 7, 9])).data   // Uint8Array [7, 9]
 */
export function decodeIdx(bytes: Uint8Array): HostArray {
  checkBytes('decodeIdx', bytes);
  const [zero0, zero1, type = -1, rank = 0] = bytes;
  const format = formats[type];
  if (bytes.length < 4 || zero0 !== 0 || zero1 !== 0 || !format)
    throw new FileError(
      `idx: the file begins with ${[...bytes.subarray(0, 4)].map((b) => b.toString(16).padStart(2, '0')).join(' ') || 'nothing'}, ` +
        'but an IDX file begins with 00 00, one of 08 09 0b 0c 0d 0e, and the rank; is it still packed?',
    );
  const start = 4 + 4 * rank;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < start)
    throw new FileError(
      `idx: the file is truncated: it has ${bytes.length} bytes, but ${rank} extents end at ${start}.`,
    );
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = announcedSize('idx', shape);
  const wanted = start + size * format.bytes;
  if (bytes.length !== wanted)
    throw new FileError(
      `idx: the file ${bytes.length < wanted ? 'is truncated' : 'has more than the array'}: ` +
        `shape [${shape.join(', ')}] takes ${wanted} bytes, but there are ${bytes.length}.`,
    );
  if (format.array === Uint8Array) return hostArray(bytes.slice(start), shape);
  const values = new format.array(size);
  for (let i = 0; i < size; i++) values[i] = format.read(view, start + i * format.bytes);
  return hostArray(values, shape);
}
