import { FileError, OptionError } from '@neumann/core';
import { checkBytes } from '../options.ts';
import { type HostArray, hostArray } from './hostArray.ts';
import { readTar } from './tar.ts';

const SIDE = 32;
const CHANNELS = 3;
const PIXELS = SIDE * SIDE;
const IMAGE_BYTES = CHANNELS * PIXELS;

/** Images with their classes. */
export interface LabelledImages {
  /** `[N, H, W, C]`, 0 to 255. */
  readonly images: HostArray<Uint8Array>;
  /** `[N]` */
  readonly labels: HostArray<Uint8Array>;
}

/** Which data set: 10 classes, or 100 (the coarse label of each image is left out). */
export type CifarClasses = 10 | 100;

/** @throws {OptionError} for another number of classes. */
function checkClasses(classes: CifarClasses): void {
  if (classes !== 10 && classes !== 100)
    throw new OptionError(`cifar: there are 10 or 100 classes, but got ${String(classes)}.`);
}

/**
 * Images of one of CIFAR's binary files (Krizhevsky 2009): for each image its label (CIFAR-100: coarse, then fine label)
 * and 3 × 32 × 32 bytes, plane after plane, which become `[N, 32, 32, 3]`.
 *
 * @throws {FileError} if the size is no multiple of a record, or a label is out of range.
 */
export function decodeCifar(bytes: Uint8Array, classes: CifarClasses): LabelledImages {
  checkBytes('cifar', bytes);
  checkClasses(classes);
  const labelBytes = classes === 10 ? 1 : 2;
  const record = labelBytes + IMAGE_BYTES;
  if (bytes.length % record !== 0)
    throw new FileError(
      `cifar: ${bytes.length} bytes are no whole number of CIFAR-${classes} records of ${record} bytes; ` +
        'the file is truncated, or belongs to the other data set.',
    );
  const count = bytes.length / record;
  const images = new Uint8Array(count * IMAGE_BYTES);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const label = bytes[i * record + labelBytes - 1] as number;
    if (label >= classes)
      throw new FileError(
        `cifar: image ${i} has the label ${label}, but CIFAR-${classes} has labels 0 to ${classes - 1}.`,
      );
    labels[i] = label;
    const planes = i * record + labelBytes;
    for (let pixel = 0; pixel < PIXELS; pixel++)
      for (let channel = 0; channel < CHANNELS; channel++)
        images[i * IMAGE_BYTES + pixel * CHANNELS + channel] = bytes[
          planes + channel * PIXELS + pixel
        ] as number;
  }
  return { images: hostArray(images, [count, SIDE, SIDE, CHANNELS]), labels: hostArray(labels, [count]) };
}

/**
 * Training and test images of an archive `cifar-10-binary.tar` or `cifar-100-binary.tar`, unpacked by {@link gunzip}.
 *
 * @throws {FileError} if the archive or a file in it is damaged, or files of CIFAR are missing.
 */
export function decodeCifarTar(
  bytes: Uint8Array,
  classes: CifarClasses,
): { training: LabelledImages; test: LabelledImages } {
  checkClasses(classes);
  const files = new Map(readTar(bytes).map(({ name, data }) => [name.split('/').at(-1) as string, data]));
  const names = cifarFiles(classes);
  const part = (wanted: readonly string[]): LabelledImages =>
    joinImages(
      wanted.map((name) => {
        const data = files.get(name);
        if (!data)
          throw new FileError(
            `cifar: the archive has no ${name}; it has ${[...files.keys()].slice(0, 12).join(', ') || 'no files'}.`,
          );
        return decodeCifar(data, classes);
      }),
    );
  return { training: part(names.training), test: part(names.test) };
}

/** The names of the binary files. */
export function cifarFiles(classes: CifarClasses): { training: string[]; test: string[] } {
  checkClasses(classes);
  return classes === 10
    ? { training: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`), test: ['test_batch.bin'] }
    : { training: ['train.bin'], test: ['test.bin'] };
}

/** Several sets of CIFAR images as one. */
export function joinImages(parts: readonly LabelledImages[]): LabelledImages {
  const count = parts.reduce((sum, { labels }) => sum + labels.size, 0);
  const images = new Uint8Array(count * IMAGE_BYTES);
  const labels = new Uint8Array(count);
  let at = 0;
  for (const part of parts) {
    images.set(part.images.data, at * IMAGE_BYTES);
    labels.set(part.labels.data, at);
    at += part.labels.size;
  }
  return { images: hostArray(images, [count, SIDE, SIDE, CHANNELS]), labels: hostArray(labels, [count]) };
}
