/** How fast methods that only multiply by a matrix, or take gradients, solve A x = b: it depends on the spectrum of A. */
import { add, arange, multiply, slice, subtract, type Tensor, tensor, vmap, zeros } from '@neumann/core';
import {
  chebyshev,
  conjugateGradient,
  convexifiedDirection,
  neumannEvalParams,
  neumannInit,
  neumannStep,
  richardson,
} from '@neumann/optim';
import { line } from '@observablehq/plot';
import { drawFigure, frame, type Panel, palette, type Style, stroke } from '../shared/figure.ts';

interface Spectrum {
  readonly name: string;
  readonly eigenvalues: readonly number[];
}

const n = 60;
const condition = 300;
const each = (f: (t: number) => number): number[] => Array.from({ length: n }, (_, i) => f(i / (n - 1)));

const spectra: readonly Spectrum[] = [
  {
    name: `${n} eigenvalues spread evenly, condition ${condition}`,
    eigenvalues: each((t) => 1 / condition + t * (1 - 1 / condition)),
  },
  { name: `${n} eigenvalues spread geometrically`, eigenvalues: each((t) => condition ** -t) },
  { name: 'Two clusters and 3 outliers, as in trained nets', eigenvalues: clustered() },
];

function clustered(): number[] {
  const outliers = [0.4, 0.7, 1];
  const small = each((t) => (1 + 0.3 * t) / condition).slice(0, n - 20);
  const larger = each((t) => (10 + 3 * t) / condition).slice(0, 20 - outliers.length);
  return [...small, ...larger, ...outliers];
}

/** An error for each number of products with A, or of gradients. */
type Errors = readonly { readonly k: number; readonly error: number }[];

const budget = 200;

interface Problem {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly low: number;
  readonly high: number;
  /** ‖y - x‖/‖x‖ for the solution x. */
  readonly errorOf: (y: readonly number[]) => number;
}

function problemOf({ eigenvalues }: Spectrum): Problem {
  const solution = eigenvalues.map((_, i) => Math.cos(1.7 * i + 1)); // parts along all eigenvectors
  const [a, x] = [tensor([...eigenvalues], 'float64'), tensor(solution, 'float64')];
  const size = Math.hypot(...solution);
  return {
    a,
    b: multiply(a, x),
    low: Math.min(...eigenvalues),
    high: Math.max(...eigenvalues),
    errorOf: (y) => Math.hypot(...y.map((value, i) => value - (solution[i] as number))) / size,
  };
}

interface Method extends Style {
  readonly errors: (problem: Problem) => Errors;
}

/** Errors of a method that is run for every number of products: all of them at once, by `vmap`. */
const iterated =
  (solve: (problem: Problem, maxIter: Tensor) => { readonly x: Tensor }) =>
  (problem: Problem): Errors => {
    const counts = arange(budget + 1);
    const iterates = vmap((maxIter: Tensor) => solve(problem, maxIter).x)(slice(counts, [[1]]));
    const errors = iterates.toArray() as number[][];
    return [{ k: 0, error: 1 }, ...errors.map((x, i) => ({ k: i + 1, error: problem.errorOf(x) }))];
  };

const matvec =
  ({ a }: Problem) =>
  (x: Tensor) =>
    multiply(a, x);
const gradient =
  ({ a, b }: Problem) =>
  (x: Tensor) =>
    subtract(multiply(a, x), b);

/** Algorithm 2 on ½ xᵀA x - bᵀx, without regularisers: its evaluation weights after each gradient. */
const algorithm2 =
  (options: { readonly resetInterval: 'never' } | { readonly resetSteps: number }) =>
  (problem: Problem): Errors => {
    const { high, errorOf } = problem;
    let state = neumannInit(zeros([n], 'float64'), {
      ...{ learningRate: 1 / high, mu: 0.9, alpha: 0, beta: 0, burnInSteps: 0 },
      ...options,
    });
    const errors = [{ k: 0, error: 1 }];
    for (let k = 1; k <= budget; k++) {
      state = neumannStep(state, gradient(problem)(state.params));
      errors.push({ k, error: errorOf([...neumannEvalParams(state).dataSync()]) });
    }
    return errors;
  };

/** Eq. 9 in two loops: K + 1 gradients for a direction, and then a step along it. */
function twoLoops(problem: Problem): Errors {
  const K = 19;
  let x = zeros([n], 'float64');
  const errors = [{ k: 0, error: 1 }];
  for (let k = K + 1; k <= budget; k += K + 1) {
    const direction = convexifiedDirection(gradient(problem), x, {
      mu: 0.9,
      eta: 1 / problem.high,
      inner: K,
    });
    x = add(x, direction);
    errors.push({ k, error: problem.errorOf([...x.dataSync()]) });
  }
  return errors;
}

const tolerance = 1e-14;

const methods: readonly Method[] = [
  {
    label: 'Neumann series = Algorithm 1 (η = 1/λmax)',
    color: palette.black,
    dash: '2 3',
    errors: iterated((p, maxIter) => richardson(matvec(p), p.b, { step: 1 / p.high, maxIter, tolerance })),
  },
  {
    label: 'Richardson, best step',
    color: palette.sky,
    errors: iterated((p, maxIter) =>
      richardson(matvec(p), p.b, { step: 2 / (p.low + p.high), maxIter, tolerance }),
    ),
  },
  {
    label: 'Chebyshev',
    color: palette.green,
    errors: iterated((p, maxIter) =>
      chebyshev(matvec(p), p.b, { lambdaMin: p.low, lambdaMax: p.high, maxIter, tolerance }),
    ),
  },
  {
    label: 'conjugate gradients',
    color: palette.orange,
    errors: iterated((p, maxIter) => conjugateGradient(matvec(p), p.b, { maxIter, tolerance })),
  },
  { label: 'Eq. 9 in two loops (μ = 0.9, K = 19)', color: palette.purple, dash: '8 4', errors: twoLoops },
  {
    label: 'Algorithm 2 without resets (μ = 0.9)',
    color: palette.blue,
    errors: algorithm2({ resetInterval: 'never' }),
  },
  {
    label: 'Algorithm 2, resets at 1, 21, 61, 141',
    color: palette.vermilion,
    errors: algorithm2({ resetSteps: 20 }),
  },
];

export function convergenceFigure(): string {
  return drawFigure({
    title: 'Solving A x = b with products or gradients only',
    caption:
      'The Neumann series needs about κ gradients for a digit; Algorithm 2, which is Nesterov’s method, about √κ. ' +
      'Eq. 9 in two loops, whose anchor stands still, does not.',
    legend: methods,
    columns: 3,
    panels: spectra.map(panelOf),
  });
}

function panelOf(spectrum: Spectrum): Panel {
  const problem = problemOf(spectrum);
  const floor = 1e-10;
  return {
    title: spectrum.name,
    x: { domain: [0, budget], label: 'products with A, or gradients' },
    y: {
      type: 'log',
      domain: [floor, 10],
      label: '‖x - x*‖ / ‖x*‖',
      grid: true,
      tickFormat: '.0e',
      clamp: true,
    },
    marks: [
      frame(),
      ...methods.map((method) =>
        line(
          method.errors(problem).map(({ k, error }) => ({ k, error: Math.max(floor, error) })),
          { x: 'k', y: 'error', ...stroke(method) },
        ),
      ),
    ],
  };
}
