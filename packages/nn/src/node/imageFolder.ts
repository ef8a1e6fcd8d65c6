import { readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { BackendError, FileError, OptionError } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { type HostArray, hostArray } from '../data/hostArray.ts';

/** Images in folders named after their classes, listed but not read. */
export interface ImageFolder {
  /** Names of the classes, sorted; the place of each is its label. */
  readonly classes: readonly string[];
  readonly paths: readonly string[];
  /** `[N]` */
  readonly labels: HostArray<Int32Array>;
}

/** How {@link readImages} brings images to one size. */
export interface ReadImagesOptions {
  /** Extents of the result. */
  readonly height: number;
  readonly width: number;
  /**
   * `'crop'` (the default) scales the shorter side to fit and cuts the centre out; `'stretch'` changes the proportions.
   */
  readonly fit?: 'crop' | 'stretch';
  /** The most pixels a file may unpack to; 2^26 by default. */
  readonly maxPixels?: number;
}

const suffixes = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif']);

/**
 * Lists a folder in ImageNet's layout: `folder/class/….jpg`, classes and files in the order of their names. Links are
 * not followed.
 *
 * @throws {FileError} if the folder cannot be read, or has no images.
 * @example
 * const data = await listImages('imagenet/train');
 * const images = await readImages(data.paths.slice(0, 32), { height: 224, width: 224 });
 */
export async function listImages(folder: string): Promise<ImageFolder> {
  const classes = (await list(folder)).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const paths: string[] = [];
  const labels: number[] = [];
  for (const [label, name] of classes.entries())
    for (const file of await list(join(folder, name)))
      if (file.isFile() && suffixes.has(extname(file.name).toLowerCase())) {
        paths.push(join(folder, name, file.name));
        labels.push(label);
      }
  if (paths.length === 0)
    throw new FileError(`${folder}: there are no images in it; the layout is folder/class/image.jpg.`);
  return { classes, paths, labels: hostArray(Int32Array.from(labels), [labels.length]) };
}

/**
 * Reads images, in RGB, through the package `sharp`, several at a time on threads of their own.
 *
 * @returns `u8[N, height, width, 3]`
 * @throws {FileError} with the path, if a file cannot be read or is damaged. {BackendError} if sharp is not installed.
 *   {OptionError} for sizes below 1.
 */
export async function readImages(
  paths: readonly string[],
  options: ReadImagesOptions,
): Promise<HostArray<Uint8Array>> {
  checkOptions('readImages', options, ['height', 'width', 'fit', 'maxPixels']);
  const { height, width, fit = 'crop', maxPixels = 2 ** 26 } = options;
  for (const [name, value] of Object.entries({ height, width, maxPixels }))
    if (!Number.isInteger(value) || value < 1)
      throw new OptionError(`readImages: ${name} must be an integer of at least 1, but is ${value}.`);
  const sharp = await loadSharp();
  const size = height * width * 3;
  const pixels = new Uint8Array(paths.length * size);
  await Promise.all(
    paths.map(async (path, i) => {
      try {
        const image = await sharp(path, { limitInputPixels: maxPixels, failOn: 'truncated' })
          .rotate() // as the camera's orientation says
          .resize(width, height, { fit: fit === 'crop' ? 'cover' : 'fill' })
          .flatten({ background: 'white' })
          .toColourspace('srgb')
          .removeAlpha()
          .raw()
          .toBuffer();
        pixels.set(image, i * size);
      } catch (cause) {
        throw new FileError(`${path}: the image cannot be read: ${(cause as Error).message}.`, { cause });
      }
    }),
  );
  return hostArray(pixels, [paths.length, height, width, 3]);
}

async function loadSharp() {
  try {
    return (await import('sharp')).default;
  } catch (cause) {
    throw new BackendError('readImages: needs the package sharp; install it with npm install sharp.', {
      cause,
    });
  }
}

async function list(folder: string) {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    throw new FileError(`${folder}: ${(cause as Error).message}.`, { cause });
  }
}
