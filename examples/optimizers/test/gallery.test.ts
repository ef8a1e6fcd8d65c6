import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { cpu } from '@neumann/backend-cpu';
import { grad, setBackend, slice, type Tensor, tensor } from '@neumann/core';
import * as optim from '@neumann/optim';
import { parseHTML } from 'linkedom';
import { describe, expect, test } from 'vitest';
import { convergenceFigure } from '../convergenceFigure.ts';
import { hessianFigure } from '../hessianFigure.ts';
import { partsFigure } from '../partsFigure.ts';
import { surfaceFigure } from '../surfaceFigure.ts';
import { type Surface, surfaces } from '../surfaces.ts';
import { contenders, trajectory } from '../trajectories.ts';

setBackend(await cpu());

const short: Surface = { ...(surfaces['quadratic'] as Surface), steps: 40 };

test.each(Object.entries(surfaces))('%s is least, and flat, where it says', (_, { f, minima, least }) => {
  const g = grad((w: Tensor) => f(slice(w, [0]), slice(w, [1])));
  for (const [x, y] of minima) {
    const w = tensor([x, y], 'float64');
    expect(f(tensor(x, 'float64'), tensor(y, 'float64')).item()).toBeCloseTo(least, 12);
    for (const slope of g(w).dataSync()) expect(slope).toBeCloseTo(0, 12);
  }
});

test('paths are clipped to the panel', () => {
  expect(surfaceFigure({ ...short, steps: 2 })).toMatch(/<clipPath id="[^"]+"><rect .*clip-path="url\(#/s);
});

test('a trajectory starts at the start, and its learning rate is the best of those tried', () => {
  const [sgd, , nesterov] = contenders.map((contender) => trajectory(short, contender));
  expect(sgd?.points[0]).toMatchObject({ step: 0, x: short.start[0], y: short.start[1] });
  expect(sgd?.points).toHaveLength(short.steps + 1);
  expect(sgd?.learningRate).toBeCloseTo(10 ** -1.5); // below 2/50, where descent diverges
  const last = (run: typeof sgd): number => Math.max(...(run?.points.slice(-10).map(({ f }) => f) ?? []));
  expect(last(nesterov)).toBeLessThan(last(sgd));
});

describe.each([
  ['a surface', () => surfaceFigure(short), 2, ['start', 'SGD (0.032)', 'Neumann (']],
  ['convergence', convergenceFigure, 3, ['conjugate gradients', 'Chebyshev']],
  ['the Hessian', () => hessianFigure(20, 10), 3, ['λmax', 'density after training']],
  ['the parts', partsFigure, 3, ['155', 'repulsion']],
] as const)('%s', (_, draw, panels, texts) => {
  test('is one SVG with its panels, axes, legend and lines', () => {
    const svg = draw();
    const { document } = parseHTML(svg);
    expect(document.querySelectorAll('svg > svg')).toHaveLength(panels);
    for (const text of texts) expect(svg).toContain(text);
    for (const axis of ['x-axis label', 'y-axis label'])
      expect(document.querySelectorAll(`[aria-label="${axis}"]`)).toHaveLength(panels);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe('docs/optimizers.md', () => {
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const text = readFileSync(`${root}/docs/optimizers.md`, 'utf8');
  const named = new Set([...text.matchAll(/`(\w+)`/g)].map((match) => match[1] as string));
  const inBold = new Set([...text.matchAll(/\*\*`(\w+)`\*\*/g)].map((match) => match[1] as string));

  test('explains every optimizer, and only what exists', () => {
    const files = globSync('packages/optim/src/{aliases,curvature}/*.ts', { cwd: root });
    const sources = files.map((file) => readFileSync(`${root}/${file}`, 'utf8')).join('\n');
    const defined = [...sources.matchAll(/^export function (\w+)/gm)].map((match) => match[1] as string);
    const exported = defined.filter((name) => name in optim);
    expect(exported.filter((name) => !named.has(name))).toEqual([]);
    expect([...inBold].filter((name) => !(name in optim))).toEqual([]);
  });

  test('shows figures that are there', () => {
    const shown = [...text.matchAll(/\]\((optimizers\/\w+\.svg)\)/g)].map((match) => match[1] as string);
    const there = globSync('optimizers/*.svg', { cwd: `${root}/docs` });
    expect(shown.sort()).toEqual(there.sort());
  });
});
