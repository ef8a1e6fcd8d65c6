/** Any nesting of transformations gives the derivatives that it says. */
import { law } from '@neumann/testing';
import fc from 'fast-check';
import { expect } from 'vitest';
import * as nm from '../../src/index.ts';

type Tensor = nm.Tensor;
type Scalar = (x: Tensor) => Tensor;

const f64 = (x: number): Tensor => nm.tensor(x, 'float64');
const axisName = 'i';

/** What may be put around a scalar function, and how many derivatives it takes. */
const layers: Readonly<Record<string, { readonly order: number; readonly around: (f: Scalar) => Scalar }>> = {
  jit: { order: 0, around: (f) => nm.jit(f) },
  vmap: { order: 0, around: (f) => (x) => nm.sum(nm.vmap(f)(nm.expandDims(x, 0))) },
  'vmap, pmean': {
    order: 0,
    around: (f) => (x) =>
      nm.vmap((y: Tensor) => nm.pmean(f(y), 'i'), { axisName, outAxes: null })(nm.stack([x, x])),
  },
  checkpoint: { order: 0, around: (f) => nm.checkpoint(f) },
  customJvp: {
    order: 0,
    around: (f) =>
      nm.customJvp(
        (x: Tensor) => f(x),
        ([x], [dx]) => nm.jvp(f, [x], [dx]),
      ),
  },
  grad: { order: 1, around: (f) => nm.grad(f) },
  vjp: { order: 1, around: (f) => (x) => nm.vjp(f, x)[1](f64(1))[0] },
  jvp: { order: 1, around: (f) => (x) => nm.jvp(f, [x], [f64(1)])[1] },
  linearize: { order: 1, around: (f) => (x) => nm.linearize(f, x)[1](f64(1)) },
  jacfwd: { order: 1, around: (f) => nm.jacfwd(f) },
  jacrev: { order: 1, around: (f) => nm.jacrev(f) },
  hessian: { order: 2, around: (f) => nm.hessian(f) },
  hvp: { order: 2, around: (f) => (x) => nm.hvp(f, [x], f64(1)) },
};

// The k-th derivative of exp(2 x) / 4, written so that every factor has one too, is 2^k exp(2 x) / 4.
const base: Scalar = (x) => nm.multiply(nm.multiply(nm.exp(x), 0.5), nm.multiply(nm.exp(x), 0.5));

law(
  'transformations of a scalar function, in any order',
  fc.array(fc.constantFrom(...Object.keys(layers)), { minLength: 1, maxLength: 5, size: 'max' }),
  (names) => {
    let [f, order] = [base, 0];
    for (const name of names) {
      const layer = layers[name] as (typeof layers)[string];
      if (order + layer.order > 4) continue;
      f = layer.around(f);
      order += layer.order;
    }
    const expected = (2 ** order * Math.exp(0.6)) / 4;
    expect(f(f64(0.3)).item() / expected).toBeCloseTo(1, 11);
  },
  { runs: 150 },
);
