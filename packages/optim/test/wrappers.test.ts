/** Wrappers, masks and states: what the table of optimizers does not ask. */
import {
  grad,
  jit,
  less,
  multiply,
  random,
  remainder,
  square,
  subtract,
  sum,
  type Tensor,
  tensor,
  vmap,
  zeros,
} from '@neumann/core';
import { describe, expect, test } from 'vitest';
import {
  adam,
  adaptiveGradClip,
  addDecayedWeights,
  addNoise,
  applyEvery,
  applyIfFinite,
  applyUpdates,
  centralize,
  chain,
  clipByBlockRms,
  conditionallyMask,
  conditionallyTransform,
  ema,
  flattened,
  freeze,
  type GradientTransformation,
  identity,
  injectHyperparams,
  lars,
  linearSchedule,
  lookahead,
  masked,
  monitor,
  monitorEma,
  multiSteps,
  muon,
  namedChain,
  paramsEma,
  partition,
  polyakSgd,
  reduceOnPlateau,
  type StatefulSchedule,
  scale,
  scheduleFreeSgd,
  selectiveTransform,
  setToZero,
  sgd,
  skipLargeUpdates,
  skipNotFinite,
  snapshot,
  sophia,
  tree,
  zeroNans,
} from '../src/index.ts';
import { elements, expectClose } from './support.ts';

const f64 = (x: number | readonly number[]): Tensor => tensor(x, 'float64');
const nan = Number.NaN;

/** The updates for a list of gradients. */
function updatesOf<S>(
  tx: GradientTransformation<S>,
  grads: readonly (number | readonly number[])[],
  params = f64(0),
) {
  let state = tx.init(params);
  const step = jit((g: Tensor, s: S, p: Tensor) => tx.update(g, s, p));
  const all = grads.map((g) => {
    const [u, next] = step(f64(g), state as never, params);
    state = next as S;
    return u;
  });
  expect(step.stats.compilations).toBe(1);
  return { updates: all.map((u) => elements(u)), state };
}

describe('multiSteps', () => {
  test('gives the mean of k gradients to its optimizer, and nothing in between', () => {
    const { updates } = updatesOf(multiSteps(sgd({ learningRate: 1 }), { every: 3 }), [1, 2, 6, 4, 4, 1]);
    expectClose(updates, [0, 0, -3, 0, 0, -3]);
  });

  test('sums if asked, and takes a schedule for k', () => {
    const every = (step: Tensor) => remainder(step, 2);
    const tx = multiSteps(sgd({ learningRate: 1 }), {
      every: (s) => subtract(2, every(s)),
      useGradMean: false,
    });
    expectClose(updatesOf(tx, [1, 2, 5, 1, 1]).updates, [0, -3, -5, 0, -2]);
  });

  test('skips what it is told to skip', () => {
    const finite = multiSteps(sgd({ learningRate: 1 }), { every: 2, shouldSkip: skipNotFinite });
    const { updates, state } = updatesOf(finite, [1, nan, Infinity, 3]);
    expectClose(updates, [0, 0, 0, -2]);
    expect(state.skipped.item()).toBe(2);
    const small = multiSteps(sgd({ learningRate: 1 }), { every: 1, shouldSkip: skipLargeUpdates(4) });
    expectClose(updatesOf(small, [1, 2, nan, 1.5]).updates, [-1, 0, 0, -1.5]);
  });

  test('messages', () => {
    expect(() => multiSteps(identity(), { every: 0 })).toThrow(
      'multiSteps: every must be an integer of at least 1, or a function of the steps so far, but is 0.',
    );
    const tx = multiSteps(identity(), { every: 1, shouldSkip: () => tensor([true]) });
    expect(() => tx.update(f64(1), tx.init(f64(1)), f64(1))).toThrow('shouldSkip must give a bool[] tensor');
  });
});

describe('NaN in gradients', () => {
  test('zeroNans replaces them and says where they were', () => {
    const tx = zeroNans();
    const g = { a: f64([1, nan]), b: f64([2]) };
    const [u, state] = tx.update(g, tx.init(g), g);
    expect([elements(u), elements(state.foundNan)]).toEqual([
      [1, 0, 2],
      [1, 0],
    ]);
  });

  test('applyIfFinite skips them, but not for ever', () => {
    const tx = applyIfFinite(sgd({ learningRate: 1, momentum: 0.5 }), { maxConsecutiveErrors: 2 });
    const { updates, state } = updatesOf(tx, [1, nan, 1, Infinity, nan, nan]);
    expect(updates.flat()).toEqual([-1, 0, -1.5, 0, 0, nan]);
    expect([state.totalNotFinite.item(), state.notFiniteCount.item()]).toEqual([4, 3]);
  });
});

describe('conditions', () => {
  const first = (count: Tensor) => less(count, 2);
  test('conditionallyTransform passes, conditionallyMask stops', () => {
    const tx = sgd({ learningRate: 1, momentum: 1 });
    expectClose(updatesOf(conditionallyTransform(tx, first), [1, 1, 1]).updates, [-1, -2, 1]);
    expectClose(updatesOf(conditionallyMask(tx, first), [1, 1, 1]).updates, [-1, -2, 0]);
    const odd = conditionallyMask(tx, () => tensor([true]));
    expect(() => odd.update(f64(1), odd.init(f64(1)), f64(1))).toThrow(
      'conditionallyMask: shouldTransform must give a bool[] tensor',
    );
  });

  test('applyEvery gives sums', () => {
    expectClose(updatesOf(applyEvery(2), [1, 2, 3, 4]).updates, [0, 3, 0, 7]);
  });

  test('reduceOnPlateau waits, reduces, and cools down', () => {
    const tx = reduceOnPlateau({ factor: 0.5, patience: 2, cooldown: 1 });
    let state = tx.init(f64(1));
    const scales = [5, 4, 4, 4, 9, 4, 4, 4].map((loss) => {
      const [u, next] = tx.update(f64(1), state, f64(1), { value: f64(loss) });
      state = next;
      return u.item();
    });
    expect(scales).toEqual([1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]);
    expect(() => tx.update(f64(1), state, f64(1))).toThrow(
      'reduceOnPlateau: needs the loss as a scalar tensor',
    );
  });
});

describe('groups', () => {
  const params = { layer: { w: f64([1, 2]), b: f64(3) }, head: [f64(4)] };
  const ones = tree.onesLike(params);

  test('masked, freeze and selectiveTransform take trees with branches, and functions', () => {
    const byTree = masked(scale(2), { layer: { w: true, b: false }, head: true });
    expect(elements(byTree.update(ones, byTree.init(params), params)[0])).toEqual([2, 1, 2, 2]);
    const frozen = chain(
      scale(3),
      freeze((path) => path === 'layer.b'),
    );
    expect(elements(frozen.update(ones, frozen.init(params), params)[0])).toEqual([3, 0, 3, 3]);
    const selective = selectiveTransform(adam({ learningRate: 0.1 }), { layer: true, head: false });
    const state = selective.init(params);
    expect(tree.size(tree.get(state, 'mu'))).toBe(1);
    expectClose(selective.update(ones, state, params)[0], [-0.1, 0, 0, 0], 1e-8);
  });

  test('partition gives each group its own optimizer and state', () => {
    const tx = partition(
      { slow: sgd({ learningRate: 0.1 }), fast: adam({ learningRate: 1 }), none: setToZero() },
      { layer: { w: 'slow', b: 'fast' }, head: 'none' },
    );
    const [updates, state] = tx.update(ones, tx.init(params), params);
    expectClose(updates, [0, -1, -0.1, -0.1], 1e-7);
    expect(elements(state.innerStates.fast[0].mu)).toHaveLength(1);
  });

  test('messages name the path', () => {
    const of = (mask: never) => () => masked(identity(), mask).init(params);
    expect(of({ layer: { w: true }, head: true } as never)).toThrow(
      'masked: mask must have a boolean at layer.b, but has nothing.',
    );
    expect(of({ layer: true, head: true, tail: true } as never)).toThrow(
      'masked: mask must have nothing, as the parameters have no such branch at tail, but has a boolean.',
    );
    expect(of({ layer: 1, head: true } as never)).toThrow(
      "masked: mask must have a boolean or object like the parameters' at layer, but has a number.",
    );
    expect(() => partition({ a: identity() }, () => 'b' as never).init(params)).toThrow(
      'partition: head[0] has the label "b", but the transformations are for "a".',
    );
  });

  test('weight decay spares what its mask spares', () => {
    const tx = addDecayedWeights(0.5, { mask: (_, w) => w.ndim > 0 });
    expect(elements(tx.update(ones, null, params)[0])).toEqual([1, 1, 1.5, 2]);
    const spared = lars({ learningRate: 1, weightDecay: 1, mask: false, trustRatioMask: false, momentum: 0 });
    expect(elements(spared.update(ones, spared.init(params), params)[0])).toEqual([-1, -1, -1, -1]);
  });

  test('muon gives vectors to adam', () => {
    const matrix = {
      w: tensor(
        [
          [1, 0],
          [0, 2],
        ],
        'float64',
      ),
      b: f64([1]),
    };
    const tx = muon({ learningRate: 0.1 });
    const { innerStates } = tx.init(matrix);
    expect([tree.size(innerStates.muon[0].momentum), tree.size(innerStates.adam[0].mu)]).toEqual([4, 1]);
  });
});

describe('hyperparameters in the state', () => {
  test('are schedules where the optimizer takes numbers, and can be set without compiling anew', () => {
    const b1 = linearSchedule({ initValue: 0, endValue: 1, transitionSteps: 4 });
    const tx = injectHyperparams(({ decay, rate }: { decay: Tensor; rate: Tensor }) =>
      chain(ema({ decay, debias: false }), scale(rate)),
    )({ decay: b1, rate: 2 } as never);
    let state = tx.init(f64(0));
    const step = jit((g: Tensor, s: typeof state) => tx.update(g, s, g));
    const outputs = [1, 1, 1].map((g) => {
      const [u, next] = step(f64(g), state);
      state = next;
      return elements(u)[0];
    });
    expectClose(outputs, [2, 2 * (0.25 + 0.75), 2 * (0.5 + 0.5)]);
    state = tree.set(state, { rate: f64(10) });
    expectClose(step(f64(1), state)[0], 10);
    expect(step.stats.compilations).toBe(1);
    expect(elements(state.hyperparams['decay'])).toEqual([0.5]);
  });

  test('may have a state of their own', () => {
    const halvedOnRise: StatefulSchedule<{ best: Tensor; rate: Tensor }> = {
      init: () => ({ best: f64(Infinity), rate: f64(1) }),
      update: ({ best, rate }, { value }) => ({
        best: tree.where(less(value as Tensor, best), value as Tensor, best),
        rate: tree.where(less(value as Tensor, best), rate, multiply(0.5, rate)),
      }),
      value: ({ rate }) => rate,
    };
    const tx = injectHyperparams(sgd)({ learningRate: halvedOnRise });
    let state = tx.init(f64(0));
    const rates = [3, 2, 5, 1].map((loss) => {
      const [u, next] = tx.update(f64(1), state, f64(0), { value: f64(loss) });
      state = next;
      return -u.item();
    });
    expect(rates).toEqual([1, 1, 0.5, 0.5]);
  });

  test('gradients with respect to them go through the steps', () => {
    const trained = (rate: Tensor): Tensor => {
      const tx = adam({ learningRate: rate, epsRoot: 1e-8 });
      let w: Tensor = f64([1, -2]);
      let state = tx.init(w);
      for (let i = 0; i < 3; i++) {
        const [u, next] = tx.update(grad((x: Tensor) => sum(square(x)))(w), state, w);
        [w, state] = [applyUpdates(w, u), next];
      }
      return sum(square(w));
    };
    const [h, rate] = [1e-6, 0.05];
    const difference = (trained(f64(rate + h)).item() - trained(f64(rate - h)).item()) / (2 * h);
    expect(grad(trained)(f64(rate)).item()).toBeCloseTo(difference, 7);
  });

  test('seeds are batched over', () => {
    const noisy = (key: Tensor): Tensor => {
      const tx = addNoise({ eta: 1, gamma: 0.5, key });
      return tx.update(zeros([3]), tx.init(zeros([3])), null)[0];
    };
    const keys = random.split(random.key(7), 2);
    expectClose(vmap(noisy)(stackKeys(keys)), keys.map(noisy));
  });
});

const stackKeys = (keys: readonly Tensor[]): Tensor =>
  tensor(
    keys.map((k) => Array.from(k.dataSync())),
    'uint32',
  );

describe('averages of parameters', () => {
  test('lookahead goes a part of the way', () => {
    const tx = lookahead(sgd({ learningRate: 1 }), { syncPeriod: 2, slowStepSize: 0.25 });
    let w: Tensor = f64(0);
    let state = tx.init(w);
    const path = [1, 2, 3, 4].map((g) => {
      const [u, next] = tx.update(f64(g), state, w);
      [w, state] = [applyUpdates(w, u), next];
      return w.item();
    });
    expectClose(path, [-1, -0.75, -3.75, -0.75 - 0.25 * 7]);
    expectClose(tx.evalParams(state, w), w);
  });

  test('paramsEma averages what the updates lead to', () => {
    const tx = paramsEma({ decay: 0.5 });
    const [, once] = tx.update(f64(1), tx.init(f64(2)), f64(2));
    const [, twice] = tx.update(f64(3), once, f64(3));
    expectClose(
      [tx.evalParams(once, f64(9)), tx.evalParams(twice, f64(9))],
      [3, (0.25 * 3 + 0.5 * 6) / 0.75],
    );
  });

  test('scheduleFreeSgd without momentum (b1 = 1) has the mean of its iterates', () => {
    const tx = scheduleFreeSgd({ learningRate: 0.1, b1: 1 });
    let [w, z, mean] = [f64(1), 1, 1];
    let state = tx.init(w);
    for (let t = 1; t <= 5; t++) {
      const g = 2 * mean;
      const [u, next] = tx.update(f64(g), state, w);
      [w, state] = [applyUpdates(w, u), next];
      z -= 0.1 * g;
      mean += (z - mean) / t;
      expectClose(tx.evalParams(state, w), mean);
    }
  });
});

test('snapshot and monitor remember measurements, under names', () => {
  const tx = chain(
    snapshot('force', ({ updates }) => tree.norm(updates)),
    monitor({ most: ({ updates }) => tree.max(updates) }),
    monitorEma({ mean: ({ params }) => tree.sum(params) }, 0.5),
  );
  const state = updatesOf(
    tx,
    [
      [3, 4],
      [0, 2],
    ],
    f64([1, 1]),
  ).state;
  expectClose(
    [
      tree.get(state, 'force'),
      tree.get(state, 'most'),
      (tree.get(state, 'averages') as { mean: Tensor }).mean,
    ],
    [2, 2, 2],
  );
});

test('flattened is the same as not', () => {
  const params = { a: f64([[1, 2]] as never), b: [f64(3)], c: tensor([4, 5]) };
  const [one, other] = [adam({ learningRate: 0.1 }), flattened(adam({ learningRate: 0.1 }))];
  expectClose(
    other.update(params, other.init(params), params)[0],
    one.update(params, one.init(params), params)[0],
    1e-6,
  );
});

test('namedChain has named states', () => {
  const tx = namedChain({ second: scale(2), first: ema({ decay: 0.5 }) });
  expect(Object.keys(tx.init(f64(1)))).toEqual(['second', 'first']);
  expect(elements(tx.update(f64(1), tx.init(f64(1)), f64(1))[0])).toEqual([2]);
  expect(() => namedChain({ 1: identity() })).toThrow('namedChain: the name "1" is a number');
  expect(() => tx.update(f64(1), { first: null } as never, f64(1))).toThrow(
    'namedChain: the state has no "second"',
  );
});

test('transformations of tensors', () => {
  const g = tensor(
    [
      [1, 2],
      [3, 6],
    ],
    'float64',
  );
  expectClose(centralize().update(g, null, null)[0], [-1, -2, 1, 2]);
  expectClose(clipByBlockRms(1).update(f64([0.1, 0.2]), null, null)[0], [0.1, 0.2]);
  const norms = [Math.hypot(1, 3), Math.hypot(2, 6)];
  const clipped = adaptiveGradClip(0.1).update(
    g,
    null,
    tensor(
      [
        [1, 0],
        [0, 0],
      ],
      'float64',
    ),
  )[0];
  expectClose(clipped, [
    0.1 / (norms[0] as number),
    2e-4 / (norms[1] as number),
    0.3 / (norms[0] as number),
    6e-4 / (norms[1] as number),
  ]);
});

test('what extra must hold is named', () => {
  const w = f64(1);
  const polyak = polyakSgd();
  expect(() => polyak.update(w, polyak.init(w), w)).toThrow(
    'scaleByPolyak: needs the loss as a scalar tensor, but extra.value is missing; call update(updates, state, params, { value })',
  );
  const second = sophia({ learningRate: 0.1, key: random.key(0) });
  expect(() => second.update(w, second.init(w), w)).toThrow(
    'scaleBySophia: needs a function of the parameters, but extra.valueFn is missing',
  );
});
