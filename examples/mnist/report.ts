/** What a run leaves behind: lines on the terminal, metrics.csv, curves.svg. */
import type { Images } from './data.ts';
import type { OptimizerName } from './options.ts';
import { type Chart, lineChart, type Panel } from './plot.ts';
import type { EpochMetrics, Run } from './train.ts';

const colors: Record<OptimizerName, string> = {
  neumann: '#d1495b',
  sgd: '#2e86ab',
  adam: '#3a9d6e',
  rmsprop: '#8d6cab',
};

export const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;

const shortPercent = (fraction: number): string => `${Number((100 * fraction).toFixed(1))} %`;

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

/** Loss and accuracy over the epochs. */
export function curvesSvg(runs: readonly Run[]): string {
  const panel = (
    title: string,
    part: Pick<Panel, 'scale' | 'format' | 'low'>,
    training: keyof EpochMetrics,
    validation: keyof EpochMetrics,
  ): Panel => ({
    ...part,
    title,
    xLabel: 'epoch',
    series: runs.flatMap(({ optimizer, history }) => [
      { color: colors[optimizer], dashed: true, points: history.map((m) => [m.epoch, m[training]] as const) },
      { color: colors[optimizer], points: history.map((m) => [m.epoch, m[validation]] as const) },
    ]),
  });
  // The first epochs would take most of the room.
  const low = runs.every((r) => r.test.accuracy > 0.95) ? { low: 0.9 } : {};
  const ink = runs.length === 1 ? runs.map((r) => colors[r.optimizer]).join() : '#555555';
  const chart: Chart = {
    title: 'MNIST, with the accuracy in the test',
    legend: [
      ...runs.map(({ optimizer, test }) => ({
        label: `${optimizer} ${percent(test.accuracy)}`,
        color: colors[optimizer],
      })),
      { label: 'validation', color: ink },
      { label: 'training', color: ink, dashed: true },
    ],
    panels: [
      panel('cross-entropy (nats)', { scale: 'log', format: String }, 'trainLoss', 'validationLoss'),
      panel(
        'accuracy',
        { scale: 'linear', format: shortPercent, ...low },
        'trainAccuracy',
        'validationAccuracy',
      ),
    ],
  };
  return lineChart(chart);
}
