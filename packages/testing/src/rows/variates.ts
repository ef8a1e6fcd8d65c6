/** Random numbers drawn by rejection. Their distributions have tests of their own. */
import fc from 'fast-check';
import { anyOperand, operandBetween } from '../arbitrary.ts';
import { logGammaSlopes, logGammaVariates, poissonVariates } from '../core.ts';
import type { Form, Operand, Row } from '../row.ts';
import { floats } from './dtypes.ts';

/** log Γ(x) by Stirling's series, shifted to where it is exact. */
function logGamma(x: number): number {
  let [y, shift] = [x, 0];
  for (; y < 20; y++) shift += Math.log(y);
  return (y - 0.5) * Math.log(y) - y + Math.log(2 * Math.PI) / 2 + 1 / (12 * y) - 1 / (360 * y ** 3) - shift;
}

/** The density of the logarithm of a gamma variate. */
const density = (a: number, y: number): number => Math.exp(a * y - Math.exp(y) - logGamma(a));

/** The probability of logarithms up to y, by Simpson's rule. */
function probability(a: number, y: number): number {
  const [low, steps] = [y - 40 / a, 4000];
  const h = (y - low) / steps;
  let total = density(a, low) + density(a, y);
  for (let i = 1; i < steps; i++) total += (i % 2 === 1 ? 4 : 2) * density(a, low + i * h);
  return (total * h) / 3;
}

/** The derivative of the quantile: -∂P/∂a / ∂P/∂y. */
function slope(a: number, y: number): number {
  const h = 2 ** -13;
  return (probability(a - h, y) - probability(a + h, y)) / (2 * h) / density(a, y);
}

const pair = (shape: number[], operand: (shape: number[]) => Operand): Operand[] => [
  anyOperand('uint32', [...shape, 2]),
  operand(shape),
];
const sizes = (most: number) => fc.integer({ min: 1, max: most });

export const variateRows: readonly Row[] = [
  {
    name: 'logGammaVariates',
    dtypes: floats,
    error: 'exact',
    values: (dtype) =>
      sizes(9).map(
        (n): Form => ({
          f: (keys, a) => logGammaVariates(keys, a),
          text: 'logGammaVariates',
          operands: pair([n], (shape) => operandBetween(dtype, shape, 0.05, 20)),
        }),
      ),
  },
  {
    name: 'logGammaSlope',
    dtypes: ['float64'],
    // Finite differences of an integral: h² = 1.5e-8 of a third derivative.
    error: { units: 2 ** 33, floor: 1 },
    values: () =>
      sizes(3).map(
        (n): Form => ({
          f: (a, y) => logGammaSlopes(a, y),
          text: 'logGammaSlope',
          operands: [operandBetween('float64', [n], 0.5, 5), operandBetween('float64', [n], -2, 1.5)],
          define: (a, y) => [Array.from(a.values, (shape, i) => slope(shape, y.values[i] as number))],
        }),
      ),
  },
  {
    name: 'poissonVariates',
    dtypes: ['uint32'],
    error: 'exact',
    values: () =>
      sizes(9).map(
        (n): Form => ({
          f: (key, rates) => poissonVariates(key, rates),
          text: 'poissonVariates',
          operands: [anyOperand('uint32', [2]), operandBetween('float32', [n], 0, 40)],
        }),
      ),
  },
];
