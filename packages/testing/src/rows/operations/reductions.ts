/** Operations that fold axes. */
import * as nm from '@neumann/core';
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
} from '../../arbitrary.ts';
import type { ErrorModel } from '../../compare.ts';
import { type DType, dtypes, isFloat, type Shape, type Tensor } from '../../core.ts';
import type { Form, Operand, Row } from '../../row.ts';
import { floats } from '../dtypes.ts';

/* ---- reductions ---- */

export interface FoldFacts {
  readonly f: (x: Tensor, options: nm.ReduceOptions) => Tensor;
  readonly dtypes?: readonly DType[];
  readonly error: ErrorModel;
  readonly operand?: (dtype: DType, shape: Shape) => Operand;
  readonly smooth?: (shape: Shape) => Operand;
  /** Whether nothing may be folded. */
  readonly empty?: boolean;
}

/** Options of a reduction over some axes, all, or one counted from the end. */
const foldOptions = (rank: number): fc.Arbitrary<nm.ReduceOptions> =>
  fc
    .record({
      axes: someAxes(rank),
      how: fc.constantFrom('all', 'some', 'some', 'last'),
      keepdims: fc.constantFrom(undefined, true, false),
    })
    .map(({ axes, how, keepdims }) => ({
      axis: how === 'all' ? undefined : how === 'last' && rank > 0 ? -1 : axes,
      keepdims,
    }));

export function foldOp(name: string, facts: FoldFacts): Row {
  const { f, dtypes: known = dtypes, error, operand = anyOperand, smooth, empty = true } = facts;
  const forms = (shape: fc.Arbitrary<Shape>, make: (s: Shape) => Operand): fc.Arbitrary<Form> =>
    shape.chain((s) =>
      foldOptions(s.length).map((options) => ({
        f: (x) => f(x, options),
        text: `${name} ${JSON.stringify(options)}`,
        operands: [make(s)],
      })),
    );
  const row: Row = {
    name,
    dtypes: known,
    error,
    values: (dtype) => forms(shapes({ empty }), (s) => operand(dtype, s)),
  };
  return smooth ? { ...row, smooth: forms(smallShapes(), smooth) } : row;
}

const moderate = (dtype: DType, s: Shape): Operand =>
  isFloat(dtype) ? operandBetween(dtype, s, -10, 10) : anyOperand(dtype, s);

/** For the position of an extreme element: one axis or all. */
export const positionOp = (name: string, find: typeof nm.argmax): Row => ({
  name,
  dtypes,
  error: 'exact',
  values: (dtype) =>
    shapes({ minRank: 1, empty: false }).chain((s) =>
      fc
        .record({
          axis: fc.option(fc.integer({ min: -s.length, max: s.length - 1 }), { nil: undefined }),
          keepdims: fc.boolean(),
        })
        .map((options) => ({
          f: (x: Tensor) => find(x, options),
          text: `${name} ${JSON.stringify(options)}`,
          operands: [anyOperand(dtype, s)],
        })),
    ),
});

export const reductionRows: readonly Row[] = [
  foldOp('sum', { f: nm.sum, error: 'sum', operand: finiteOperand, smooth: (s) => smoothOperand(s) }),
  foldOp('mean', { f: nm.mean, error: 'sum', operand: finiteOperand, smooth: (s) => smoothOperand(s) }),
  foldOp('prod', {
    f: nm.prod,
    error: { ulps: 300 },
    operand: (dtype, s) =>
      isFloat(dtype)
        ? { dtype, shape: s, values: arrays(dtype, s, fc.constantFrom(1, -1, 0.5, 2, 1.1, 0, 0.9)) }
        : anyOperand(dtype, s),
    smooth: (s) => operandBetween('float64', s, -1.5, 1.5),
  }),
  foldOp('max', { f: nm.max, error: 'exact', empty: false, smooth: distinctOperand }),
  foldOp('min', { f: nm.min, error: 'exact', empty: false, smooth: distinctOperand }),
  foldOp('any', { f: nm.any, error: 'exact' }),
  foldOp('all', { f: nm.all, error: 'exact' }),
  // Of numbers up to 10 (integers: 255), whose squares have the error of their sum.
  foldOp('variance', {
    f: nm.variance,
    dtypes: floats,
    error: { units: 600, floor: 100 },
    operand: moderate,
    smooth: distinctOperand,
  }),
  // Elements apart from one another: near 0 the square root makes any error large.
  foldOp('std', {
    f: (x, options) => nm.std(x, { ...options, ddof: 0 }),
    dtypes: floats,
    error: { units: 600, floor: 10 },
    operand: (dtype, s) => ({
      ...distinctOperand(s),
      dtype,
      values: distinctOperand(s).values.map((v) => (dtype === 'float32' ? Float32Array.from(v) : v)),
    }),
    smooth: distinctOperand,
  }),
  foldOp('norm', {
    f: nm.norm,
    dtypes: floats,
    error: { units: 600 },
    operand: moderate,
    smooth: (s) => smoothOperand(s, 0.2, 2),
  }),
  foldOp('logSumExp', {
    f: nm.logSumExp,
    dtypes: floats,
    error: { units: 600, floor: 10 },
    operand: moderate,
    smooth: (s) => smoothOperand(s),
  }),
  positionOp('argmax', nm.argmax),
  positionOp('argmin', nm.argmin),
];
