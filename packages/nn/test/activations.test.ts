/** Activations keep the laws of operations; their values at the joints of their pieces. */
import { grad, reference, sum, type Tensor, tensor } from '@neumann/core';
import * as nn from '@neumann/nn';
import { type Row, runLaws } from '@neumann/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const activations = {
  celu: (x) => nn.celu(x, { alpha: 0.5 }),
  elu: nn.elu,
  gelu: nn.gelu,
  'gelu approximate': (x) => nn.gelu(x, { approximate: true }),
  glu: nn.glu,
  hardSigmoid: nn.hardSigmoid,
  hardSwish: nn.hardSwish,
  hardTanh: nn.hardTanh,
  leakyRelu: nn.leakyRelu,
  logMeanExp: nn.logMeanExp,
  logSoftmax: nn.logSoftmax,
  mish: nn.mish,
  relu: nn.relu,
  relu6: nn.relu6,
  selu: nn.selu,
  silu: nn.silu,
  softSign: nn.softSign,
  softmax: nn.softmax,
  sparsePlus: nn.sparsePlus,
  sparseSigmoid: nn.sparseSigmoid,
  squareplus: nn.squareplus,
  standardize: nn.standardize,
} satisfies Record<string, (x: Tensor) => Tensor>;

/** Elements between the joints of all pieces: at -3, -1, 0, 1, 3, 6. */
const between = [-4.3, -2.1, -0.4, 0.3, 0.7, 1.6, 2.4, 4.1] as const;

const rows: readonly Row[] = Object.entries(activations).map(([name, f]) => {
  const form = (dtype: 'float32' | 'float64', numbers: fc.Arbitrary<number>) => {
    const array = dtype === 'float32' ? Float32Array : Float64Array;
    return fc.constantFrom([6], [2, 4]).map((shape) => {
      const size = shape.reduce((n, extent) => n * extent, 1);
      const values = fc.array(numbers, { minLength: size, maxLength: size }).map((xs) => new array(xs));
      return { f: (x: Tensor) => f(x), text: name, operands: [{ dtype, shape, values }] };
    });
  };
  return {
    name,
    dtypes: ['float32', 'float64'],
    error: { units: 64, floor: 1 },
    values: (dtype) => form(dtype as 'float32', fc.constantFrom(...between, 0, -0, 1, -1, 3, 6, 100, -100)),
    smooth: form('float64', fc.constantFrom(...between)),
  };
});

runLaws(reference(), { rows, runs: 0.25 });

describe('activations', () => {
  const slopes = (f: (x: Tensor) => Tensor, ...at: number[]): unknown =>
    grad((x: Tensor) => sum(f(x)))(tensor(at)).toArray();

  test('derivatives at the joints are those of JAX', () => {
    expect(slopes(nn.relu, -1, 0, 1)).toEqual([0, 0, 1]);
    expect(slopes(nn.relu6, 0, 3, 6, 7)).toEqual([0, 1, 0, 0]);
    expect(slopes(nn.leakyRelu, 0)).toEqual([1]);
    expect(slopes(nn.elu, 0)).toEqual([1]);
  });

  test('far from 0 nothing overflows', () => {
    for (const f of Object.values(activations)) {
      const y = f(tensor([-1e4, 1e4]));
      expect((y.toArray() as number[] | number).toString(), f.name).not.toContain('NaN');
      expect(slopes(f, -1e4, 1e4), f.name).not.toContain(NaN);
    }
  });

  test('NaN stays NaN', () => {
    for (const f of [nn.relu, nn.relu6, nn.hardTanh, nn.leakyRelu, nn.elu, nn.sparsePlus])
      expect(f(tensor([NaN])).toArray(), f.name).toEqual([NaN]);
  });

  test('glu refuses an odd axis', () => {
    expect(() => nn.glu(tensor([1, 2, 3]))).toThrow(
      'glu: axis -1 of f32[3] does not divide into two halves.',
    );
  });
});
