/** Trajectories of PyTorch's optimizers, made by `goldens/make_torch.py`. */
import { readFileSync } from 'node:fs';
import { add, multiply, square, subtract, type Tensor, take, tensor, valueAndGrad } from '@neumann/core';
import { expect, test } from 'vitest';
import * as optim from '../src/index.ts';
import { elements, expectClose } from './support.ts';

interface Goldens {
  readonly start: number[];
  readonly trajectories: Readonly<Record<string, number[][]>>;
  readonly lbfgs: number[];
}

const goldens: Goldens = JSON.parse(readFileSync(new URL('goldens/torch.json', import.meta.url), 'utf8'));

const learningRate = 0.05;
const optimizers: Readonly<Record<string, optim.GradientTransformation<never>>> = Object.fromEntries(
  Object.entries({
    sgd: optim.sgd({ learningRate }),
    momentum: optim.sgd({ learningRate, momentum: 0.9 }),
    nesterov: optim.sgd({ learningRate, momentum: 0.9, nesterov: true }),
    adam: optim.adam({ learningRate, b1: 0.8, b2: 0.95, eps: 1e-6 }),
    adamw: optim.adamw({ learningRate, weightDecay: 0.1 }),
    adamax: optim.adamax({ learningRate, b2: 0.8 }),
    adagrad: optim.adagrad({ learningRate, eps: 0 }),
    adadelta: optim.adadelta({ learningRate: 0.7, rho: 0.8 }),
    rmsprop: optim.rmsprop({ learningRate, decay: 0.8, epsInSqrt: false }),
    'rmsprop, centered, with momentum': optim.rmsprop({
      learningRate: 0.01,
      decay: 0.8,
      momentum: 0.7,
      centered: true,
      epsInSqrt: false,
    }),
    radam: optim.radam({ learningRate, b2: 0.9, eps: 0 }),
    rprop: optim.rprop({ learningRate }),
  }).map(([name, tx]) => [name, tx as unknown as optim.GradientTransformation<never>]),
);

test.each(Object.entries(goldens.trajectories))('%s goes where PyTorch goes', (name, trajectory) => {
  const tx = optimizers[name] as optim.GradientTransformation<never>;
  let w = tensor(goldens.start, 'float64');
  let state = tx.init(w);
  for (const [i, expected] of trajectory.entries()) {
    const g = elements(w).map((x, place) => 0.4 * x + Math.sin(2 * (i + 1) + place));
    const [updates, next] = tx.update(tensor(g, 'float64'), state, w);
    [w, state] = [optim.applyUpdates(w, updates), next];
    expectClose(w, expected, 1e-11, `step ${i + 1}`);
  }
});

test("lbfgs finds the minimum of Rosenbrock's function, as PyTorch does, in 45 steps", () => {
  const f = (w: Tensor): Tensor => {
    const [x, y] = [take(w, 0), take(w, 1)];
    return add(square(subtract(1, x)), multiply(100, square(subtract(y, square(x)))));
  };
  const tx = optim.lbfgs();
  let w: Tensor = tensor([-1.2, 1], 'float64');
  let state = tx.init(w);
  const fromState = optim.valueAndGradFromState(f);
  for (let i = 0; i < 45; i++) {
    const [value, grad] = fromState(w, state);
    const [updates, next] = tx.update(grad, state, w, { value, grad, valueFn: f });
    [w, state] = [optim.applyUpdates(w, updates), next];
    expectClose(next[2].value, valueAndGrad(f)(w)[0], 1e-12);
    expectClose(next[2].grad, valueAndGrad(f)(w)[1], 1e-12);
  }
  expectClose(w, goldens.lbfgs, 1e-7);
  expect(goldens.lbfgs.map(Math.round)).toEqual([1, 1]);
});
