/** Trajectories against the formulas in plain numbers, and the protocol. */
import { grad, jit, square, subtract, sum, type Tensor, tensor, treePaths, vmap, zeros } from '@neumann/core';
import { describe, expect, test } from 'vitest';
import {
  adam,
  addDecayedWeights,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  constantSchedule,
  exponentialDecay,
  type GradientTransformation,
  globalNorm,
  identity,
  rmsprop,
  scale,
  scaleByLearningRate,
  scaleBySchedule,
  sgd,
} from '../src/index.ts';
import { elements, expectClose } from './support.ts';

interface Model {
  readonly w: Tensor;
  readonly layer: { readonly b: Tensor };
}

/** Gradients that do not depend on the weights: those of step t. */
const gradientAt = (t: number): number[] => [Math.sin(t) + 0.5, -0.3 * t, 0, Math.cos(3 * t)];
const initial = [0.3, -1, 2, 0.5];

const model = (x: readonly number[], dtype: 'float32' | 'float64' = 'float64'): Model => ({
  w: tensor(x.slice(0, 3), dtype),
  layer: { b: tensor(x[3] as number, dtype) },
});
const inOrder = ({ w, layer }: Model): number[] => [...elements(w), ...elements(layer)];

/** Runs `tx` for 8 steps, eagerly or jitted, next to `step`, which gives what is added to a weight for its t-th gradient. */
function expectSteps<S>(
  tx: GradientTransformation<S>,
  formula: () => (g: number, t: number, w: number) => number,
): void {
  const eager = (params: Model, state: S, grads: Model) => {
    const [updates, next] = tx.update(grads, state, params);
    return [applyUpdates(params, updates), next] as const;
  };
  for (const run of [eager, jit(eager) as unknown as typeof eager]) {
    let params = model(initial);
    let state = tx.init(params);
    const expected = [...initial];
    const formulas = initial.map(formula);
    for (let t = 1; t <= 8; t++) {
      const g = gradientAt(t);
      [params, state] = run(params, state, model(g));
      for (const [i, f] of formulas.entries())
        expected[i] = (expected[i] as number) + f(g[i] as number, t, expected[i] as number);
      expectClose(inOrder(params), expected, undefined, `step ${t}`);
    }
    if ('stats' in run) expect(run.stats).toMatchObject({ compilations: 1 });
  }
}

describe('optimizers make the steps of their formulas', () => {
  test('sgd', () => {
    expectSteps(sgd({ learningRate: 0.1 }), () => (g) => -0.1 * g);
  });

  test('sgd with a schedule', () => {
    const learningRate = exponentialDecay({ initValue: 0.2, transitionSteps: 3, decayRate: 0.5 });
    expectSteps(sgd({ learningRate }), () => (g, t) => -0.2 * 0.5 ** ((t - 1) / 3) * g);
  });

  test('momentum', () => {
    expectSteps(sgd({ learningRate: 0.1, momentum: 0.9 }), () => {
      let trace = 0;
      return (g) => {
        trace = g + 0.9 * trace;
        return -0.1 * trace;
      };
    });
  });

  test('Nesterov momentum', () => {
    expectSteps(sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true }), () => {
      let trace = 0;
      return (g) => {
        trace = g + 0.9 * trace;
        return -0.1 * (g + 0.9 * trace);
      };
    });
  });

  test('adam', () => {
    expectSteps(adam({ learningRate: 0.1, b1: 0.8, b2: 0.95, eps: 1e-6, epsRoot: 1e-5 }), () => {
      let [m, v] = [0, 0];
      return (g, t) => {
        m = 0.8 * m + 0.2 * g;
        v = 0.95 * v + 0.05 * g * g;
        return (-0.1 * (m / (1 - 0.8 ** t))) / (Math.sqrt(v / (1 - 0.95 ** t) + 1e-5) + 1e-6);
      };
    });
  });

  test('adam with its defaults', () => {
    expectSteps(adam({ learningRate: 1e-3 }), () => {
      let [m, v] = [0, 0];
      return (g, t) => {
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        return (-1e-3 * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8);
      };
    });
  });

  test('rmsprop with its defaults', () => {
    expectSteps(rmsprop({ learningRate: 0.01 }), () => {
      let nu = 0;
      return (g) => {
        nu = 0.9 * nu + 0.1 * g * g;
        return (-0.01 * g) / Math.sqrt(nu + 1e-8);
      };
    });
  });

  test('rmsprop with momentum, after the learning rate, and epsilon outside of the root', () => {
    const options = {
      learningRate: 0.01,
      decay: 0.8,
      eps: 0.1,
      momentum: 0.9,
      nesterov: true,
      initialScale: 1,
    };
    expectSteps(rmsprop({ ...options, epsInSqrt: false }), () => {
      let [nu, trace] = [1, 0];
      return (g) => {
        nu = 0.8 * nu + 0.2 * g * g;
        const u = (-0.01 * g) / (Math.sqrt(nu) + 0.1);
        trace = u + 0.9 * trace;
        return u + 0.9 * trace;
      };
    });
  });

  test('rmsprop, centered', () => {
    expectSteps(rmsprop({ learningRate: 0.01, eps: 1e-3, centered: true }), () => {
      let [mu, nu] = [0, 0];
      return (g) => {
        mu = 0.9 * mu + 0.1 * g;
        nu = 0.9 * nu + 0.1 * g * g;
        return (-0.01 * g) / Math.sqrt(nu - mu * mu + 1e-3);
      };
    });
  });

  test('L2 regularisation', () => {
    expectSteps(chain(addDecayedWeights(0.1), scale(-0.5)), () => (g, _, w) => -0.5 * (g + 0.1 * w));
  });
});

describe('transformations', () => {
  test('globalNorm is over all leaves, in the widest dtype', () => {
    const norm = globalNorm({ a: tensor([1, 2], 'float32'), b: [tensor(4, 'float64'), tensor([[2]])] });
    expect([norm.item(), norm.dtype]).toEqual([5, 'float64']);
    expect(globalNorm({}).item()).toBe(0);
  });

  test('the derivative of globalNorm at zero is zero', () => {
    expect(elements(grad((x: Tensor) => globalNorm(x))(zeros([2])))).toEqual([0, 0]);
  });

  test('clipByGlobalNorm shortens long updates and leaves short ones', () => {
    const { init, update } = chain(clipByGlobalNorm(5));
    const clipped = (x: number[]) => elements(update({ x: tensor(x, 'float64') }, init({}), {})[0]);
    expectClose(clipped([6, 8]), [3, 4]);
    expect(clipped([3, 4])).toEqual([3, 4]);
    expect(clipped([0, 0])).toEqual([0, 0]);
    expect(clipped([Number.NaN, 1])).toEqual([Number.NaN, Number.NaN]);
  });

  test('scaleByLearningRate descends, unless told not to flip the sign', () => {
    const scaled = (tx: GradientTransformation<unknown>) =>
      elements(tx.update(tensor([2]), tx.init(tensor([2])), tensor([2]))[0]);
    expect(scaled(scaleByLearningRate(0.5))).toEqual([-1]);
    expect(scaled(scaleByLearningRate(0.5, { flipSign: false }))).toEqual([1]);
    expect(scaled(scaleByLearningRate(constantSchedule(0.5)))).toEqual([-1]);
    expect(scaled(scaleBySchedule(constantSchedule(0.5)))).toEqual([1]);
    expect(scaled(identity())).toEqual([2]);
  });

  test('updates and states keep their dtypes, whatever those of hyperparameters', () => {
    const mixed = { half: tensor([1, 2], 'float32'), whole: tensor(3, 'float64') };
    const rate = tensor(0.1, 'float64');
    const dtypes = (tree: object): string =>
      JSON.stringify(treePaths(tree).map((path, i) => [path, leafTypes(tree)[i]]));
    for (const tx of [
      sgd({ learningRate: rate, momentum: rate, nesterov: true }),
      adam({ learningRate: rate, b1: rate, b2: rate, eps: rate, epsRoot: rate }),
      rmsprop({ learningRate: rate, decay: rate, eps: rate, momentum: rate }),
      chain(clipByGlobalNorm(rate), addDecayedWeights(rate), scale(rate)),
      sgd({ learningRate: () => rate }),
    ] as GradientTransformation<object>[]) {
      const state = tx.init(mixed);
      const [updates, next] = tx.update(mixed, state, mixed);
      expect(dtypes(updates)).toBe(dtypes(mixed));
      expect(dtypes(next)).toBe(dtypes(state));
      expect(dtypes(applyUpdates(mixed, updates))).toBe(dtypes(mixed));
    }
  });

  test('applyUpdates keeps the dtypes of parameters', () => {
    const [p, u] = [tensor([1], 'float32'), tensor([0.5], 'float64')];
    expect(applyUpdates({ p }, { p: u }).p.toString()).toBe('f32[1] [1.5]');
  });

  test('empty trees and bare tensors are trees', () => {
    const tx = adam({ learningRate: 0.1 });
    expect(tx.update({}, tx.init({}), {})[0]).toEqual({});
    const x = tensor(2);
    expect(applyUpdates(x, tx.update(x, tx.init(x), x)[0]).item()).toBeCloseTo(1.9);
  });

  test('vmap over learning rates equals a loop', () => {
    const loss = (w: Tensor) => sum(square(subtract(w, 1)));
    const trained = (learningRate: Tensor): Tensor => {
      const tx = adam({ learningRate });
      let w: Tensor = zeros([3], 'float64');
      let state = tx.init(w);
      for (let i = 0; i < 3; i++) {
        const [updates, next] = tx.update(grad(loss)(w), state, w);
        [w, state] = [applyUpdates(w, updates), next];
      }
      return w;
    };
    const rates = [0.1, 0.2, 0.4];
    const batched = vmap(trained)(tensor(rates, 'float64'));
    expectClose(
      elements(batched),
      rates.flatMap((rate) => elements(trained(tensor(rate, 'float64')))),
    );
  });
});

describe('messages', () => {
  test('options that do not exist, are missing or out of range', () => {
    expect(() => adam({ learningRate: 1e-3, beta1: 0.9 } as never)).toThrow(
      'adam: has no option "beta1"; the options are learningRate, b1, b2, eps, epsRoot, nesterov.',
    );
    expect(() => sgd({} as never)).toThrow(
      'sgd: learningRate must be a number of at least 0, or a scalar tensor, or a schedule, but is undefined.',
    );
    expect(() => adam({ learningRate: 1e-3, b2: 1 })).toThrow(
      'adam: b2 must be a number from 0 to below 1, or a scalar tensor, but is 1.',
    );
    expect(() => sgd({ learningRate: tensor([1, 2]) })).toThrow('but is a tensor of shape [2].');
    expect(() => clipByGlobalNorm(Number.NaN)).toThrow(
      'clipByGlobalNorm: maxNorm must be a number above 0, or a scalar tensor, but is NaN.',
    );
  });

  test('trees of other structures and shapes', () => {
    const params = { a: { w: zeros([2]) }, b: zeros([3]) };
    expect(() => applyUpdates(params, { a: { w: zeros([2]) } })).toThrow(
      'applyUpdates: params and updates must have the same structure, but at (root) params has keys {a, b} and updates has keys {a}.',
    );
    expect(() => applyUpdates(params, { ...params, c: zeros([1]) })).toThrow(
      'applyUpdates: params and updates must have the same structure, but at (root) params has keys {a, b} and updates has keys {a, b, c}.',
    );
    expect(() => applyUpdates(params, { ...params, a: { w: zeros([1]) } })).toThrow(
      'applyUpdates: params and updates must have the same shapes, but at a.w params has [2] and updates has [1].',
    );
    const tx = chain(identity(), identity());
    expect(() => tx.update(params, [null] as never, params)).toThrow(
      'chain: has 2 transformations, but the state is of 1; use the state that init() made.',
    );
  });
});

const leafTypes = (tree: unknown): string[] =>
  Object.values(tree as object).flatMap((x) =>
    typeof x === 'object' && x !== null ? ('dtype' in x ? [String(x.dtype)] : leafTypes(x)) : [],
  );
