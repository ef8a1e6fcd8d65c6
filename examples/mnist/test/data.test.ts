import { random } from '@neumann/core';
import { expect, test } from 'vitest';
import { batches, distorted, select, shuffled } from '../data.ts';
import { loadDigits } from '../loadDigits.ts';

const split = await loadDigits();

test('8,000, 1,000 and 1,000 images are split off without overlap', () => {
  const { training, validation, test: held } = split;
  expect([training, validation, held].map((part) => part.labels.length)).toEqual([8000, 1000, 1000]);
  const all = [training, validation, held].flatMap(({ pixels, labels }) =>
    Array.from(labels, (_, i) => Buffer.from(pixels.subarray(784 * i, 784 * (i + 1))).toString('latin1')),
  );
  expect(new Set(all).size).toBe(10_000);
});

test('the images are those of MNIST: grey levels 0 to 255, ten digits', () => {
  const { pixels, labels } = split.training;
  expect([Math.min(...labels), Math.max(...labels)]).toEqual([0, 9]);
  expect(pixels.reduce((most, p) => Math.max(most, p), 0)).toBe(255);
  const mean = pixels.reduce((total, p) => total + p, 0) / pixels.length / 255;
  expect(mean).toBeCloseTo(0.1307, 2); // the known mean of MNIST
});

test('the split is the same every time, and its parts are cut from one order', async () => {
  const again = await loadDigits();
  expect(again.test.labels).toEqual(split.test.labels);
  const few = await loadDigits(100);
  expect(few.test.labels).toEqual(split.test.labels.subarray(0, 10));
  expect([few.training, few.validation].map((part) => part.labels.length)).toEqual([80, 10]);
});

test('a shuffle is a permutation that depends on the key alone', async () => {
  const order = await shuffled(random.key(1), 100);
  expect(order).toEqual(await shuffled(random.key(1), 100));
  expect(order).not.toEqual(await shuffled(random.key(2), 100));
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
});

/** Mean place of the ink in image `i`, and how much ink there is. */
function inkOf(pixels: Uint8Array, i: number): { y: number; x: number; ink: number } {
  let [y, x, ink] = [0, 0, 0];
  for (const [at, grey] of pixels.subarray(784 * i, 784 * (i + 1)).entries()) {
    y += grey * Math.floor(at / 28);
    x += grey * (at % 28);
    ink += grey;
  }
  return { y: y / ink, x: x / ink, ink };
}

test('distorted images are moved by at most 1.5 pixels and scaled by at most 10 %, each in its own way', async () => {
  const dots = new Uint8Array(200 * 784);
  for (let i = 0; i < 200; i++)
    for (const at of [12, 13, 14, 15]) dots.fill(200, 784 * i + 28 * at + 12, 784 * i + 28 * at + 16);
  const { pixels } = await distorted({ pixels: dots, labels: new Uint8Array(200) }, random.key(0));
  const seen = Array.from({ length: 200 }, (_, i) => inkOf(pixels, i));
  const moves = seen.flatMap(({ y, x }) => [y - 13.5, x - 13.5]);
  expect(Math.max(...moves)).toBeLessThan(1.6); // and rounding of grey levels
  expect(Math.max(...moves)).toBeGreaterThan(1.3);
  expect(Math.min(...moves)).toBeLessThan(-1.3);
  const areas = seen.map(({ ink }) => ink / (16 * 200));
  expect(Math.max(...areas)).toBeLessThan(1.1 ** 2 + 0.03);
  expect(Math.min(...areas)).toBeGreaterThan(0.9 ** 2 - 0.05);
  expect(new Set(seen.map(({ y }) => y.toFixed(3))).size).toBeGreaterThan(150);
});

test('distortion depends on the key alone, and keeps labels and background', async () => {
  const images = select(split.test, [0, 1, 2]);
  const one = await distorted(images, random.key(3));
  expect(one).toEqual(await distorted(images, random.key(3)));
  expect(one.pixels).not.toEqual((await distorted(images, random.key(4))).pixels);
  expect(one.labels).toEqual(images.labels);
  const { pixels } = await distorted(
    { pixels: new Uint8Array(784), labels: new Uint8Array(1) },
    random.key(0),
  );
  expect(pixels.every((p) => p === 0)).toBe(true);
});

test('batches are full, and leave out the rest', () => {
  const images = select(split.test, [0, 1, 2, 3, 4]);
  const order = Uint32Array.of(4, 3, 2, 1, 0);
  const made = [...batches(images, order, 2)];
  expect(made.map((b) => b.images.shape)).toEqual([
    [2, 28, 28, 1],
    [2, 28, 28, 1],
  ]);
  expect(made.map((b) => b.labels.toArray())).toEqual([
    [images.labels[4], images.labels[3]],
    [images.labels[2], images.labels[1]],
  ]);
});
