/** What the mathematics promises, on random problems in float64. */
import {
  add,
  astype,
  divide,
  grad,
  jvp,
  matmul,
  multiply,
  sqrt,
  square,
  subtract,
  sum,
  type Tensor,
  tensor,
  treeMap,
} from '@neumann/core';
import { law } from '@neumann/testing';
import fc from 'fast-check';
import { expect } from 'vitest';
import {
  applyUpdates,
  chain,
  convexifiedDirection,
  convexify,
  inverseTimeDecay,
  lookahead,
  type NeumannOptions,
  type NeumannState,
  neumann,
  neumannChain,
  neumannEvalParams,
  neumannIdealized,
  neumannInit,
  neumannPhase,
  neumannSeries,
  neumannStep,
  scaleByLearningRate,
  sgd,
  trace,
} from '../src/index.ts';
import { anchorCoefficients } from '../src/neumann/anchor.ts';
import {
  apply,
  dot,
  f64,
  functionOf,
  matrixOf,
  number,
  orthogonal,
  quadraticOf,
  spectral,
  type Vector,
  vector,
} from './spectra.ts';
import { elements, expectClose, gradients, initOf, type Params } from './support.ts';

/* ---- Neumann series ---- */

law(
  'neumannSeries sums the Neumann series: its error is (I - A)^terms A⁻¹ b',
  fc.tuple(spectral(0.05, 1.95), fc.integer({ min: 1, max: 30 })),
  ([s, terms]) => {
    const a = f64(matrixOf(s));
    const z = neumannSeries((x: Tensor) => matmul(a, x), f64(s.b), { terms });
    expectClose(
      z,
      functionOf(s, (l) => (1 - (1 - l) ** terms) / l),
      1e-11,
    );
    const error = elements(z).map((x, i) => x - (functionOf(s, (l) => 1 / l)[i] as number));
    const rate = Math.max(...s.lambda.map((l) => Math.abs(1 - l)));
    const solution = Math.sqrt(
      dot(
        functionOf(s, (l) => 1 / l),
        functionOf(s, (l) => 1 / l),
      ),
    );
    expect(Math.sqrt(dot(error, error))).toBeLessThanOrEqual(rate ** terms * solution + 1e-11);
  },
);

law('neumannSeries converges for a spectrum in (0, 2)', spectral(0.2, 1.8), (s) => {
  const a = f64(matrixOf(s));
  expectClose(
    neumannSeries((x: Tensor) => matmul(a, x), f64(s.b), { terms: 200 }),
    functionOf(s, (l) => 1 / l),
    1e-10,
  );
});

law(
  'neumannSeries diverges along an eigenvector outside of (0, 2)',
  fc.tuple(spectral(0.2, 1.8), fc.constantFrom(-0.5, 2.5)),
  ([s, outside]) => {
    const lambda = [outside, ...s.lambda.slice(1)];
    const b = s.q.map((row) => row[0] as number);
    const a = f64(matrixOf({ ...s, lambda }));
    const z = elements(neumannSeries((x: Tensor) => matmul(a, x), f64(b), { terms: 40 }));
    expect(Math.sqrt(dot(z, z))).toBeGreaterThan(1e6);
  },
);

law(
  'on a quadratic the gradient at a displaced point replaces the Hessian exactly (Eq. 7)',
  fc.tuple(spectral(-1, 3), vector(4), fc.integer({ min: 0, max: 8 }), number(0.05, 0.5)),
  ([s, at, inner, eta]) => {
    const f = quadraticOf(s);
    const params = { x: f64(at) };
    const hvp = (z: typeof params) => jvp((p: typeof params) => grad(f)(p), [params], [z])[1];
    const b = treeMap((g) => multiply(-1, g), grad(f)(params));
    const series = neumannSeries((z: typeof params) => treeMap((h) => multiply(eta, h), hvp(z)), b, {
      terms: inner + 1,
    });
    for (const hessian of ['displaced', 'exact'] as const) {
      const moved = neumannIdealized({ etaIn: eta, etaOut: 1, inner, hessian })(grad(f), params);
      expectClose(treeMap(subtract, moved, params), series, 1e-10, hessian);
    }
  },
);

law(
  'the convexified iterate tends to a damped Newton step (Eq. 9)',
  fc.tuple(spectral(-0.3, 2), vector(4)),
  ([s, at]) => {
    const { mu, eta } = convexify(-0.5, 2.5);
    const direction = convexifiedDirection(grad(quadraticOf(s)), { x: f64(at) }, { mu, eta, inner: 250 });
    const gradient = apply(matrixOf(s), at).map((x, i) => x + (s.b[i] as number));
    expectClose(direction, { x: functionOf({ ...s, b: gradient }, (l) => -1 / (mu * (l + 0.5))) }, 1e-6);
  },
  { runs: 10 },
);

law(
  'Algorithm 1 with ηin = ηout is K + 1 steps of gradient descent on a frozen batch',
  fc.tuple(fc.integer({ min: 0, max: 6 }), number(0.01, 1)),
  ([inner, eta]) => {
    let descended = initOf('softmax2');
    for (let k = 0; k <= inner; k++)
      descended = treeMap((w, g) => subtract(w, multiply(eta, g)), descended, gradients.softmax2(descended));
    expectClose(
      neumannIdealized({ etaIn: eta, etaOut: eta, inner })<Params>(gradients.softmax2, initOf('softmax2')),
      descended,
    );
  },
);

law(
  'Algorithm 1 is lookahead around gradient descent on a frozen batch',
  fc.tuple(fc.integer({ min: 0, max: 5 }), number(0.01, 1), number(0.01, 1)),
  ([inner, etaIn, share]) => {
    const tx = lookahead(sgd({ learningRate: etaIn }), { syncPeriod: inner + 1, slowStepSize: share });
    let params = initOf('softmax2');
    let state = tx.init(params);
    let outer = params;
    const step = neumannIdealized({ etaIn, etaOut: share * etaIn, inner });
    for (let t = 0; t < 2; t++) {
      outer = step<Params>(gradients.softmax2, outer);
      for (let k = 0; k <= inner; k++) {
        const [updates, next] = tx.update(gradients.softmax2(params), state, params);
        [params, state] = [applyUpdates(params, updates), next];
      }
      expectClose(outer, params);
    }
  },
);

law(
  'the exact iterate is the Neumann series of the Hessian at w, on any loss (Eq. 4)',
  fc.tuple(fc.integer({ min: 0, max: 5 }), number(0.05, 1)),
  ([inner, eta]) => {
    const w = initOf('softmax2');
    const product = (z: Params) => jvp((p: Params) => gradients.softmax2(p), [w], [z])[1];
    const b = treeMap((g) => multiply(-1, g), gradients.softmax2(w));
    const scaled = (z: Params) => treeMap((h) => multiply(eta, h), product(z));
    const step = neumannIdealized({ etaIn: eta, etaOut: 1, inner, hessian: 'exact' });
    const moved = step<Params>(gradients.softmax2, w);
    expectClose(treeMap(subtract, moved, w), neumannSeries(scaled, b, { terms: inner + 1 }), 1e-12);
  },
);

law(
  'a stochastic inner loop takes the gradient, or the Hessian, of another batch in each step',
  fc.tuple(fc.array(spectral(-1, 2), { minLength: 4, maxLength: 4 }), vector(4)),
  ([batches, at]) => {
    const [mu, eta] = [0.9, 0.3];
    const losses = batches.map(quadraticOf);
    const gradient = (p: { x: Tensor }, k: number) => grad(losses[k] as (typeof losses)[number])(p);
    let m = at.map(() => 0);
    for (const { b, ...s } of batches) {
      const reached = apply(
        matrixOf({ b, ...s }),
        at.map((x, i) => x + mu * (m[i] as number)),
      );
      m = m.map((x, i) => mu * x - eta * ((reached[i] as number) + (b[i] as number)));
    }
    for (const hessian of ['displaced', 'exact'] as const) {
      const options = { mu, eta, inner: 3, hessian, batches: 'fresh' } as const;
      expectClose(convexifiedDirection(gradient, { x: f64(at) }, options), { x: m }, 1e-11, hessian);
    }
  },
);

/* ---- Algorithm 2 ---- */

const shared = { burnInSteps: 2, resetSteps: 3, alpha: 0.1, beta: 0.05, learningRate: 0.1 } as const;

const anyOptions: fc.Arbitrary<NeumannOptions> = fc.record({
  learningRate: fc.oneof(number(0.01, 0.2), fc.constant(inverseTimeDecay({ initValue: 0.3 }))),
  alpha: number(0, 0.2),
  betaPerVariable: number(0, 0.05),
  gamma: number(0, 1),
  mu: fc.oneof(
    number(0, 0.95),
    fc.constant({ kind: 'clip', tau: 3 } as const),
    fc.constant({ kind: 'affine' } as const),
  ),
  muRestart: fc.boolean(),
  burnInSteps: fc.integer({ min: 1, max: 4 }),
  burnInAnchor: fc.constantFrom('frozen', 'ema'),
  resetSteps: fc.integer({ min: 1, max: 5 }),
  resetInterval: fc.constantFrom('doubleInterval', 'doubleModulo', 'constant'),
  resetMode: fc.constantFrom('skip', 'step', 'stepReg', 'none'),
  eps: fc.constantFrom(0, 0.1),
});

/** The repulsion amplifies rounding without bound where weights pass near their anchor; such trajectories are skipped. */
function skipUnlessTame({ params, offset }: { readonly params: object; readonly offset: object }): void {
  const r = Math.hypot(...elements(offset));
  fc.pre((r === 0 || r > 0.02) && elements(params).every((x) => Math.abs(x) < 100));
}

const gradientList = (n: number, steps = 12): fc.Arbitrary<Vector[]> =>
  fc.array(vector(n, 3), { minLength: steps, maxLength: steps });

law(
  'with α = β = 0 and no resets it is SGD with Nesterov momentum',
  fc.tuple(vector(3), gradientList(3), number(0, 0.99)),
  ([start, grads, mu]) => {
    const learningRate = inverseTimeDecay({ initValue: 0.2 });
    let state = neumannInit(
      { x: f64(start) },
      { learningRate, alpha: 0, beta: 0, mu, burnInSteps: 0, resetInterval: 'never' },
    );
    const nag = chain(scaleByLearningRate(learningRate), trace({ decay: mu, nesterov: true }));
    let params = { x: f64(start) };
    let nagState = nag.init(params);
    for (const g of grads) {
      state = neumannStep(state, { x: f64(g) });
      const [updates, next] = nag.update({ x: f64(g) }, nagState, params);
      [params, nagState] = [applyUpdates(params, updates), next];
      expectClose(state.params, params);
    }
  },
);

law(
  'as a gradient transformation, whole or composed, it makes the same steps',
  fc.tuple(vector(3), gradientList(3), anyOptions),
  ([start, grads, options]) => {
    const tx = neumann(options);
    const composed = neumannChain(options);
    let state = neumannInit({ x: f64(start) }, options);
    let params = { x: f64(start) };
    let memory = tx.init(params);
    let [others, parts] = [params, composed.init(params)];
    for (const g of grads) {
      skipUnlessTame(state);
      state = neumannStep(state, { x: f64(g) });
      const [updates, next] = tx.update({ x: f64(g) }, memory, params);
      [params, memory] = [applyUpdates(params, updates), next];
      expectClose(params, state.params, 0);
      const [changes, rest] = composed.update({ x: f64(g) }, parts, others);
      [others, parts] = [applyUpdates(others, changes), rest];
      expectClose(others, state.params);
      expectClose(tx.evalParams(memory, params), neumannEvalParams(state), 0);
    }
  },
);

law(
  'splitting a tensor changes nothing, if β does not count tensors',
  fc.tuple(vector(5), gradientList(5), anyOptions),
  ([start, grads, options]) => {
    const counted = { ...options, betaCount: 'elements' } as const;
    let whole = neumannInit({ x: f64(start) }, counted);
    let parts = neumannInit({ a: f64(start.slice(0, 2)), b: f64(start.slice(2)) }, counted);
    for (const g of grads) {
      skipUnlessTame(whole);
      whole = neumannStep(whole, { x: f64(g) });
      parts = neumannStep(parts, { a: f64(g.slice(0, 2)), b: f64(g.slice(2)) });
    }
    expectClose(elements(parts.params), elements(whole.params), 1e-9);
  },
);

law(
  'rotating the weights rotates the trajectory',
  fc.tuple(orthogonal(4), vector(4), gradientList(4), anyOptions),
  ([q, start, grads, options]) => {
    let plain = neumannInit({ x: f64(start) }, options);
    let turned = neumannInit({ x: f64(apply(q, start)) }, options);
    for (const g of grads) {
      skipUnlessTame(plain);
      plain = neumannStep(plain, { x: f64(g) });
      turned = neumannStep(turned, { x: f64(apply(q, g)) });
    }
    expectClose(elements(turned.params), apply(q, elements(plain.params)), 1e-9);
  },
);

law(
  'the weights to evaluate are w_{t-1} - η d_t',
  fc.tuple(vector(3), gradientList(3), anyOptions),
  ([start, grads, options]) => {
    let state: NeumannState<{ x: Tensor }> = neumannInit(
      { x: f64(start) },
      { ...options, resetMode: 'none', eps: 0 },
    );
    for (const g of grads) {
      skipUnlessTame(state);
      const [w, u] = [elements(state.params), elements(state.offset)];
      const r = Math.hypot(...u);
      const { alpha, beta } = { alpha: state.hyper.alpha.item(), beta: state.hyper.beta.item() };
      const { learningRate, burnIn } = neumannPhase(state);
      const c = r ** 2 === 0 || burnIn.item() ? 0 : (alpha * r ** 2 - beta / r ** 2) / r;
      const expected = w.map((x, i) => x - learningRate.item() * ((g[i] as number) + c * (u[i] as number)));
      state = neumannStep(state, { x: f64(g) });
      const size = Math.max(...elements(state.momentum).map(Math.abs), 1);
      expectClose(neumannEvalParams(state), expected, 1e-12 * size);
    }
  },
);

law(
  'the regulariser is the gradient of α/3 r³ + β/r',
  fc.tuple(vector(3), vector(2), number(0, 1), number(0, 1)),
  ([p, q, alpha, beta]) => {
    fc.pre(Math.hypot(...p, ...q) > 0.05);
    const params = { p: f64(p), q: f64(q) };
    const potential = (w: typeof params) => {
      const r = sqrt(add(sum(square(w.p)), sum(square(w.q))));
      return add(multiply(alpha / 3, multiply(r, square(r))), divide(beta, r));
    };
    const options = {
      alpha: f64(alpha),
      beta: f64(beta),
      eps: f64(0),
      betaCount: 'one',
      norm: 'global',
    } as const;
    const leaves = [params.p, params.q];
    const squares = leaves.map((u) => sum(square(u)));
    const c = anchorCoefficients(leaves, squares, options)[0] as Tensor;
    const exact = grad(potential)(params);
    const scale = Math.max(1, ...elements(exact).map(Math.abs));
    expectClose(
      treeMap((u) => multiply(c, u), params),
      exact,
      1e-12 * scale,
    );
  },
);

law('float32 follows float64', fc.tuple(vector(3), gradientList(3, 6)), ([start, grads]) => {
  let wide = neumannInit({ x: f64(start) }, shared);
  let narrow = neumannInit({ x: tensor(start) }, shared);
  for (const g of grads) {
    skipUnlessTame(wide);
    wide = neumannStep(wide, { x: f64(g) });
    narrow = neumannStep(narrow, { x: tensor(g) });
  }
  expectClose(astype(narrow.params.x, 'float64'), elements(wide.params), 1e-3);
});
