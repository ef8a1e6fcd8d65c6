import { FileError } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { checkBytes } from '../options.ts';

/** Options of {@link gunzip}. */
export interface GunzipOptions {
  /** The most bytes that may come out; 2^31 by default. */
  readonly maxBytes?: number;
}

/**
 * The content of a gzip file. Memory is bounded by `maxBytes`, however small the file is.
 *
 * @throws {FileError} if the bytes are no gzip file, are truncated or damaged, or unpack to more than `maxBytes`.
 * @example
 * const images = decodeIdx(await gunzip(await readFile('train-images-idx3-ubyte.gz')));
 */
export async function gunzip(bytes: Uint8Array, options: GunzipOptions = {}): Promise<Uint8Array> {
  checkOptions('gunzip', options, ['maxBytes']);
  const { maxBytes = 2 ** 31 } = options;
  checkBytes('gunzip', bytes);
  if (!isGzip(bytes))
    throw new FileError('gunzip: the file does not begin with 1f 8b, so it is no gzip file.');
  const unpacked = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('gzip'));
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of unpacked) {
      size += chunk.length;
      if (size > maxBytes) break; // which cancels the stream
      chunks.push(chunk);
    }
  } catch (cause) {
    throw new FileError(`gunzip: the file is truncated or damaged: ${(cause as Error).message}.`, { cause });
  }
  if (size > maxBytes)
    throw new FileError(
      `gunzip: ${bytes.length} bytes unpack to more than the ${maxBytes} allowed; raise maxBytes if the file is to be trusted.`,
    );
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** Whether the bytes begin like a gzip file. */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;
