import fc from 'fast-check';
import {
  anyOperand,
  arrays,
  distinctOperand,
  finiteOperand,
  operandBetween,
  shapes,
  smallShapes,
  smoothOperand,
  someAxes,
} from '../arbitrary.ts';
import type { ErrorModel } from '../compare.ts';
import { type DType, dtypes, rangeOf, reduce, type Shape, type Tensor } from '../core.ts';
import { foldAxes } from '../define.ts';
import type { Form, Operand, Row } from '../row.ts';
import { numbers } from './dtypes.ts';

type Reduce = (x: Tensor, axes: readonly number[]) => Tensor;

function forms(
  name: string,
  f: Reduce,
  shape: fc.Arbitrary<Shape>,
  operand: (shape: Shape) => Operand,
  fold: (elements: number[], dtype: DType) => number,
  minAxes: number = 1,
): fc.Arbitrary<Form> {
  return shape.chain((extents) =>
    someAxes(extents.length, Math.min(minAxes, extents.length)).map((axes) => ({
      f: (x) => f(x, axes),
      text: `${name} over [${axes}]`,
      operands: [operand(extents)],
      define: (x) => [foldAxes(x, axes, (elements) => fold(elements, x.dtype))],
    })),
  );
}

const wrap: Readonly<Record<DType, (x: number) => number>> = {
  float32: Math.fround,
  float64: (x) => x,
  int32: (x) => x | 0,
  uint32: (x) => x >>> 0,
  uint8: (x) => x & 255,
  bool: (x) => x,
};

const sumOf = (xs: number[], dtype: DType): number => wrap[dtype](xs.reduce((a, b) => a + b, 0));
const productOf = (xs: number[], dtype: DType): number =>
  dtype === 'float32' || dtype === 'float64'
    ? wrap[dtype](xs.reduce((a, b) => a * b, 1))
    : xs.reduce((a, b) => wrap[dtype](Math.imul(a, b)), 1);
const maxOf = (xs: number[], dtype: DType): number => xs.reduce((a, b) => Math.max(a, b), rangeOf[dtype][0]);
const minOf = (xs: number[], dtype: DType): number => xs.reduce((a, b) => Math.min(a, b), rangeOf[dtype][1]);

/** The first NaN, or else the first extreme element. */
function indexOfExtreme(xs: number[], beats: (a: number, b: number) => boolean): number {
  const nan = xs.findIndex(Number.isNaN);
  return nan >= 0 ? nan : xs.reduce((best, x, i) => (beats(x, xs[best] as number) ? i : best), 0);
}

interface ReduceFacts {
  readonly f: Reduce;
  readonly fold: (elements: number[], dtype: DType) => number;
  readonly dtypes: readonly DType[];
  readonly error: ErrorModel;
  readonly operand: (dtype: DType, shape: Shape) => Operand;
  readonly smooth?: (shape: Shape) => Operand;
  readonly linear?: readonly (readonly number[])[];
  /** Whether an empty axis may be reduced. */
  readonly empty: boolean;
}

/** Factors near 1, so that no product overflows on the way. */
const factors = (dtype: DType, shape: Shape): Operand =>
  dtype === 'float32' || dtype === 'float64'
    ? { dtype, shape, values: arrays(dtype, shape, fc.constantFrom(1, -1, 0.5, 2, 1.1, 0, -0, 0.9)) }
    : anyOperand(dtype, shape);

const facts: Record<string, ReduceFacts> = {
  reduceSum: {
    f: reduce.reduceSum,
    fold: sumOf,
    dtypes: numbers,
    error: 'sum',
    operand: finiteOperand,
    smooth: (shape) => smoothOperand(shape),
    linear: [[0]],
    empty: true,
  },
  reduceMax: {
    f: reduce.reduceMax,
    fold: maxOf,
    dtypes,
    error: 'exact',
    operand: anyOperand,
    smooth: distinctOperand,
    empty: true,
  },
  reduceMin: {
    f: reduce.reduceMin,
    fold: minOf,
    dtypes,
    error: 'exact',
    operand: anyOperand,
    smooth: distinctOperand,
    empty: true,
  },
  reduceProd: {
    f: reduce.reduceProd,
    fold: productOf,
    dtypes: numbers,
    // n - 1 roundings, each of half an ulp; of at most 300 elements, of which all but the powers of 2 round.
    error: { ulps: 300 },
    operand: factors,
    smooth: (shape) => operandBetween('float64', shape, -1.5, 1.5),
    empty: true,
  },
  argmax: {
    f: reduce.argmax,
    fold: (xs) => indexOfExtreme(xs, (a, b) => a > b),
    dtypes,
    error: 'exact',
    operand: anyOperand,
    empty: false,
  },
  argmin: {
    f: reduce.argmin,
    fold: (xs) => indexOfExtreme(xs, (a, b) => a < b),
    dtypes,
    error: 'exact',
    operand: anyOperand,
    empty: false,
  },
};

/** Folds over axes. */
export const reduceRows: readonly Row[] = Object.entries(facts).map(([name, row]) => {
  const { f, fold, operand, smooth, linear, empty, dtypes: known, error } = row;
  const minRank = 1;
  const result: Row = {
    name,
    dtypes: known,
    error,
    values: (dtype) => forms(name, f, shapes({ minRank, empty }), (shape) => operand(dtype, shape), fold),
  };
  if (!smooth) return result;
  const differentiable = forms(name, f, smallShapes({ minRank }), smooth, fold);
  return linear ? { ...result, smooth: differentiable, linear } : { ...result, smooth: differentiable };
});
