import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError } from '@neumann/core';
import {
  type CifarClasses,
  cifarFiles,
  decodeCifar,
  decodeCifarTar,
  joinImages,
  type LabelledImages,
} from '../data/cifar.ts';
import { gunzip, isGzip } from '../data/gunzip.ts';
import { type HostArray, hostArray } from '../data/hostArray.ts';
import { decodeIdx } from '../data/idx.ts';
import { atFile, readBytes } from './files.ts';

/** A data set in two parts. */
export interface TrainingAndTest {
  readonly training: LabelledImages;
  readonly test: LabelledImages;
}

/**
 * The array of an IDX file, gzipped or not.
 * @throws {FileError} with the path, if the file cannot be read, or is foreign or damaged.
 */
export async function readIdx(path: string): Promise<HostArray> {
  const bytes = await readBytes(path);
  return atFile(path, async () => decodeIdx(isGzip(bytes) ? await gunzip(bytes) : bytes));
}

/**
 * MNIST or Fashion-MNIST from a folder with their four IDX files (`train-images-idx3-ubyte`, …), gzipped or not.
 *
 * Debian's package `dataset-fashion-mnist` puts them into `/usr/share/datasets/fashion-mnist`.
 *
 * @returns Images `u8[N, 28, 28, 1]` and labels `u8[N]`.
 * @throws {FileError} if a file is missing, foreign or damaged.
 * @example
 * const { training, test } = await readMnist('fashion-mnist');
 */
export async function readMnist(folder: string): Promise<TrainingAndTest> {
  return { training: await readPart(folder, 'train'), test: await readPart(folder, 't10k') };
}

async function readPart(folder: string, part: 'train' | 't10k'): Promise<LabelledImages> {
  const images = await readIdx(await packedOrNot(join(folder, `${part}-images-idx3-ubyte`)));
  const labels = await readIdx(await packedOrNot(join(folder, `${part}-labels-idx1-ubyte`)));
  const [count = 0, height = 0, width = 0] = images.shape;
  if (images.shape.length !== 3 || labels.shape.length !== 1 || labels.shape[0] !== count)
    throw new FileError(
      `${folder}: ${part} images have shape [${images.shape.join(', ')}] and labels [${labels.shape.join(', ')}], ` +
        'but [N, H, W] and [N] belong together.',
    );
  if (!(images.data instanceof Uint8Array) || !(labels.data instanceof Uint8Array))
    throw new FileError(`${folder}: ${part} images and labels must be bytes.`);
  return {
    images: hostArray(images.data, [count, height, width, 1]),
    labels: hostArray(labels.data, [count]),
  };
}

async function packedOrNot(path: string): Promise<string> {
  for (const candidate of [`${path}.gz`, path]) if (await exists(candidate)) return candidate;
  throw new FileError(`${path}: there is no such file, nor one that ends in .gz.`);
}

/**
 * CIFAR-10 or CIFAR-100: the binary version, as `.tar.gz`, `.tar`, or a folder with its `.bin` files.
 *
 * @returns Images `u8[N, 32, 32, 3]` and labels `u8[N]`.
 * @throws {FileError} if a file is missing, foreign or damaged.
 * @example
 * const { training } = await readCifar('cifar-10-batches-bin', 10);
 */
export async function readCifar(path: string, classes: CifarClasses): Promise<TrainingAndTest> {
  if (await isFolder(path)) {
    const read = async (names: readonly string[]) =>
      joinImages(
        await Promise.all(
          names.map(async (name) => {
            const bytes = await readBytes(join(path, name));
            return atFile(join(path, name), () => decodeCifar(bytes, classes));
          }),
        ),
      );
    const { training, test } = cifarFiles(classes);
    return { training: await read(training), test: await read(test) };
  }
  const bytes = await readBytes(path);
  return atFile(path, async () => decodeCifarTar(isGzip(bytes) ? await gunzip(bytes) : bytes, classes));
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
