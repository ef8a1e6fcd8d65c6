import { divide, multiply, square, type Tensor, tensor } from '@neumann/core';
import {
  epochs,
  type NeumannMomentum,
  neumannMomentum,
  neumannResets,
  rampStep,
  type Schedule,
  stepsPerEpoch,
} from '@neumann/optim';
import { line, ruleX, text } from '@observablehq/plot';
import { drawFigure, frame, type Panel, palette, type Style, stroke } from '../shared/figure.ts';

/** ImageNet in batches of 1600, as in Table 3. */
const data = { examples: 1_281_167, batch: 1600 };
const perEpoch = stepsPerEpoch(data);
const shown = 180;
const burnIn = 5;

/** Values of a schedule at equidistant epochs. */
function sampled(schedule: Schedule, from: number, to: number, count = 400) {
  const at = Array.from({ length: count + 1 }, (_, i) => from + ((to - from) * i) / count);
  const values = schedule(
    tensor(
      at.map((e) => Math.round(e * perEpoch)),
      'float64',
    ),
  ).toArray() as number[];
  return at.map((epoch, i) => ({ epoch, value: values[i] as number }));
}

const [rate, ...momenta] = [
  { label: 'learning rate, divided by its highest', color: palette.black },
  { label: 'μ, τ = 1 step (literal)', color: palette.vermilion },
  { label: 'μ, τ = 1 epoch', color: palette.blue, dash: '8 4' },
  { label: 'μ, affine, τ = 1 epoch', color: palette.sky },
] as const satisfies readonly Style[];
const forms: readonly NeumannMomentum[] = [
  { kind: 'clip' },
  { kind: 'clip', tau: perEpoch },
  { kind: 'affine', tau: perEpoch },
];

function schedulePanel(): Panel {
  const schedule = rampStep({ value: 1, ramp: epochs(burnIn, data), every: epochs(40, data) });
  const resets = neumannResets({ resetSteps: epochs(10, data), burnInSteps: epochs(burnIn, data) });
  const counts = Array.from({ length: shown * perEpoch }, (_, i) => i);
  const isReset = resets(tensor(counts, 'int32')).dataSync();
  const at = counts.filter((i) => isReset[i]).map((i) => i / perEpoch);
  return {
    title: 'The learning rate of Section 4.1, and resets (dotted)',
    x: { domain: [0, shown], label: 'epochs' },
    y: { domain: [0, 1.08], label: 'learning rate / highest', grid: true },
    marks: [
      frame(),
      ruleX(at, { stroke: palette.green, strokeDasharray: '2 3', strokeWidth: 1.5 }),
      text(
        at.map((x) => [x, 1.04] as const),
        { text: ([x]: readonly number[]) => String(Math.round(x as number)), dx: 10 },
      ),
      line(sampled(schedule, 0, shown), { x: 'epoch', y: 'value', ...stroke(rate) }),
    ],
  };
}

function momentumPanel(): Panel {
  return {
    title: 'Readings of Table 1’s momentum',
    x: { domain: [0, 12], label: 'epochs after the burn-in' },
    y: { domain: [0.45, 0.95], label: 'μ', grid: true },
    marks: [
      frame(),
      ...forms.map((form, i) =>
        line(sampled(neumannMomentum(form), 1 / perEpoch, 12), {
          x: 'epoch',
          y: 'value',
          ...stroke(momenta[i] as Style),
        }),
      ),
    ],
  };
}

const alpha = 1e-7;
const forces: readonly (Style & { readonly of: (r: Tensor) => Tensor })[] = [
  { label: 'attraction α r²', color: palette.green, of: (r) => multiply(alpha, square(r)) },
  { label: 'repulsion β/r², β by tensors', color: palette.orange, dash: '8 4', of: repulsion(161) },
  { label: 'repulsion, β by elements', color: palette.purple, of: repulsion(25.6e6) },
];

function repulsion(count: number): (r: Tensor) => Tensor {
  return (r) => divide(1e-5 * count, square(r));
}

function forcePanel(): Panel {
  const r = Array.from({ length: 61 }, (_, i) => 10 ** (-2 + i / 12));
  return {
    title: 'The regulariser’s force in ResNet-50, by distance',
    x: { type: 'log', domain: [0.01, 1000], label: 'r = ‖w - v‖', tickFormat: '~g' },
    y: { type: 'log', domain: [1e-11, 1e7], label: 'force', grid: true, tickFormat: '.0e' },
    marks: [
      frame(),
      ...forces.map(({ of, ...style }) => {
        const values = of(tensor(r, 'float64')).toArray() as number[];
        return line(
          r.map((x, i) => ({ x, y: values[i] as number })),
          { x: 'x', y: 'y', ...stroke(style) },
        );
      }),
    ],
  };
}

/** What the Neumann optimizer adds to Nesterov's method: schedules, resets, and a regulariser. */
export function partsFigure(): string {
  return drawFigure({
    title: 'The parts of the Neumann optimizer',
    caption:
      'With ImageNet in batches of 1600. Literally, μ reaches 0.9 nine steps after the burn-in; ' +
      'and counted by elements, β is 160,000 times what it is by tensors.',
    legend: [rate, ...momenta, ...forces],
    columns: 3,
    panels: [schedulePanel(), momentumPanel(), forcePanel()],
  });
}
