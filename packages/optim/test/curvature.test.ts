/** The curvature toolkit on matrices with known spectra, and against dense linear algebra in plain numbers. */
import {
  add,
  grad,
  jit,
  jvp,
  logSumExp,
  matmul,
  mean,
  multiply,
  oneHot,
  random,
  reshape,
  square,
  subtract,
  sum,
  type Tensor,
  tanh,
  tensor,
  transpose,
  treeMap,
  vmap,
  zeros,
} from '@neumann/core';
import { law } from '@neumann/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  chebyshev,
  conjugateGradient,
  cubicNewton,
  cubicStep,
  fisherVp,
  gnvp,
  hessianDiagonal,
  neumannSeries,
  newtonCG,
  powerIteration,
  richardson,
} from '../src/index.ts';
import { apply, dot, f64, functionOf, matrixOf, number, spectral, type Vector } from './spectra.ts';
import { elements, expectClose, initOf, type Params, vectors } from './support.ts';

/** x in R⁴ as a tree, and A on it. */
interface Pair {
  readonly a: Tensor;
  readonly b: readonly [Tensor];
}
const pairOf = (x: Vector): Pair => ({ a: f64(x.slice(0, 1)), b: [f64([x.slice(1, 3), x.slice(2, 4)])] });
const norm = (x: Vector): number => Math.hypot(...x);

describe('linear systems', () => {
  const all = { maxIter: 200, tolerance: 1e-13 };

  law('richardson with step 1 from zero is the Neumann series', spectral(0.1, 1.9), (s) => {
    const a = f64(matrixOf(s));
    const matvec = (x: Tensor) => matmul(a, x);
    const { x, steps } = richardson(matvec, f64(s.b), { step: 1, maxIter: 7, tolerance: 0 });
    fc.pre(steps.item() === 7);
    expectClose(x, neumannSeries(matvec, f64(s.b), { terms: 7 }));
  });

  law(
    'the error of richardson is (I - ωA)ᵏ, and that of chebyshev T_k((θ-λ)/δ)/T_k(θ/δ), times the first',
    fc.tuple(spectral(0.5, 4), fc.integer({ min: 1, max: 12 })),
    ([s, k]) => {
      const a = f64(matrixOf(s));
      const matvec = (x: Tensor) => matmul(a, x);
      const found = richardson(matvec, f64(s.b), { step: 0.3, maxIter: k, tolerance: 0 });
      fc.pre(norm(s.b) > 0.1 && found.steps.item() === k);
      expectClose(
        found.x,
        functionOf(s, (l) => (1 - (1 - 0.3 * l) ** k) / l),
        1e-11,
      );
      const [theta, delta] = [2.25, 1.75];
      const t = (y: number) => (Math.abs(y) <= 1 ? Math.cos(k * Math.acos(y)) : Math.cosh(k * Math.acosh(y)));
      const options = { lambdaMin: 0.5, lambdaMax: 4, maxIter: k, tolerance: 0 };
      const polynomial = chebyshev(matvec, f64(s.b), options);
      fc.pre(polynomial.steps.item() === k);
      expectClose(
        polynomial.x,
        functionOf(s, (l) => (1 - t((theta - l) / delta) / t(theta / delta)) / l),
        1e-11,
      );
    },
  );

  law('all of them, and conjugate gradients with damping, find A⁻¹ b', spectral(0.5, 3), (s) => {
    fc.pre(norm(s.b) > 0.1);
    const a = f64(matrixOf(s));
    const matvec = (x: Tensor) => matmul(a, x);
    const exact = functionOf(s, (l) => 1 / l);
    expectClose(richardson(matvec, f64(s.b), { ...all, step: 2 / 3.5 }).x, exact, 1e-11);
    expectClose(chebyshev(matvec, f64(s.b), { ...all, lambdaMin: 0.5, lambdaMax: 3 }).x, exact, 1e-11);
    const { x, steps, residual, negativeCurvature } = conjugateGradient(matvec, f64(s.b), {
      maxIter: 6,
      tolerance: 1e-13,
    });
    expectClose(x, exact, 1e-11);
    expect(steps.item()).toBeLessThanOrEqual(5); // 4, and one for rounding
    expect(residual.item()).toBeLessThan(1e-13);
    expect(negativeCurvature.item()).toBe(0);
    const damped = conjugateGradient(matvec, f64(s.b), { maxIter: 6, tolerance: 1e-13, damping: 0.7 });
    expectClose(
      damped.x,
      functionOf(s, (l) => 1 / (l + 0.7)),
      1e-11,
    );
  });

  law(
    'no polynomial of as many products has a smaller error in the norm of A than conjugate gradients',
    fc.tuple(spectral(0.2, 3), fc.integer({ min: 1, max: 4 })),
    ([s, maxIter]) => {
      const a = matrixOf(s);
      const matvec = (x: Tensor) => matmul(f64(a), x);
      const exact = functionOf(s, (l) => 1 / l);
      const energy = (x: Tensor) => {
        const e = elements(x).map((y, i) => y - (exact[i] as number));
        return dot(e, apply(a, e));
      };
      const best = energy(conjugateGradient(matvec, f64(s.b), { maxIter, tolerance: 0 }).x);
      const options = { maxIter, tolerance: 0 };
      const others = [
        richardson(matvec, f64(s.b), { ...options, step: 0.6 }),
        chebyshev(matvec, f64(s.b), { ...options, lambdaMin: 0.2, lambdaMax: 3 }),
      ];
      for (const { x } of others) expect(best).toBeLessThanOrEqual(energy(x) + 1e-12);
    },
  );

  test('the iterates of conjugate gradients are those of an independent reference', () => {
    const a = f64(vectors.problems.quad5.H);
    for (const [k, x] of vectors.cg.x.entries()) {
      const found = conjugateGradient((p: Tensor) => matmul(a, p), f64(vectors.cg.b), {
        maxIter: k + 1,
        tolerance: 0,
      });
      expectClose(found.x, x);
    }
  });

  test('conjugate gradients stop at curvature that is not positive, and show the direction', () => {
    const matvec = (x: Tensor) => multiply(f64([2, -1]), x);
    const found = conjugateGradient(matvec, f64([1, 0.1]), { maxIter: 10 });
    expect(found.negativeCurvature.item()).toBe(1);
    const p = elements(found.direction);
    expect(2 * (p[0] as number) ** 2 - (p[1] as number) ** 2).toBeLessThan(0);
    expectClose(
      found.x,
      [1, 0.1].map((b) => (b * 1.01) / (2 - 0.01)),
    ); // the step before: along b
    const first = conjugateGradient(matvec, f64([0, 1]), { maxIter: 10 });
    expect([first.steps.item(), elements(first.x)]).toEqual([1, [0, 0]]);
  });

  test('trees, other starts, float32, and sizes whose squares underflow', () => {
    const scale = pairOf([2, 3, 4, 5]);
    const matvec = (x: Pair) => treeMap(multiply, scale, x);
    const b = pairOf([1, 2, 3, -1]);
    const init = pairOf([5, 5, 5, 5]);
    const options = { maxIter: 100, tolerance: 1e-12 };
    for (const { x } of [
      richardson(matvec, b, { ...options, step: 0.25 }),
      richardson(matvec, b, { ...options, step: 0.25, init }),
      chebyshev(matvec, b, { ...options, lambdaMin: 2, lambdaMax: 5, init }),
      conjugateGradient(matvec, b, { ...options, init }),
    ])
      expectClose(
        elements(x),
        elements(b).map((y, i) => y / (elements(scale)[i] as number)),
        1e-10,
      );
    const tiny = conjugateGradient((x: Tensor) => multiply(2, x), tensor([2e-30, 4e-30]), { maxIter: 3 });
    expectClose(
      elements(tiny.x).map((x) => x * 1e30),
      [1, 2],
      1e-6,
    );
    const nothing = conjugateGradient((x: Tensor) => multiply(2, x), zeros([2]), { maxIter: 3 });
    expect([elements(nothing.x), nothing.steps.item(), nothing.residual.item()]).toEqual([[0, 0], 0, 0]);
  });

  test('jitted, the results are those of eager calls', () => {
    const a = f64([
      [2, 1],
      [1, 3],
    ]);
    const all = (b: Tensor) => {
      const matvec = (x: Tensor) => matmul(a, x);
      return [
        richardson(matvec, b, { step: 0.4, maxIter: 9 }),
        chebyshev(matvec, b, { lambdaMin: 1, lambdaMax: 4, maxIter: 9 }),
        conjugateGradient(matvec, b, { maxIter: 9 }),
        neumannSeries((x: Tensor) => multiply(0.3, matvec(x)), b, { terms: 4 }),
        powerIteration(matvec, b, { maxIter: 9 }),
        cubicStep(matvec, b, { alpha: 1, lambdaMax: 4, maxIter: 9 }),
      ];
    };
    expectClose(jit(all)(f64([1, -2])), elements(all(f64([1, -2]))));
  });

  test('maxIter may be traced: one vmap gives every iterate', () => {
    const a = f64(vectors.problems.quad5.H);
    const iterate = (maxIter: Tensor) =>
      conjugateGradient((p: Tensor) => matmul(a, p), f64(vectors.cg.b), { maxIter, tolerance: 0 }).x;
    expectClose(vmap(iterate)(tensor([1, 2, 3, 4, 5], 'int32')), vectors.cg.x.flat());
  });

  test('a solution has forward derivatives by b, which are solutions too', () => {
    const a = f64([
      [2, 1],
      [1, 3],
    ]);
    const solve = (b: Tensor) =>
      conjugateGradient((p: Tensor) => matmul(a, p), b, { maxIter: 4, tolerance: 1e-13 }).x;
    const [, dx] = jvp(solve, [f64([1, -2])], [f64([0, 1])]);
    expectClose(dx, [-0.2, 0.4], 1e-10);
  });

  test('divergence and NaN are seen in the residual', () => {
    const far = richardson((x: Tensor) => multiply(3, x), f64([1]), { step: 1, maxIter: 30 });
    expect(far.residual.item()).toBeGreaterThan(1e8);
    const nan = conjugateGradient((x: Tensor) => multiply(Number.NaN, x), f64([1]), { maxIter: 30 });
    expect(nan.residual.item()).toBeNaN();
  });
});

describe('eigenvalues by iteration', () => {
  law('powerIteration finds the largest, and with a shift the other end', spectral(-0.5, 1), (s) => {
    const outer = { ...s, lambda: [3, -1.5, ...s.lambda.slice(2)] };
    fc.pre(norm(s.b) > 0.1);
    const a = f64(matrixOf(outer));
    const first = f64(s.q.map((row) => (row[0] as number) + (row[1] as number) + 0.1 * (row[2] as number)));
    const options = { maxIter: 60, tolerance: 1e-9 };
    const top = powerIteration((x: Tensor) => matmul(a, x), first, options);
    expectClose(top.value, 3, 1e-12);
    expectClose(
      Math.abs(
        dot(
          elements(top.vector),
          s.q.map((row) => row[0] as number),
        ),
      ),
      1,
      1e-12,
    );
    expect(top.residual.item()).toBeLessThan(1e-8);
    const bottom = powerIteration((x: Tensor) => matmul(a, x), first, { ...options, shift: 3 });
    expectClose(bottom.value, -1.5, 1e-12);
  });
});

describe('products with matrices of curvature', () => {
  const { X, y } = vectors.problems.softmax2;
  const labels = oneHot(tensor(y, 'int32'), 3, 'float64');
  const logits = ({ W, b }: Params): Tensor => add(matmul(f64(X), transpose(W as Tensor)), b as Tensor);
  const nll = (z: Tensor): Tensor =>
    subtract(logSumExp(z, { axis: -1 }), sum(multiply(labels, z), { axis: -1 }));
  const loss = (z: Tensor): Tensor => mean(nll(z));
  const params = initOf('softmax2');
  const basis = (i: number): Params => {
    const flat = elements(params).map((_, j) => Number(i === j));
    return { W: f64([flat.slice(0, 2), flat.slice(2, 4), flat.slice(4, 6)]), b: f64(flat.slice(6)) };
  };
  const n = elements(params).length;
  const columns = (product: (v: Params) => unknown): Vector[] =>
    Array.from({ length: n }, (_, i) => elements(product(basis(i))));

  test('gnvp of a linear model is the Hessian', () => {
    const hessian = (v: Params) =>
      jvp((p: Params) => grad((q: Params) => loss(logits(q)))(p), [params], [v])[1];
    for (let i = 0; i < n; i++)
      expectClose(gnvp<Params, Tensor>(logits, loss, params, basis(i)), hessian(basis(i)));
  });

  test('gnvp of a curved model is Jᵀ H J from dense matrices, and positive semidefinite', () => {
    const model = (p: Params): Tensor => tanh(logits(p));
    const at = model(params);
    const j = columns((v) => jvp(model, [params], [v])[1]); // rows are columns of J
    const h = elements(at).map((_, k) => {
      const e = elements(at).map((_, l) => Number(k === l));
      const direction = tensor(e, 'float64');
      return elements(jvp((z: Tensor) => grad(loss)(z), [at], [reshape(direction, at.shape)])[1]);
    });
    const dense = j.map((row) => j.map((other) => dot(row, apply(h, other))));
    const products = columns((v) => gnvp<Params, Tensor>(model, loss, params, v));
    expectClose(products.flat(), dense.flat());
    for (const v of [
      [1, -1, 2, 0, 0.5, 1, 0, 1, -2],
      [3, 1, -1, 2, 0, 0, 1, 1, 1],
    ])
      expect(dot(v, apply(products, v))).toBeGreaterThanOrEqual(0);
  });

  test('fisherVp is the mean of gᵢ gᵢᵀ', () => {
    const gradients = y.map((_, i) =>
      elements(
        grad((p: Params) => sum(multiply(f64(y.map((_, k) => Number(i === k))), nll(logits(p)))))(params),
      ),
    );
    const products = columns((v) => fisherVp<Params>((p) => nll(logits(p)), params, v));
    const dense = products.map((_, i) =>
      products.map(
        (_, k) => gradients.reduce((s, g) => s + (g[i] as number) * (g[k] as number), 0) / y.length,
      ),
    );
    expectClose(products.flat(), dense.flat());
  });

  test('fisherVp with every label, weighted by its probability, is gnvp', () => {
    const probabilities = elements(logits(params))
      .map(Math.exp)
      .map((e, i, all) => {
        const row = Math.floor(i / 3) * 3;
        return e / ((all[row] as number) + (all[row + 1] as number) + (all[row + 2] as number));
      });
    const weights = reshape(f64(probabilities.map((p) => Math.sqrt(3 * p))), [7, 3]);
    // Weights √(3p) of the log-likelihoods of the three labels: the mean over 21 of squares is that over 7 of expectations.
    const all = (p: Params) => {
      const z = logits(p);
      return reshape(multiply(weights, subtract(z, logSumExp(z, { axis: -1, keepdims: true }))), [21]);
    };
    for (let i = 0; i < n; i++)
      expectClose(
        fisherVp<Params>(all, params, basis(i)),
        gnvp<Params, Tensor>(logits, loss, params, basis(i)),
      );
  });

  test('hessianDiagonal is exact for diagonal Hessians, and unbiased otherwise', () => {
    const diagonal = (p: Params) =>
      add(sum(multiply(3, square(p['W'] as Tensor))), sum(square(square(p['b'] as Tensor))));
    const exact = elements(params).map((x, i) => (i < 6 ? 6 : 12 * x * x));
    expectClose(hessianDiagonal<Params>(diagonal, params, { key: random.key(1) }), exact);

    const f = (p: Params) => loss(logits(p));
    const dense = columns((v) => jvp((p: Params) => grad(f)(p), [params], [v])[1]);
    const samples = 300;
    const found = elements(hessianDiagonal<Params>(f, params, { key: random.key(2), samples }));
    for (const [i, row] of dense.entries()) {
      const variance = row.reduce((s, x, k) => (k === i ? s : s + x * x), 0);
      expect(Math.abs((found[i] as number) - (row[i] as number))).toBeLessThan(
        5 * Math.sqrt(variance / samples),
      );
    }
  });
});

describe('Newton steps', () => {
  const rosenbrock = ({ x, y }: { readonly x: Tensor; readonly y: Tensor }) =>
    add(square(subtract(1, x)), multiply(100, square(subtract(y, square(x)))));

  law('one step of newtonCG is the damped Newton step of a quadratic', spectral(0.5, 3), (s) => {
    const a = f64(matrixOf(s));
    const f = (x: Tensor) => add(multiply(0.5, sum(multiply(x, matmul(a, x)))), sum(multiply(f64(s.b), x)));
    const step = newtonCG({ maxIter: 10, tolerance: 1e-13, damping: 0.25 });
    const { params, rate } = step(f, zeros([4], 'float64'));
    expect(rate.item()).toBe(1);
    expectClose(
      params,
      functionOf(s, (l) => -1 / (l + 0.25)),
      1e-11,
    );
  });

  test('newtonCG minimises the Rosenbrock function, jitted too, and converges superlinearly', () => {
    const step = jit((w: { x: Tensor; y: Tensor }) => newtonCG({ maxIter: 5 })(rosenbrock, w));
    let w = { x: f64(-1.2), y: f64(1) };
    const norms: number[] = [];
    for (let i = 0; i < 80; i++) {
      const { params, gradientNorm, value } = step(w);
      expect(rosenbrock(params).item()).toBeLessThanOrEqual(value.item());
      norms.push(gradientNorm.item());
      w = params;
    }
    expectClose([w.x, w.y], [1, 1], 1e-10);
    const last = norms.findIndex((g) => g < 1e-6);
    expect(norms[last]).toBeLessThan(1e-2 * (norms[last - 1] as number));
  });

  test('newtonCG goes down along negative curvature, and stays where nothing is lower', () => {
    const hill = (x: Tensor) => sum(multiply(f64([1, -1]), square(x)));
    const { negativeCurvature, params, products } = newtonCG({ maxIter: 5 })(hill, f64([0, 1]));
    expect([negativeCurvature.item(), products.item()]).toEqual([1, 1]);
    expect(elements(params)[1]).toBeGreaterThan(1);
    const stay = newtonCG({ maxIter: 5 })((x: Tensor) => multiply(1e-3, sum(square(x))), zeros([2]));
    expectClose(stay.params, [0, 0]);
  });

  law(
    'cubicStep is the global minimum: (A + α‖s‖) s = -g, and A + α‖s‖ has no negative eigenvalue',
    fc.tuple(spectral(-1, 1), number(0.5, 2)),
    ([s, alpha]) => {
      fc.pre(norm(s.b) > 0.3);
      const a = matrixOf(s);
      const worst = Math.min(...s.lambda);
      const along = dot(
        s.b,
        s.q.map((row) => row[s.lambda.indexOf(worst)] as number),
      );
      fc.pre(Math.abs(along) > 0.1);
      const options = { alpha, lambdaMax: 1, maxIter: 400, tolerance: 1e-7 };
      const { x, residual } = cubicStep((v: Tensor) => matmul(f64(a), v), f64(s.b), options);
      fc.pre(residual.item() <= 1e-7 * norm(s.b)); // descent is slow near the hard case
      const step = elements(x);
      const r = norm(step);
      expectClose(
        apply(a, step).map((y, i) => y + alpha * r * (step[i] as number) + (s.b[i] as number)),
        [0, 0, 0, 0],
        1e-6,
      );
      expect(worst + alpha * r).toBeGreaterThanOrEqual(-1e-6);
    },
    { runs: 10 },
  );

  test('cubicNewton leaves a saddle point that has no gradient', () => {
    const saddle = (w: Tensor) => add(sum(multiply(f64([1, -1]), square(w))), sum(square(square(w))));
    const step = jit((w: Tensor) =>
      cubicNewton({ alpha: 6, lambdaMax: 14, maxIter: 300, key: random.key(3) })(saddle, w),
    );
    let w: Tensor = f64([1, 0]);
    for (let i = 0; i < 12; i++) w = step(w);
    expectClose(elements(w).map(Math.abs), [0, Math.SQRT1_2], 1e-3);
  });
});

describe('messages', () => {
  const id = (x: Tensor) => x;
  const b = tensor([1, 2]);

  test('options out of range', () => {
    expect(() => conjugateGradient(id, b, { maxIter: 0 })).toThrow(
      'conjugateGradient: maxIter must be an integer from 1 to 2^30, or a scalar tensor, but is 0.',
    );
    expect(() => conjugateGradient(id, b, { maxIter: 5, damping: Number.NaN })).toThrow(
      'conjugateGradient: damping must be a number of at least 0, or a scalar tensor, but is NaN.',
    );
    expect(() => chebyshev(id, b, { maxIter: 5, lambdaMin: 2, lambdaMax: 1 })).toThrow(
      'chebyshev: lambdaMin must not be above lambdaMax, but is 2 > 1.',
    );
    expect(() => neumannSeries(id, b, { terms: 0 })).toThrow(
      'neumannSeries: terms must be an integer of at least 1, but is 0.',
    );
    expect(() => hessianDiagonal(sum, b, { key: tensor([1, 2]) })).toThrow(
      'hessianDiagonal: key must be a key u32[2] from random.key(), but is a tensor of shape [2].',
    );
    expect(() => powerIteration(id, b, { maxIter: 3, shift: Number.NaN })).toThrow(
      'powerIteration: shift must be a finite number, or a scalar tensor, but is NaN.',
    );
    expect(() => newtonCG({ maxIter: 3, cg: 1 } as never)).toThrow(/^newtonCG: has no option "cg"/);
    expect(() => cubicNewton({ alpha: 0, lambdaMax: 1, maxIter: 1 })).toThrow(
      'cubicNewton: alpha must be a number above 0, or a scalar tensor, but is 0.',
    );
  });

  test('trees of another form, with the path', () => {
    expect(() =>
      conjugateGradient(({ w }: { w: Tensor }) => ({ w: sum(w) }), { w: b }, { maxIter: 3 }),
    ).toThrow(
      'conjugateGradient: b and matvec(x) must have the same shapes, but at w b has [2] and matvec(x) has [].',
    );
    expect(() => richardson(id, b, { maxIter: 3, step: 1, init: tensor([1]) })).toThrow(
      'richardson: b and init must have the same shapes, but at (root) b has [2] and init has [1].',
    );
    expect(() => gnvp(id, sum, b, tensor([1]))).toThrow(
      'gnvp: params and v must have the same shapes, but at (root) params has [2] and v has [1].',
    );
    expect(() => fisherVp(sum, b, b)).toThrow(
      'fisherVp: logLikelihoods must return one number for each example, [N], but returned []; do not sum over the examples.',
    );
    expect(() => conjugateGradient(id, { w: b, n: tensor([1], 'int32') } as never, { maxIter: 3 })).toThrow(
      'conjugateGradient: b must have float leaves, but n is int32; convert it with astype().',
    );
    expect(() => powerIteration(id, zeros([0]), { maxIter: 3 })).toThrow(
      'powerIteration: start must have elements, but is an empty tree.',
    );
  });
});
