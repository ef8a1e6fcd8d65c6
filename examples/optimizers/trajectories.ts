/** Optimizers on a surface, each with its best learning rate. */
import { grad, jit, slice, type Tensor, tensor, vmap } from '@neumann/core';
import { adam, applyUpdates, type GradientTransformation, neumann, rmsprop, sgd } from '@neumann/optim';
import { palette, type Style } from '../shared/figure.ts';
import type { Surface } from './surfaces.ts';

type Optimizer = GradientTransformation<unknown> & {
  /** The weights to evaluate, where they are not those of training. */
  evalParams?<P>(state: unknown, params: P): P;
};

/** An optimizer in the gallery. */
export interface Contender extends Style {
  readonly make: (learningRate: Tensor) => Optimizer;
}

const neumannOptions = { burnInSteps: 5, resetSteps: 50 } as const;

export const contenders: readonly Contender[] = [
  { label: 'SGD', color: palette.black, dash: '2 3', make: (learningRate) => sgd({ learningRate }) },
  {
    label: 'SGD with momentum 0.9',
    color: palette.sky,
    make: (learningRate) => sgd({ learningRate, momentum: 0.9 }),
  },
  {
    label: 'Nesterov momentum 0.9',
    color: palette.blue,
    dash: '8 4',
    make: (learningRate) => sgd({ learningRate, momentum: 0.9, nesterov: true }),
  },
  { label: 'RMSProp', color: palette.green, make: (learningRate) => rmsprop({ learningRate }) },
  { label: 'Adam', color: palette.orange, make: (learningRate) => adam({ learningRate }) },
  {
    label: 'Neumann',
    color: palette.vermilion,
    make: (learningRate) => neumann({ learningRate, ...neumannOptions }),
  },
];

interface Point {
  readonly step: number;
  readonly x: number;
  readonly y: number;
  readonly f: number;
}

/** What an optimizer did with the best of many learning rates. */
export interface Trajectory {
  readonly contender: Contender;
  readonly learningRate: number;
  readonly points: readonly Point[];
}

/** Learning rates that are tried: 4 for each factor of 10. */
const rates = Array.from({ length: 25 }, (_, i) => 10 ** (-5 + i / 4));

/** The trajectory whose mean of f over the last tenth of its steps is least, of those with all rates: one `vmap` runs them. */
export function trajectory(surface: Surface, contender: Contender): Trajectory {
  interface State {
    readonly w: Tensor;
    readonly memory: unknown;
  }
  const f = (w: Tensor): Tensor => surface.f(slice(w, [0]), slice(w, [1]));
  const learningRates = tensor(rates, 'float64');
  const start = vmap((rate: Tensor): State => {
    const w = tensor([...surface.start], 'float64');
    return { w, memory: contender.make(rate).init(w) };
  });
  const step = jit(
    vmap((state: State, rate: Tensor): State => {
      const [updates, memory] = contender.make(rate).update(grad(f)(state.w), state.memory, state.w);
      return { w: applyUpdates(state.w, updates), memory };
    }),
  );
  const evaluated = jit(
    vmap(({ w, memory }: State, rate: Tensor) => {
      const place = contender.make(rate).evalParams?.(memory, w) ?? w;
      return { place, height: f(place) };
    }),
  );

  const runs: Point[][] = rates.map(() => []);
  let state = start(learningRates) as State;
  for (let k = 0; k <= surface.steps; k++) {
    const { place, height } = evaluated(state, learningRates);
    const [places, heights] = [place.dataSync(), height.dataSync()];
    for (const [i, run] of runs.entries())
      run.push({
        step: k,
        x: places[2 * i] as number,
        y: places[2 * i + 1] as number,
        f: heights[i] as number,
      });
    state = step(state, learningRates);
  }
  const tail = Math.ceil(surface.steps / 10);
  const scores = runs.map((run) => run.slice(-tail).reduce((sum, { f: y }) => sum + y, 0) / tail);
  const best = scores.reduce(
    (b, score, i) => (score < (scores[b] as number) || Number.isNaN(scores[b]) ? i : b),
    0,
  );
  return { contender, learningRate: rates[best] as number, points: runs[best] as Point[] };
}
