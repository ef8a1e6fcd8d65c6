/** Appendix A of the paper on a small network: the ends of the Hessian's spectrum while it is trained. */
import {
  add,
  concatenate,
  cos,
  grad,
  hvp,
  jit,
  linspace,
  multiply,
  random,
  sin,
  stack,
  type Tensor,
  tanh,
  tensor,
  treeMap,
} from '@neumann/core';
import { crossEntropy, dense, serial } from '@neumann/nn';
import { applyUpdates, convexify, extremeEigenvalues, sgd, spectralDensity } from '@neumann/optim';
import { line } from '@observablehq/plot';
import { drawFigure, frame, type Panel, palette, type Style, stroke } from '../shared/figure.ts';

/** Three spirals with noise: `[300, 2]`, and which of them each point is on. */
function spirals(): { readonly points: Tensor; readonly labels: Tensor } {
  const [perArm, arms] = [100, [0, 1, 2]];
  const radius = linspace(0.05, 1, perArm);
  const clean = concatenate(
    arms.map((arm) => {
      const angle = add(multiply(5, radius), (2 * Math.PI * arm) / arms.length);
      return stack([multiply(radius, cos(angle)), multiply(radius, sin(angle))], { axis: 1 });
    }),
  );
  const noise = random.normal(random.key(1), clean.shape);
  const labels = arms.flatMap((arm) => new Array<number>(perArm).fill(arm));
  return { points: add(multiply(3, clean), multiply(0.1, noise)), labels: tensor(labels, 'int32') };
}

interface Measured {
  readonly step: number;
  readonly loss: number;
  readonly min: number;
  readonly max: number;
  readonly mu: number;
}

interface Bin {
  readonly lambda: number;
  readonly density: number;
}

/** Trains the network by SGD with momentum, and measures the Hessian of the whole data every `every` steps. */
function train(steps: number, every: number): { measured: Measured[]; densities: Bin[][] } {
  const { points, labels } = spirals();
  const network = serial(
    dense({ features: 24 }),
    tanh,
    dense({ features: 24 }),
    tanh,
    dense({ features: 3 }),
  );
  const { params: first } = network.init(random.key(0), points);
  type Params = typeof first;
  const loss = (p: Params): Tensor => crossEntropy(network.apply(p, null, points)[0], labels);
  const tx = sgd({ learningRate: 0.03, momentum: 0.9 });
  const step = jit((p: Params, s: ReturnType<typeof tx.init>) => {
    const [updates, next] = tx.update(grad(loss)(p), s, p);
    return [applyUpdates(p, updates), next] as const;
  });
  const probe = treeMap((x) => random.normal(random.key(2), x.shape), first);
  const measure = jit((p: Params) => {
    const product = (v: Params) => hvp(loss, [p], v);
    const { min, max } = extremeEigenvalues<Params>(product, probe, { steps: 30, shift: false });
    return { loss: loss(p), min, max, mu: convexify(min, max).mu };
  });
  const spectrum = jit((p: Params) => {
    const options = { key: random.key(3), steps: 60, probes: 4, points: 300, width: 0.01 };
    return spectralDensity<Params>((v) => hvp(loss, [p], v), p, options);
  });
  const densityOf = (p: Params): Bin[] => {
    const { grid, density } = spectrum(p);
    const values = [...density.dataSync()];
    return [...grid.dataSync()].map((lambda, i) => ({ lambda, density: values[i] as number }));
  };

  const measured: Measured[] = [];
  let [params, state] = [first, tx.init(first)];
  for (let k = 0; k <= steps; k++) {
    if (k % every === 0) {
      const now = measure(params);
      measured.push({
        step: k,
        loss: now.loss.item(),
        min: now.min.item(),
        max: now.max.item(),
        mu: now.mu.item(),
      });
    }
    [params, state] = step(params, state) as unknown as [Params, typeof state];
  }
  return { measured, densities: [densityOf(first), densityOf(params)] };
}

const styles = {
  max: { label: 'λmax', color: palette.vermilion },
  min: { label: 'λmin', color: palette.blue },
  mu: { label: 'μ = λmax/(|λmin| + λmax)', color: palette.green },
  loss: { label: 'loss', color: palette.black, dash: '2 3' },
  before: { label: 'density before training', color: palette.sky, dash: '8 4' },
  after: { label: 'density after training', color: palette.purple },
} as const satisfies Record<string, Style>;

/** The ends of the spectrum, what they make of μ, and the whole of it. */
export function hessianFigure(steps = 1000, every = 10): string {
  const { measured, densities } = train(steps, every);
  const x = { domain: [0, steps], label: 'steps' } as const;
  const over = (key: 'min' | 'max' | 'mu' | 'loss') =>
    line(measured, { x: 'step', y: key, ...stroke(styles[key]) });
  const panels: Panel[] = [
    {
      title: 'Extreme eigenvalues of the Hessian, by Lanczos',
      x,
      y: { label: 'eigenvalue', grid: true },
      marks: [frame(), over('min'), over('max')],
    },
    {
      title: 'Loss, and the μ that makes Eq. 9 converge',
      x,
      y: { domain: [0, 1.2], label: 'loss, μ', grid: true },
      marks: [frame(), over('loss'), over('mu')],
    },
    {
      title: 'The whole spectrum, by Lanczos quadrature',
      x: { label: 'eigenvalue' },
      y: {
        type: 'log',
        domain: [1e-4, 1e2],
        clamp: true,
        label: 'density',
        grid: true,
        ticks: 6,
        tickFormat: '.0e',
      },
      marks: [
        frame(),
        ...densities.map((bins, i) =>
          line(
            bins.map(({ lambda, density }) => ({ lambda, density: Math.max(1e-4, density) })),
            { x: 'lambda', y: 'density', ...stroke(i === 0 ? styles.before : styles.after) },
          ),
        ),
      ],
    },
  ];
  return drawFigure({
    title: 'The Hessian of a small network while it is trained',
    caption:
      'Appendix A, on three spirals with 24 and 24 hidden units: λmin goes to 0 and λmax grows, until the data are fitted and it ' +
      'falls; so μ comes close to 1. Most eigenvalues are 0.',
    legend: Object.values(styles),
    columns: 3,
    panels,
  });
}
