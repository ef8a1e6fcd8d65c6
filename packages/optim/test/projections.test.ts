import { tensor } from '@neumann/core';
import { law } from '@neumann/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { projections } from '../src/index.ts';
import { elements, expectClose } from './support.ts';

type Vector = readonly number[];
const sum = (x: Vector) => x.reduce((s, a) => s + a, 0);
const norm1 = (x: Vector) => sum(x.map(Math.abs));
const norm2 = (x: Vector) => Math.hypot(...x);
const normal = [0.5, -1, 2, 0.25];
const inner = (x: Vector) => sum(x.map((a, i) => a * (normal[i] as number)));
const tree = (x: Vector) => ({ a: tensor(x.slice(0, 3), 'float64'), b: [tensor(x[3] as number, 'float64')] });

type Tree = ReturnType<typeof tree>;

/** Each projection, with what says whether a point is in the set (up to rounding). */
const table: readonly (readonly [string, (x: Tree) => unknown, (x: Vector) => boolean])[] = [
  ['box', (x) => projections.box(x, -0.5, 0.7), (x) => x.every((a) => a >= -0.5 && a <= 0.7)],
  ['hypercube', (x) => projections.hypercube(x), (x) => x.every((a) => a >= 0 && a <= 1)],
  ['nonNegative', (x) => projections.nonNegative(x), (x) => x.every((a) => a >= 0)],
  ['simplex', (x) => projections.simplex(x, 2), (x) => x.every((a) => a >= 0) && near(sum(x), 2)],
  ['l1Ball', (x) => projections.l1Ball(x, 1.5), (x) => norm1(x) <= 1.5 + 1e-12],
  ['l2Ball', (x) => projections.l2Ball(x, 1.5), (x) => norm2(x) <= 1.5 + 1e-12],
  ['linfBall', (x) => projections.linfBall(x, 0.5), (x) => x.every((a) => Math.abs(a) <= 0.5)],
  ['hyperplane', (x) => projections.hyperplane(x, tree(normal), 0.3), (x) => near(inner(x), 0.3)],
  ['halfspace', (x) => projections.halfspace(x, tree(normal), 0.3), (x) => inner(x) <= 0.3 + 1e-12],
  ['l1Sphere', (x) => projections.l1Sphere(x, 1.5), (x) => near(norm1(x), 1.5)],
  ['l2Sphere', (x) => projections.l2Sphere(x, 1.5), (x) => near(norm2(x), 1.5)],
];
const near = (x: number, y: number) => Math.abs(x - y) < 1e-12;

const point = fc.array(
  fc.integer({ min: -3000, max: 3000 }).map((n) => (n + 0.5) / 1000),
  { minLength: 4, maxLength: 4 },
);

for (const [name, project, isIn] of table) {
  law(
    `${name} gives a point of the set, which is its own projection and nearer than others`,
    fc.tuple(point, point),
    ([x, y]) => {
      const nearest = elements(project(tree(x)));
      expect(isIn(nearest)).toBe(true);
      expectClose(project(tree(nearest)), nearest, 1e-12);
      const other = elements(project(tree(y)));
      const distance = (z: Vector) => norm2(z.map((a, i) => a - (x[i] as number)));
      expect(distance(nearest)).toBeLessThanOrEqual(distance(other) + 1e-12);
    },
  );
}

test('messages', () => {
  expect(() => projections.simplex(tensor([1]), -1)).toThrow(
    'projections.simplex: scale must be a number above 0, or a scalar tensor, but is -1.',
  );
});
