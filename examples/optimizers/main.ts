/** Draws the gallery of optimizers: `node --conditions=@neumann/source examples/optimizers/main.ts [folder]`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cpu } from '@neumann/backend-cpu';
import { setBackend } from '@neumann/core';
import { convergenceFigure } from './convergenceFigure.ts';
import { hessianFigure } from './hessianFigure.ts';
import { partsFigure } from './partsFigure.ts';
import { surfaceFigure } from './surfaceFigure.ts';
import { surfaces } from './surfaces.ts';

setBackend(await cpu());
const folder = process.argv[2] ?? fileURLToPath(new URL('../../docs/optimizers', import.meta.url));
mkdirSync(folder, { recursive: true });
const figures: readonly (readonly [name: string, draw: () => string])[] = [
  ...Object.entries(surfaces).map(([name, surface]) => [name, () => surfaceFigure(surface)] as const),
  ['convergence', convergenceFigure],
  ['parts', partsFigure],
  ['hessian', hessianFigure],
];
for (const [name, draw] of figures) {
  const path = join(folder, `${name}.svg`);
  writeFileSync(path, draw());
  console.log(path);
}
