/** Distributions of the namespace `random`. Their shapes and transformations; what they draw has tests of its own. */
import * as nm from '@neumann/core';
import fc from 'fast-check';
import { anyOperand } from '../../arbitrary.ts';
import type { ErrorModel } from '../../compare.ts';
import type { Tensor } from '../../core.ts';
import type { Row } from '../../row.ts';

const { random } = nm;

/** A function of a key and a count. */
function row(name: string, error: ErrorModel, f: (key: Tensor, n: number) => Tensor | Tensor[]): Row {
  return {
    name: `random.${name}`,
    dtypes: ['uint32'],
    error,
    values: () =>
      // Few shapes: each is compiled anew.
      fc.constantFrom(1, 5).map((n) => ({
        f: (key) => f(key, n),
        text: `random.${name} ${n}`,
        operands: [anyOperand('uint32', [2])],
      })),
  };
}

/** Logarithms, roots and powers of uniform numbers, which lose digits where those are near 0 or 1. */
const composed: ErrorModel = { units: 64, floor: 1 };

export const randomRows: readonly Row[] = [
  row('exponential', composed, (key, n) => random.exponential(key, [n])),
  row('gumbel', composed, (key, n) => random.gumbel(key, [n])),
  row('laplace', composed, (key, n) => random.laplace(key, [n])),
  row('logistic', composed, (key, n) => random.logistic(key, [n])),
  row('cauchy', { units: 2 ** 12, floor: 1 }, (key, n) => random.cauchy(key, [n])),
  row('rademacher', 'exact', (key, n) => random.rademacher(key, [n])),
  row('maxwell', composed, (key, n) => random.maxwell(key, [n])),
  row('doubleSidedMaxwell', composed, (key, n) => random.doubleSidedMaxwell(key, 1, 2, [n])),
  row('weibullMin', composed, (key, n) => random.weibullMin(key, 2, 1.5, [n])),
  row('pareto', composed, (key, n) => random.pareto(key, 3, [n])),
  row('rayleigh', composed, (key, n) => random.rayleigh(key, 2, [n])),
  row('lognormal', composed, (key, n) => random.lognormal(key, 0.5, [n])),
  row('triangular', composed, (key, n) => random.triangular(key, -1, 1, 2, [n])),
  row('geometric', 'exact', (key, n) => random.geometric(key, 0.3, [n])),
  row('wald', { units: 2 ** 10, floor: 1 }, (key, n) => random.wald(key, 2, [n])),
  row('gamma', composed, (key, n) => random.gamma(key, nm.linspace(0.5, 4, n))),
  row('logGamma', composed, (key, n) => random.logGamma(key, 0.3, [n])),
  row('beta', composed, (key, n) => random.beta(key, 2, 0.5, [n])),
  row('dirichlet', composed, (key, n) => random.dirichlet(key, nm.linspace(0.5, 2, n), [2])),
  row('chisquare', composed, (key, n) => random.chisquare(key, 3, [n])),
  row('f', composed, (key, n) => random.f(key, 3, 4, [n])),
  row('t', composed, (key, n) => random.t(key, 5, [n])),
  row('generalizedNormal', composed, (key, n) => random.generalizedNormal(key, 3, [n])),
  row('poisson', 'exact', (key, n) => random.poisson(key, nm.linspace(0, 20, n))),
  row('categorical', 'exact', (key, n) => random.categorical(key, nm.linspace(-1, 1, n), { shape: [3] })),
  row('permutation', 'exact', (key, n) => random.permutation(key, n)),
  row('choice', 'exact', (key, n) => [
    random.choice(key, n, [2, 2]),
    random.choice(key, n, [n], { replace: false }),
    random.choice(key, n, [3], { p: nm.linspace(1, 2, n) }),
  ]),
  row('multivariateNormal', composed, (key, n) =>
    random.multivariateNormal(
      key,
      nm.ones([2]),
      nm.tensor([
        [2, 1],
        [1, 2],
      ]),
      [n],
    ),
  ),
  row('orthogonal', { units: 64, floor: 1 }, (key, n) => random.orthogonal(key, Math.min(n, 4))),
  row('ball', composed, (key, n) => random.ball(key, 3, 2, [n])),
];
