import { FileError } from '@neumann/core';
import { checkBytes } from '../options.ts';

const BLOCK = 512;
const NUL = String.fromCharCode(0);

/** A file in a tar archive. */
export interface TarEntry {
  /** Its path, relative and without `..`. */
  readonly name: string;
  /** A view of the archive's bytes. */
  readonly data: Uint8Array;
}

/**
 * The regular files of a tar archive (ustar, GNU and pax), in order. Nothing is written anywhere.
 *
 * @throws {FileError} if the archive is foreign, truncated or damaged, or a name is absolute or leads out with `..`.
 */
export function readTar(bytes: Uint8Array): TarEntry[] {
  checkBytes('readTar', bytes);
  const entries: TarEntry[] = [];
  let longName: string | undefined;
  let at = 0;
  while (at + BLOCK <= bytes.length) {
    const header = bytes.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) return entries;
    checkHeader(header, at);
    const size = octal(header, 124, 12, at);
    const end = at + BLOCK + size;
    if (end > bytes.length)
      refuse(
        `the archive is truncated: the entry at byte ${at} ends at ${end}, but there are ${bytes.length}`,
      );
    const data = bytes.subarray(at + BLOCK, end);
    const type = String.fromCharCode(header[156] as number);
    if (type === 'L') longName = text(data);
    else if (type === 'x') longName = paxPath(data, at) ?? longName;
    else {
      if (type === '0' || type === NUL) entries.push({ name: safeName(longName ?? nameOf(header)), data });
      longName = undefined;
    }
    at = at + BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  if (entries.length === 0) refuse(`${bytes.length} bytes hold no entry; this is no tar archive`);
  return entries; // some writers leave out the two blocks of zeros at the end
}

/** The sum of the header's bytes, with the place of the sum taken as spaces, is in the header. */
function checkHeader(header: Uint8Array, at: number): void {
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
  const stated = octal(header, 148, 8, at);
  if (sum !== stated)
    refuse(
      `the header at byte ${at} has the checksum ${stated}, but its bytes add up to ${sum}; the archive is foreign or damaged`,
    );
}

function octal(header: Uint8Array, from: number, length: number, at: number): number {
  const digits = text(header.subarray(from, from + length)).trim();
  if (!/^[0-7]+$/.test(digits))
    refuse(`the header at byte ${at} has ${JSON.stringify(digits)} where an octal number must be`);
  return Number.parseInt(digits, 8);
}

function nameOf(header: Uint8Array): string {
  const isUstar = text(header.subarray(257, 262)) === 'ustar';
  const prefix = isUstar ? text(header.subarray(345, 500)) : '';
  const name = text(header.subarray(0, 100));
  return prefix ? `${prefix}/${name}` : name;
}

/** The `path` of a pax header: records `length key=value\n`. */
function paxPath(data: Uint8Array, at: number): string | undefined {
  let rest = data;
  let path: string | undefined;
  while (rest.length > 0) {
    const space = rest.indexOf(0x20);
    const length = Number(text(rest.subarray(0, Math.max(space, 0))));
    if (!Number.isInteger(length) || length <= space + 1 || length > rest.length)
      refuse(`the extended header at byte ${at} is damaged`);
    const record = text(rest.subarray(space + 1, length - 1));
    if (record.startsWith('path=')) path = record.slice('path='.length);
    rest = rest.subarray(length);
  }
  return path;
}

function safeName(name: string): string {
  const parts = name.split(/[/\\]/);
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name) || parts.includes('..'))
    refuse(`an entry is named ${JSON.stringify(name)}, which leads out of the archive`);
  return parts.filter((part) => part !== '' && part !== '.').join('/');
}

/** Up to the first zero byte. */
function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function refuse(what: string): never {
  throw new FileError(`tar: ${what}.`);
}
