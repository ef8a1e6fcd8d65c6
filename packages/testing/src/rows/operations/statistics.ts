/** Statistics, searching, sets and series: made of operations that have rows of their own. */
import * as nm from '@neumann/core';
import fc from 'fast-check';
import {
  anyOperand,
  distinctOperand,
  integersBetween,
  operandBetween,
  smallShapes,
  smoothOperand,
} from '../../arbitrary.ts';
import type { ErrorModel } from '../../compare.ts';
import { type DType, dtypes, type Shape, type Tensor } from '../../core.ts';
import type { Form, Operand, Row } from '../../row.ts';
import { floats, numbers } from '../dtypes.ts';
import { axisOp } from './ordered.ts';
import { foldOp, positionOp } from './reductions.ts';
import { axisOf } from './shapes.ts';
import { source } from './sources.ts';

/** Sums of a few hundred squares of numbers up to 10. */
const sums: ErrorModel = { units: 600, floor: 100 };
const ordinary = (dtype: DType, s: Shape): Operand => operandBetween(dtype, s, -10, 10);
const few = (row: Row, more: Partial<Row> = {}): Row => ({ runs: 0.25, ...row, ...more });

const nonEmpty = { dtypes: floats, error: sums, operand: ordinary, empty: false } as const;

const folds: readonly Row[] = [
  foldOp('median', { f: nm.median, ...nonEmpty, smooth: distinctOperand }),
  foldOp('nanMedian', { f: nm.nanMedian, ...nonEmpty, smooth: distinctOperand }),
  foldOp('quantile', { f: (x, o) => nm.quantile(x, [0.2, 0.9], o), ...nonEmpty, smooth: distinctOperand }),
  foldOp('nanQuantile', { f: (x, o) => nm.nanQuantile(x, 0.3, o), ...nonEmpty, smooth: distinctOperand }),
  foldOp('percentile', {
    f: (x, o) => nm.percentile(x, 35, { ...o, method: 'midpoint' }),
    ...nonEmpty,
    smooth: distinctOperand,
  }),
  foldOp('nanPercentile', {
    f: (x, o) => nm.nanPercentile(x, 40, { ...o, method: 'lower' }),
    ...nonEmpty,
    smooth: distinctOperand,
  }),
  foldOp('ptp', { f: nm.ptp, error: 'exact', dtypes: numbers, empty: false, smooth: distinctOperand }),
  foldOp('countNonzero', { f: nm.countNonzero, error: 'exact' }),
  foldOp('average', {
    f: nm.average,
    error: 'sum',
    dtypes: floats,
    operand: ordinary,
    smooth: (s) => smoothOperand(s),
  }),
  foldOp('nanSum', {
    f: nm.nanSum,
    error: sums,
    dtypes: floats,
    operand: ordinary,
    smooth: (s) => smoothOperand(s),
  }),
  foldOp('nanProd', {
    f: nm.nanProd,
    error: { units: 600 },
    dtypes: floats,
    operand: (dtype, s) => operandBetween(dtype, s, -1.1, 1.1),
    smooth: (s) => smoothOperand(s),
  }),
  foldOp('nanMax', { f: nm.nanMax, error: 'exact', empty: false, smooth: distinctOperand }),
  foldOp('nanMin', { f: nm.nanMin, error: 'exact', empty: false, smooth: distinctOperand }),
  foldOp('nanMean', {
    f: nm.nanMean,
    error: sums,
    dtypes: floats,
    operand: ordinary,
    smooth: (s) => smoothOperand(s),
  }),
  foldOp('nanVariance', { f: nm.nanVariance, ...nonEmpty, smooth: distinctOperand }),
  foldOp('nanStd', {
    f: nm.nanStd,
    ...nonEmpty,
    operand: (dtype, s) => ({
      ...distinctOperand(s),
      dtype,
      values: distinctOperand(s).values.map((v) => (dtype === 'float32' ? Float32Array.from(v) : v)),
    }),
    smooth: (s) => (s.length === 0 ? smoothOperand(s) : distinctOperand(s)),
  }),
  positionOp('nanArgmax', nm.nanArgmax),
  positionOp('nanArgmin', nm.nanArgmin),
].map((row) => few(row));

const axes = (s: Shape): fc.Arbitrary<{ axis: number }> => fc.record({ axis: axisOf(s.length) });

const series: readonly Row[] = [
  axisOp('diff', { f: nm.diff, options: axes, dtypes: numbers, smooth: (s) => smoothOperand(s) }),
  axisOp('gradient', {
    f: (x, { axis }) => nm.gradient(nm.concatenate([x, x], { axis }), { axis }),
    options: axes,
    dtypes: floats,
    error: sums,
    operand: ordinary,
    smooth: (s) => smoothOperand(s),
    empty: false,
  }),
  axisOp('trapezoid', {
    f: nm.trapezoid,
    options: axes,
    dtypes: floats,
    error: sums,
    operand: ordinary,
    smooth: (s) => smoothOperand(s),
    empty: false,
  }),
  axisOp('unwrap', {
    f: (x, { axis }) => nm.unwrap(nm.multiply(x, 0.3), { axis }),
    options: axes,
    dtypes: floats,
    error: sums,
    operand: ordinary,
    smooth: (s) => smoothOperand(s),
    empty: false,
  }),
].map((row) => few(row));

/** A function of vectors. */
function vectorOp(
  name: string,
  f: (...xs: Tensor[]) => Tensor | readonly Tensor[],
  count: number,
  { known = floats, error = sums, operand = ordinary, smooth = smoothOperand } = {},
): Row {
  const forms = (make: (s: Shape) => Operand): fc.Arbitrary<Form> =>
    fc.array(fc.integer({ min: 1, max: 7 }), { minLength: count, maxLength: count }).map((sizes) => ({
      f,
      text: name,
      operands: sizes.map((n) => make([n])),
    }));
  return {
    name,
    dtypes: known,
    error,
    runs: 0.25,
    values: (dtype) => forms((s) => operand(dtype, s)),
    smooth: forms(smooth),
  };
}

const grid = [-3, -1, 0, 0.5, 2] as const;

const vectorOps: readonly Row[] = [
  vectorOp('convolve', (x, y) => nm.convolve(x, y), 2),
  vectorOp('correlate', (x, y) => nm.correlate(x, y, 'full'), 2),
  vectorOp('polyval', (c, x) => nm.polyval(nm.multiply(c, 0.1), nm.multiply(x, 0.1)), 2),
  vectorOp('polyadd', (x, y) => nm.polyadd(x, y), 2),
  vectorOp('polysub', (x, y) => nm.polysub(x, y), 2),
  vectorOp('polymul', (x, y) => nm.polymul(x, y), 2),
  vectorOp('polyder', (x) => nm.polyder(x), 1),
  vectorOp('polyint', (x) => nm.polyint(x), 1),
  vectorOp('ediff1d', (x) => nm.ediff1d(x, { after: 1 }), 1),
  vectorOp(
    'interp',
    (x, y) =>
      nm.interp(x, nm.tensor([...grid], x.dtype), nm.add(nm.slice(y, [0]), nm.arange(0, 5, 1, x.dtype))),
    2,
    { smooth: (s) => smoothOperand(s, 0.6, 1.9) },
  ),
  {
    name: 'cov',
    dtypes: floats,
    error: sums,
    runs: 0.25,
    values: (dtype) =>
      fc.constant({ f: (x: Tensor) => nm.cov(x), text: 'cov', operands: [ordinary(dtype, [3, 5])] }),
    smooth: fc.constant({
      f: (x: Tensor) => nm.cov(x, { rowvar: false }),
      text: 'cov',
      operands: [smoothOperand([3, 2])],
    }),
  },
  {
    name: 'corrcoef',
    dtypes: floats,
    error: sums,
    runs: 0.25,
    values: (dtype) =>
      fc.constant({
        f: (x: Tensor) => nm.corrcoef(x),
        text: 'corrcoef',
        operands: [
          {
            ...distinctOperand([3, 5]),
            dtype,
            values: distinctOperand([3, 5]).values.map((v) =>
              dtype === 'float32' ? Float32Array.from(v) : v,
            ),
          },
        ],
      }),
  },
];

const searched = (
  name: string,
  f: (x: Tensor, y: Tensor) => Tensor | readonly Tensor[],
  known: readonly DType[] = dtypes,
): Row => ({
  name,
  dtypes: known,
  error: 'exact',
  runs: 0.3,
  values: (dtype) =>
    fc.tuple(smallShapes(), fc.integer({ min: 0, max: 9 })).map(([s, n]) => ({
      f: (x: Tensor, y: Tensor) => f(x, y),
      text: name,
      operands: [anyOperand(dtype, s), anyOperand(dtype, [n])],
    })),
});

const others: readonly Row[] = [
  searched('searchsorted', (x, y) => nm.searchsorted(nm.sort(y), x)),
  searched('searchsorted', (x, y) => nm.searchsorted(nm.sort(nm.tile(y, 20)), x, { side: 'right' })),
  searched('digitize', (x) => nm.digitize(x, nm.arange(-4, 5, 2, 'float32')), floats),
  searched('isIn', (x, y) => nm.isIn(x, y)),
  searched('unique', (x) => nm.unique(x, { size: 4, fill: 1 })),
  searched('uniqueAll', (x) => Object.values(nm.uniqueAll(x, { size: 30, fill: 1 }))),
  searched('union1d', (x, y) => nm.union1d(x, y, { size: 5, fill: 1 })),
  searched('intersect1d', (x, y) => nm.intersect1d(x, y, { size: 5, fill: 1 })),
  searched('setdiff1d', (x, y) => nm.setdiff1d(x, y, { size: 5, fill: 1 })),
  searched('setxor1d', (x, y) => nm.setxor1d(x, y, { size: 5, fill: 1 })),
  searched('histogram', (x) => nm.histogram(x, { bins: 4, range: [-3, 3] }), floats),
  {
    name: 'bincount',
    dtypes: ['int32', 'uint8'],
    error: 'exact',
    runs: 0.3,
    values: (dtype) =>
      fc.integer({ min: 0, max: 20 }).map((n) => ({
        f: (x) => nm.bincount(x, { length: 5 }),
        text: 'bincount',
        operands: [integersBetween(dtype, [n], 0, 7)],
      })),
  },
];

const tapers: readonly Row[] = [
  source('bartlett', floats, (dtype, n) => nm.bartlett(n, dtype)),
  source('hanning', floats, (dtype, n) => nm.hanning(n, dtype)),
  source('hamming', floats, (dtype, n) => nm.hamming(n, dtype)),
  source('blackman', floats, (dtype, n) => nm.blackman(n, dtype)),
  few(
    source('kaiser', floats, (dtype, n) => nm.kaiser(n, 2, dtype)),
    { error: { units: 64 } },
  ),
].map((row) => few(row));

export const statisticsRows: readonly Row[] = [...folds, ...series, ...vectorOps, ...others, ...tapers];
