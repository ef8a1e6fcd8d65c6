import {
  acc,
  addExpr,
  type Buffer,
  binary,
  cast,
  checkKernel,
  constant,
  coord,
  type DType,
  type Expr,
  hostArray,
  type Kernel,
  load,
  mulExpr,
  type Plan,
  showKernel,
  sizeOf,
  type TypedArray,
} from '@neumann/core/backend';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCpu } from '../src/backend.ts';
import { noLimits } from '../src/emit/cost.ts';
import { cpu } from '../src/index.ts';
import { elementwise, planOf, randomSource, runKernel, runReference, valuesOf } from './kernels.ts';
import { randomSample } from './random-kernel.ts';

const backend = await cpu();
const shared = await createCpu({ threads: 2 }, noLimits);

/** The largest error in units of what rounding may do to a sum of some hundred numbers of the result's size. */
function worstError(actual: TypedArray, expected: TypedArray): number {
  const epsilon = actual instanceof Float32Array ? 2 ** -23 : actual instanceof Float64Array ? 2 ** -52 : 0;
  const scale = Math.max(1, ...Array.from(expected, (x) => (Number.isFinite(x) ? Math.abs(x) : 0)));
  let worst = actual.length === expected.length ? 0 : Infinity;
  for (const [i, want] of expected.entries()) {
    const got = actual[i] ?? NaN;
    if (Object.is(got, want) || got === want) continue;
    worst = Math.max(worst, epsilon === 0 ? Infinity : Math.abs(got - want) / (scale * epsilon) || Infinity);
  }
  return worst;
}

test('any kernel computes what the reference does', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (seed) => {
      const { kernel, inputs } = randomSample(seed);
      checkKernel(kernel);
      const expected = runReference(kernel, inputs);
      const actual = runKernel(backend, kernel, inputs);
      for (const [i, want] of expected.entries())
        expect(
          worstError(actual[i] as TypedArray, want),
          `output ${i} of ${showKernel(kernel)}`,
        ).toBeLessThan(200);
    }),
    { numRuns: 400 },
  );
});

test('transposes of any shape and permutation', () => {
  const extents = fc.oneof(
    fc.array(fc.integer({ min: 1, max: 21 }), { minLength: 2, maxLength: 3 }),
    fc.tuple(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 90 })),
  );
  fc.assert(
    fc.property(
      extents,
      fc.constantFrom<DType>('float32', 'int32', 'float64', 'uint8', 'bool'),
      fc.integer(),
      (shape, dtype, seed) => {
        const random = randomSource(seed);
        const order = shape.map((_, axis) => axis).sort(() => random() - 0.5);
        const kernel: Kernel = {
          name: 'transpose',
          inputs: [{ dtype, shape: order.map((axis) => shape[axis] ?? 1) }],
          axes: shape,
          reduceAxes: [],
          reductions: [],
          outputs: [load(0, dtype, order.map(coord))],
        };
        const inputs = [valuesOf(dtype, sizeOf(shape), random)];
        expect(runKernel(backend, kernel, inputs)).toEqual(runReference(kernel, inputs));
      },
    ),
    { numRuns: 100 },
  );
});

test('work on an operand that lies across, in tiles and what they leave over', () => {
  const extents = fc.array(fc.integer({ min: 1, max: 37 }), { minLength: 2, maxLength: 3 });
  fc.assert(
    fc.property(
      extents,
      fc.constantFrom<DType>('float32', 'int32', 'float64', 'uint8'),
      fc.integer(),
      (shape, dtype, seed) => {
        const random = randomSource(seed);
        const order = shape.map((_, axis) => axis).sort(() => random() - 0.5);
        const across = order.map((axis) => shape[axis] ?? 1);
        const inputs = [shape, across].map((view) => ({ dtype, shape: view }));
        const [x, y] = [
          load(
            0,
            dtype,
            shape.map((_, axis) => coord(axis)),
          ),
          load(1, dtype, order.map(coord)),
        ];
        const place = shape.reduce<Expr>(
          (sum, n, axis) => addExpr(mulExpr(sum, constant('int32', n)), coord(axis)),
          constant('int32', 0),
        );
        const kernel: Kernel = {
          name: 'across',
          inputs,
          axes: shape,
          reduceAxes: [],
          reductions: [],
          outputs: [binary('sub', x, y), binary('max', cast('float32', y), cast('float32', place))],
        };
        const data = inputs.map((view) => valuesOf(dtype, sizeOf(view.shape), random));
        const expected = runReference(kernel, data);
        for (const one of [backend, shared]) expect(runKernel(one, kernel, data)).toEqual(expected);
      },
    ),
    { numRuns: 150 },
  );
});

test('an expression of thousands of nodes in a chain', () => {
  const kernel = elementwise([9], ['float32', 'float32'], (x, y) => {
    let chain = x;
    for (let i = 0; i < 6000; i++) chain = binary(i % 2 === 0 ? 'add' : 'max', y, chain);
    return [chain];
  });
  const random = randomSource(4);
  const inputs = [valuesOf('float32', 9, random, 0), valuesOf('float32', 9, random, 0)];
  expect(runKernel(backend, kernel, inputs)).toEqual(runReference(kernel, inputs));
});

test('a shared node is computed once', () => {
  let shared = load(0, 'float32', [coord(0)]);
  for (let i = 0; i < 60; i++) shared = binary('mul', shared, shared); // 2^60 multiplications if it were a tree
  const kernel = elementwise([5], ['float32'], () => [shared]);
  const inputs = [Float32Array.of(1, -1, 0, 0.5, NaN)];
  expect(runKernel(backend, kernel, inputs)).toEqual(runReference(kernel, inputs));
});

test('a result may take the place of an input that it reads only where it writes', () => {
  const kernel = elementwise([37], ['float32', 'int32'], (x, n) => [
    binary('add', x, constant('float32', 1)),
    binary('add', n, cast('int32', x)),
  ]);
  const plan = planOf(kernel);
  const slots = plan.slots.map((slot, i) =>
    i < 2 ? slot : { ...slot, place: { kind: 'donated', index: i - 2 } as const },
  );
  const random = randomSource(5);
  const inputs = [valuesOf('float32', 37, random, 0), valuesOf('int32', 37, random, 0)];
  const buffers = inputs.map((values, i) => backend.upload(kernel.inputs[i]?.dtype ?? 'float32', values));
  const results = backend.compile({ ...plan, slots }).run(buffers);
  expect(results.map((buffer) => backend.downloadSync(buffer))).toEqual(runReference(kernel, inputs));
});

test('empty reductions leave the identities', () => {
  for (const [op, dtype] of [
    ['add', 'float32'],
    ['mul', 'int32'],
    ['max', 'float64'],
    ['min', 'uint32'],
    ['max', 'int32'],
    ['min', 'bool'],
  ] as const) {
    const kernel: Kernel = {
      name: 'empty',
      inputs: [{ dtype, shape: [3, 0] }],
      axes: [3],
      reduceAxes: [0],
      reductions: [{ op, value: load(0, dtype, [coord(0), coord(1)]) }],
      outputs: [acc(dtype, 0)],
    };
    expect(runKernel(backend, kernel, [hostArray(dtype, 0)])).toEqual(
      runReference(kernel, [hostArray(dtype, 0)]),
    );
  }
});

test('steps of a plan share the arena', () => {
  const double = elementwise([10], ['float32'], (x) => [binary('add', x, x)]);
  const slot = { dtype: 'float32', size: 10 } as const;
  const plan: Plan = {
    slots: [
      { ...slot, place: { kind: 'input', index: 0 } },
      { ...slot, place: { kind: 'arena', offset: 0 } },
      { ...slot, place: { kind: 'arena', offset: 64 } },
      { ...slot, place: { kind: 'output' } },
    ],
    steps: [0, 1, 2].map((i) => ({ kind: 'kernel', kernel: double, inputs: [i], outputs: [i + 1] })),
    inputs: [0],
    outputs: [3],
    arenaBytes: 128,
  };
  const [result] = backend.compile(plan).run([backend.upload('float32', new Float32Array(10).fill(1))]);
  expect(backend.downloadSync(result as Buffer)).toEqual(new Float32Array(10).fill(8));
});
