import { constants } from 'node:fs';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FileError } from '@neumann/core';

/**
 * The bytes of a file.
 * @throws {FileError} if it cannot be read, or is larger than `maxBytes`.
 */
export async function readBytes(path: string, maxBytes = 2 ** 32): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > maxBytes)
      throw new FileError(`${path}: the file has ${size} bytes, more than the ${maxBytes} allowed.`);
    return await readFile(path);
  } catch (cause) {
    throw cause instanceof FileError
      ? cause
      : new FileError(`${path}: ${(cause as Error).message}.`, { cause });
  }
}

/** Puts the path of the file in front of the message of a `FileError`. */
export async function atFile<T>(path: string, decode: () => T | Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (cause) {
    throw cause instanceof FileError ? new FileError(`${path}: ${cause.message}`, { cause }) : cause;
  }
}

/**
 * Writes a file so that there is never half of it, whenever the process or the machine dies: into a temporary file
 * beside it, which is on the disk before it takes the place of what was there.
 *
 * @throws What the file system throws; a file that was there before is then still there.
 * @example await writeAtomically('metrics.json', JSON.stringify({ loss: 0.5 }));
 */
export async function writeAtomically(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(path);
}

/** The new name is on the disk, too. Windows cannot sync folders, and does not need it. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(dirname(path), constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
