/** Trajectories of an independent float64 reference: every option, open and closed loop, eager and jitted. */
import { grad, jit, multiply, square, subtract, sum, type Tensor, tensor, treeMap } from '@neumann/core';
import { describe, expect, test, vi } from 'vitest';
import {
  applyUpdates,
  convexifiedDirection,
  convexify,
  type NeumannState,
  neumannChain,
  neumannEvalParams,
  neumannIdealized,
  neumannInit,
  neumannMomentum,
  neumannPhase,
  neumannResets,
  neumannStep,
  type Schedule,
} from '../src/index.ts';
import { anchorCoefficients } from '../src/neumann/anchor.ts';
import {
  expectClose,
  float64,
  gradients,
  initOf,
  intervals,
  optionsOf,
  type Params,
  quadratic,
  rateOf,
  type VectorCase,
  vectors,
} from './support.ts';

vi.spyOn(console, 'warn').mockImplementation(() => {}); // some cases have β > 0 and no burn-in

type State = NeumannState<Params>;
type Entry = VectorCase['trajectory'][number];

function expectEntry(state: State, entry: Entry, what: string): void {
  expectClose(state.params, entry.w, undefined, `${what} w`);
  expectClose(state.momentum, entry.m, undefined, `${what} m`);
  expectClose(treeMap(subtract, state.params, state.offset), entry.v, undefined, `${what} v`);
  expectClose(neumannEvalParams(state), entry.eval, undefined, `${what} eval`);
  expectClose(state.displacement, entry.disp, undefined, `${what} displacement`);
}

/** Follows a trajectory with a step function. */
function follow(sample: VectorCase, step: (state: State, entry: Entry) => State): void {
  let state = neumannInit(initOf(sample.problem), optionsOf(sample));
  for (const entry of sample.trajectory) {
    state = step(state, entry);
    expectEntry(state, entry, `step ${entry.count}`);
  }
}

describe.each(vectors.algorithm2_cases.map((sample) => [sample.name, sample] as const))(
  'Algorithm 2, %s',
  (_, sample) => {
    test('given gradients, eager: also η, μ, resets and K', () => {
      follow(sample, (state, entry) => {
        const phase = neumannPhase(state);
        expectClose(
          [phase.learningRate, phase.mu],
          [entry.eta, entry.mu],
          undefined,
          `η, μ of step ${entry.count}`,
        );
        expect([phase.reset.item(), phase.burnIn.item()]).toEqual([
          Number(entry.reset),
          Number(entry.t === 0),
        ]);
        const next = neumannStep(state, float64(entry.grads));
        expect(next.count.item()).toBe(entry.count);
        return next;
      });
    });

    test('given gradients, jitted and donated', () => {
      const step = jit((state: State, grads: Params) => neumannStep(state, grads), { donate: [0] });
      follow(sample, (state, entry) => step(state, float64(entry.grads)));
      expect(step.stats.compilations).toBe(1);
    });

    test('given gradients, composed', () => {
      const tx = neumannChain(optionsOf(sample));
      let params = initOf(sample.problem);
      let state = tx.init(params);
      for (const { count, grads, w, eval: undisplaced } of sample.trajectory) {
        const [updates, next] = tx.update(float64(grads), state, params);
        [params, state] = [applyUpdates(params, updates), next];
        expectClose(params, w, undefined, `step ${count} w`);
        expectClose(tx.evalParams(state, params), undisplaced, undefined, `step ${count} eval`);
      }
    });

    const { problem } = sample;
    if (problem === 'recorded2') return;
    const gradient = gradients[problem];

    test('own gradients, eager', () => {
      follow(sample, (state) => neumannStep(state, gradient(state.params)));
    });

    test('own gradients, jitted', () => {
      const step = jit((state: State) => neumannStep(state, gradient(state.params)));
      follow(sample, (state) => step(state));
      expect(step.stats.compilations).toBe(1);
    });
  },
);

describe.each(vectors.algorithm1.map((v) => [`${v.problem}, K = ${v.K}, ηout = ${v.eta_out}`, v] as const))(
  'Algorithm 1, %s',
  (_, { problem, K, eta_in: etaIn, eta_out: etaOut, outer }) => {
    const gradient = gradients[problem];

    test.each(['eager', 'jitted'])('outer steps, %s', (mode) => {
      const step = neumannIdealized({ etaIn, etaOut, inner: K });
      const f = (p: Params): Params => step<Params>(gradient, p);
      const run = mode === 'jitted' ? jit(f) : f;
      let params: Params = initOf(problem);
      for (const [j, { w }] of outer.entries()) {
        params = run(params);
        expectClose(params, w, undefined, `outer step ${j + 1}`);
      }
    });

    test('inner iterates', () => {
      let params = initOf(problem);
      for (const { m, w } of outer) {
        for (const [k, mk] of m.entries()) {
          const moved = neumannIdealized({ etaIn, etaOut: 1, inner: k })<Params>(gradient, params);
          expectClose(treeMap(subtract, moved, params), mk, undefined, `m_${k}`);
        }
        params = float64(w);
      }
    });
  },
);

describe('Eq. 9', () => {
  const { H, xstar, x, lambda_min, lambda_max, mu, eta, m, fixed_point } = vectors.convexified;
  const gradient = grad(quadratic(H, xstar));
  const params: Params = { x: tensor(x, 'float64') };

  test('μ and η', () => {
    expect(convexify(lambda_min, lambda_max)).toEqual({ mu, eta });
    const traced = jit((low: Tensor, high: Tensor) => convexify(low, high));
    expectClose(traced(tensor(lambda_min, 'float64'), tensor(lambda_max, 'float64')), { eta, mu });
  });

  test('iterates', () => {
    for (const [k, mk] of m.entries())
      expectClose(
        convexifiedDirection<Params>(gradient, params, { mu, eta, inner: k }),
        mk,
        undefined,
        `m_${k}`,
      );
  });

  test('the fixed point is a damped Newton step', () => {
    expectClose(convexifiedDirection<Params>(gradient, params, { mu, eta, inner: 1600 }), { x: fixed_point });
  });
});

test.each(vectors.regularizer)('gradient of the regulariser: α $alpha, β $beta_per_var each, $norm', (v) => {
  const [w, anchor] = [float64(v.w), float64(v.v)];
  const differences = Object.keys(w).map((key) => subtract(w[key] as Tensor, anchor[key] as Tensor));
  const squares = differences.map((u) => sum(square(u)));
  const c = anchorCoefficients(differences, squares, {
    alpha: tensor(v.alpha, 'float64'),
    beta: tensor(v.beta_per_var, 'float64'),
    eps: tensor(0, 'float64'),
    betaCount: 'elements',
    norm: v.norm === 'global' ? 'global' : 'perTensor',
  });
  const gradient = differences.map((u, i) => multiply(c[i] as Tensor, u));
  expectClose(gradient, Object.values(v.grad));
});

describe('schedules', () => {
  const { schedules } = vectors;
  const at = (schedule: Schedule, counts: readonly number[]) =>
    counts.map((count) => schedule(tensor(count, 'float64')));

  test.each(['lr_ramp_step', 'lr_staircase', 'lr_inverse_t'] as const)('%s', (name) => {
    const { spec, count, value } = schedules[name];
    expectClose(at(rateOf(spec) as Schedule, count), value);
  });

  test.each([
    ['clip', 1, schedules.mu_clip_tau1],
    ['clip', 5, schedules.mu_clip_tau5],
    ['affine', 1, schedules.mu_affine_tau1],
  ] as const)('μ %s, tau %d', (kind, tau, values) => {
    const mu = neumannMomentum({ kind, tau, min: 0.5, max: 0.9 });
    expectClose(
      at(
        mu,
        values.map((_, i) => i + 1),
      ),
      values,
    );
  });

  test.each(Object.entries(schedules.reset_steps))('resets, %s', (mode, { K, T, t: expected }) => {
    const resetInterval = intervals[mode as keyof typeof intervals];
    const options = { learningRate: 0.1, burnInSteps: 0, beta: 0, resetSteps: K, resetInterval } as const;
    const state = neumannInit({}, options);
    const counts = Array.from({ length: T }, (_, i) => i);
    const phase = jit((count: Tensor) => neumannPhase({ ...state, count }).reset);
    expect(counts.filter((i) => phase(tensor(i, 'int32')).item()).map((i) => i + 1)).toEqual(expected);
    if (resetInterval === 'never') return;
    const resets = neumannResets({ resetSteps: K, resetInterval, burnInSteps: 7 });
    const flags = resets(
      tensor(
        Array.from({ length: 7 + T }, (_, i) => i),
        'int32',
      ),
    ).toArray() as boolean[];
    expect(flags.flatMap((reset, i) => (reset ? [i + 1 - 7] : []))).toEqual(expected);
  });
});
