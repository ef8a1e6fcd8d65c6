/** Sorting, and running folds. */
import * as nm from '@neumann/core';
import fc from 'fast-check';
import {
  anyOperand,
  distinctOperand,
  finiteOperand,
  integersBetween,
  operandBetween,
  shapes,
  smallShapes,
  smoothOperand,
} from '../../arbitrary.ts';
import type { ErrorModel } from '../../compare.ts';
import { type DType, dtypes, isFloat, type Shape, type Tensor } from '../../core.ts';
import type { Form, Operand, Row } from '../../row.ts';
import { floats, numbers } from '../dtypes.ts';
import { axisOf } from './shapes.ts';

interface Facts<O> {
  readonly f: (x: Tensor, options: O) => Tensor | readonly Tensor[];
  readonly options: (shape: Shape) => fc.Arbitrary<O>;
  readonly dtypes?: readonly DType[];
  readonly error?: ErrorModel;
  readonly operand?: (dtype: DType, shape: Shape) => Operand;
  readonly smooth?: (shape: Shape) => Operand;
  readonly empty?: boolean;
  readonly runs?: number;
}

/** A function of one operand of at least one axis, with options. */
export function axisOp<O>(name: string, facts: Facts<O>): Row {
  const {
    f,
    options,
    dtypes: known = dtypes,
    error = 'exact',
    operand = anyOperand,
    smooth,
    empty = true,
    runs = 0.4,
  } = facts;
  const forms = (shape: fc.Arbitrary<Shape>, make: (s: Shape) => Operand): fc.Arbitrary<Form> =>
    shape.chain((s) =>
      options(s).map((o) => ({
        f: (x) => f(x, o),
        text: `${name} ${JSON.stringify(o)}`,
        operands: [make(s)],
      })),
    );
  const row: Row = {
    name,
    dtypes: known,
    error,
    runs,
    values: (dtype) => forms(shapes({ minRank: 1, maxRank: 3, empty }), (s) => operand(dtype, s)),
  };
  return smooth ? { ...row, smooth: forms(smallShapes({ minRank: 1 }), smooth) } : row;
}

const along = (s: Shape): fc.Arbitrary<{ axis: number | undefined }> =>
  fc.record({ axis: fc.option(axisOf(s.length), { nil: undefined }) });

const running = (s: Shape): fc.Arbitrary<nm.CumulativeOptions> =>
  fc.record({ axis: fc.option(axisOf(s.length), { nil: undefined }), reverse: fc.boolean() });

const sorting = (s: Shape): fc.Arbitrary<nm.SortOptions> =>
  fc.record({ axis: fc.option(axisOf(s.length), { nil: undefined }), descending: fc.boolean() });

const factors = (dtype: DType, s: Shape): Operand =>
  isFloat(dtype)
    ? operandBetween(dtype, s, -1.1, 1.1)
    : integersBetween(dtype, s, 0, dtype === 'bool' ? 1 : 2);
const terms = (dtype: DType, s: Shape): Operand =>
  isFloat(dtype) ? finiteOperand(dtype, s) : integersBetween(dtype, s, 0, dtype === 'bool' ? 1 : 100);
const ordinary = (dtype: DType, s: Shape): Operand => operandBetween(dtype, s, -10, 10);
const smooth = (s: Shape): Operand => smoothOperand(s);

export const orderedRows: readonly Row[] = [
  axisOp('sort', { f: nm.sort, options: sorting, smooth: distinctOperand }),
  axisOp('argsort', { f: nm.argsort, options: sorting }),
  axisOp('topK', {
    f: (x, { axis }) => nm.topK(x, x.shape.at(axis ?? -1) === 0 ? 0 : 1, { axis }),
    options: along,
    smooth: distinctOperand,
  }),
  axisOp('lexsort', {
    f: (x, { axis }) => nm.lexsort([x, nm.astype(x, 'int32')], { axis }),
    options: along,
  }),
  axisOp('cumsum', { f: nm.cumsum, options: running, error: 'sum', operand: terms, smooth }),
  axisOp('cumprod', { f: nm.cumprod, options: running, error: { units: 300 }, operand: factors, smooth }),
  axisOp('cummax', { f: nm.cummax, options: running, smooth: distinctOperand }),
  axisOp('cummin', { f: nm.cummin, options: running, smooth: distinctOperand }),
  axisOp('cumLogSumExp', {
    f: nm.cumLogSumExp,
    options: running,
    dtypes: floats,
    error: { units: 600, floor: 10 },
    operand: ordinary,
    smooth: distinctOperand,
  }),
  axisOp('nanCumsum', {
    f: nm.nanCumsum,
    options: running,
    dtypes: numbers,
    error: 'sum',
    operand: terms,
    smooth,
    runs: 0.2,
  }),
  axisOp('nanCumprod', {
    f: nm.nanCumprod,
    options: running,
    dtypes: numbers,
    error: { units: 300 },
    operand: factors,
    smooth,
    runs: 0.2,
  }),
];
