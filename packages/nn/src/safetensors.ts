/**
 * Trees of tensors as bytes in the safetensors format, which other frameworks read and write, too.
 *
 *     u64 n, little-endian | n bytes of JSON { name: { dtype, shape, data_offsets: [begin, end] } } | data
 *
 * Nothing in a file is trusted: whatever is not exactly a safetensors file is refused with a `FileError` that says
 * what is wrong and where, and nothing larger than the file itself is allocated before that is known.
 */
import {
  type DType,
  FileError,
  OptionError,
  reshape,
  ShapeDtype,
  showAval,
  Tensor,
  type Tensors,
  TreeError,
  type TypedArray,
  tensor,
  treeFlatten,
  treeLeaves,
  treePaths,
  treeUnflatten,
} from '@neumann/core';
import { checkBytes, checkNamed } from './options.ts';

const prefixBytes = 8;
const maxHeaderBytes = 100_000_000; // the limit of the format's own implementation
const maxElements = 2 ** 31 - 1;

/** What the format calls a dtype, and how its elements are read. */
const formats = {
  float32: { name: 'F32', array: Float32Array },
  float64: { name: 'F64', array: Float64Array },
  int32: { name: 'I32', array: Int32Array },
  uint32: { name: 'U32', array: Uint32Array },
  uint8: { name: 'U8', array: Uint8Array },
  bool: { name: 'BOOL', array: Uint8Array },
} satisfies Record<DType, { name: string; array: new (buffer: ArrayBuffer) => TypedArray }>;

const dtypeOf = new Map(Object.entries(formats).map(([dtype, { name }]) => [name, dtype as DType]));

/** Where one tensor is in a file. */
interface Entry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Bytes from the start of the data. */
  readonly begin: number;
  readonly end: number;
}

interface Header {
  readonly metadata: Readonly<Record<string, string>>;
  readonly entries: readonly Entry[];
  readonly data: Uint8Array;
}

/**
 * A tree of tensors as the bytes of a safetensors file. Names are the paths of the leaves: `conv1.w`.
 *
 * @param metadata Strings to keep with the tensors.
 * @throws {TreeError} if two leaves have the same path, which happens where keys contain dots.
 * @throws {OptionError} if a metadata value is no string.
 * @example
 * await writeFile('weights.safetensors', await encodeSafetensors(params, { epochs: '10' }));
 */
export async function encodeSafetensors(
  tree: unknown,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array> {
  const paths = treePaths(tree);
  checkNames(paths, metadata);
  const tensors = await Promise.all(
    treeLeaves(tree).map(async (leaf, i) => {
      if (leaf instanceof ShapeDtype)
        throw new TreeError(`encodeSafetensors: ${paths[i]} is a ShapeDtype, which has no values.`);
      const x = leaf instanceof Tensor ? leaf : tensor(leaf);
      return { name: paths[i] as string, aval: x.aval, values: await x.data() };
    }),
  );
  // Wide elements first, so that every tensor is aligned.
  tensors.sort(
    (a, b) => b.values.BYTES_PER_ELEMENT - a.values.BYTES_PER_ELEMENT || (a.name < b.name ? -1 : 1),
  );
  let size = 0;
  const described = tensors.map(({ name, aval, values }): [string, unknown] => {
    const begin = size;
    size += values.byteLength;
    return [name, { dtype: formats[aval.dtype].name, shape: aval.shape, data_offsets: [begin, size] }];
  });
  const json = JSON.stringify(
    Object.fromEntries([...(Object.keys(metadata).length ? [['__metadata__', metadata]] : []), ...described]),
  );
  const header = new TextEncoder().encode(json);
  const headerBytes = Math.ceil(header.length / 8) * 8;
  const bytes = new Uint8Array(prefixBytes + headerBytes + size);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.fill(0x20, prefixBytes, prefixBytes + headerBytes); // the header is padded with spaces
  bytes.set(header, prefixBytes);
  let at = prefixBytes + headerBytes;
  for (const { values } of tensors) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return bytes;
}

/**
 * The tensors of a safetensors file by name, on the current backend.
 *
 * @throws {FileError} if the bytes are truncated, foreign or damaged, or a tensor has a dtype that does not exist here.
 * @example
 * const loaded = loadInto(params, decodeSafetensors(await readFile('weights.safetensors')));
 */
export function decodeSafetensors(bytes: Uint8Array): Record<string, Tensor> {
  const { entries, data } = parse(bytes);
  return Object.fromEntries(
    entries.map((entry) => [entry.name, reshape(tensor(valuesOf(entry, data), entry.dtype), entry.shape)]),
  );
}

/** The strings that {@link encodeSafetensors} was given to keep with the tensors. @throws {FileError} for bad files. */
export function safetensorsMetadata(bytes: Uint8Array): Readonly<Record<string, string>> {
  return parse(bytes).metadata;
}

/**
 * A tree like `template` with the tensors of a file: each leaf is the tensor named by the path of that leaf.
 *
 * @param template Parameters, or their shapes from `evalShape`.
 * @throws {FileError} naming a tensor that is missing, is left over, or has another shape or dtype.
 */
export function loadInto<T>(template: T, tensors: Readonly<Record<string, Tensor>>): Tensors<T> {
  checkNamed('loadInto', 'tensors', tensors);
  const { leaves, structure } = treeFlatten(template);
  const paths = treePaths(template);
  const loaded = leaves.map((leaf, i) => {
    const path = paths[i] as string;
    const want =
      leaf instanceof Tensor || leaf instanceof ShapeDtype ? showAval(leaf) : showAval(tensor(leaf));
    const got = Object.hasOwn(tensors, path) ? tensors[path] : undefined;
    if (!got)
      throw new FileError(
        `loadInto: the model needs ${path} ${want}, but the file has only ${Object.keys(tensors).join(', ') || 'no tensors'}.`,
      );
    if (showAval(got) !== want)
      throw new FileError(`loadInto: ${path} must be ${want}, but is ${showAval(got)} in the file.`);
    return got;
  });
  const extra = Object.keys(tensors).find((name) => !paths.includes(name));
  if (extra !== undefined)
    throw new FileError(
      `loadInto: the file has a tensor ${JSON.stringify(extra)}, but the model has no such leaf.`,
    );
  return treeUnflatten(structure, loaded);
}

function checkNames(paths: readonly string[], metadata: Readonly<Record<string, string>>): void {
  const twice = paths.find((path, i) => paths.indexOf(path) !== i);
  if (twice !== undefined)
    throw new TreeError(`encodeSafetensors: two leaves have the path ${twice}; use keys without dots.`);
  if (paths.includes('__metadata__'))
    throw new TreeError(
      'encodeSafetensors: __metadata__ cannot name a tensor; the format uses it for metadata.',
    );
  for (const [key, value] of Object.entries(metadata))
    if (typeof value !== 'string')
      throw new OptionError(
        `encodeSafetensors: metadata.${key} must be a string, but is ${JSON.stringify(value)}.`,
      );
}

/* ---- reading ---- */

function parse(bytes: Uint8Array): Header {
  checkBytes('safetensors', bytes);
  if (bytes.length < prefixBytes)
    refuse(
      `the file is truncated: it has ${bytes.length} bytes, but even an empty one has ${prefixBytes + 2}`,
    );
  const stated = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (stated > BigInt(maxHeaderBytes))
    refuse(
      `the header would have ${stated} bytes, more than the ${maxHeaderBytes} allowed; this is no safetensors file`,
    );
  const dataStart = prefixBytes + Number(stated);
  if (dataStart > bytes.length)
    refuse(
      `the file is truncated or foreign: bytes 0..8 announce a header of ${stated} bytes, but ${bytes.length - prefixBytes} follow`,
    );
  const header = parseJson(bytes.subarray(prefixBytes, dataStart));
  // Not bytes.subarray(): the slices of Node's Buffer are no copies.
  const data = new Uint8Array(bytes.buffer, bytes.byteOffset + dataStart, bytes.length - dataStart);
  const { __metadata__: metadata = {}, ...described } = header;
  const entries = Object.entries(described).map(([name, value]) => entryOf(name, value));
  checkCoverage(entries, data.length);
  return { metadata: checkMetadata(metadata), entries, data };
}

function parseJson(bytes: Uint8Array): Record<string, unknown> {
  if (bytes[0] !== 0x7b) refuse('the header does not start with "{"; this is no safetensors file');
  let text: string;
  let parsed: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new FileError(`safetensors: the header is not JSON in UTF-8: ${(cause as Error).message}.`, {
      cause,
    });
  }
  const twice = duplicateKey(text);
  if (twice !== undefined) refuse(`the header has the key ${show(twice)} twice`);
  return parsed as Record<string, unknown>; // valid JSON that starts with "{" is an object
}

/** The first key that an object in valid JSON text has twice: `JSON.parse` would silently take the last. */
function duplicateKey(text: string): string | undefined {
  const open: Set<string>[] = [];
  for (const [token, string = '', colon] of text.matchAll(/("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(string) as string;
      if (open.at(-1)?.has(key)) return key;
      open.at(-1)?.add(key);
    }
  }
  return undefined;
}

function checkMetadata(metadata: unknown): Readonly<Record<string, string>> {
  if (!isObject(metadata)) refuse('__metadata__ must be an object of strings');
  for (const [key, value] of Object.entries(metadata))
    if (typeof value !== 'string') refuse(`__metadata__.${key} must be a string, but is ${show(value)}`);
  return metadata as Record<string, string>;
}

function entryOf(name: string, value: unknown): Entry {
  const at = show(name);
  if (!isObject(value)) refuse(`tensor ${at} must be described by an object, but is ${show(value)}`);
  const { dtype: label, shape, data_offsets: offsets, ...rest } = value;
  const [extra] = Object.keys(rest);
  if (extra !== undefined) refuse(`tensor ${at} has an unknown field ${show(extra)}`);
  const dtype = typeof label === 'string' ? dtypeOf.get(label) : undefined;
  if (dtype === undefined)
    refuse(`tensor ${at} has dtype ${show(label)}; only ${[...dtypeOf.keys()].join(', ')} exist here`);
  if (!isNaturals(shape))
    refuse(`tensor ${at} has shape ${show(shape)}, which must be non-negative integers`);
  if (!isNaturals(offsets) || offsets.length !== 2 || (offsets[0] as number) > (offsets[1] as number))
    refuse(`tensor ${at} has data_offsets ${show(offsets)}, which must be [begin, end]`);
  const [begin, end] = offsets as [number, number];
  const size = shape.reduce((n, extent) => n * extent, 1);
  const sizeInBytes = size * formats[dtype].array.BYTES_PER_ELEMENT;
  if (size > maxElements)
    refuse(`tensor ${at} has ${size} elements, more than the ${maxElements} a tensor can have`);
  if (sizeInBytes !== end - begin)
    refuse(
      `tensor ${at} is ${showAval({ shape, dtype })}, which takes ${sizeInBytes} bytes, ` +
        `but its data_offsets [${begin}, ${end}] hold ${end - begin}`,
    );
  return { name, dtype, shape, begin, end };
}

/** Every byte of the data belongs to exactly one tensor. */
function checkCoverage(entries: readonly Entry[], dataBytes: number): void {
  let covered = 0;
  let before = 'the header';
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    const at = show(name);
    if (begin < covered)
      refuse(
        `tensor ${at} begins at byte ${begin} of the data and overlaps ${before}, which ends at ${covered}`,
      );
    if (begin > covered)
      refuse(`bytes ${covered}..${begin} of the data, between ${before} and ${at}, belong to no tensor`);
    if (end > dataBytes)
      refuse(
        `the file is truncated: tensor ${at} ends at byte ${end} of the data, of which there are ${dataBytes}`,
      );
    covered = end;
    before = at;
  }
  if (covered !== dataBytes)
    refuse(`${dataBytes - covered} bytes trail after ${before}, at byte ${covered} of the data`);
}

function valuesOf({ name, dtype, begin, end }: Entry, data: Uint8Array): TypedArray {
  const bytes = data.slice(begin, end); // a copy, because a view would have to be aligned
  if (dtype === 'bool') {
    const at = bytes.findIndex((b) => b > 1);
    if (at >= 0) refuse(`tensor ${show(name)} is bool, but its byte ${at} is ${bytes[at]}`);
  }
  return new formats[dtype].array(bytes.buffer);
}

const isObject = (x: unknown): x is Record<string, unknown> =>
  typeof x === 'object' && x !== null && !Array.isArray(x);

const isNaturals = (x: unknown): x is number[] =>
  Array.isArray(x) && x.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);

/** A value of a foreign file, which may be of any length. */
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

function refuse(what: string): never {
  throw new FileError(`safetensors: ${what}.`);
}
