import { add, divide, multiply, power, square, subtract, type Tensor } from '@neumann/core';

/** A function of the plane to minimise. */
export interface Surface {
  readonly name: string;
  /** The formula, for readers. */
  readonly formula: string;
  /** f, elementwise on tensors of one shape. */
  readonly f: (x: Tensor, y: Tensor) => Tensor;
  readonly x: readonly [low: number, high: number];
  readonly y: readonly [low: number, high: number];
  readonly start: readonly [x: number, y: number];
  /** Where f is least, and how much it is there. */
  readonly minima: readonly (readonly [x: number, y: number])[];
  readonly least: number;
  /** Gradients that each optimizer may take. */
  readonly steps: number;
}

/** Classic surfaces, each with one difficulty. */
export const surfaces: Readonly<Record<string, Surface>> = {
  rosenbrock: {
    name: 'Rosenbrock: a curved valley',
    formula: '(1 - x)² + 100 (y - x²)²',
    f: (x, y) => add(square(subtract(1, x)), multiply(100, square(subtract(y, square(x))))),
    x: [-1.8, 1.6],
    y: [-0.6, 2.2],
    start: [-1.2, 1],
    minima: [[1, 1]],
    least: 0,
    steps: 600,
  },
  beale: {
    name: 'Beale: a plateau with steep walls',
    formula: '(1.5 - x + xy)² + (2.25 - x + xy²)² + (2.625 - x + xy³)²',
    f: (x, y) => {
      const term = (c: number, n: number) => square(add(subtract(c, x), multiply(x, power(y, n))));
      return add(add(term(1.5, 1), term(2.25, 2)), term(2.625, 3));
    },
    x: [-1, 4.5],
    y: [-1.5, 2],
    start: [1, 1.6],
    minima: [[3, 0.5]],
    least: 0,
    steps: 300,
  },
  quadratic: {
    name: 'A quadratic of condition 50, at an angle',
    formula: '½ (u² + 50 v²),  u and v turned by 30°',
    f: (x, y) => {
      const [c, s] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];
      const u = add(multiply(c, x), multiply(s, y));
      const v = subtract(multiply(c, y), multiply(s, x));
      return multiply(0.5, add(square(u), multiply(50, square(v))));
    },
    x: [-2.8, 1.8],
    y: [-2.4, 1.6],
    start: [-2.2, 0.4],
    minima: [[0, 0]],
    least: 0,
    steps: 150,
  },
  saddle: {
    name: 'A saddle, and two minima',
    formula: 'x² - y² + y⁴/4',
    f: (x, y) => add(subtract(square(x), square(y)), divide(square(square(y)), 4)),
    x: [-2, 2],
    y: [-2.2, 2.2],
    start: [-1.6, 0.001],
    minima: [
      [0, Math.SQRT2],
      [0, -Math.SQRT2],
    ],
    least: -1,
    steps: 100,
  },
};
