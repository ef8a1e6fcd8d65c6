/** Operations that rearrange elements and are made of those that do. */
import * as nm from '@neumann/core';
import fc from 'fast-check';
import { anyOperand, shapes, smallShapes, smoothOperand } from '../../arbitrary.ts';
import { dtypes, type Shape, type Tensor } from '../../core.ts';
import type { Form, Operand, Row } from '../../row.ts';
import { floats, numbers } from '../dtypes.ts';
import { axisOf, call, shapeOp } from './shapes.ts';
import { source } from './sources.ts';

/** Made of operations that have rows of their own; no program in which every constant is an operand. */
const few = (row: Row, more: Partial<Row> = {}): Row => ({ runs: 0.4, ...row, linear: [], ...more });

const offset = fc.integer({ min: -2, max: 2 });
const plain = fc.constant(null);
/** For functions that add elements up. */
const sums: Partial<Row> = { dtypes: floats, error: 'sum' };

const turns: readonly Row[] = [
  few(
    shapeOp(
      'roll',
      (s) =>
        call(
          fc.tuple(fc.integer({ min: -7, max: 7 }), fc.option(axisOf(s.length), { nil: undefined })),
          (x, [n, axis]) => nm.roll(x, n, { axis }),
        ),
      1,
    ),
  ),
  few(
    shapeOp(
      'rot90',
      (s) =>
        call(fc.tuple(offset, fc.nat({ max: s.length - 2 })), (x, [n, a]) =>
          nm.rot90(x, n, { axes: [a, s.length - 1] }),
        ),
      2,
    ),
  ),
];

/** The axes of `rot90` and `diagonal` that differ from the last one. */
const withAxes = (name: string, f: (x: Tensor, options: nm.DiagonalOptions) => Tensor): Row =>
  shapeOp(
    name,
    (s) =>
      call(fc.tuple(offset, fc.nat({ max: s.length - 2 }), fc.boolean()), (x, [k, a, swap]) =>
        f(x, swap ? { offset: k, axis1: a, axis2: -1 } : { offset: k, axis1: -1, axis2: a }),
      ),
    2,
  );

const matrices: readonly Row[] = [
  few(shapeOp('tril', () => call(offset, nm.tril), 2)),
  few(shapeOp('triu', () => call(offset, nm.triu), 2)),
  few(withAxes('diagonal', nm.diagonal)),
  few(withAxes('trace', nm.trace), sums),
  few(
    shapeOp(
      'diag',
      (s) =>
        call(offset, (x, k) =>
          nm.diag(
            nm.reshape(x, s.length === 1 ? [-1] : [s[0] as number, x.size / Math.max(1, s[0] as number)]),
            k,
          ),
        ),
      1,
    ),
    {},
  ),
];

/** Several operands of one shape. */
function manyOp(name: string, join: (xs: Tensor[]) => Tensor | readonly Tensor[], minRank = 0): Row {
  const forms = (shape: fc.Arbitrary<Shape>, operand: (s: Shape) => Operand): fc.Arbitrary<Form> =>
    fc.tuple(shape, fc.integer({ min: 1, max: 3 })).map(([s, count]) => ({
      f: (...xs: Tensor[]) => join(xs),
      text: name,
      operands: Array.from({ length: count }, () => operand(s)),
    }));
  return {
    name,
    dtypes,
    error: 'exact',
    runs: 0.3,
    values: (dtype) => forms(shapes({ minRank, maxRank: 3 }), (s) => anyOperand(dtype, s)),
    smooth: forms(smallShapes({ minRank, maxRank: 2 }), (s) => smoothOperand(s)),
  };
}

const stacks: readonly Row[] = [
  manyOp('vstack', nm.vstack),
  manyOp('hstack', nm.hstack),
  manyOp('dstack', nm.dstack),
  manyOp('columnStack', nm.columnStack, 1),
  manyOp('block', (xs) => nm.block([xs, [...xs].reverse()])),
  manyOp('broadcastArrays', (xs) => nm.broadcastArrays(...xs)),
  manyOp('meshgrid', (xs) => nm.meshgrid(xs.map(nm.ravel), { indexing: 'ij' })),
  few(
    shapeOp('unstack', (s) => call(axisOf(s.length), (x, axis) => nm.unstack(x, { axis })), 1),
    { runs: 0.3 },
  ),
  few(
    shapeOp('arraySplit', (s) => call(axisOf(s.length), (x, axis) => nm.arraySplit(x, 2, { axis })), 1),
    { runs: 0.3 },
  ),
  few(
    shapeOp('atLeast1d', () => call(plain, nm.atLeast1d)),
    { runs: 0.1 },
  ),
  few(
    shapeOp('atLeast2d', () => call(plain, nm.atLeast2d)),
    { runs: 0.1 },
  ),
  few(
    shapeOp('atLeast3d', () => call(plain, nm.atLeast3d)),
    { runs: 0.1 },
  ),
];

const tensors = (...given: Tensor[]): Tensor[] => given;

const makers: readonly Row[] = [
  few(
    source('logspace', floats, (dtype, n) => nm.logspace(-1, 2, n, { dtype, base: 3 })),
    { runs: 0.2 },
  ),
  few(
    source('geomspace', floats, (dtype, n) => nm.geomspace(-1, -32, n, { dtype })),
    { runs: 0.2 },
  ),
  few(
    source('tri', dtypes, (dtype, n) => nm.tri(n, 4, 1, dtype)),
    { runs: 0.2 },
  ),
  few(
    source('trilIndices', ['int32'], (_, n) => tensors(...nm.trilIndices(n, -1, 3))),
    { runs: 0.2 },
  ),
  few(
    source('triuIndices', ['int32'], (_, n) => tensors(...nm.triuIndices(n, -1, 3))),
    { runs: 0.2 },
  ),
  few(
    source('indices', numbers, (dtype, n) => nm.indices([n, 2, 3], dtype)),
    { runs: 0.2 },
  ),
  {
    name: 'unravelIndex',
    dtypes: ['int32', 'uint8'],
    error: 'exact',
    runs: 0.2,
    values: (dtype) =>
      shapes({ maxRank: 2 }).map((s) => ({
        f: (x) => nm.unravelIndex(x, [3, 1, 4]),
        text: 'unravelIndex',
        operands: [
          {
            ...anyOperand(dtype, s),
            values: anyOperand('uint8', s).values.map((v) => (dtype === 'uint8' ? v : Int32Array.from(v))),
          },
        ],
      })),
  },
  {
    name: 'ravelMultiIndex',
    dtypes: ['int32'],
    error: 'exact',
    runs: 0.2,
    values: (dtype) =>
      shapes({ maxRank: 2 }).map((s) => ({
        f: (x, y) => nm.ravelMultiIndex([x, y], [3, 4]),
        text: 'ravelMultiIndex',
        operands: [anyOperand(dtype, s), anyOperand(dtype, [])],
      })),
  },
];

export const arrangementRows: readonly Row[] = [...turns, ...matrices, ...stacks, ...makers];
