/**
 * `@neumann/nn/data`: data sets from bytes, and batches of them. Runs in browsers, too; reading from disk is in
 * `@neumann/nn/node`.
 *
 * Nothing in a file is trusted: what is foreign, truncated or hostile is refused with a `FileError`.
 */
export {
  type Arrays,
  type Batch,
  type BatchAt,
  type BatchOptions,
  batches,
  batchesPerEpoch,
  type Position,
  shuffled,
  takeRows,
} from './data/batches.ts';
export { type CifarClasses, decodeCifar, decodeCifarTar, type LabelledImages } from './data/cifar.ts';
export { type CsvOptions, type NumberTable, parseCsv } from './data/csv.ts';
export { type GunzipOptions, gunzip } from './data/gunzip.ts';
export { type HostArray, hostArray } from './data/hostArray.ts';
export { decodeIdx } from './data/idx.ts';
export { decodeNpy, encodeNpy } from './data/npy.ts';
export { decodeNpz, encodeNpz, type NpzOptions } from './data/npz.ts';
export { prefetch } from './data/prefetch.ts';
export { readTar, type TarEntry } from './data/tar.ts';
