import { line } from '@observablehq/plot';
import { drawFigure, frame, palette, type Style, stroke } from './figure.ts';

/** Numbers over the course of a training, by name. */
export type Course = readonly Readonly<Record<string, number>>[];

/** One panel: which numbers are drawn in it, and how its axis is called. */
export interface CurvePanel {
  readonly title: string;
  readonly label: string;
  readonly metrics: readonly { readonly name: string; readonly style: Style }[];
}

const trainingStyle: Style = { label: 'training', color: palette.orange, dash: '5 3' };
const testStyle: Style = { label: 'test', color: palette.blue };

/** Loss and accuracy of training and test, the panels of most examples. */
export const lossAndAccuracy: readonly CurvePanel[] = [
  {
    title: 'Loss',
    label: 'nats',
    metrics: [
      { name: 'loss', style: trainingStyle },
      { name: 'testLoss', style: testStyle },
    ],
  },
  {
    title: 'Accuracy',
    label: 'fraction of images',
    metrics: [
      { name: 'accuracy', style: trainingStyle },
      { name: 'testAccuracy', style: testStyle },
    ],
  },
];

/** A figure of a training, as the text of an SVG file. */
export function drawCurves(
  title: string,
  caption: string,
  course: Course,
  {
    x,
    xLabel,
    panels,
  }: { readonly x: string; readonly xLabel: string; readonly panels: readonly CurvePanel[] },
): string {
  const styles = panels.flatMap(({ metrics }) => metrics.map(({ style }) => style));
  return drawFigure({
    title,
    caption,
    legend: styles.filter((style, i) => styles.findIndex(({ label }) => label === style.label) === i),
    columns: panels.length,
    panels: panels.map(({ title: heading, label, metrics }) => ({
      title: heading,
      x: { label: xLabel },
      y: { label, grid: true, nice: true },
      marks: [
        frame(),
        ...metrics.map(({ name, style }) =>
          line(course as Readonly<Record<string, number>>[], {
            x,
            y: name,
            ...stroke(style),
            ...(course.length < 20 ? { marker: 'dot' } : {}),
          }),
        ),
      ],
    })),
  });
}
