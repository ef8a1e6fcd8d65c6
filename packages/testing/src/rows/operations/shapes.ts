/** Operations that rearrange, join and pick elements. */
import * as nm from '@neumann/core';
import fc from 'fast-check';
import {
  anyOperand,
  integersBetween,
  permutations,
  shapes,
  smallShapes,
  smoothOperand,
  someAxes,
} from '../../arbitrary.ts';
import { dtypes, type Shape, sizeOf, type Tensor } from '../../core.ts';
import type { Form, Operand, Row } from '../../row.ts';
import { floats, integers } from '../dtypes.ts';

/* ---- shapes and places ---- */

/** An exact, linear function of one operand with options that depend on its shape. */
export function shapeOp(
  name: string,
  call: (shape: Shape) => fc.Arbitrary<{ f: (x: Tensor) => Tensor | readonly Tensor[]; options: unknown }>,
  minRank: number = 0,
): Row {
  const forms = (shape: fc.Arbitrary<Shape>, operand: (s: Shape) => Operand): fc.Arbitrary<Form> =>
    shape.chain((s) =>
      call(s).map(({ f, options }) => ({
        f: (x) => f(x),
        text: `${name} ${JSON.stringify(options)}`,
        operands: [operand(s)],
      })),
    );
  return {
    name,
    dtypes,
    error: 'exact',
    values: (dtype) => forms(shapes({ minRank }), (s) => anyOperand(dtype, s)),
    smooth: forms(smallShapes({ minRank }), (s) => smoothOperand(s)),
    linear: [[0]],
  };
}

/** Any axis of the rank, also counted from the end. */
export const axisOf = (rank: number): fc.Arbitrary<number> => fc.integer({ min: -rank, max: rank - 1 });

export const call = <T>(options: fc.Arbitrary<T>, f: (x: Tensor, options: T) => Tensor | readonly Tensor[]) =>
  options.map((o) => ({ f: (x: Tensor) => f(x, o), options: o }));

const range = (n: number): fc.Arbitrary<nm.Range> =>
  fc.oneof(
    fc.constant(null),
    ...(n > 0 ? [fc.integer({ min: -n, max: n - 1 })] : []),
    fc
      .tuple(
        fc.option(fc.integer({ min: -n - 1, max: n + 1 })),
        fc.option(fc.integer({ min: -n - 1, max: n + 1 })),
        fc.constantFrom(1, 1, 2, 3, -1, -2),
      )
      .map((r) => r as nm.Range),
  );

const shapeOps: readonly Row[] = [
  shapeOp('reshape', (s) => call(fc.constant(sizeOf(s) === 0 ? [...s, 1] : [...s.slice(1), -1]), nm.reshape)),
  shapeOp('ravel', () => call(fc.constant(null), nm.ravel)),
  shapeOp('transpose', (s) => call(fc.option(permutations(s.length), { nil: undefined }), nm.transpose)),
  shapeOp(
    'swapaxes',
    (s) => call(fc.tuple(axisOf(s.length), axisOf(s.length)), (x, [a, b]) => nm.swapaxes(x, a, b)),
    1,
  ),
  shapeOp(
    'moveaxis',
    (s) => call(fc.tuple(axisOf(s.length), axisOf(s.length)), (x, [a, b]) => nm.moveaxis(x, a, b)),
    1,
  ),
  shapeOp('expandDims', (s) => call(fc.oneof(axisOf(s.length + 1), fc.constant([0, -1])), nm.expandDims)),
  shapeOp('squeeze', () => call(fc.constant(null), (x) => nm.squeeze(nm.expandDims(x, [0, -1])))),
  shapeOp('broadcastTo', (s) =>
    call(
      smallShapes({ maxRank: 2 }).map((lead) => [...lead, ...s]),
      nm.broadcastTo,
    ),
  ),
  shapeOp('slice', (s) => call(fc.tuple(...s.map(range)), nm.slice)),
  shapeOp('pad', (s) =>
    call(
      fc.oneof(
        fc.integer({ min: 0, max: 2 }),
        fc.tuple(...s.map(() => fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })))),
      ),
      (x, widths) => nm.pad(x, widths),
    ),
  ),
  {
    ...shapeOp(
      'pad',
      () =>
        call(
          fc.constantFrom('edge', 'reflect', 'symmetric', 'wrap', 'linearRamp', 'maximum', 'minimum', 'mean'),
          (x, mode) => nm.pad(nm.pad(x, 1), 2, { mode }),
        ),
      1,
    ),
    dtypes: floats,
    error: 'sum',
    linear: [],
  },
  shapeOp('flip', (s) =>
    call(
      fc.oneof(
        fc.constant({}),
        someAxes(s.length).map((axis) => ({ axis })),
      ),
      nm.flip,
    ),
  ),
  shapeOp('tile', () =>
    call(
      fc.oneof(fc.integer({ min: 1, max: 3 }), fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 3 })),
      nm.tile,
    ),
  ),
  shapeOp('repeat', (s) => call(axisOf(s.length), (x, axis) => nm.repeat(x, 2, { axis })), 1),
  shapeOp(
    'split',
    (s) =>
      call(axisOf(s.length), (x, axis) => {
        const extent = s.at(axis) as number;
        return nm.split(x, [Math.min(1, extent), Math.max(Math.min(1, extent), extent - 2)], { axis });
      }),
    1,
  ),
];

/** Several operands of one shape but along one axis. */
function joinOp(name: 'concatenate' | 'stack', join: typeof nm.stack): Row {
  const forms = (shape: fc.Arbitrary<Shape>, operand: (s: Shape) => Operand): fc.Arbitrary<Form> =>
    fc
      .tuple(shape, fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }))
      .chain(([s, extents]) =>
        axisOf(name === 'stack' ? s.length + 1 : s.length).map((axis) => ({
          f: (...xs: Tensor[]) => join(xs, { axis }),
          text: `${name} along ${axis}`,
          operands: extents.map((n) =>
            operand(
              name === 'stack' ? s : s.map((m, i) => (i === (axis < 0 ? axis + s.length : axis) ? n : m)),
            ),
          ),
        })),
      );
  return {
    name,
    dtypes,
    error: 'exact',
    values: (dtype) => forms(shapes({ minRank: 1, maxRank: 3 }), (s) => anyOperand(dtype, s)),
    smooth: forms(smallShapes({ minRank: 1, maxRank: 2 }), (s) => smoothOperand(s)),
  };
}

/** Positions within the range, from the front or from the end. */
const places = (shape: Shape, rows: number): Operand => integersBetween('int32', shape, -rows, rows - 1);

function takeForms(shape: fc.Arbitrary<Shape>, operand: (s: Shape) => Operand): fc.Arbitrary<Form> {
  return fc.tuple(shape, smallShapes({ maxRank: 2 })).chain(([s, at]) =>
    fc.option(axisOf(s.length), { nil: undefined }).map((axis) => ({
      f: (x, indices) => nm.take(x, indices, { axis }),
      text: `take along ${axis}`,
      operands: [operand(s), places(at, axis === undefined ? sizeOf(s) : (s.at(axis) as number))],
    })),
  );
}

function takeAlongForms(shape: fc.Arbitrary<Shape>, operand: (s: Shape) => Operand): fc.Arbitrary<Form> {
  return shape.chain((s) =>
    fc
      .tuple(fc.integer({ min: 0, max: s.length - 1 }), fc.integer({ min: 1, max: 3 }))
      .map(([axis, count]) => ({
        f: (x, indices) => nm.takeAlong(x, indices, axis),
        text: `takeAlong ${axis}`,
        operands: [
          operand(s),
          places(
            s.map((n, i) => (i === axis ? count : n)),
            s[axis] as number,
          ),
        ],
      })),
  );
}

const indexOps: readonly Row[] = [
  joinOp('concatenate', nm.concatenate),
  joinOp('stack', nm.stack),
  {
    name: 'take',
    dtypes,
    error: 'exact',
    values: (dtype) =>
      takeForms(shapes({ minRank: 1, maxRank: 3, empty: false }), (s) => anyOperand(dtype, s)),
    smooth: takeForms(smallShapes({ minRank: 1 }), (s) => smoothOperand(s)),
  },
  {
    name: 'takeAlong',
    dtypes,
    error: 'exact',
    values: (dtype) =>
      takeAlongForms(shapes({ minRank: 1, maxRank: 3, empty: false }), (s) => anyOperand(dtype, s)),
    smooth: takeAlongForms(smallShapes({ minRank: 1 }), (s) => smoothOperand(s)),
  },
  {
    name: 'oneHot',
    dtypes: integers,
    error: 'exact',
    values: (dtype) =>
      shapes({ maxRank: 2 }).map((s) => ({
        f: (x) => nm.oneHot(x, 4),
        text: 'oneHot 4',
        operands: [integersBetween(dtype, s, 0, 6)],
      })),
  },
];

export const shapeRows: readonly Row[] = [...shapeOps, ...indexOps];
