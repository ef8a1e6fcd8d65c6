/** Convolutions in 256-bit mode, where there is one: panels of four vectors, of two, and of what is left. */
import process from 'node:process';
import { expect, test } from 'vitest';
import { cpu } from '../src/index.ts';
import { expectByDefinition, geometryOf, inputsOf, relativeError, type Sizes } from './convolutions.ts';
import { runKernel } from './kernels.ts';
import { convKernel } from './routine-kernels.ts';

const hasIt = Number.parseInt(process.versions.node, 10) >= 24;
const wide = await cpu({ revectorize: hasIt, winograd: false });
const winograd = await cpu({ revectorize: hasIt });

test('the backend says whether it is in 256-bit mode', () => {
  expect(wide.features.revectorize).toBe(hasIt);
});

const twice = [2, 2];
test.each<['x' | 'w' | 'y', string, Sizes]>([
  ['y', 'of small weights', { n: 2, c: 13, f: 45, x: [9, 8], y: [7, 6], kernel: [3, 3] }],
  ['x', 'of small weights', { n: 2, c: 45, f: 13, x: [9, 8], y: [5, 4], kernel: [1, 2], stride: twice }],
  ['w', 'of small weights', { n: 2, c: 13, f: 61, x: [9, 8], y: [7, 6], kernel: [3, 3] }],
  ['x', 'of one channel', { n: 2, c: 1, f: 13, x: [9, 203], y: [7, 201], kernel: [3, 3] }],
  ['y', 'of one channel', { n: 2, c: 13, f: 1, x: [9, 59], y: [7, 57], kernel: [3, 3] }],
  ['x', 'of three channels', { n: 1, c: 3, f: 20, x: [9, 47], y: [5, 24], kernel: [3, 3], stride: twice }],
  ['y', 'of large weights', { n: 3, c: 132, f: 235, x: [7, 9], y: [3, 4], kernel: [3, 3], stride: twice }],
  ['x', 'of large weights', { n: 3, c: 237, f: 132, x: [7, 9], y: [3, 4], kernel: [3, 3], stride: twice }],
  ['w', 'of large weights', { n: 9, c: 251, f: 141, x: [13, 9], y: [7, 5], kernel: [1, 1], stride: twice }],
])('the definition gives %s %s', (target, _, sizes) => expectByDefinition([wide], target, sizes));

test.each<['x' | 'w' | 'y', string, Sizes]>(
  (['x', 'w', 'y'] as const).flatMap((target) => {
    const image = { n: 3, x: [14, 11], y: [14, 11], kernel: [3, 3], padLow: [1, 1] };
    return [
      [target, 'with an odd number of vectors', { ...image, c: 20, f: 28 }],
      [target, 'with pairs of vectors', { ...image, c: 32, f: 56 }],
    ];
  }),
)("Winograd's algorithm gives %s %s, to 5e-5 of its greatest element", (target, _, sizes) => {
  const kernel = convKernel(target, geometryOf(sizes));
  const [actual, expected] = [winograd, wide].map(
    (backend) => runKernel(backend, kernel, inputsOf(kernel))[0],
  );
  expect(actual && expected && relativeError(actual, expected)).toBeLessThan(5e-5);
});
