/** Sorting and running folds: primitives in plain JavaScript. */
import fc from 'fast-check';
import {
  anyOperand,
  arrays,
  finiteOperand,
  integersBetween,
  shapes,
  smallShapes,
  smoothOperand,
} from '../arbitrary.ts';
import { argsort, cumulative, type DType, dtypes, isFloat, type Shape, type Tensor } from '../core.ts';
import { build, read } from '../define.ts';
import type { HostTensor } from '../host.ts';
import type { Form, Operand, Row } from '../row.ts';

/** Few different values, so that equal ones meet. */
const tied = (dtype: DType, shape: Shape): Operand =>
  isFloat(dtype)
    ? {
        dtype,
        shape,
        values: arrays(dtype, shape, fc.constantFrom(0, -0, 1, -1, 2.5, Number.NaN, Infinity, -Infinity)),
      }
    : integersBetween(dtype, shape, 0, dtype === 'bool' ? 1 : 3);

/** -1, 0, 1: NaN after all, -0 like 0. */
const order = (a: number, b: number): number => {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : a > b ? 1 : 0;
};

const argsortRow: Row = {
  name: 'argsort',
  dtypes,
  error: 'exact',
  values: (dtype) =>
    fc.tuple(shapes({ minRank: 1, maxRank: 2 }), fc.boolean(), fc.boolean()).map(([s, descending, ties]) => ({
      f: (x) => argsort(x, descending),
      text: `argsort ${descending ? 'descending' : ''}`,
      operands: [ties ? tied(dtype, s) : anyOperand(dtype, s)],
      define: (x) => {
        const n = x.shape.at(-1) as number;
        const rows = n === 0 ? 0 : x.values.length / n;
        return [
          Array.from({ length: rows }, (_, r) => {
            const row = x.values.subarray(r * n, (r + 1) * n);
            const compare = (i: number, j: number): number => order(row[i] as number, row[j] as number);
            const places = Array.from({ length: n }, (_, i) => i);
            return places.sort(descending ? (i, j) => compare(j, i) : compare);
          }).flat(),
        ];
      },
    })),
};

interface Fold {
  readonly name: string;
  readonly f: (xs: Tensor[], reverse: boolean) => Tensor;
  readonly operands: number;
  readonly dtypes: readonly DType[];
  readonly row: Pick<Row, 'error' | 'linear'>;
  readonly operand: (dtype: DType, shape: Shape) => Operand;
  readonly smooth: (shape: Shape) => Operand;
  /** The elements of one lane by definition, in the order of the fold. */
  readonly define: (...lanes: number[][]) => number[];
}

function foldRow({ name, f, operands, dtypes: known, row, operand, smooth, define }: Fold): Row {
  const forms = (shape: fc.Arbitrary<Shape>, make: (s: Shape) => Operand): fc.Arbitrary<Form> =>
    fc.tuple(shape, fc.boolean()).map(([s, reverse]) => ({
      f: (...xs) => f(xs, reverse),
      text: `${name}${reverse ? ' reverse' : ''}`,
      operands: Array.from({ length: operands }, () => make(s)),
      define: (...xs) => [inLanes(xs, reverse, define)],
    }));
  return {
    name,
    dtypes: known,
    ...row,
    runs: 0.6,
    values: (dtype) => forms(shapes({ minRank: 3, maxRank: 3 }), (s) => operand(dtype, s)),
    smooth: forms(smallShapes({ minRank: 3, maxRank: 3 }), smooth),
  };
}

/** Applies a function of lanes along the middle axis. */
function inLanes(xs: HostTensor[], reverse: boolean, define: (...lanes: number[][]) => number[]): number[] {
  const [{ shape }] = xs as [HostTensor];
  const [, n = 0] = shape;
  return build(shape, ([o = 0, i = 0, j = 0]) => {
    const lanes = xs.map((x) => {
      const lane = Array.from({ length: n }, (_, k) => read(x, [o, k, j]));
      return reverse ? lane.reverse() : lane;
    });
    return define(...lanes)[reverse ? n - 1 - i : i] as number;
  });
}

const running = (xs: number[], step: (state: number, x: number, i: number) => number): number[] => {
  let state = 0;
  return xs.map((x, i) => {
    state = step(state, x, i);
    return state;
  });
};

/** The position of the extreme element so far. */
const positions = (beats: (a: number, b: number) => boolean) => (xs: number[]) =>
  running(xs, (at, x, i) => {
    const best = xs[at] as number;
    return i === 0 ? 0 : beats(x, best) || (Number.isNaN(x) && !Number.isNaN(best)) ? i : at;
  });

const wide: readonly DType[] = ['float32', 'float64', 'int32', 'uint32'];

const folds: readonly Fold[] = [
  {
    name: 'cumsum',
    f: ([x], reverse) => cumulative.cumsum(x as Tensor, reverse),
    operands: 1,
    dtypes: wide,
    row: { error: 'sum', linear: [[0]] },
    operand: (dtype, s) => (isFloat(dtype) ? finiteOperand(dtype, s) : integersBetween(dtype, s, 0, 1000)),
    smooth: (s) => smoothOperand(s),
    define: (xs) => running(xs, (sum, x) => sum + x),
  },
  {
    name: 'recurrence',
    f: ([a, b], reverse) => cumulative.recurrence(a as Tensor, b as Tensor, reverse),
    operands: 2,
    dtypes: wide,
    row: { error: { units: 300 }, linear: [[1]] },
    operand: (dtype, s) =>
      isFloat(dtype)
        ? { dtype, shape: s, values: arrays(dtype, s, fc.constantFrom(0, 1, -1, 0.5, -0.7, 1.1)) }
        : integersBetween(dtype, s, 0, 2),
    smooth: (s) => smoothOperand(s),
    define: (a, b) => running(b, (y, x, i) => (i === 0 ? x : (a[i] as number) * y + x)),
  },
];

const argRow = (op: 'max' | 'min'): Row => {
  const beats = op === 'max' ? (a: number, b: number) => a > b : (a: number, b: number) => a < b;
  return {
    name: `cumulativeArg ${op}`,
    dtypes,
    error: 'exact',
    runs: 0.6,
    values: (dtype) =>
      fc.tuple(shapes({ minRank: 3, maxRank: 3 }), fc.boolean()).map(([s, reverse]) => ({
        f: (x) => cumulative.cumulativeArg(op, x, reverse),
        text: `cumulativeArg ${op}${reverse ? ' reverse' : ''}`,
        operands: [tied(dtype, s)],
        define: (x) => {
          const n = x.shape[1] as number;
          const found = inLanes([x], reverse, positions(beats)); // counted in the order of the fold
          return [reverse ? found.map((at) => n - 1 - at) : found];
        },
      })),
  };
};

export const orderRows: readonly Row[] = [argsortRow, ...folds.map(foldRow), argRow('max'), argRow('min')];
