/** What a run leaves behind: lines on the terminal, metrics.csv, curves.svg. */
import { line, type PlotOptions } from '@observablehq/plot';
import { drawFigure, frame, type Panel, palette, type Style, stroke } from '../shared/figure.ts';
import type { Images } from './data.ts';
import type { OptimizerName } from './options.ts';
import type { EpochMetrics, Run } from './train.ts';

const colors: Record<OptimizerName, string> = {
  neumann: palette.vermilion,
  sgd: palette.blue,
  adam: palette.green,
  rmsprop: palette.purple,
};
const dash = '5 3';

export const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;

/** One line for an epoch. */
export function epochLine(
  name: OptimizerName,
  epochs: number,
  m: EpochMetrics,
  imagesPerSecond: number,
): string {
  return (
    `${name} ${String(m.epoch).padStart(String(epochs).length)}/${epochs}` +
    `  loss ${m.trainLoss.toFixed(4)}, accuracy ${percent(m.trainAccuracy)}` +
    `  validation: loss ${m.validationLoss.toFixed(4)}, accuracy ${percent(m.validationAccuracy)}` +
    `  ${Math.round(imagesPerSecond)} images/s`
  );
}

/** The four optimizers side by side. */
export function comparisonTable(runs: readonly Run[]): string {
  const rows = runs.map(({ optimizer, history, test, seconds, imagesPerSecond }) => {
    const last = history.at(-1) as EpochMetrics;
    return [
      optimizer,
      percent(test.accuracy),
      test.loss.toFixed(4),
      percent(last.validationAccuracy),
      last.trainLoss.toFixed(4),
      `${seconds.toFixed(1)} s`,
      String(Math.round(imagesPerSecond)),
    ];
  });
  return table([
    ['optimizer', 'test accuracy', 'test loss', 'validation', 'training loss', 'time', 'images/s'],
    ...rows,
  ]);
}

/** The first column is aligned at the left, the others at the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, c) => Math.max(...rows.map((row) => row[c]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, c) => (c === 0 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0)))
        .join('  '),
    )
    .join('\n');
}

/** The digits that are found worst, and what they are taken for. */
export function confusionReport({ labels }: Images, predictions: Uint8Array, count = 3): string {
  const pairs = new Map<string, number>();
  const total = new Array<number>(10).fill(0);
  const wrong = new Array<number>(10).fill(0);
  for (const [i, label] of labels.entries()) {
    const found = predictions[i] as number;
    total[label] = (total[label] ?? 0) + 1;
    if (found === label) continue;
    wrong[label] = (wrong[label] ?? 0) + 1;
    const pair = `${label} taken for ${found}`;
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  const worst = Array.from({ length: 10 }, (_, digit) => ({
    digit,
    wrong: wrong[digit] ?? 0,
    total: total[digit] ?? 0,
  }))
    .filter((c) => c.wrong > 0)
    .sort((a, b) => b.wrong / b.total - a.wrong / a.total)
    .slice(0, count);
  if (worst.length === 0) return 'every digit was recognised';
  const most = [...pairs].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, count);
  return (
    `worst digits: ${worst.map((c) => `${c.digit} (${c.wrong} of ${c.total} wrong)`).join(', ')}\n` +
    `most confused: ${most.map(([pair, n]) => `${pair} (${n}×)`).join(', ')}`
  );
}

/** One row for each epoch of each run; no times, so that equal seeds give equal files. */
export function metricsCsv(runs: readonly Run[]): string {
  const header = 'optimizer,epoch,train_loss,train_accuracy,validation_loss,validation_accuracy';
  const rows = runs.flatMap(({ optimizer, history }) =>
    history.map((m) =>
      [optimizer, m.epoch, m.trainLoss, m.trainAccuracy, m.validationLoss, m.validationAccuracy].join(','),
    ),
  );
  return `${[header, ...rows].join('\n')}\n`;
}

/** Loss and accuracy over the epochs, as the text of an SVG file. What is no number, or below an axis, is not drawn. */
export function curvesSvg(runs: readonly Run[]): string {
  const panel = (
    title: string,
    y: PlotOptions['y'],
    isShown: (value: number) => boolean,
    training: keyof EpochMetrics,
    validation: keyof EpochMetrics,
  ): Panel => {
    const curve = ({ optimizer, history }: Run, metric: keyof EpochMetrics, style: Partial<Style>) =>
      line(
        history.map((m): [number, number] => [m.epoch, isShown(m[metric]) ? m[metric] : Number.NaN]),
        { ...stroke({ label: '', color: colors[optimizer], ...style }), marker: 'dot' },
      );
    return {
      title,
      x: { label: 'epoch', tickFormat: 'd', ticks: Math.max(1, Math.min(8, epochs - 1)) }, // whole numbers
      y: { grid: true, ...y },
      marks: [
        frame(),
        ...runs.flatMap((run) => [curve(run, training, { dash }), curve(run, validation, {})]),
      ],
    };
  };
  const epochs = Math.max(...runs.map(({ history }) => history.length));
  // The first epochs would take most of the room.
  const low = runs.every((r) => r.test.accuracy > 0.95) ? 0.9 : 0;
  const color = runs.length === 1 ? runs.map((r) => colors[r.optimizer]).join() : palette.black;
  return drawFigure({
    title: 'MNIST',
    caption: 'In the legend: accuracy on the test images, which no choice was made with.',
    legend: [
      ...runs.map(({ optimizer, test }) => ({
        label: `${optimizer} ${percent(test.accuracy)}`,
        color: colors[optimizer],
      })),
      { label: 'validation', color },
      { label: 'training', color, dash },
    ],
    columns: 2,
    panels: [
      panel(
        'cross-entropy',
        { label: 'nats', type: 'log', tickFormat: '~g' },
        (y) => y > 0 && y < Number.POSITIVE_INFINITY,
        'trainLoss',
        'validationLoss',
      ),
      panel(
        'accuracy',
        { label: 'fraction of images', tickFormat: '.0%', domain: [low, 1] },
        (y) => y >= low,
        'trainAccuracy',
        'validationAccuracy',
      ),
    ],
  });
}
