/** The namespace `linalg`. */
import { flip, linalg, matmul, multiply } from '@neumann/core';
import type { Shape, Tensor } from '../../core.ts';
import type { Row } from '../../row.ts';
import { dominant, dominantRows, type MatrixFacts, matrixRow } from '../linalg.ts';

const row = (name: string, f: MatrixFacts['f'], facts: Partial<MatrixFacts> = {}): Row =>
  matrixRow({ error: { units: 256, floor: 4 }, ...facts, name: `linalg.${name}`, f });

const any = (m: number, n: number): Shape[] => [[m, n]];
const system = (m: number, n: number): Shape[] => [
  [m, m],
  [m, n],
];
const values = (results: Record<string, Tensor>): Tensor[] => Object.values(results);

export const linalgRows: readonly Row[] = [
  row('cholesky', (a) => linalg.cholesky(dominant(a))),
  row('choleskySolve', (a, b) => linalg.choleskySolve(dominant(a), b), { operands: system }),
  row('cond', (a) => [linalg.cond(dominant(a)), linalg.cond(dominant(a), { ord: 1 })], {
    differentiable: (m) => m > 1,
  }),
  row('det', (a) => linalg.det(dominant(a))),
  row('eigh', (a) => values(linalg.eigh(dominant(a)))),
  row('eigvalsh', (a) => linalg.eigvalsh(dominant(a))),
  row('expm', (a) => linalg.expm(multiply(a, 0.5))),
  row('inv', (a) => linalg.inv(dominant(a))),
  row(
    'lstsq',
    (a, b) => {
      const { x, residuals, s } = linalg.lstsq(dominant(a), b);
      return [x, residuals, s];
    },
    {
      operands: (m, n) => [
        [m + n, n],
        [m + n, 2],
      ],
      batched: false,
    },
  ),
  row(
    'lu',
    (a) => {
      const { p, l, u } = linalg.lu(flip(dominant(a), { axis: -2 }));
      return matmul(p, matmul(l, u));
    },
    {
      smooth: (a) => values(linalg.lu(dominant(a))),
      operands: any,
      define: (list = []) => [list.map((a) => dominantRows(a).reverse())],
    },
  ),
  row('matrixPower', (a) => [linalg.matrixPower(dominant(a), 3), linalg.matrixPower(dominant(a), -2)]),
  row('matrixRank', (a) => linalg.matrixRank(dominant(a)), { operands: any, smooth: null }),
  row('matrixTranspose', linalg.matrixTranspose, { operands: any, linear: [[0]] }),
  row('multiDot', (a, b, c) => linalg.multiDot([a, b, c]), {
    operands: (m, n) => [
      [m, n],
      [n, 2],
      [2, m],
    ],
    batched: false,
  }),
  row(
    'norm',
    (a) => [
      ...(['fro', 'nuc', 2, -2, 1, -1] as const).map((ord) =>
        linalg.norm(dominant(a), { ord, axis: [-2, -1] }),
      ),
      ...[1, 2, 3, Infinity].map((ord) => linalg.norm(dominant(a), { ord, axis: -1 })),
    ],
    { operands: any },
  ),
  row('pinv', (a) => linalg.pinv(dominant(a)), { operands: any }),
  row('qr', (a) => values(linalg.qr(dominant(a))), { operands: any }),
  row('slogdet', (a) => values(linalg.slogdet(dominant(a)))),
  row('solve', (a, b) => linalg.solve(dominant(a), b), { operands: system }),
  row('svd', (a) => values(linalg.svd(dominant(a), { fullMatrices: false })), { operands: any }),
  row('svdvals', (a) => linalg.svdvals(dominant(a)), { operands: any }),
  row('triangularSolve', (a, b) => linalg.triangularSolve(dominant(a), b, { lower: true }), {
    operands: system,
  }),
];
