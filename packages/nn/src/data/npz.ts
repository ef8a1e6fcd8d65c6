import { FileError, TreeError, type TypedArray } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { unzipSync, zipSync } from 'fflate';
import { checkBytes, checkNamed } from '../options.ts';
import type { HostArray } from './hostArray.ts';
import { decodeNpy, encodeNpy } from './npy.ts';

/** Options of {@link decodeNpz}. */
export interface NpzOptions {
  /** The most bytes that the arrays may take together; 2^31 by default. */
  readonly maxBytes?: number;
}

const SUFFIX = '.npy';

/**
 * The arrays of a NumPy `.npz` file by name. Memory is bounded by `maxBytes`, however small the file is.
 *
 * @throws {FileError} if the archive or an array in it is foreign or damaged, a name occurs twice, or the arrays would
 *   take more than `maxBytes`.
 * @example
 * const { x, y } = decodeNpz(await readFile('data.npz'));
 */
export function decodeNpz(bytes: Uint8Array, options: NpzOptions = {}): Record<string, HostArray> {
  checkOptions('decodeNpz', options, ['maxBytes']);
  const { maxBytes = 2 ** 31 } = options;
  checkBytes('decodeNpz', bytes);
  const announced = new Map<string, number>();
  let total = 0;
  const admit = ({ name, originalSize }: { name: string; originalSize: number }): boolean => {
    if (announced.has(name)) refuse(`the archive has ${JSON.stringify(name)} twice`);
    if (!name.endsWith(SUFFIX)) refuse(`the archive has ${JSON.stringify(name)}, which is no .npy file`);
    announced.set(name, originalSize);
    total += originalSize;
    if (total > maxBytes)
      refuse(
        `the arrays unpack to at least ${total} bytes, more than the ${maxBytes} allowed; raise maxBytes if the file is to be trusted`,
      );
    return true;
  };
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, { filter: admit });
  } catch (cause) {
    if (cause instanceof FileError) throw cause;
    throw new FileError(`npz: the archive is foreign, truncated or damaged: ${(cause as Error).message}.`, {
      cause,
    });
  }
  return Object.fromEntries(
    Object.entries(files).map(([name, content]) => {
      if (content.length !== announced.get(name))
        refuse(
          `${JSON.stringify(name)} has ${content.length} bytes, but the archive announces ${announced.get(name)}`,
        );
      return [name.slice(0, -SUFFIX.length), decodeNpy(content)];
    }),
  );
}

/**
 * Named arrays as the bytes of a `.npz` file, compressed.
 *
 * @param arrays Values with their shapes: host arrays, or `{ data, shape }`.
 * @throws {TreeError} if there are none. {OptionError} if a shape does not fit its values.
 * @example
 * await writeFile('curves.npz', encodeNpz({ loss: hostArray(Float32Array.of(2, 1), [2]) }));
 */
export function encodeNpz(
  arrays: Readonly<Record<string, { readonly data: TypedArray; readonly shape: readonly number[] }>>,
): Uint8Array {
  checkNamed('encodeNpz', 'arrays', arrays);
  const entries = Object.entries(arrays);
  if (entries.length === 0) throw new TreeError('encodeNpz: there is no array to write.');
  return zipSync(
    Object.fromEntries(
      entries.map(([name, { data, shape }]) => [`${name}${SUFFIX}`, encodeNpy(data, shape)]),
    ),
  );
}

function refuse(what: string): never {
  throw new FileError(`npz: ${what}.`);
}
