import { expect, test } from 'vitest';
import { confusionReport, curvesSvg } from '../report.ts';
import type { Run } from '../train.ts';

test('the confusion names the worst digits and what they are taken for', () => {
  const labels = Uint8Array.of(4, 4, 4, 4, 7, 7, 1, 1);
  const images = { labels, pixels: new Uint8Array(0) };
  expect(confusionReport(images, Uint8Array.of(9, 9, 4, 1, 2, 7, 1, 1))).toBe(
    'worst digits: 4 (3 of 4 wrong), 7 (1 of 2 wrong)\n' +
      'most confused: 4 taken for 9 (2×), 4 taken for 1 (1×), 7 taken for 2 (1×)',
  );
  expect(confusionReport(images, labels)).toBe('every digit was recognised');
});

/** A run with these training losses; everything else about it is ordinary. */
const run = (losses: readonly number[]): Run => ({
  optimizer: 'neumann',
  history: losses.map((trainLoss, i) => ({
    epoch: i + 1,
    trainLoss,
    trainAccuracy: 0.95,
    validationLoss: 0.1,
    validationAccuracy: 0.97,
  })),
  test: { loss: 0.1, accuracy: 0.97, predictions: new Uint8Array(0) },
  seconds: 1,
  imagesPerSecond: 1,
  params: {} as Run['params'],
});

test('the curves have a line for each metric, and a legend with the accuracy in the test', () => {
  const svg = curvesSvg([run([0.5, 0.02, 0.01])]);
  expect(svg.match(/stroke-dasharray="5 3"/g)).toHaveLength(3); // the legend, and a line in each panel
  expect(svg).toContain('neumann 97.0 %');
});

test('curves of one epoch, of no epoch, of zero, and of NaN are still a figure', () => {
  for (const losses of [[0.5], [], [0, 0.1], [Number.NaN], [1, Number.POSITIVE_INFINITY]])
    expect(curvesSvg([run(losses)])).not.toMatch(/NaN|Infinity|undefined/);
});
