/** Eigenvalues by the Lanczos algorithm, on matrices with known spectra. */
import {
  grad,
  hvp,
  jit,
  logSumExp,
  matmul,
  mean,
  multiply,
  oneHot,
  ones,
  random,
  subtract,
  sum,
  type Tensor,
  tensor,
  transpose,
  treeMap,
  zeros,
} from '@neumann/core';
import { law } from '@neumann/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  convexifiedDirection,
  convexify,
  extremeEigenvalues,
  lanczos,
  spectralDensity,
} from '../src/index.ts';
import { f64, matrixOf, spectral, type Vector } from './spectra.ts';
import { elements, expectClose, initOf, type Params, vectors } from './support.ts';

/** Multiplication by a diagonal matrix. */
const diagonal = (lambda: Vector) => (x: Tensor) => multiply(f64(lambda), x);

describe('lanczos', () => {
  const { A, q0, k, ...expected } = vectors.lanczos;
  const matvec = (x: Tensor) => matmul(f64(A), x);

  test.each(['eager', 'jitted'])(
    'T and its eigenvalues are those of an independent reference, %s',
    (mode) => {
      const run = (q: Tensor) => lanczos(matvec, q, { steps: k });
      const found = (mode === 'jitted' ? jit(run) : run)(f64(q0));
      expectClose(found.alphas, expected.alphas);
      expectClose(found.betas, expected.betas);
      expectClose(found.ritz, expected.ritz);
      expect(found.steps.item()).toBe(k);
    },
  );

  test('with a shift too', () => {
    const shifted = (x: Tensor) => subtract(matvec(x), multiply(expected.shift, x));
    const found = lanczos(shifted, f64(q0), { steps: k });
    expectClose(found.alphas, expected.shifted_alphas);
    expectClose(found.betas, expected.shifted_betas);
    expectClose(found.ritz, expected.shifted_ritz);
    for (const shift of [true, false]) {
      const ends = extremeEigenvalues(matvec, f64(q0), { steps: k, shift });
      expectClose(ends.min, expected.lambda_min_estimate);
      expectClose(ends.max, expected.shift);
    }
  });

  test('all steps find all eigenvalues', () => {
    const found = lanczos(matvec, f64(q0), { steps: q0.length });
    expectClose(found.ritz, expected.eigenvalues, 1e-12);
    expect(Math.max(...elements(found.residuals))).toBeLessThan(1e-12);
  });

  law(
    'each Ritz value is as near to an eigenvalue as its residual says, and within the spectrum',
    fc.tuple(spectral(-2, 3, 6), fc.integer({ min: 1, max: 6 })),
    ([s, steps]) => {
      fc.pre(Math.hypot(...s.b) > 0.1);
      const a = f64(matrixOf(s));
      const { ritz, residuals, weights } = lanczos((x: Tensor) => matmul(a, x), f64(s.b), { steps });
      const [low, high] = [Math.min(...s.lambda), Math.max(...s.lambda)];
      for (const [i, theta] of elements(ritz).entries()) {
        if (Number.isNaN(theta)) continue;
        const nearest = Math.min(...s.lambda.map((l) => Math.abs(l - theta)));
        expect(nearest).toBeLessThanOrEqual((elements(residuals)[i] as number) + 1e-11);
        expect(theta).toBeGreaterThan(low - 1e-11);
        expect(theta).toBeLessThan(high + 1e-11);
      }
      expectClose(
        elements(weights).reduce((t, w) => t + w, 0),
        1,
      );
    },
  );

  test('where the Krylov space ends, it stops with exact eigenvalues and no false ones', () => {
    const found = lanczos(diagonal([2, 5, 2, 5, 5, 9]), ones([6], 'float64'), { steps: 5 });
    expect(found.steps.item()).toBe(3);
    expectClose(elements(found.ritz).slice(0, 3), [2, 5, 9]);
    expect(elements(found.ritz).slice(3)).toEqual([Number.NaN, Number.NaN]);
    expectClose(found.weights, [2 / 6, 3 / 6, 1 / 6, 0, 0]);
    const { min, max, maxResidual } = extremeEigenvalues(diagonal([7, 7, 7]), ones([3], 'float64'), {
      steps: 3,
    });
    expectClose([min, max, maxResidual], [7, 7, 0]);
    const nothing = lanczos(diagonal([0, 0]), f64([1, 2]), { steps: 2 });
    expect([nothing.steps.item(), elements(nothing.ritz)]).toEqual([1, [0, Number.NaN]]);
  });

  test('reorthogonalisation prevents copies of eigenvalues, which come without it', () => {
    const lambda = [...Array.from({ length: 59 }, (_, i) => 0.99 ** i), 100];
    const largest = (reorthogonalize: boolean) => {
      const { ritz } = lanczos(diagonal(lambda), ones([60], 'float64'), { steps: 50, reorthogonalize });
      return elements(ritz).filter((theta) => Math.abs(theta - 100) < 1e-6).length;
    };
    expect(largest(true)).toBe(1);
    expect(largest(false)).toBeGreaterThan(1);
  });

  test('the Hessian of a loss on a tree: μ and η make every Eq. 9 iterate converge', () => {
    const { X, y, l2 } = vectors.problems.softmax2;
    const labels = oneHot(tensor(y, 'int32'), 3, 'float64');
    const loss = ({ W, b }: Params): Tensor => {
      const z = subtract(matmul(f64(X), transpose(W as Tensor)), multiply(-1, b as Tensor));
      return mean(subtract(logSumExp(z, { axis: -1 }), sum(multiply(labels, z), { axis: -1 })));
    };
    const params = initOf('softmax2');
    const product = (v: Params): Params => hvp(loss, [params], v);
    const start = treeMap((x) => random.normal(random.key(4), x.shape, { dtype: 'float64' }), params);
    const { min, max } = extremeEigenvalues(product, start, { steps: 9 });
    expect(l2).toBeGreaterThan(0);
    expect(max.item()).toBeGreaterThan(0);
    expect(Math.abs(min.item())).toBeLessThan(1e-9); // convex, and flat along shifts of all logits
    const { mu, eta } = convexify(multiply(1.05, min), multiply(1.05, max));
    const [near, far] = [200, 400].map((inner) =>
      elements(
        convexifiedDirection<Params>(grad(loss), params, {
          mu: multiply(0.9, mu),
          eta,
          inner,
          hessian: 'exact',
        }),
      ),
    );
    expectClose(near, far, 1e-9);
  });

  test('float32 and trees of both dtypes', () => {
    const matrix = { a: tensor([1, 2]), b: tensor([3, 4], 'float64') };
    const found = lanczos(
      (x: typeof matrix) => treeMap(multiply, matrix, x),
      { a: tensor([1, 1]), b: tensor([1, 1], 'float64') },
      { steps: 4 },
    );
    expect(found.ritz.dtype).toBe('float64');
    expectClose(found.ritz, [1, 2, 3, 4], 1e-6);
    const narrow = lanczos((x: Tensor) => multiply(tensor([1, 2, 3, 4]), x), ones([4]), { steps: 4 });
    expect(narrow.ritz.dtype).toBe('float32');
    expectClose(narrow.ritz, [1, 2, 3, 4], 1e-5);
  });

  test('NaN stays visible', () => {
    expect(elements(lanczos(diagonal([1, Number.NaN]), f64([1, 1]), { steps: 2 }).ritz)[0]).toBeNaN();
  });

  test('messages', () => {
    expect(() => lanczos(matvec, f64(q0), { steps: 9 })).toThrow(
      'lanczos: steps must be at most the number of elements of start, 8, but is 9.',
    );
    expect(() => extremeEigenvalues(matvec, f64(q0), { steps: 0 })).toThrow(
      'extremeEigenvalues: steps must be an integer of at least 1, but is 0.',
    );
    expect(() =>
      spectralDensity(matvec, f64(q0), { key: random.key(0), steps: 3, width: Number.NaN }),
    ).toThrow('spectralDensity: width must be a number above 0, but is NaN.');
  });
});

describe('spectralDensity', () => {
  const lambda = [-1, -0.5, 0, 0.1, 0.2, 0.4, 1, 2, 3, 5];

  test('moments up to degree 2k - 1 are exact for a diagonal matrix, where random signs have no variance', () => {
    const { nodes, weights } = spectralDensity(diagonal(lambda), zeros([10], 'float64'), {
      key: random.key(0),
      steps: 4,
      probes: 3,
    });
    const [theta, w] = [elements(nodes), elements(weights)];
    for (let degree = 0; degree < 8; degree++)
      expectClose(
        theta.reduce((t, x, i) => t + (w[i] as number) * x ** degree, 0),
        lambda.reduce((t, x) => t + x ** degree, 0) / 10,
        1e-11,
        `degree ${degree}`,
      );
  });

  law(
    'it estimates traces without bias, on any matrix',
    spectral(-1, 2, 5),
    (s) => {
      const a = f64(matrixOf(s));
      const options = { key: random.key(5), steps: 5, probes: 40 };
      const { nodes, weights } = spectralDensity((x: Tensor) => matmul(a, x), zeros([5], 'float64'), options);
      const theta = elements(nodes).map((x) => (Number.isNaN(x) ? 0 : x));
      const w = elements(weights);
      const estimate = theta.reduce((t, x, i) => t + (w[i] as number) * x, 0);
      const variance = matrixOf(s).reduce(
        (t, row, i) => row.reduce((u, x, j) => (i === j ? u : u + 2 * x * x), t),
        0,
      );
      const exact = s.lambda.reduce((t, x) => t + x, 0) / 5;
      expect(Math.abs(estimate - exact)).toBeLessThan((5 * Math.sqrt(variance / 40)) / 5 + 1e-9);
    },
    { runs: 4 },
  );

  test('the density has integral 1 and its mass where the eigenvalues are', () => {
    const run = jit((key: Tensor) =>
      spectralDensity(diagonal(lambda), zeros([10], 'float64'), { key, steps: 8, points: 400 }),
    );
    const { grid, density } = run(random.key(1));
    const [t, d] = [elements(grid), elements(density)];
    const step = (t[1] as number) - (t[0] as number);
    expectClose(step * d.reduce((total, x) => total + x, 0), 1, 1e-3);
    const above = d.reduce((total, x, i) => total + ((t[i] as number) > 1.5 ? step * x : 0), 0);
    expectClose(above, 0.3, 0.02);
  });
});
