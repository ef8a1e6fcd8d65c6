/** Kernels as several: the same result, within the limits. */
import {
  type Aval,
  acc,
  binary,
  checkKernel,
  coord,
  type Expr,
  interpret,
  type Kernel,
  load,
  loadsOf,
  type Reduction,
  sizeOf,
  type TypedArray,
} from '@neumann/core/backend';
import { law } from '@neumann/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StageLimits } from '../src/stages/part.ts';
import { stagesOf } from '../src/stages/stages.ts';
import { drawKernel } from './randomKernel.ts';
import { kernel } from './run.ts';

const f32 = (...shape: number[]): Aval => ({ dtype: 'float32', shape });

/** The result of the stages, one after the other on the reference. */
function runStages(stages: readonly Kernel[], inputs: readonly TypedArray[]): TypedArray {
  const all = [...inputs];
  for (const stage of stages) {
    checkKernel(stage);
    all.push(...interpret(stage, all));
  }
  return all.at(-1) as TypedArray;
}

const arraysOf = ({ reductions, outputs }: Kernel): Set<number> =>
  new Set(loadsOf([...reductions.map(({ value }) => value), ...outputs]).map(({ input }) => input));

const none: StageLimits = { maxInputs: Infinity, threads: 1, fold: Infinity };

describe('random kernels', () => {
  law(
    'read no more arrays than the device takes',
    fc.gen(),
    (g) => {
      const { kernel: whole, inputs } = drawKernel(g, 9);
      const stages = stagesOf(whole, 0, { ...none, maxInputs: 3 });
      for (const stage of stages) expect(arraysOf(stage).size).toBeLessThanOrEqual(3);
      expect([...runStages(stages, inputs)]).toEqual([...(interpret(whole, inputs)[0] as TypedArray)]);
    },
    { runs: 300 },
  );

  law(
    'are folded by many threads',
    fc.gen(),
    (g) => {
      const { kernel: whole, inputs } = drawKernel(g, 3);
      const stages = stagesOf(whole, 0, { ...none, threads: 40, fold: 4 });
      expect([...runStages(stages, inputs)]).toEqual([...(interpret(whole, inputs)[0] as TypedArray)]);
    },
    { runs: 500 },
  );

  law(
    'are both',
    fc.gen(),
    (g) => {
      const { kernel: whole, inputs } = drawKernel(g, 6);
      const stages = stagesOf(whole, 0, { maxInputs: 2, threads: 9, fold: 4 });
      expect([...runStages(stages, inputs)]).toEqual([...(interpret(whole, inputs)[0] as TypedArray)]);
    },
    { runs: 300 },
  );
});

describe('many arrays', () => {
  const inputs = Array.from({ length: 40 }, () => f32(3, 4));
  const own = (input: number): Expr => load(input, 'float32', [coord(0), coord(1)]);
  const values = inputs.map((_, i) => Float32Array.from({ length: 12 }, (__, j) => i + j));

  test('a sum of 40 takes few intermediates', () => {
    const whole = kernel({
      inputs,
      axes: [3, 4],
      outputs: [inputs.map((_, i) => own(i)).reduce((x, y) => binary('add', x, y))],
    });
    const stages = stagesOf(whole, 0, { ...none, maxInputs: 6 });
    expect(stages.length).toBe(8); // each but the first takes five new arrays: 6 + 5 · 6 + 4
    expect([...runStages(stages, values)]).toEqual([...(interpret(whole, values)[0] as TypedArray)]);
  });

  test('results of reductions are cut, not what they fold', () => {
    const row = (input: number): Expr => load(input, 'float32', [coord(0), coord(1)]);
    const reductions = Array.from({ length: 10 }, (_, i): Reduction => ({ op: 'add', value: row(i) }));
    const outputs = [reductions.map((_, i): Expr => acc('float32', i)).reduce((x, y) => binary('add', x, y))];
    const whole = kernel({ inputs: inputs.slice(0, 10), axes: [3], reduceAxes: [4], reductions, outputs });
    const stages = stagesOf(whole, 0, { ...none, maxInputs: 4 });
    for (const { axes } of stages) expect(sizeOf(axes)).toBe(3);
    expect([...runStages(stages, values.slice(0, 10))]).toEqual([
      ...(interpret(whole, values.slice(0, 10))[0] as TypedArray),
    ]);
  });

  test('what varies along few axes is cut to these', () => {
    const [rows, columns] = [f32(3), f32(4)];
    const along = (axis: number, from: number): Expr =>
      Array.from({ length: 4 }, (_, i) => load(from + i, 'float32', [coord(axis)])).reduce((x, y) =>
        binary('mul', x, y),
      );
    const whole = kernel({
      inputs: [rows, rows, rows, rows, columns, columns, columns, columns],
      axes: [3, 4],
      outputs: [binary('add', along(0, 0), along(1, 4))],
    });
    const sizes = stagesOf(whole, 0, { ...none, maxInputs: 5 }).map(({ axes }) => sizeOf(axes));
    expect(sizes).toEqual([3, 12]);
  });
});

describe('long axes', () => {
  const whole = (op: Reduction['op'], shape: readonly number[]): Kernel => {
    const value = load(
      0,
      'float32',
      shape.map((_, axis) => coord(axis)),
    );
    const dtype = op === 'argmax' || op === 'argmin' ? 'int32' : 'float32';
    return kernel({
      inputs: [f32(...shape)],
      reduceAxes: [...shape],
      reductions: [{ op, value }],
      outputs: [acc(dtype, 0)],
    });
  };
  const limits = { ...none, threads: 2 ** 14, fold: 2048 };

  test.each([
    [[1_000_000], [1000]],
    [[1_000_003], [1001]],
    [
      [50, 100, 200],
      [50, 20],
    ],
    [
      [3, 1_000_000],
      [3, 500],
    ],
  ])('%j is folded in blocks %j', (shape, blocks) => {
    const [first, second] = stagesOf(whole('add', shape), 0, limits);
    expect(first?.axes.filter((extent) => extent > 1)).toEqual(blocks.filter((extent) => extent > 1));
    expect(second?.reduceAxes).toEqual(blocks);
  });

  test('the first of equals keeps its place, and NaN wins', () => {
    const shape = [7, 13, 11];
    const size = sizeOf(shape);
    for (const op of ['argmax', 'argmin'] as const)
      for (const at of [0, 500, 777, size - 1]) {
        const values = Float32Array.from({ length: size }, (_, i) =>
          i >= at ? (op === 'argmax' ? 2 : -2) : 0,
        );
        const stages = stagesOf(whole(op, shape), 0, { ...limits, fold: 4 });
        expect([...runStages(stages, [values])]).toEqual([at]);
        values[Math.min(size - 1, at + 3)] = Number.NaN;
        expect([...runStages(stages, [values])]).toEqual([Math.min(size - 1, at + 3)]);
      }
  });
});
