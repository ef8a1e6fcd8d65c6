import { expect, test } from 'vitest';
import { lineChart } from '../plot.ts';
import { confusionReport } from '../report.ts';

test('the confusion names the worst digits and what they are taken for', () => {
  const labels = Uint8Array.of(4, 4, 4, 4, 7, 7, 1, 1);
  const images = { labels, pixels: new Uint8Array(0) };
  expect(confusionReport(images, Uint8Array.of(9, 9, 4, 1, 2, 7, 1, 1))).toBe(
    'worst digits: 4 (3 of 4 wrong), 7 (1 of 2 wrong)\n' +
      'most confused: 4 taken for 9 (2×), 4 taken for 1 (1×), 7 taken for 2 (1×)',
  );
  expect(confusionReport(images, labels)).toBe('every digit was recognised');
});

const panel = { title: 'a < b', xLabel: 'epoch', format: String } as const;

test('a chart has an axis with round ticks, and a line for each series', () => {
  const points = [
    [1, 0.5],
    [2, 0.02],
    [3, 0.01],
  ] as const;
  const svg = lineChart({
    title: 't',
    legend: [],
    panels: [{ ...panel, scale: 'log', series: [{ color: '#123456', points }] }],
  });
  expect(svg.match(/<polyline/g)).toHaveLength(1);
  expect(svg.match(/<circle/g)).toHaveLength(3);
  expect([...svg.matchAll(/text-anchor="end">([^<]*)</g)].map(([, tick]) => tick)).toEqual([
    '0.01',
    '0.02',
    '0.05',
    '0.1',
    '0.2',
    '0.5',
  ]);
  expect(svg).toContain('a &lt; b');
});

test('a chart of one point, of no point, and of NaN is still a chart', () => {
  for (const points of [[[1, 0.5]], [], [[1, Number.NaN]]] as [number, number][][]) {
    const svg = lineChart({
      title: 't',
      legend: [],
      panels: [{ ...panel, scale: 'linear', series: [{ color: '#000000', points }] }],
    });
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  }
});
