/** The laws are themselves tested: each is broken by something that breaks it alone. */
import { multiply, reference, type Tensor } from '@neumann/core';
import {
  binary,
  bind1,
  broadcastIndex,
  constant,
  type Kernel,
  load,
  type Primitive,
  scalar,
} from '@neumann/core/extend';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyOperand, shapes, smallShapes, smoothOperand } from '../src/arbitrary.ts';
import { type Backend, ConcreteTensor } from '../src/core.ts';
import { type Form, laws, type Operand, type Row } from '../src/index.ts';

const backend = reference();

type Rules = { -readonly [K in keyof Primitive]: Primitive[K] };

/** `2 x` as a primitive with the given rules in place of its right ones. */
function double(wrong: Partial<Rules> = {}): (x: Tensor) => Tensor {
  const primitive: Primitive = {
    name: 'double',
    kind: 'kernel',
    shape: ([x]) => (x ? [x] : []),
    jvp: (primals, tangents) => [[bind1(primitive, primals)], [bind1(primitive, tangents as Tensor[])]],
    transpose: ([ct]) => [bind1(primitive, [ct as Tensor])],
    batch: ([x], axes) => [[bind1(primitive, [x as Tensor])], [...axes]],
    lower: ([x]) => kernel(x as { shape: readonly number[]; dtype: 'float64' }),
    ...wrong,
  };
  return (x) => bind1(primitive, [x]);
}

function kernel(x: { shape: readonly number[]; dtype: 'float64' }): Kernel {
  const element = load(0, x, broadcastIndex(x.shape, x.shape.length));
  return {
    name: 'double',
    inputs: [x],
    axes: x.shape,
    reduceAxes: [],
    reductions: [],
    outputs: [binary('mul', element, constant(x.dtype, 2))],
  };
}

function rowOf(f: (x: Tensor) => Tensor, factor: number = 2): Row {
  const forms = (
    shape: fc.Arbitrary<readonly number[]>,
    operand: (s: readonly number[]) => Operand,
  ): fc.Arbitrary<Form> =>
    shape.map((s) => ({
      f: (x) => f(x),
      text: 'double',
      operands: [operand(s)],
      define: (x) => [x.values.map((v) => v * factor)],
    }));
  return {
    name: 'double',
    dtypes: ['float32', 'float64'],
    error: 'exact',
    values: (dtype) => forms(shapes(), (s) => anyOperand(dtype, s)),
    smooth: forms(smallShapes(), (s) => smoothOperand(s)),
    linear: [[0]],
  };
}

/** Names of the laws that do not hold for a row. */
async function broken(row: Row, on: Backend = backend): Promise<string[]> {
  const names: string[] = [];
  for (const { name, samples, holds, runs } of laws) {
    const drawn = samples(row, on);
    if (!drawn) continue;
    const property = fc.asyncProperty(drawn, async (sample) => holds(sample, row, on));
    const { failed } = await fc.check(property, { numRuns: runs, seed: 11, endOnFailure: true });
    if (failed) names.push(name);
  }
  return names;
}

const adjoint = '⟨Jv, u⟩ = ⟨v, Jᵀu⟩ and linearize ≡ jvp';

describe('a primitive with one wrong rule breaks the laws about that rule', () => {
  test('with none, it breaks none', async () => {
    expect(await broken(rowOf(double()))).toEqual([]);
  });

  test('a wrong value', async () => {
    expect(await broken(rowOf(double(), 2.001))).toEqual(['result ≡ its definition']);
  });

  test('a wrong shape rule', async () => {
    const f = double({
      shape: ([x]) => [{ shape: [...(x?.shape ?? [])].reverse(), dtype: x?.dtype ?? 'float64' }],
    });
    expect(await broken(rowOf(f))).toContain('shape rule ≡ result');
  });

  test('a wrong derivative', async () => {
    const f: (x: Tensor) => Tensor = double({
      jvp: ([x], [dx]) => [[f(x as Tensor)], [multiply(dx as Tensor, scalar(2.002, (dx as Tensor).dtype))]],
    });
    expect(await broken(rowOf(f))).toEqual(['transpose is adjoint, twice', 'gradients to second order']);
  });

  test('a wrong transpose', async () => {
    const f = double({ transpose: ([ct]) => [multiply(ct as Tensor, scalar(2.002, (ct as Tensor).dtype))] });
    expect(await broken(rowOf(f))).toEqual([
      adjoint,
      'transpose is adjoint, twice',
      'gradients to second order',
    ]);
  });

  test('a wrong batch axis', async () => {
    const f: (x: Tensor) => Tensor = double({ batch: ([x]) => [[f(x as Tensor)], [0]] });
    expect(await broken(rowOf(f))).toEqual(['vmap ≡ loop']);
  });
});

describe('a function or backend that misbehaves breaks the law', () => {
  test('other results when traced', async () => {
    const f = (x: Tensor): Tensor => (x instanceof ConcreteTensor ? multiply(x, 2) : multiply(x, 2.001));
    expect(await broken(rowOf(f))).toContain('jit ≡ eager');
  });

  test('another program each time', async () => {
    let calls = 0;
    const f = (x: Tensor): Tensor => (calls++ % 2 === 0 ? multiply(x, 2) : multiply(2, x));
    expect(await broken(rowOf(f))).toEqual(['programs check and print']);
  });

  test('a backend that is off by an ulp, or loses what is donated', async () => {
    const off: Backend = {
      ...backend,
      name: 'off',
      download: async (buffer) => (await backend.download(buffer)).map((x) => x * (1 + 2 ** -22)),
    };
    expect(await broken(rowOf(double()), off)).toContain('result ≡ reference');
    const loses: Backend = {
      ...backend,
      compile: (plan) => {
        const executable = backend.compile(plan);
        if (!plan.slots.some(({ place }) => place.kind === 'donated')) return executable;
        return {
          run: (inputs) =>
            executable.run(inputs).map((b) => backend.upload(b.dtype, backend.downloadSync(b).fill(7))),
        };
      },
    };
    expect(await broken(rowOf(double()), loses)).toContain('donated ≡ not donated');
  });
});
