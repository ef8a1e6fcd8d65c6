import { jit, tensor } from '@neumann/core';
import { describe, expect, test } from 'vitest';
import {
  constantSchedule,
  cosineDecaySchedule,
  cosineOnecycleSchedule,
  epochs,
  exponentialDecay,
  inverseTimeDecay,
  joinSchedules,
  linearOnecycleSchedule,
  linearSchedule,
  neumannEpochs,
  neumannMomentum,
  piecewiseConstantSchedule,
  piecewiseInterpolateSchedule,
  polynomialSchedule,
  rampStep,
  type Schedule,
  sgdrSchedule,
  stepsPerEpoch,
  warmupConstantSchedule,
  warmupCosineDecaySchedule,
  warmupExponentialDecaySchedule,
} from '../src/index.ts';
import { expectClose } from './support.ts';

const clamp = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);

const table: readonly (readonly [string, Schedule, (count: number) => number])[] = [
  ['constantSchedule', constantSchedule(0.1), () => 0.1],
  [
    'linearSchedule',
    linearSchedule({ initValue: 1, endValue: 3, transitionSteps: 10, transitionBegin: 5 }),
    (t) => 1 + (2 * clamp(t - 5, 0, 10)) / 10,
  ],
  [
    'polynomialSchedule',
    polynomialSchedule({ initValue: 1, endValue: 0.01, power: 2, transitionSteps: 20, transitionBegin: 5 }),
    (t) => 0.99 * (1 - clamp(t - 5, 0, 20) / 20) ** 2 + 0.01,
  ],
  [
    'warmupConstantSchedule',
    warmupConstantSchedule({ initValue: 0, peakValue: 0.4, warmupSteps: 8 }),
    (t) => 0.05 * Math.min(t, 8),
  ],
  [
    'exponentialDecay',
    exponentialDecay({ initValue: 2, transitionSteps: 7, decayRate: 0.3, transitionBegin: 3 }),
    (t) => 2 * 0.3 ** (Math.max(t - 3, 0) / 7),
  ],
  [
    'exponentialDecay by steps to a least value',
    exponentialDecay({ initValue: 2, transitionSteps: 7, decayRate: 0.3, staircase: true, endValue: 0.1 }),
    (t) => Math.max(0.1, 2 * 0.3 ** Math.floor(t / 7)),
  ],
  [
    'exponentialDecay that grows to a greatest value',
    exponentialDecay({ initValue: 2, transitionSteps: 7, decayRate: 3, endValue: 10 }),
    (t) => Math.min(10, 2 * 3 ** (t / 7)),
  ],
  [
    'inverseTimeDecay',
    inverseTimeDecay({ initValue: 2, transitionSteps: 4, decayRate: 0.5, transitionBegin: 2 }),
    (t) => 2 / (1 + (0.5 * Math.max(t - 2, 0)) / 4),
  ],
  [
    'cosineDecaySchedule',
    cosineDecaySchedule({ initValue: 2, decaySteps: 20, alpha: 0.1, exponent: 1.5 }),
    (t) => 2 * (0.9 * (0.5 * (1 + Math.cos((Math.PI * Math.min(t, 20)) / 20))) ** 1.5 + 0.1),
  ],
  [
    'piecewiseConstantSchedule',
    piecewiseConstantSchedule({ initValue: 1, boundariesAndScales: { 20: 0.5, 10: 0.1 } }),
    (t) => (t < 10 ? 1 : t < 20 ? 0.1 : 0.05),
  ],
  [
    'joinSchedules',
    joinSchedules(
      [
        linearSchedule({ initValue: 0, endValue: 1, transitionSteps: 5 }),
        inverseTimeDecay({ initValue: 1 }),
        constantSchedule(9),
      ],
      [5, 15],
    ),
    (t) => (t < 5 ? t / 5 : t < 15 ? 1 / (1 + t - 5) : 9),
  ],
  [
    'rampStep',
    rampStep({ value: 0.2, ramp: 5, factor: 0.5, every: 10 }),
    (t) => (t < 5 ? (0.2 * (t + 1)) / 5 : 0.2 * 0.5 ** Math.floor(t / 10)),
  ],
  [
    'rampStep without a ramp',
    rampStep({ value: 0.2, ramp: 0, every: 10 }),
    (t) => 0.2 * 0.3 ** Math.floor(t / 10),
  ],
  [
    'warmupCosineDecaySchedule',
    warmupCosineDecaySchedule({
      initValue: 0.1,
      peakValue: 1,
      warmupSteps: 4,
      decaySteps: 20,
      endValue: 0.2,
      exponent: 2,
    }),
    (t) =>
      t < 4
        ? 0.1 + (0.9 * t) / 4
        : 0.8 * (0.5 * (1 + Math.cos((Math.PI * Math.min(t - 4, 16)) / 16))) ** 2 + 0.2,
  ],
  [
    'warmupExponentialDecaySchedule',
    warmupExponentialDecaySchedule({
      initValue: 0,
      peakValue: 2,
      warmupSteps: 5,
      transitionSteps: 3,
      decayRate: 0.5,
      transitionBegin: 2,
      endValue: 0.1,
    }),
    (t) => (t < 5 ? (2 * t) / 5 : Math.max(0.1, 2 * 0.5 ** (Math.max(t - 7, 0) / 3))),
  ],
  [
    'sgdrSchedule',
    sgdrSchedule([
      { initValue: 0, peakValue: 1, warmupSteps: 2, decaySteps: 8 },
      { initValue: 0.1, peakValue: 0.5, warmupSteps: 1, decaySteps: 12 },
    ]),
    (t) => {
      const wave = (x: number, n: number) => 0.5 * (1 + Math.cos((Math.PI * Math.min(x, n)) / n));
      if (t < 8) return t < 2 ? t / 2 : wave(t - 2, 6);
      return t < 9 ? 0.1 : 0.5 * wave(t - 9, 11);
    },
  ],
  [
    'piecewiseInterpolateSchedule, by cosines',
    piecewiseInterpolateSchedule({
      interpolateType: 'cosine',
      initValue: 2,
      boundariesAndScales: { 12: 3, 4: 0.5 },
    }),
    (t) => {
      const rise = (x: number) => 0.5 * (1 - Math.cos(Math.PI * x));
      return t < 4 ? 2 - rise(t / 4) : 1 + 2 * rise(Math.min(1, (t - 4) / 8));
    },
  ],
  [
    'cosineOnecycleSchedule',
    cosineOnecycleSchedule({
      transitionSteps: 20,
      peakValue: 2,
      pctStart: 0.25,
      divFactor: 10,
      finalDivFactor: 100,
    }),
    (t) => {
      const rise = (x: number) => 0.5 * (1 - Math.cos(Math.PI * x));
      return t < 5 ? 0.2 + 1.8 * rise(t / 5) : 2 - 1.998 * rise(Math.min(1, (t - 5) / 15));
    },
  ],
  [
    'linearOnecycleSchedule',
    linearOnecycleSchedule({
      transitionSteps: 20,
      peakValue: 2,
      pctStart: 0.25,
      pctFinal: 0.75,
      divFactor: 10,
      finalDivFactor: 100,
    }),
    (t) =>
      t < 5
        ? 0.2 + (1.8 * t) / 5
        : t < 15
          ? 2 - (1.8 * (t - 5)) / 10
          : 0.2 - (0.198 * Math.min(5, t - 15)) / 5,
  ],
  [
    'neumannMomentum, clipped',
    neumannMomentum({ kind: 'clip', tau: 2 }),
    (t) => clamp(1 - 1 / (1 + t / 2), 0.5, 0.9),
  ],
  ['neumannMomentum, constant', neumannMomentum({ kind: 'constant', value: 0.7 }), () => 0.7],
];

const counts = Array.from({ length: 30 }, (_, t) => t);

test.each(table)('%s has the values of its formula', (_, schedule, formula) => {
  const values = counts.map((t) => schedule(tensor(t, 'float64')));
  expectClose(values, counts.map(formula));
  expect(values.every((x) => x.dtype === 'float64' && x.ndim === 0)).toBe(true);
});

test.each(table)('%s compiles once', (_, schedule, formula) => {
  const jitted = jit(schedule);
  expectClose(
    counts.map((t) => jitted(tensor(t, 'float64'))),
    counts.map(formula),
  );
  expect(jitted.stats.compilations).toBe(1);
});

test.each(table)('%s takes integer counts', (_, schedule, formula) => {
  const value = schedule(tensor(12, 'int32'));
  expect(value.dtype).toBe('float32');
  expectClose(value, formula(12), 1e-6);
});

describe('epochs as steps', () => {
  const data = { examples: 60000, batch: 128 };

  test('are rounded', () => {
    expect([epochs(5, data), epochs(0, data), stepsPerEpoch(data)]).toEqual([2344, 0, 469]);
    expect(stepsPerEpoch({ examples: 100, batch: 1000 })).toBe(1);
  });

  test("neumannEpochs has the paper's", () => {
    expect(neumannEpochs(data)).toEqual({ burnInSteps: 2344, resetSteps: 4688 });
    expect(neumannEpochs({ ...data, burnIn: 0, reset: 1, tau: 2 })).toEqual({
      burnInSteps: 0,
      resetSteps: 469,
      mu: { kind: 'clip', tau: 937.5 },
    });
  });

  test('of a data set without a size are refused', () => {
    expect(() => epochs(1, { examples: 0, batch: 1 })).toThrow(
      'epochs: examples must be a number above 0, but is 0.',
    );
  });
});

test('messages', () => {
  expect(() => rampStep({ value: 1, ramp: 1.5, every: 10 })).toThrow(
    'rampStep: ramp must be an integer of at least 0, but is 1.5.',
  );
  expect(() => joinSchedules([constantSchedule(1)], [3])).toThrow(
    'joinSchedules: 1 schedules need 0 boundaries, but got 1.',
  );
  expect(() =>
    joinSchedules([constantSchedule(1), constantSchedule(1), constantSchedule(1)], [3, 3]),
  ).toThrow('joinSchedules: boundaries are ascending steps, but are [3, 3].');
  expect(() => piecewiseConstantSchedule({ initValue: 1, boundariesAndScales: { 3: -1 } })).toThrow(
    'piecewiseConstantSchedule: boundariesAndScales has 3: -1, but takes integer steps and factors of at least 0.',
  );
  expect(() => cosineOnecycleSchedule({ transitionSteps: 3, peakValue: 1 })).toThrow(
    'cosineOnecycleSchedule: its phases end at steps 0, 3, which must ascend from 1; use more transitionSteps or other parts.',
  );
  expect(() =>
    warmupCosineDecaySchedule({ initValue: 0, peakValue: 1, warmupSteps: 10, decaySteps: 10 }),
  ).toThrow('warmupCosineDecaySchedule: decaySteps must be an integer of at least 11, but is 10.');
  expect(() => sgdrSchedule([])).toThrow('sgdrSchedule: takes an array of at least one cycle.');
  expect(() => neumannMomentum({ kind: 'ramp' } as never)).toThrow(
    `neumannMomentum: kind must be 'clip', 'affine' or 'constant', but is "ramp".`,
  );
});
