import { broadcastTo, linspace, reshape, subtract } from '@neumann/core';
import { contour, dot, line, text } from '@observablehq/plot';
import { drawFigure, frame, type Panel, stroke } from '../shared/figure.ts';
import type { Surface } from './surfaces.ts';
import { contenders, type Trajectory, trajectory } from './trajectories.ts';

/** Paths on the contour lines of a surface, and how f falls. */
export function surfaceFigure(surface: Surface): string {
  const runs = contenders.map((contender) => trajectory(surface, contender));
  return drawFigure({
    title: surface.name,
    caption: `f = ${surface.formula}; ${surface.steps} gradients each, with the best of 25 learning rates (in brackets).`,
    legend: runs.map(({ contender, learningRate }) => ({
      ...contender,
      label: `${contender.label} (${Number(learningRate.toPrecision(2))})`,
    })),
    columns: 2,
    panels: [pathPanel(surface, runs), lossPanel(surface, runs)],
  });
}

/** Values of f - least on a grid, row by row, y growing. */
const grid = { width: 240, height: 200 };
function heights({ f, x, y, least }: Surface): number[] {
  const xs = broadcastTo(linspace(...x, grid.width), [grid.height, grid.width]);
  const ys = broadcastTo(reshape(linspace(...y, grid.height), [grid.height, 1]), [grid.height, grid.width]);
  return [...subtract(f(xs, ys), least).dataSync()];
}

function pathPanel(surface: Surface, runs: readonly Trajectory[]): Panel {
  const values = heights(surface);
  const [low, high] = [Math.max(1e-2, Math.min(...values)), Math.max(...values)];
  const count = 16;
  const thresholds = Array.from({ length: count }, (_, i) => low * (high / low) ** ((i + 0.5) / count));
  const [x1, x2] = surface.x;
  const [y1, y2] = surface.y;
  return {
    title: 'Paths, over contour lines of f',
    x: { domain: [x1, x2], label: 'x' },
    y: { domain: [y1, y2], label: 'y' },
    marks: [
      frame(),
      contour(values, { ...grid, x1, x2, y1, y2, thresholds, stroke: '#c8c8c8', strokeWidth: 0.8 }),
      ...runs.map(({ contender, points }) =>
        line(points, {
          x: 'x',
          y: 'y',
          clip: true,
          ...stroke(contender),
        }),
      ),
      dot([surface.start], { r: 5, fill: 'white', stroke: 'black', strokeWidth: 1.5 }),
      text([surface.start], {
        text: () => 'start',
        dy: -12,
        fontWeight: 'bold',
        stroke: 'white',
        fill: 'black',
      }),
      dot(surface.minima as [number, number][], { symbol: 'star', r: 6, fill: 'black' }),
    ],
  };
}

function lossPanel({ least, steps }: Surface, runs: readonly Trajectory[]): Panel {
  const floor = 1e-12;
  return {
    title: 'How far f is above its minimum',
    x: { domain: [0, steps], label: 'gradients taken' },
    y: { type: 'log', label: 'f - min f', grid: true, tickFormat: '.0e', domain: [floor, 1e3], clamp: true },
    marks: [
      frame(),
      ...runs.map(({ contender, points }) =>
        line(
          points.map(({ step, f }) => ({ step, gap: Math.max(floor, f - least) })),
          {
            x: 'step',
            y: 'gap',
            ...stroke(contender),
          },
        ),
      ),
    ],
  };
}
