/** Factorisations and equations. */
import fc from 'fast-check';
import { operandBetween, smoothOperand } from '../arbitrary.ts';
import type { ErrorModel } from '../compare.ts';
import {
  adjugate,
  arithmetic,
  cholesky,
  type DType,
  det,
  eigh,
  expm,
  linearSolve,
  lu,
  luParts,
  matmul,
  movement,
  pinv,
  qr,
  type Shape,
  scalar,
  slogdet,
  svd,
  type Tensor,
  triangularSolve,
} from '../core.ts';
import {
  at,
  choleskyFactor,
  cofactors,
  determinant,
  exponential,
  flatten,
  flip,
  inverse,
  matricesOf,
  matrix,
  product,
  pseudoInverse,
  type Rows,
} from '../define-linalg.ts';
import type { HostTensor } from '../host.ts';
import type { Form, Operand, Row } from '../row.ts';
import { floats } from './dtypes.ts';

const { add, convert, mul } = arithmetic;

/** Of well-conditioned matrices of up to five rows. */
const accurate: ErrorModel = { units: 64, floor: 1 };

const transposed = (x: Tensor): Tensor => {
  const n = x.ndim;
  return movement.transpose(x, [...Array(n - 2).keys(), n - 1, n - 2]);
};

const symmetric = (x: Tensor): Tensor => mul(add(x, transposed(x)), scalar(0.5, x.dtype));

/** Adds 3, 4.5, 6, … to the diagonal: well-conditioned, with singular values and eigenvalues apart from each other. */
export function dominant(x: Tensor): Tensor {
  const [m, n] = x.shape.slice(-2) as [number, number];
  const row = movement.reshape(movement.iota(m, 'int32'), [m, 1]);
  const column = movement.reshape(movement.iota(n, 'int32'), [1, n]);
  const grown = add(mul(convert(column, x.dtype), scalar(1.5, x.dtype)), scalar(3, x.dtype));
  return add(x, arithmetic.select(arithmetic.compare('eq', row, column), grown, scalar(0, x.dtype)));
}

export const dominantRows = (a: Rows): Rows =>
  a.map((r, i) => r.map((x, j) => x + (i === j ? 3 + 1.5 * j : 0)));
const symmetricRows = (a: Rows): Rows =>
  matrix(a.length, a.length, (i, j) => (at(a, i, j) + at(a, j, i)) / 2);
/** Rows in the opposite order, so that there is something to pivot. */
const reversed = (x: Tensor): Tensor => movement.reverse(x, [x.ndim - 2]);

export interface MatrixFacts {
  readonly name: string;
  readonly f: (a: Tensor, ...rest: Tensor[]) => Tensor | readonly Tensor[];
  /** Results of which the derivatives are checked; those of `f` by default. */
  readonly smooth?: ((a: Tensor, ...rest: Tensor[]) => Tensor | readonly Tensor[]) | null;
  /** Shapes of the operands, without leading axes, from two extents. */
  readonly operands?: (m: number, n: number) => Shape[];
  readonly define?: (...operands: Rows[][]) => Rows[][];
  /** Whether derivatives are checked for these extents. */
  readonly differentiable?: (m: number, n: number) => boolean;
  readonly linear?: Row['linear'];
  /** Whether there may be leading axes; true by default. */
  readonly batched?: boolean;
  readonly error?: ErrorModel;
}

const square = (m: number): Shape[] => [[m, m]];

/** A function of matrices with elements in [-1, 1]; in [0.1, 1] for derivatives: QR has a jump at an exact 0. */
export function matrixRow(facts: MatrixFacts): Row {
  const { name, f, operands = square, define, differentiable = () => true, linear, error = accurate } = facts;
  const maxLead = facts.batched === false ? 0 : 1;
  const forms = (
    most: number,
    apply: MatrixFacts['f'],
    operand: (shape: Shape) => Operand,
    keep: (m: number, n: number) => boolean,
  ): fc.Arbitrary<Form> =>
    fc
      .record({
        m: fc.integer({ min: 1, max: most }),
        n: fc.integer({ min: 1, max: most }),
        lead: fc.array(fc.integer({ min: 1, max: 2 }), { maxLength: maxLead }),
      })
      .filter(({ m, n }) => keep(m, n))
      .map(({ m, n, lead }) => ({
        f: (a, ...rest) => apply(a, ...rest),
        text: name,
        operands: operands(m, n).map((shape) => operand([...lead, ...shape])),
        ...(define && {
          define: (...xs: HostTensor[]) => define(...xs.map(matricesOf)).map(flatten),
        }),
      }));
  const row: Row = {
    name,
    dtypes: floats,
    error,
    values: (dtype: DType) =>
      forms(
        5,
        f,
        (shape) => operandBetween(dtype, shape, -1, 1),
        () => true,
      ),
    ...(linear && { linear }),
  };
  if (facts.smooth === null) return row;
  return {
    ...row,
    smooth: forms(3, facts.smooth ?? f, (shape) => smoothOperand(shape, 0.1, 1), differentiable),
  };
}

const times = (x: Tensor, y: Tensor): Tensor => matmul(x, y, false, false);
const gram = (x: Tensor): Tensor => matmul(x, x, true, false);
const units = (n: number): Rows => matrix(n, n, (i, j) => Number(i === j));
/** [n] -> [n, n] with the elements on the diagonal. */
const spread = (x: Tensor): Tensor => {
  const n = x.shape.at(-1) as number;
  const row = movement.reshape(movement.iota(n, 'int32'), [n, 1]);
  const here = arithmetic.compare('eq', row, movement.iota(n, 'int32'));
  return arithmetic.select(here, movement.reshape(x, [...x.shape.slice(0, -1), 1, n]), scalar(0, x.dtype));
};

const each =
  (f: (a: Rows) => Rows) =>
  (list: Rows[]): Rows[][] => [list.map(f)];

const triangles = [
  { lower: true, transpose: false, unitDiagonal: false },
  { lower: false, transpose: true, unitDiagonal: false },
  { lower: false, transpose: false, unitDiagonal: true },
] as const;

const system = (m: number, n: number): Shape[] => [
  [m, m],
  [m, n],
];

export const linalgRows: readonly Row[] = [
  matrixRow({
    name: 'cholesky',
    f: (a) => cholesky(dominant(symmetric(a))),
    define: each((a) => choleskyFactor(dominantRows(symmetricRows(a)))),
  }),
  ...triangles.map((options) =>
    matrixRow({
      name: `triangularSolve ${JSON.stringify(options)}`,
      f: (a, b) => triangularSolve(dominant(a), b, options),
      operands: system,
      define: (as = [], bs = []) => [
        as.map((a, k) => {
          const t = dominantRows(a).map((r, i) =>
            r.map((x, j) => (i === j ? (options.unitDiagonal ? 1 : x) : options.lower === i > j ? x : 0)),
          );
          return product(inverse(options.transpose ? flip(t) : t), bs[k] as Rows);
        }),
      ],
      // The inverse of a unit triangle may be large.
      error: { units: 256, floor: 4 },
    }),
  ),
  matrixRow({
    name: 'lu',
    f: (a) => {
      const x = reversed(dominant(a));
      return [x, ...lu(x).slice(0, 1)];
    },
    operands: (m, n) => [[m, n]],
  }),
  matrixRow({ name: 'luParts', f: (a) => luParts(reversed(dominant(a))).slice(0, 1), smooth: null }),
  matrixRow({
    name: 'linearSolve',
    f: (a, b) => linearSolve(reversed(dominant(a)), b),
    operands: system,
    define: (as = [], bs = []) => [
      as.map((a, k) => product(inverse(dominantRows(a).reverse()), bs[k] as Rows)),
    ],
  }),
  matrixRow({
    name: 'qr',
    f: (a) => {
      const [q, r] = qr(dominant(a), false);
      return [times(q, r), gram(q)];
    },
    smooth: (a) => qr(dominant(a), false),
    operands: (m, n) => [[m, n]],
    differentiable: (m, n) => m >= n,
    define: (list) => [list.map(dominantRows), list.map((a) => units(Math.min(a.length, a[0]?.length ?? 0)))],
  }),
  matrixRow({
    name: 'qr complete',
    f: (a) => {
      const [q, r] = qr(dominant(a), true);
      return [times(q, r), gram(q)];
    },
    smooth: null,
    operands: (m, n) => [[m, n]],
    define: (list) => [list.map(dominantRows), list.map((a) => units(a.length))],
  }),
  matrixRow({
    name: 'eigh',
    f: (a) => {
      const [w, v] = eigh(dominant(symmetric(a)));
      return [times(v, times(spread(w), transposed(v))), gram(v)];
    },
    smooth: (a) => eigh(dominant(symmetric(a))),
    define: (list) => [list.map((a) => dominantRows(symmetricRows(a))), list.map((a) => units(a.length))],
  }),
  ...[false, true].map((full) =>
    matrixRow({
      name: `svd${full ? ' full' : ''}`,
      f: (a) => {
        const [u, s, vt] = svd(dominant(a), full);
        const k = s.shape.at(-1) as number;
        const first = (x: Tensor, axis: number): Tensor =>
          movement.slice(
            x,
            x.shape.map(() => 0),
            x.shape.with(axis, k),
            x.shape.map(() => 1),
          );
        return [times(first(u, -1), times(spread(s), first(vt, -2))), gram(u), gram(transposed(vt))];
      },
      smooth: (a) => svd(dominant(a), full),
      operands: (m, n) => [[m, n]],
      differentiable: (m, n) => !full || m === n,
      define: (list) => {
        const extents = (a: Rows): [number, number] => [a.length, a[0]?.length ?? 0];
        const size = (n: number, k: number): number => (full ? n : k);
        return [
          list.map(dominantRows),
          list.map((a) => units(size(extents(a)[0], Math.min(...extents(a))))),
          list.map((a) => units(size(extents(a)[1], Math.min(...extents(a))))),
        ];
      },
    }),
  ),
  matrixRow({
    name: 'pinv',
    f: (a) => pinv(dominant(a), 1e-6),
    operands: (m, n) => [[m, n]],
    define: each((a) => pseudoInverse(dominantRows(a))),
    // The normal equations square the condition, up to 30.
    error: { units: 512 },
  }),
  matrixRow({ name: 'det', f: det, define: each((a) => [[determinant(a)]]), error: { units: 64, floor: 4 } }),
  matrixRow({ name: 'adjugate', f: adjugate, smooth: (a) => adjugate(dominant(a)), define: each(cofactors) }),
  matrixRow({
    name: 'slogdet',
    f: (a) => slogdet(reversed(dominant(a))),
    define: (list) => {
      const values = list.map((a) => determinant(dominantRows(a).reverse()));
      return [values.map((d) => [[Math.sign(d)]]), values.map((d) => [[Math.log(Math.abs(d))]])];
    },
  }),
  matrixRow({
    name: 'expm',
    f: expm,
    define: each(exponential),
    // The series has terms as large as e^5.
    error: { units: 256, floor: 32 },
  }),
];
