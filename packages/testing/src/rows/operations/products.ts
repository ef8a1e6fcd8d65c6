/** Products, convolutions and windows. */
import * as nm from '@neumann/core';
import fc from 'fast-check';
import {
  anyOperand,
  broadcasting,
  distinctOperand,
  finiteOperand,
  smallShapes,
  smoothOperand,
} from '../../arbitrary.ts';
import type { ErrorModel } from '../../compare.ts';
import type { Shape, Tensor } from '../../core.ts';
import type { Form, Operand, Row } from '../../row.ts';
import { floats } from '../dtypes.ts';

type Op2 = (x: Tensor, y: Tensor) => Tensor;

/* ---- products, convolutions, windows ---- */

/** Operands of a product by their shapes. */
function productOp(name: string, f: Op2, pairs: (small: boolean) => fc.Arbitrary<[Shape, Shape]>): Row {
  const forms = (small: boolean, operand: (s: Shape) => Operand): fc.Arbitrary<Form> =>
    pairs(small).map(([a, b]) => ({
      f: (x, y) => f(x, y),
      text: name,
      operands: [operand(a), operand(b)],
    }));
  return {
    name,
    dtypes: floats,
    error: 'sum',
    values: (dtype) => forms(false, (s) => finiteOperand(dtype, s)),
    smooth: forms(true, (s) => smoothOperand(s)),
  };
}

const extent = (small: boolean): fc.Arbitrary<number> => fc.integer({ min: 1, max: small ? 3 : 9 });

const vectorOrMatrix = (small: boolean): fc.Arbitrary<[Shape, Shape]> =>
  fc
    .tuple(extent(small), extent(small), extent(small), fc.boolean(), fc.boolean())
    .map(([m, k, n, row, column]) => [row ? [k] : [m, k], column ? [k] : [k, n]]);

const withBatches = (small: boolean): fc.Arbitrary<[Shape, Shape]> =>
  fc
    .tuple(vectorOrMatrix(small), broadcasting(2, smallShapes({ maxRank: 2 })))
    .map(([[a, b], [leadA = [], leadB = []]]) => [
      a.length === 1 ? a : [...leadA, ...a],
      b.length === 1 ? b : [...leadB, ...b],
    ]);

const convForms = (small: boolean, operand: (s: Shape) => Operand): fc.Arbitrary<Form> =>
  fc
    .record({
      spatial: fc.array(fc.integer({ min: 3, max: small ? 4 : 6 }), {
        minLength: 1,
        maxLength: small ? 2 : 3,
      }),
      n: fc.integer({ min: 1, max: 2 }),
      kernel: fc.integer({ min: 1, max: 3 }),
      groups: fc.constantFrom(1, 1, 2),
      perC: fc.integer({ min: 1, max: 3 }),
      perF: fc.integer({ min: 1, max: 3 }),
      stride: fc.integer({ min: 1, max: 2 }),
      padding: fc.constantFrom<'valid' | 'same'>('valid', 'same'),
    })
    .map(({ spatial, n, kernel, groups, perC, perF, stride, padding }) => ({
      f: (x, w) => nm.conv(x, w, { stride, padding, groups }),
      text: `conv stride ${stride} ${padding} groups ${groups}`,
      operands: [
        operand([n, ...spatial, perC * groups]),
        operand([...spatial.map(() => kernel), perC, perF * groups]),
      ],
    }));

const transposeForms = (small: boolean, operand: (s: Shape) => Operand): fc.Arbitrary<Form> =>
  fc
    .record({
      spatial: fc.array(fc.integer({ min: 1, max: small ? 3 : 5 }), {
        minLength: 1,
        maxLength: small ? 2 : 3,
      }),
      kernel: fc.integer({ min: 1, max: 3 }),
      c: fc.integer({ min: 1, max: 2 }),
      f: fc.integer({ min: 1, max: 2 }),
      stride: fc.integer({ min: 1, max: 3 }),
      padding: fc.constantFrom<'valid' | 'same'>('valid', 'same'),
    })
    .map(({ spatial, kernel, c, f, stride, padding }) => ({
      f: (x, w) => nm.convTranspose(x, w, { stride, padding }),
      text: `convTranspose stride ${stride} ${padding}`,
      operands: [operand([1, ...spatial, c]), operand([...spatial.map(() => kernel), c, f])],
    }));

const depthwiseForms = (small: boolean, operand: (s: Shape) => Operand): fc.Arbitrary<Form> =>
  fc
    .record({
      n: fc.integer({ min: 3, max: small ? 4 : 7 }),
      c: fc.integer({ min: 1, max: 3 }),
      m: fc.integer({ min: 1, max: 2 }),
    })
    .map(({ n, c, m }) => ({
      f: (x, w) => nm.depthwiseConv(x, w, { padding: 'same', stride: 2 }),
      text: 'depthwiseConv',
      operands: [operand([1, n, c]), operand([3, c, m])],
    }));

function windowOp(
  name: string,
  slide: typeof nm.windowSum,
  error: ErrorModel,
  smooth: (s: Shape) => Operand,
): Row {
  const forms = (small: boolean, operand: (s: Shape) => Operand): fc.Arbitrary<Form> =>
    fc
      .record({
        spatial: fc.array(fc.integer({ min: 3, max: small ? 4 : 7 }), {
          minLength: 1,
          maxLength: small ? 2 : 3,
        }),
        n: fc.integer({ min: 1, max: 2 }),
        c: fc.integer({ min: 1, max: 3 }),
        window: fc.integer({ min: 1, max: 3 }),
        stride: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
        padding: fc.constantFrom<'valid' | 'same'>('valid', 'same'),
      })
      .map(({ spatial, n, c, ...options }) => ({
        f: (x) => slide(x, options),
        text: `${name} ${JSON.stringify(options)}`,
        operands: [operand([n, ...spatial, c])],
      }));
  return {
    name,
    dtypes: floats,
    error,
    values: (dtype) =>
      forms(false, (s) => (error === 'exact' ? anyOperand(dtype, s) : finiteOperand(dtype, s))),
    smooth: forms(true, smooth),
  };
}

export const productRows: readonly Row[] = [
  productOp('matmul', nm.matmul, withBatches),
  productOp('dot', nm.dot, vectorOrMatrix),
  productOp('outer', nm.outer, (small) =>
    fc.tuple(smallShapes({ maxRank: 2 }), small ? smallShapes({ maxRank: 1 }) : smallShapes({ maxRank: 2 })),
  ),
  {
    name: 'conv',
    dtypes: floats,
    error: 'sum',
    values: (dtype) => convForms(false, (s) => finiteOperand(dtype, s)),
    smooth: convForms(true, (s) => smoothOperand(s)),
    linear: [[0], [1]],
  },
  {
    name: 'convTranspose',
    dtypes: floats,
    error: 'sum',
    values: (dtype) => transposeForms(false, (s) => finiteOperand(dtype, s)),
    smooth: transposeForms(true, (s) => smoothOperand(s)),
    linear: [[0], [1]],
  },
  {
    name: 'depthwiseConv',
    dtypes: floats,
    error: 'sum',
    values: (dtype) => depthwiseForms(false, (s) => finiteOperand(dtype, s)),
    smooth: depthwiseForms(true, (s) => smoothOperand(s)),
  },
  windowOp('windowMin', nm.windowMin, 'exact', distinctOperand),
  windowOp('windowMax', nm.windowMax, 'exact', distinctOperand),
  windowOp('windowSum', nm.windowSum, 'sum', (s) => smoothOperand(s)),
  windowOp('windowMean', nm.windowMean, 'sum', (s) => smoothOperand(s)),
];
