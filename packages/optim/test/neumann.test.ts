/** How the optimizer behaves under transformations, in its dtypes, and at its edges. */
import {
  add,
  grad,
  jit,
  multiply,
  reference,
  setBackend,
  square,
  subtract,
  sum,
  type Tensor,
  tensor,
  treeLeaves,
  treePaths,
  vmap,
  zeros,
} from '@neumann/core';
import { describe, expect, test, vi } from 'vitest';
import {
  addAnchorRegularizer,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  linearScaling,
  type NeumannState,
  neumann,
  neumannEpochs,
  neumannEvalParams,
  neumannIdealized,
  neumannInit,
  neumannPhase,
  neumannResets,
  neumannStep,
  rampStep,
} from '../src/index.ts';
import { elements, expectClose } from './support.ts';

interface Model {
  readonly a: Tensor;
  readonly b: readonly [Tensor, Tensor];
}

const model = (dtype: 'float32' | 'float64' = 'float64'): Model => ({
  a: tensor(
    [
      [1, -2],
      [0.5, 3],
    ],
    dtype,
  ),
  b: [tensor([2, 1], dtype), tensor(-1, dtype)],
});

const loss = ({ a, b: [c, d] }: Model): Tensor =>
  add(sum(square(subtract(multiply(a, c), 1))), multiply(0.5, square(add(d, sum(a)))));

const base = { learningRate: 0.02, burnInSteps: 2, resetSteps: 3, alpha: 0.1, beta: 0.02 } as const;

function train<P>(state: NeumannState<P>, f: (p: P) => Tensor, steps: number): NeumannState<P> {
  for (let i = 0; i < steps; i++) state = neumannStep(state, grad(f)(state.params as never));
  return state;
}

const form = (tree: object): string[] =>
  treeLeaves(tree).map((x, i) => `${treePaths(tree)[i]} ${(x as Tensor).dtype} [${(x as Tensor).shape}]`);

describe('transformed', () => {
  test('jitted with the loss it compiles once, and donating the state changes nothing', () => {
    const step = (state: NeumannState<Model>) => neumannStep(state, grad(loss)(state.params));
    const [plain, donating] = [jit(step), jit(step, { donate: [0] })];
    const options = { ...base, learningRate: rampStep({ value: 0.02, ramp: 2, every: 4 }) };
    let [a, b, c] = [
      neumannInit(model(), options),
      neumannInit(model(), options),
      neumannInit(model(), options),
    ];
    for (let i = 0; i < 8; i++) {
      [a, b, c] = [step(a), plain(b), donating(c)];
      expectClose(b, elements(a));
      expect(elements(c)).toEqual(elements(b));
    }
    expect([plain.stats.compilations, donating.stats.compilations]).toEqual([1, 1]);
  });

  test('a step reads each tensor twice and stores nothing of its size: a norm, then one kernel for m, w and v', () => {
    const host = reference();
    const plans: Parameters<typeof host.compile>[0][] = [];
    setBackend({
      ...host,
      compile: (plan) => {
        plans.push(plan);
        return host.compile(plan);
      },
    });
    try {
      const params = { a: zeros([64, 32]), b: zeros([50]) };
      const step = jit((s: NeumannState<typeof params>, g: typeof params) => neumannStep(s, g), {
        donate: [0],
      });
      const first = neumannInit(params, base);
      plans.length = 0;
      step(first, params);
      // Zeros that leaves share are copied before they are donated, by plans of one step.
      const [plan, ...others] = plans.filter(({ steps: { length } }) => length > 1);
      if (!plan) throw new Error('no plan of the step was compiled');
      const steps = plan.steps.filter((step) => step.kind === 'kernel');
      const norms = steps.filter(({ kernel }) => kernel.reductions.length > 0);
      const moves = steps.filter(({ kernel }) => kernel.axes.length > 0);
      expect([others.length, norms.length]).toEqual([0, 2]);
      expect(moves.map(({ outputs }) => outputs.length)).toEqual([3, 3]);
      expect(plan.arenaBytes).toBeLessThan(1024);
    } finally {
      setBackend(reference());
    }
  });

  test('donating the first state leaves the parameters it was made of alone', () => {
    const params = model();
    const step = jit((state: NeumannState<Model>) => neumannStep(state, grad(loss)(state.params)), {
      donate: [0],
    });
    const before = elements(params);
    step(neumannInit(params, base));
    expect(elements(params)).toEqual(before);
  });

  test('vmap over numeric hyperparameters equals a loop', () => {
    const trained = (learningRate: Tensor, alpha: Tensor, burnInSteps: Tensor, tau: Tensor): Model => {
      const options = { ...base, learningRate, alpha, burnInSteps, mu: { kind: 'clip', tau } } as const;
      return neumannEvalParams(train(neumannInit(model(), options), loss, 7));
    };
    const rates = tensor([0.005, 0.01, 0.02], 'float64');
    const alphas = tensor([0, 0.1, 1], 'float64');
    const burnIns = tensor([1, 2, 4], 'int32');
    const taus = tensor([1, 2, 3], 'float64');
    const batched = vmap(trained)(rates, alphas, burnIns, taus);
    for (const i of [0, 1, 2]) {
      const pick = (xs: Tensor) => tensor(xs.dataSync()[i] as number, xs.dtype);
      const one = trained(pick(rates), pick(alphas), pick(burnIns), pick(taus));
      const row = elements(batched.a).slice(4 * i, 4 * i + 4);
      expectClose(row, elements(one.a));
    }
  });

  test('a jitted, batched step keeps its form', () => {
    const seeds = vmap((x: Tensor) => neumannInit({ x }, base))(
      tensor(
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        'float64',
      ),
    );
    const bowl = ({ x }: { x: Tensor }) => sum(square(x));
    const step = jit(
      vmap((s: NeumannState<{ x: Tensor }>) => neumannStep(s, grad(bowl)(s.params))),
      { donate: [0] },
    );
    let state = seeds;
    for (let i = 0; i < 6; i++) state = step(state);
    expect(form(state)).toEqual(form(seeds));
    expect(step.stats.compilations).toBe(1);
    const alone = train(neumannInit({ x: tensor([3, 4], 'float64') }, base), bowl, 6);
    expectClose(elements(state.params.x).slice(2, 4), elements(alone.params.x));
  });

  test('the derivative by hyperparameters is that of finite differences', () => {
    const names = ['learningRate', 'alpha', 'beta', 'gamma', 'tau', 'max'] as const;
    const hyper = [0.02, 0.1, 0.02, 0.9, 3, 0.9];
    const outcome = (h: readonly Tensor[]): Tensor => {
      const [learningRate, alpha, beta, gamma, tau, max] = h as [
        Tensor,
        Tensor,
        Tensor,
        Tensor,
        Tensor,
        Tensor,
      ];
      const options = {
        ...base,
        learningRate,
        alpha,
        beta,
        gamma,
        mu: { kind: 'affine', tau, max },
      } as const;
      return loss(neumannEvalParams(train(neumannInit(model(), options), loss, 8)));
    };
    const at = (values: readonly number[]) => values.map((x) => tensor(x, 'float64'));
    const exact = elements(grad(outcome)(at(hyper)));
    for (const [i, name] of names.entries()) {
      const h = 1e-5 * (hyper[i] as number);
      const value = (x: number) => outcome(at(hyper.with(i, x))).item();
      const difference = (value((hyper[i] as number) + h) - value((hyper[i] as number) - h)) / (2 * h);
      // Central differences: O(h²) truncation and u |f| / h rounding, both below this.
      expectClose(exact[i], difference, 1e-6, name);
      expect(exact[i], name).not.toBe(0);
    }
  });

  test('derivatives through the first step, where w = v, are finite', () => {
    const options = { ...base, beta: 0, burnInSteps: 0, resetMode: 'stepReg' } as const;
    const after = (a: Tensor, alpha: Tensor) => {
      const state = neumannInit({ a }, { ...options, alpha });
      return sum(square(neumannStep(neumannStep(state, { a }), { a }).params.a));
    };
    const gradients = grad(after, { argnums: [0, 1] })(tensor([1, 2], 'float64'), tensor(0.1, 'float64'));
    expect(elements(gradients).every(Number.isFinite)).toBe(true);
  });
});

describe('dtypes and forms', () => {
  test.each(['float32', 'float64'] as const)(
    '%s parameters stay so, and the state keeps its form',
    (dtype) => {
      const first = neumannInit(model(dtype), base);
      const last = train(first, loss, 5);
      expect(form(last)).toEqual(form(first));
      expect(form(first.params).every((x) => x.includes(dtype))).toBe(true);
      expect(first.hyper.alpha.dtype).toBe(dtype);
    },
  );

  test('mixed trees keep the dtype of each leaf, and count with the widest', () => {
    const params = { narrow: tensor([1, 2], 'float32'), wide: tensor([3], 'float64') };
    const first = neumannInit(params, { ...base, learningRate: tensor(0.1, 'float32') });
    const last = neumannStep(first, params);
    expect(form(last)).toEqual(form(first));
    expect(first.hyper.learningRate).toMatchObject({ dtype: 'float64' });
  });

  test('a schedule of another dtype changes nothing', () => {
    const first = neumannInit(model('float32'), {
      ...base,
      learningRate: () => tensor(0.1, 'float64'),
      mu: () => tensor(0.5, 'float64'),
    });
    expect(form(train(first, loss, 3))).toEqual(form(first));
  });

  test('empty trees, and a bare tensor as a tree', () => {
    expect(neumannStep(neumannInit({}, base), {}).params).toEqual({});
    const x = train(neumannInit(tensor(2, 'float64'), base), (w: Tensor) => square(w), 3);
    expect(x.params.shape).toEqual([]);
  });

  test('a tensor that never moves stays, with norms per tensor', () => {
    const params = { frozen: tensor([1, 2], 'float64'), moving: tensor([1], 'float64') };
    let state = neumannInit(params, { ...base, norm: 'perTensor' });
    for (let i = 0; i < 6; i++)
      state = neumannStep(state, { frozen: zeros([2], 'float64'), moving: tensor([1], 'float64') });
    expect(elements(state.params.frozen)).toEqual([1, 2]);
  });

  test('integer parameters are refused', () => {
    expect(() => neumannInit({ a: zeros([1]), n: zeros([2], 'int32') }, base)).toThrow(
      'neumannInit: parameters are floats, but n is int32; convert it with astype(), ',
    );
  });
});

describe('in use', () => {
  test('it finds the minimum of a quadratic', () => {
    const bowl = ({ x }: { x: Tensor }) =>
      sum(multiply(tensor([1, 10, 100], 'float64'), square(subtract(x, 1))));
    let state = neumannInit(
      { x: zeros([3], 'float64') },
      { ...base, learningRate: 0.004, resetSteps: 50, beta: 0 },
    );
    const step = jit((s: typeof state) => neumannStep(s, grad(bowl)(s.params)));
    for (let i = 0; i < 1000; i++) state = step(state);
    expectClose(neumannEvalParams(state), [1, 1, 1], 1e-3);
  });

  test('without gradients the weights glide at the distance where repulsion and averaging balance', () => {
    const [eta, beta, gamma, mu] = [0.1, 0.02, 0.99, 0.9];
    const options = {
      ...base,
      learningRate: eta,
      alpha: 0,
      beta,
      gamma,
      mu,
      resetInterval: 'never',
    } as const;
    const still = { x: tensor([0, 0], 'float64') };
    let state = neumannStep(neumannInit({ x: tensor([3, 4], 'float64') }, { ...options, burnInSteps: 1 }), {
      x: tensor([1, 0], 'float64'),
    });
    const step = jit((s: typeof state) => neumannStep(s, still));
    for (let i = 0; i < 2000; i++) state = step(state);
    const before = elements(state.params);
    const r = Math.hypot(...elements(state.offset.x));
    const speed = Math.hypot(...elements(step(state).params).map((x, i) => x - (before[i] as number)));
    const predicted = ((eta * beta * gamma) / ((1 - gamma) * (1 - mu))) ** (1 / 3);
    expectClose([r, speed], [predicted, (predicted * (1 - gamma)) / gamma], 1e-6);
  });

  test('in a chain, gradients are clipped before the regulariser is added', () => {
    const tx = chain(clipByGlobalNorm(1), neumann({ ...base, beta: 0, burnInSteps: 0, resetMode: 'none' }));
    const params = { x: tensor([0], 'float64') };
    const [updates] = tx.update({ x: tensor([100], 'float64') }, tx.init(params), params);
    expectClose(applyUpdates(params, updates), [-0.02 * 1.5]); // (1 + μ) η
  });

  test('neumannPhase says what the next step does', () => {
    const { t, burnIn, reset, learningRate, mu } = neumannPhase(train(neumannInit(model(), base), loss, 2));
    expect([t, burnIn, reset, learningRate, mu].map((x) => x.item())).toEqual([1, 0, 1, 0.02, 0.5]);
  });

  test('NaN gradients reach the weights', () => {
    const params = { a: tensor([1, 2], 'float64'), b: tensor([3], 'float64') };
    const nan = { a: tensor([Number.NaN, 0], 'float64'), b: tensor([0], 'float64') };
    let state = neumannInit(params, { ...base, beta: 0, burnInSteps: 0 }); // the first step is a reset, which keeps it in m
    for (let i = 0; i < 3; i++)
      state = neumannStep(state, i === 0 ? nan : { a: zeros([2], 'float64'), b: zeros([1], 'float64') });
    expect(elements(state.params.a)[0]).toBeNaN();
    expect(elements(state.params.b)[0]).toBeNaN(); // through the global norm
  });

  test('the paper’s durations are options', () => {
    const { hyper } = neumannInit(model(), {
      learningRate: 0.1,
      ...neumannEpochs({ examples: 1000, batch: 10, tau: 1 }),
    });
    expect([hyper.burnInSteps.item(), hyper.resetSteps.item()]).toEqual([500, 1000]);
    expect(hyper.mu).toMatchObject({ kind: { value: 'clip' } });
  });
});

test('the linear scaling rule', () => {
  expect(linearScaling(0.1, { from: 256, to: 8192 })).toBe(3.2);
  expect(() => linearScaling(0.1, { from: 0, to: 8192 })).toThrow(
    'linearScaling: from must be a number above 0, but is 0.',
  );
});

describe('messages', () => {
  const init = (options: object) => () => neumannInit(model(), { ...base, ...options });

  test('options that do not exist, are missing or out of range', () => {
    expect(init({ lr: 1 })).toThrow(
      'neumannInit: has no option "lr"; the options are learningRate, burnInSteps, alpha, beta, betaPerVariable, ' +
        'betaCount, gamma, mu, muRestart, burnInAnchor, resetSteps, resetInterval, resetMode, norm, eps.',
    );
    expect(init({ gamma: 1.5 })).toThrow(
      'neumannInit: gamma must be a number from 0 to 1, or a scalar tensor, but is 1.5.',
    );
    expect(init({ burnInSteps: 2.5 })).toThrow(
      'neumannInit: burnInSteps must be an integer from 0 to 2^30, or a scalar tensor, but is 2.5.',
    );
    expect(init({ resetMode: 'jump' })).toThrow(
      `neumannInit: resetMode must be 'skip', 'step', 'stepReg' or 'none', but is "jump".`,
    );
    expect(init({ mu: { kind: 'constant', value: 1 } })).toThrow(
      'neumannInit: mu: value must be a number from 0 to below 1, or a scalar tensor, but is 1.',
    );
    expect(init({ mu: -0.1 })).toThrow(
      /^neumannInit: mu must be a number from 0 to below 1, .* but is -0.1\.$/,
    );
    expect(init({ learningRate: Number.NaN })).toThrow(
      'neumannInit: learningRate must be a number of at least 0, or a scalar tensor, or a schedule, but is NaN.',
    );
    expect(init({ resetSteps: 0 })).toThrow(
      'neumannInit: resetSteps must be an integer from 1 to 2^30, or a scalar tensor, but is 0.',
    );
    expect(() => neumannResets({ resetSteps: 0.5 })).toThrow(
      'neumannResets: resetSteps must be an integer from 1 to 2^30, or a scalar tensor, but is 0.5.',
    );
    expect(() => neumannIdealized({ etaIn: 1, etaOut: 1, inner: -1 })).toThrow(
      'neumannIdealized: inner must be an integer of at least 0, but is -1.',
    );
    expect(() => addAnchorRegularizer({ gamma: Number.NaN })).toThrow(
      'addAnchorRegularizer: gamma must be a number from 0 to 1, or a scalar tensor, but is NaN.',
    );
    const anchored = addAnchorRegularizer();
    expect(() => anchored.update(model(), anchored.init(model()), undefined)).toThrow(
      'addAnchorRegularizer: needs the parameters; pass them as the third argument of update(grads, state, params).',
    );
    expect(init({ mu: 2 })).toThrow(
      `neumannInit: mu must be a number from 0 to below 1, or a scalar tensor, a schedule, or { kind: 'clip' | 'affine' | 'constant', … }, but is 2.`,
    );
    expect(init({ mu: { kind: 'clip', rate: 1 } })).toThrow(
      'neumannInit: mu: has no option "rate"; the options are kind, tau, min, max.',
    );
    expect(() => neumann({ learningRate: 0.1, resetSteps: 5 } as never)).toThrow(
      'neumann: needs burnInSteps, a number of steps. The paper has 5 epochs, which depends on the data: ' +
        'spread ...neumannEpochs({ examples, batch }) into the options, or give a number, or 0 for none.',
    );
    expect(() => neumann({ learningRate: 0.1, burnInSteps: 5 } as never)).toThrow(
      'neumann: needs resetSteps, a number of steps. The paper has 10 epochs, which depends on the data: ' +
        "spread ...neumannEpochs({ examples, batch }) into the options, or give a number, or resetInterval: 'never'.",
    );
  });

  test('gradients of another structure or shape', () => {
    const state = neumannInit(model(), base);
    const { a, b } = model();
    const { squares: _, ...old } = state;
    expect(() => neumannStep(old as never, { a, b })).toThrow(
      'neumannStep: the state must be one that init or the last step made, but has no squares.',
    );
    expect(() => neumannStep(undefined as never, { a, b })).toThrow('made, but is undefined.');
    expect(() => neumannStep(state, { a })).toThrow(
      'neumannStep: params and grads must have the same structure, but at (root) params has keys {a, b} and grads has keys {a}.',
    );
    expect(() => neumannStep(state, { a, b: [zeros([1], 'float64'), b[1]] })).toThrow(
      'neumannStep: params and grads must have the same shapes, but at b[0] params has [2] and grads has [1].',
    );
  });

  test('β > 0 without a burn-in is warned of once', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    init({ burnInSteps: 0, beta: 0 })();
    expect(warn).not.toHaveBeenCalled();
    init({ burnInSteps: 0 })();
    init({ burnInSteps: 0 })();
    expect(warn.mock.calls).toEqual([
      [
        'neumannInit: beta > 0 with burnInSteps: 0 usually diverges: the weights start at their anchor, and the ' +
          'repulsion beta/r² grows without bound as their distance r goes to 0. Give burnInSteps (5 epochs in the ' +
          'paper; see neumannEpochs), or beta: 0.',
      ],
    ]);
    warn.mockRestore();
  });
});

test('inner loops double for as long as an int32 can count', () => {
  const resets = neumannResets({ resetSteps: 1 }); // at 0, 1, 3, 7, …
  const counts = Array.from({ length: 31 }, (_, i) => [2 ** i - 1, 2 ** i, 2 ** i + 1])
    .flat()
    .slice(0, -2);
  const expected = counts.map((count) => Number.isInteger(Math.log2(count + 1)));
  expect(counts.map((count) => Boolean(resets(tensor(count, 'int32')).dataSync()[0]))).toEqual(expected);
});
