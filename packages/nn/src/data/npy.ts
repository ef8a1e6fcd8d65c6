import { FileError, type TypedArray } from '@neumann/core';
import { checkBytes, checkValues } from '../options.ts';
import { announcedSize, type HostArray, hostArray } from './hostArray.ts';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY

interface ElementFormat {
  readonly bytes: number;
  readonly array: new (length: number) => TypedArray;
  readonly read: (view: DataView, at: number, little: boolean) => number;
}

/** NumPy's type codes. Narrow integers become int32 or uint8; 64-bit integers must fit int32. */
const formats: Readonly<Record<string, ElementFormat>> = {
  b1: { bytes: 1, array: Uint8Array, read: (v, at) => Number(v.getUint8(at) !== 0) },
  u1: { bytes: 1, array: Uint8Array, read: (v, at) => v.getUint8(at) },
  i1: { bytes: 1, array: Int32Array, read: (v, at) => v.getInt8(at) },
  i2: { bytes: 2, array: Int32Array, read: (v, at, le) => v.getInt16(at, le) },
  u2: { bytes: 2, array: Int32Array, read: (v, at, le) => v.getUint16(at, le) },
  i4: { bytes: 4, array: Int32Array, read: (v, at, le) => v.getInt32(at, le) },
  u4: { bytes: 4, array: Uint32Array, read: (v, at, le) => v.getUint32(at, le) },
  i8: { bytes: 8, array: Int32Array, read: (v, at, le) => narrow(v.getBigInt64(at, le)) },
  f4: { bytes: 4, array: Float32Array, read: (v, at, le) => v.getFloat32(at, le) },
  f8: { bytes: 8, array: Float64Array, read: (v, at, le) => v.getFloat64(at, le) },
};

/**
 * The array of a NumPy `.npy` file, versions 1 to 3, in C or Fortran order; bools as `uint8`, 64-bit integers as `int32`.
 *
 * @throws {FileError} if the file is foreign or truncated, holds Python objects, or a number that does not fit.
 * @example
 * decodeNpy(encodeNpy(new Float32Array([1, 2]), [2])).data   // Float32Array [1, 2]
 */
export function decodeNpy(bytes: Uint8Array): HostArray {
  checkBytes('decodeNpy', bytes);
  if (bytes.length < 12 || MAGIC.some((byte, i) => bytes[i] !== byte))
    refuse('the file does not begin with \\x93NUMPY; this is no .npy file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6] as number;
  if (version < 1 || version > 3) refuse(`the file has version ${version}; 1, 2 and 3 are known`);
  const wide = version >= 2;
  const headerAt = wide ? 12 : 10;
  const headerBytes = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const start = headerAt + headerBytes;
  if (start > bytes.length)
    refuse(`the file is truncated: its header ends at byte ${start}, but there are ${bytes.length}`);
  const { descr, fortran, shape } = parseHeader(new TextDecoder().decode(bytes.subarray(headerAt, start)));
  const format = formats[descr.slice(1)];
  if (!format || !'<>|='.includes(descr[0] as string))
    refuse(
      `elements have the type ${JSON.stringify(descr)}; only ${Object.keys(formats).join(', ')} exist here`,
    );
  const size = announcedSize('npy', shape);
  const wanted = start + size * format.bytes;
  if (bytes.length !== wanted)
    refuse(
      `the file ${bytes.length < wanted ? 'is truncated' : 'has more than the array'}: ` +
        `shape [${shape.join(', ')}] takes ${wanted} bytes, but there are ${bytes.length}`,
    );
  const values = new format.array(size);
  const little = descr[0] !== '>';
  for (let i = 0; i < size; i++) values[i] = format.read(view, start + i * format.bytes, little);
  return fortran && shape.length > 1 ? rowMajor(values, shape, format) : hostArray(values, shape);
}

function rowMajor(values: TypedArray, shape: readonly number[], format: ElementFormat): HostArray {
  const ordered = new format.array(values.length);
  const index = shape.map(() => 0);
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((p, n) => p * n, 1));
  for (let i = 0; i < ordered.length; i++) {
    ordered[i] = values[index.reduce((at, n, axis) => at + n * (strides[axis] as number), 0)] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      index[axis] = 0;
    }
  }
  return hostArray(ordered, shape);
}

/** The header is the text of a Python dictionary with exactly these three keys. */
function parseHeader(text: string): { descr: string; fortran: boolean; shape: number[] } {
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const shape = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(text)?.[1];
  if (descr === undefined || fortran === undefined || shape === undefined)
    refuse(`the header ${JSON.stringify(text.slice(0, 100))} does not describe an array of numbers`);
  return {
    descr,
    fortran: fortran === 'True',
    shape: shape.split(',').flatMap((n) => (n.trim() === '' ? [] : [Number(n)])),
  };
}

/** NumPy's names for typed arrays, little-endian. */
const codes = new Map<unknown, string>([
  [Uint8Array, '|u1'],
  [Int32Array, '<i4'],
  [Uint32Array, '<u4'],
  [Float32Array, '<f4'],
  [Float64Array, '<f8'],
]);

/**
 * Values as the bytes of a `.npy` file, version 1.
 *
 * @param values In row-major order.
 * @param shape One axis by default.
 * @throws {OptionError} if the shape has not as many places as there are values.
 * @example await writeFile('x.npy', encodeNpy(x.dataSync(), x.shape));
 */
export function encodeNpy(values: TypedArray, shape?: readonly number[]): Uint8Array {
  const extents = shape ?? [ArrayBuffer.isView(values) ? values.length : 0];
  checkValues('encodeNpy', values, extents);
  const places = extents.length === 1 ? `${extents[0]},` : extents.join(', ');
  const dictionary = `{'descr': '${codes.get(values.constructor)}', 'fortran_order': False, 'shape': (${places}), }`;
  const headerBytes = Math.ceil((10 + dictionary.length + 1) / 64) * 64 - 10;
  const bytes = new Uint8Array(10 + headerBytes + values.byteLength);
  bytes.set([...MAGIC, 1, 0, headerBytes & 255, headerBytes >> 8]);
  bytes.set(new TextEncoder().encode(`${dictionary.padEnd(headerBytes - 1)}\n`), 10);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), 10 + headerBytes);
  return bytes;
}

function narrow(value: bigint): number {
  if (BigInt.asIntN(32, value) !== value)
    refuse(`the array has the 64-bit integer ${value}, which does not fit int32`);
  return Number(value);
}

function refuse(what: string): never {
  throw new FileError(`npy: ${what}.`);
}
