/** Products summed over chosen axes. */
import * as nm from '@neumann/core';
import fc from 'fast-check';
import { finiteOperand, smallShapes, smoothOperand } from '../../arbitrary.ts';
import type { Shape, Tensor } from '../../core.ts';
import type { Form, Operand, Row } from '../../row.ts';
import { floats } from '../dtypes.ts';

interface Call {
  readonly shapes: readonly Shape[];
  readonly f: (...xs: Tensor[]) => Tensor;
  readonly text?: string;
}

/** A function that is linear in each of its operands. */
function contraction(name: string, calls: fc.Arbitrary<Call>): Row {
  const forms = (operand: (s: Shape) => Operand): fc.Arbitrary<Form> =>
    calls.map(({ shapes, f, text = name }) => ({ f, text, operands: shapes.map(operand) }));
  return {
    name,
    dtypes: floats,
    error: 'sum',
    runs: 0.5,
    values: (dtype) => forms((s) => finiteOperand(dtype, s)),
    smooth: forms((s) => smoothOperand(s)),
  };
}

const extents = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 5, maxLength: 5 });

/** Subscripts of all kinds: products with and without batches, in every layout, diagonals, sums, ellipses. */
const subscripts = [
  ...['ij,jk->ik', 'ji,jk->ik', 'ij,kj->ki', 'bij,bjk->bik', 'bij,kjb->bki', 'i,i', 'i,j->ji', 'ij,ij->i'],
  ...[
    'ii',
    'ii->i',
    'iji->j',
    'ij->j',
    'ijk->kji',
    'ij,jk,kl->il',
    'ij,ik,jl,kl',
    'bhqd,bhkd->bhqk',
    'ij,jk,ki',
  ],
  ...['...ij,...jk->...ik', '...i,i', 'i...->...', 'ijk,jil->kl', 'ab,c->', ',ij->ji'],
];

const einsumCalls: fc.Arbitrary<Call> = fc
  .tuple(fc.constantFrom(...subscripts), extents, smallShapes({ maxRank: 2 }))
  .map(([text, sizes, lead]) => {
    const letters = [...new Set(text.replaceAll(/[^a-z]/g, ''))];
    const groups = (text.split('->')[0] as string).split(',');
    const shapes = groups.map((group) =>
      (group.match(/\.\.\.|[a-z]/g) ?? []).flatMap((l) =>
        l === '...' ? lead : [sizes[letters.indexOf(l) % sizes.length] as number],
      ),
    );
    return { shapes, f: (...xs: Tensor[]) => nm.einsum(text, ...xs), text: `einsum ${text}` };
  });

const pairOf = (
  f: (x: Tensor, y: Tensor) => Tensor,
  shapes: (sizes: number[]) => [Shape, Shape],
): fc.Arbitrary<Call> => extents.map((sizes) => ({ shapes: shapes(sizes), f: (x, y) => f(x, y) }));

export const contractionRows: readonly Row[] = [
  { ...contraction('einsum', einsumCalls), runs: 1 },
  contraction(
    'tensordot',
    pairOf(
      (x, y) =>
        nm.tensordot(x, y, [
          [0, -1],
          [1, 0],
        ]),
      ([a = 1, b = 1, c = 1, d = 1]) => [
        [a, b, c],
        [c, a, d],
      ],
    ),
  ),
  contraction(
    'inner',
    pairOf(nm.inner, ([a = 1, b = 1, c = 1]) => [
      [a, b],
      [c, b],
    ]),
  ),
  contraction(
    'vdot',
    pairOf(nm.vdot, ([a = 1, b = 1]) => [[a, b], [b * a]]),
  ),
  contraction(
    'vecdot',
    pairOf(nm.vecdot, ([a = 1, b = 1]) => [[a, b], [b]]),
  ),
  contraction(
    'matvec',
    pairOf(nm.matvec, ([a = 1, b = 1, c = 1]) => [[c, a, b], [b]]),
  ),
  contraction(
    'vecmat',
    pairOf(nm.vecmat, ([a = 1, b = 1, c = 1]) => [[a], [c, a, b]]),
  ),
  contraction(
    'kron',
    pairOf(nm.kron, ([a = 1, b = 1, c = 1]) => [[a, b], [c]]),
  ),
  contraction(
    'cross',
    pairOf(nm.cross, ([a = 1]) => [[a, 3], [3]]),
  ),
  {
    name: 'vander',
    dtypes: floats,
    error: { ulps: 8 },
    runs: 0.3,
    values: (dtype) =>
      extents.map(([n = 1, m = 1]) => ({
        f: (x) => nm.vander(x, m),
        text: `vander ${m}`,
        operands: [finiteOperand(dtype, [n])],
      })),
    smooth: extents.map(([n = 1, m = 1]) => ({
      f: (x) => nm.vander(x, m, { increasing: true }),
      text: `vander ${m}`,
      operands: [smoothOperand([n])],
    })),
  },
];
