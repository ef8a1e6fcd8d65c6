import type { Aval } from '../aval.ts';
import { acc, binary, coord, load } from '../ir/expr.ts';
import { Linear, type Primitive } from '../primitive.ts';
import { sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { bind1 } from '../trace.ts';
import { add } from './arithmetic.ts';
import { broadcastTo, moveAxis, reshape } from './movement.ts';

type MatmulParams = { transposeX: boolean; transposeY: boolean };

/** [M, K, N] of the operands' last two axes. */
function extents(
  x: Aval,
  y: Aval,
  { transposeX, transposeY }: MatmulParams,
): [m: number, k: number, n: number] {
  const [x0, x1] = x.shape.slice(-2) as [number, number];
  const [y0, y1] = y.shape.slice(-2) as [number, number];
  return [transposeX ? x1 : x0, transposeX ? x0 : x1, transposeY ? y0 : y1];
}

function swapsLastTwo(perm: readonly number[]): boolean {
  const rank = perm.length;
  return perm.every((axis, i) => axis === (i < rank - 2 ? i : 2 * rank - 3 - i));
}

const matmulPrimitive: Primitive<MatmulParams> = {
  name: 'matmul',
  kind: 'kernel',
  shape: ([x, y], params) => {
    const [m, , n] = extents(x as Aval, y as Aval, params);
    return [{ shape: [...(x as Aval).shape.slice(0, -2), m, n], dtype: (x as Aval).dtype }];
  },
  jvp: ([x, y], [dx, dy], params) => {
    const [a, b] = [x as Tensor, y as Tensor];
    const terms = [
      ...(dx ? [bind1(matmulPrimitive, [dx, b], params)] : []),
      ...(dy ? [bind1(matmulPrimitive, [a, dy], params)] : []),
    ];
    return [[bind1(matmulPrimitive, [a, b], params)], [terms.reduce(add)]];
  },
  transpose: ([ct], [x, y], { transposeX, transposeY }) => {
    const dz = ct as Tensor;
    if (x instanceof Linear) {
      const other = y as Tensor;
      return [transposeX ? matmul(other, dz, transposeY, true) : matmul(dz, other, false, !transposeY), null];
    }
    const other = x as Tensor;
    return [null, transposeY ? matmul(dz, other, true, transposeX) : matmul(other, dz, !transposeX, false)];
  },
  batch: ([x, y], [xAxis, yAxis], size, { transposeX, transposeY }) => {
    const [a, b] = [x as Tensor, y as Tensor];
    const plain = a.ndim - (xAxis === null ? 0 : 1) === 2;
    if (yAxis === null && plain && !transposeX) {
      const front = moveAxis(a, xAxis as number, 0);
      const [, m, k] = front.shape as [number, number, number];
      const z = matmul(reshape(front, [size * m, k]), b, false, transposeY);
      return [[reshape(z, [size, m, z.shape[1] as number])], [0]];
    }
    if (xAxis === null && plain) {
      const rows = moveAxis(b, yAxis as number, transposeY ? 0 : 1);
      const [d0, d1, d2] = rows.shape as [number, number, number];
      const z = matmul(a, reshape(rows, transposeY ? [d0 * d1, d2] : [d0, d1 * d2]), transposeX, transposeY);
      const m = z.shape[0] as number;
      return [[reshape(z, [m, size, transposeY ? d1 : d2])], [1]];
    }
    const lead = (t: Tensor, axis: number | null | undefined) =>
      axis === null || axis === undefined ? broadcastTo(t, [size, ...t.shape]) : moveAxis(t, axis, 0);
    return [[matmul(lead(a, xAxis), lead(b, yAxis), transposeX, transposeY)], [0]];
  },
  takesIn: (params, made) => {
    const operand = made.findIndex(
      (equation) =>
        equation?.primitive.name === 'transpose' &&
        swapsLastTwo((equation.params as { perm: number[] }).perm),
    );
    if (operand < 0) return undefined;
    const flag = operand === 0 ? 'transposeX' : 'transposeY';
    return { operand, params: { ...params, [flag]: !params[flag] } };
  },
  lower: ([x, y], params) => {
    const [a, b] = [x as Aval, y as Aval];
    const [m, k, n] = extents(a, b, params);
    const lead = a.shape.slice(0, -2);
    const rank = lead.length;
    const batch = lead.map((_, i) => coord(i));
    const [i, j, l] = [coord(rank), coord(rank + 1), coord(rank + 2)];
    const left = load(0, a, [...batch, ...(params.transposeX ? [l, i] : [i, l])]);
    const right = load(1, b, [...batch, ...(params.transposeY ? [j, l] : [l, j])]);
    return {
      name: 'matmul',
      inputs: [a, b],
      axes: [...lead, m, n],
      reduceAxes: [k],
      reductions: [{ op: 'add', value: binary('mul', left, right) }],
      outputs: [acc(a.dtype, 0)],
      routine: { name: 'matmul', batch: sizeOf(lead), m, n, k, ...params },
    };
  },
};

/** x[B..., M, K] y[B..., K, N] -> [B..., M, N]; a transposed operand is stored with its last two axes swapped. */
export const matmul = (x: Tensor, y: Tensor, transposeX: boolean, transposeY: boolean): Tensor =>
  bind1(matmulPrimitive, [x, y], { transposeX, transposeY });
