import fc from 'fast-check';
import { finiteOperand, smoothOperand } from '../arbitrary.ts';
import { type ConvGeometry, convolve, convShape, matmul, type Shape, sourcesOf } from '../core.ts';
import { build, defineConv, read } from '../define.ts';
import type { Form, Operand, Row } from '../row.ts';
import { floats } from './dtypes.ts';

/* ---- matmul ---- */

function matmulForms(small: boolean, operand: (shape: Shape) => Operand): fc.Arbitrary<Form> {
  const extent = small
    ? fc.integer({ min: 1, max: 3 })
    : fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 1, max: 6 }) },
        { weight: 2, arbitrary: fc.integer({ min: 7, max: 21 }) },
        { weight: 1, arbitrary: fc.constant(0) },
      );
  return fc
    .record({
      lead: fc.array(fc.integer({ min: small ? 1 : 0, max: 3 }), { maxLength: 2 }),
      m: extent,
      k: extent,
      n: extent,
      transposeX: fc.boolean(),
      transposeY: fc.boolean(),
    })
    .map(({ lead, m, k, n, transposeX, transposeY }) => ({
      f: (x, y) => matmul(x, y, transposeX, transposeY),
      text: `matmul${transposeX ? ' transposeX' : ''}${transposeY ? ' transposeY' : ''}`,
      operands: [
        operand([...lead, ...(transposeX ? [k, m] : [m, k])]),
        operand([...lead, ...(transposeY ? [n, k] : [k, n])]),
      ],
      define: (x, y) => [
        build([...lead, m, n], (at) => {
          const [outer, i, j] = [at.slice(0, -2), at.at(-2) as number, at.at(-1) as number];
          let total = 0;
          for (let l = 0; l < k; l++)
            total +=
              read(x, [...outer, ...(transposeX ? [l, i] : [i, l])]) *
              read(y, [...outer, ...(transposeY ? [j, l] : [l, j])]);
          return total;
        }),
      ],
    }));
}

const matmulRow: Row = {
  name: 'matmul',
  dtypes: floats,
  error: 'sum',
  values: (dtype) => matmulForms(false, (shape) => finiteOperand(dtype, shape)),
  smooth: matmulForms(true, (shape) => smoothOperand(shape)),
  linear: [[0], [1]],
};

/* ---- conv ---- */

/** One spatial dimension of a convolution. */
const spatialAxis = (
  small: boolean,
): fc.Arbitrary<Record<'x' | 'kernel' | 'y' | 'stride' | 'padLow' | 'dilateX' | 'dilateW', number>> =>
  fc
    .record({
      x: fc.integer({ min: 1, max: small ? 4 : 7 }),
      kernel: fc.integer({ min: 1, max: 3 }),
      stride: fc.integer({ min: 1, max: 3 }),
      padLow: fc.integer({ min: -1, max: 2 }),
      padHigh: fc.integer({ min: -1, max: 2 }),
      dilateX: fc.oneof(fc.constant(1), fc.constant(2)),
      dilateW: fc.oneof(fc.constant(1), fc.constant(2)),
    })
    .map(({ x, kernel, stride, padLow, padHigh, dilateX, dilateW }) => {
      const room = (x - 1) * dilateX + 1 + padLow + padHigh - ((kernel - 1) * dilateW + 1);
      return { x, kernel, stride, padLow, dilateX, dilateW, y: Math.max(0, Math.floor(room / stride) + 1) };
    })
    .filter(({ y }) => !small || y > 0);

function geometries(small: boolean): fc.Arbitrary<ConvGeometry> {
  return fc
    .record({
      n: fc.integer({ min: small ? 1 : 0, max: small ? 2 : 3 }),
      groups: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 3 })),
      perC: fc.integer({ min: 1, max: small ? 2 : 5 }),
      perF: fc.integer({ min: 1, max: small ? 2 : 5 }),
      axes: fc.array(spatialAxis(small), { minLength: 1, maxLength: 3 }),
    })
    .map(({ n, groups, perC, perF, axes }) => {
      // Three dimensions only of little extent.
      const list =
        axes.length < 3
          ? axes
          : axes.map((a) => (a.x > 3 || a.kernel > 2 ? { ...a, x: 2, kernel: 1, y: yOf(2, a) } : a));
      const pick = (key: keyof (typeof list)[number]): number[] => list.map((a) => a[key]);
      return {
        n,
        groups,
        c: perC * groups,
        f: perF * groups,
        x: pick('x'),
        kernel: pick('kernel'),
        y: pick('y'),
        stride: pick('stride'),
        padLow: pick('padLow'),
        dilateX: pick('dilateX'),
        dilateW: pick('dilateW'),
      };
    });
}

/** The extent of y that a kernel of extent 1 without padding behind gives. */
const yOf = (
  x: number,
  { dilateX, padLow, stride }: { dilateX: number; padLow: number; stride: number },
): number => Math.max(1, Math.floor(((x - 1) * dilateX + padLow) / stride) + 1);

function convForms(
  target: 'x' | 'w' | 'y',
  small: boolean,
  operand: (shape: Shape) => Operand,
): fc.Arbitrary<Form> {
  return geometries(small).map((conv) => ({
    f: (a, b) => convolve(target, conv, a, b),
    text: `conv ${target} ${JSON.stringify(conv)}`,
    operands: sourcesOf(target).map((source) => operand(convShape(source, conv))),
    define: (a, b) => [defineConv(target, conv, a, b)],
  }));
}

const convRow = (target: 'x' | 'w' | 'y'): Row => ({
  name: `conv ${target}`,
  dtypes: floats,
  error: 'sum',
  values: (dtype) => convForms(target, false, (shape) => finiteOperand(dtype, shape)),
  smooth: convForms(target, true, (shape) => smoothOperand(shape)),
  linear: [[0], [1]],
});

/** Sums of products. */
export const contractionRows: readonly Row[] = [matmulRow, convRow('y'), convRow('x'), convRow('w')];
