import {
  getBackend,
  jit,
  mean,
  multiply,
  NeumannError,
  oneHot,
  ones,
  random,
  reshape,
  sum,
  type Tensor,
  tensor,
} from '@neumann/core';
import {
  colorJitter,
  cutout,
  mixup,
  normalizeImages,
  randomCrop,
  randomFlip,
  randomResizedCrop,
} from '@neumann/nn';
import { expect, test } from 'vitest';

const key = random.key(3);
const values = (t: Tensor): number[] => Array.from(t.dataSync());
/** Pixel (y, x) of an image of 6 × 6 is 6 y + x + 1. */
const counted = reshape(tensor(Float32Array.from({ length: 4 * 36 }, (_, i) => (i % 36) + 1)), [4, 6, 6, 1]);

test('a flipped image is mirrored or itself, and both happen', () => {
  const images = reshape(tensor(Float32Array.from({ length: 40 }, (_, i) => i % 2)), [20, 1, 2, 1]);
  const flipped = values(randomFlip(key, images));
  const kinds = new Set(Array.from({ length: 20 }, (_, i) => flipped.slice(2 * i, 2 * i + 2).join()));
  expect(kinds).toEqual(new Set(['0,1', '1,0']));
});

test('a crop is a part of the image with its border, at a place of its own', () => {
  const cropped = values(randomCrop(key, counted, { padding: 2 }));
  const offsets = Array.from({ length: 4 }, (_, n) => {
    const image = cropped.slice(36 * n, 36 * (n + 1));
    const at = image.findIndex((v) => v > 0);
    const first = (image[at] as number) - 1;
    const shift = { y: Math.floor(first / 6) - Math.floor(at / 6), x: (first % 6) - (at % 6) };
    for (const [i, v] of image.entries()) {
      const [y, x] = [Math.floor(i / 6) + shift.y, (i % 6) + shift.x];
      expect(v).toBe(y >= 0 && y < 6 && x >= 0 && x < 6 ? 6 * y + x + 1 : 0);
    }
    return `${shift.y},${shift.x}`;
  });
  expect(new Set(offsets).size).toBeGreaterThan(1);
});

test('a resized crop of everything is the image; of a plane, a part of the plane', () => {
  const whole = randomResizedCrop(key, counted, { size: 6, area: [1, 1], aspect: [1, 1] });
  for (const [i, v] of values(whole).entries()) expect(v).toBeCloseTo(values(counted)[i] as number, 4);
  const part = values(randomResizedCrop(key, counted, { size: [3, 4], area: [0.2, 0.5] }));
  expect(part.every((v) => v >= 1 && v <= 36)).toBe(true);
  // Linear images stay linear: equal steps along rows, inside.
  const [a = 0, b = 0, c = 0] = part.slice(1, 4);
  expect(b - a).toBeCloseTo(c - b, 3);
});

test('shrinking averages all pixels', () => {
  const half = randomResizedCrop(key, counted, { size: 1, area: [1, 1], aspect: [1, 1] });
  for (const v of values(half)) expect(v).toBeCloseTo(18.5, 4);
});

test('jittered colours stay in [0, 1] and differ from image to image; without options nothing changes', () => {
  const images = random.uniform(random.key(1), [3, 4, 4, 3]);
  expect(values(colorJitter(key, images, {}))).toEqual(values(images));
  const jittered = colorJitter(key, images, { brightness: 0.5, contrast: 0.5, saturation: 0.5 });
  expect(values(jittered).every((v) => v >= 0 && v <= 1)).toBe(true);
  const grey = multiply(ones([2, 2, 2, 3]), 0.5);
  const same = values(colorJitter(key, grey, { contrast: 0.9, saturation: 0.9 }));
  for (const v of same) expect(v).toBeCloseTo(0.5, 6); // grey has no saturation, and one colour no contrast
});

test('cutout removes one square', () => {
  const kept = values(sum(cutout(key, ones([50, 12, 12, 1]), { size: 4 }), { axis: [1, 2, 3] }));
  expect(Math.min(...kept)).toBe(144 - 16);
  expect(kept.every((n) => n >= 144 - 16 && n <= 144 - 4)).toBe(true);
});

test('mixup mixes images and targets by the same share', () => {
  const images = multiply(
    ones([8, 2, 2, 1]),
    reshape(tensor(Float32Array.from({ length: 8 }, (_, i) => i)), [8, 1, 1, 1]),
  );
  const targets = oneHot(tensor([0, 1, 2, 3, 4, 5, 6, 7], 'int32'), 8, 'float32');
  const [x, t] = mixup(key, images, targets, { alpha: 1 });
  for (const v of values(sum(t, { axis: 1 }))) expect(v).toBeCloseTo(1, 6);
  const expected = values(sum(multiply(t, tensor([0, 1, 2, 3, 4, 5, 6, 7])), { axis: 1 }));
  for (const [i, v] of values(mean(x, { axis: [1, 2, 3] })).entries())
    expect(v).toBeCloseTo(expected[i] as number, 5);
});

test('normalised bytes are (x / 255 - mean) / stddev', () => {
  const pixels = tensor(Uint8Array.of(0, 255), 'uint8');
  expect(
    values(normalizeImages(reshape(pixels, [1, 1, 1, 2]), { mean: [0.5, 0.5], stddev: [0.25, 0.5] })),
  ).toEqual([-2, 1]);
});

test('the same key gives the same images, in jit as outside', () => {
  const f = (k: Tensor, x: Tensor) =>
    colorJitter(
      k,
      cutout(k, randomFlip(k, randomResizedCrop(k, randomCrop(k, x, { padding: 1 }), { size: 5 })), {
        size: 2,
      }),
      { brightness: 0.2 },
    );
  const x = random.uniform(random.key(9), [2, 8, 8, 3]);
  const [eager, jitted] = [values(f(key, x)), values(jit(f)(key, x))];
  for (const [i, v] of eager.entries()) expect(v).toBeCloseTo(jitted[i] as number, 5);
  expect(eager.every(Number.isFinite)).toBe(true);
  expect(getBackend().name).toBe('reference');
});

test.each([
  () => randomFlip(key, ones([4, 4])),
  () => randomCrop(key, counted, { padding: 0 }),
  () => randomResizedCrop(key, counted, { size: 0 }),
  () => randomResizedCrop(key, counted, { size: 2, area: [0.5, 2] }),
  () => colorJitter(key, counted, { saturation: 0.5 }),
  () => colorJitter(key, counted, { brightness: -1 }),
  () => cutout(key, counted, { size: 1.5 }),
  () => mixup(key, counted, ones([3, 2])),
  () => mixup(key, counted, ones([4, 2]), { alpha: 0 }),
  () => normalizeImages(counted, { mean: [0, 0], stddev: [1, 1] }),
  () => normalizeImages(counted, { mean: [0], stddev: [0] }),
])('mistakes are named', (mistake) => {
  expect(mistake).toThrow(NeumannError);
});
