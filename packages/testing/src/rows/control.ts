/** Loops and branches: each computes what a plain loop over numbers computes. */
import * as nm from '@neumann/core';
import fc from 'fast-check';
import { anyOperand, integersBetween, smoothOperand } from '../arbitrary.ts';
import type { DType, Shape, Tensor } from '../core.ts';
import type { HostTensor } from '../host.ts';
import type { Form, Operand, Row } from '../row.ts';
import { numbers } from './dtypes.ts';

interface Extents {
  readonly length: number;
  readonly inner: Shape;
  readonly reverse: boolean;
}

const extents = (small: boolean): fc.Arbitrary<Extents> =>
  fc.record({
    length: fc.integer({ min: small ? 1 : 0, max: small ? 4 : 7 }),
    inner: fc.array(fc.integer({ min: 1, max: small ? 2 : 5 }), { maxLength: 2 }),
    reverse: fc.boolean(),
  });

const { add, cos, greater, less, matmul, multiply, sin, subtract, where } = nm;
const sizeOf = (shape: Shape): number => shape.reduce((n, extent) => n * extent, 1);
const text = (name: string, { length, inner, reverse }: Extents): string =>
  `${name} ${length} × [${inner}]${reverse ? ' reversed' : ''}`;

/* ---- scan ---- */

/** The greatest row so far, and for each row that or what it is compared with: nothing rounds. */
const running = (e: Extents, operand: (shape: Shape) => Operand): Form => ({
  f: (c, x, w) =>
    nm
      .scan(
        (most: Tensor, row: Tensor) => {
          const next = where(less(most, row), row, most);
          return [next, where(less(row, w), most, next)];
        },
        c,
        x,
        { reverse: e.reverse },
      )
      .flat(),
  text: text('scan', e),
  operands: [operand(e.inner), operand([e.length, ...e.inner]), operand(e.inner)],
  define: (c, x, w) => {
    const size = sizeOf(e.inner);
    const carry = [...c.values];
    const ys = [...x.values];
    for (let pass = 0; pass < e.length; pass++)
      for (let i = 0; i < size; i++) {
        const at = (e.reverse ? e.length - 1 - pass : pass) * size + i;
        const [before, row] = [carry[i] as number, x.values[at] as number];
        const next = [before, row][Number(before < row)] as number; // before, if one is NaN
        ys[at] = row < (w.values[i] as number) ? before : next;
        carry[i] = next;
      }
    return [carry, ys];
  },
});

/** A recurrent net: two carries that depend on each other, rows, a constant, another loop inside, and results. */
const recurrent = ({ length, inner, reverse }: Extents): Form => ({
  f: (c, x, w) => {
    const [carry, ys] = nm.scan(
      ({ a, b }: { a: Tensor; b: Tensor }, row: Tensor) => {
        const next = sin(add(multiply(a, w), row));
        const inside = nm.forLoop(0, 2, (i, y: Tensor) => multiply(cos(y), add(b, i)), row);
        return [
          { a: next, b: add(multiply(b, a), inside) },
          { y: multiply(next, row), b },
        ];
      },
      { a: c, b: w },
      x,
      { reverse },
    );
    return [carry.a, carry.b, ys.y, ys.b];
  },
  text: text('scan of a recurrent net', { length, inner, reverse }),
  operands: [
    smoothOperand(inner, -1, 1),
    smoothOperand([length, ...inner], -1, 1),
    smoothOperand(inner, -1, 1),
  ],
});

/** Linear in the rows and the carry. */
const filter = ({ length, inner, reverse }: Extents): Form => ({
  f: (c, x, w) =>
    nm
      .scan(
        (s: Tensor, row: Tensor) => [add(multiply(s, sin(w)), row), subtract(s, multiply(row, w))],
        c,
        x,
        { reverse },
      )
      .flat(),
  text: text('scan of a filter', { length, inner, reverse }),
  operands: [smoothOperand(inner, -1, 1), smoothOperand([length, ...inner]), smoothOperand(inner, -1, 1)],
});

const scanRow = (name: string): Row => ({
  name,
  dtypes: numbers,
  error: 'exact',
  values: (dtype) => extents(false).map((e) => running(e, (shape) => anyOperand(dtype, shape))),
  smooth: extents(true).map(recurrent),
});

/* ---- forLoop ---- */

const forLoopRow: Row = {
  name: 'forLoop',
  dtypes: numbers,
  error: 'exact',
  values: (dtype) =>
    extents(false).map(({ length, inner }) => ({
      // Two carries that change places, and one that keeps what it is.
      f: (x, y) =>
        Object.values(
          nm.forLoop(
            2,
            2 + length,
            (i, { a, b, c }: Record<'a' | 'b' | 'c', Tensor>) => ({
              a: b,
              b: where(less(i, 5), a, x),
              c,
            }),
            { a: x, b: y, c: y },
          ),
        ),
      text: `forLoop 2 to ${2 + length} of [${inner}]`,
      operands: [anyOperand(dtype, inner), anyOperand(dtype, inner)],
      define: (x, y) => {
        let [a, b] = [x.values, y.values];
        for (let i = 2; i < 2 + length; i++) [a, b] = [b, i < 5 ? a : x.values];
        return [a, b, y.values];
      },
    })),
  smooth: fc
    .record({ length: fc.integer({ min: 0, max: 4 }), n: fc.integer({ min: 1, max: 3 }) })
    .map(({ length, n }) => ({
      f: (x, w) => nm.forLoop(0, length, (i, h: Tensor) => sin(add(matmul(h, w), multiply(h, add(i, 1)))), x),
      text: `forLoop ${length} of sin(h w + (i + 1) h) [${n}]`,
      operands: [smoothOperand([n], -1, 1), smoothOperand([n, n], -1, 1)],
    })),
};

/* ---- whileLoop ---- */

/** As many passes as an operand says, so that examples of a batch differ. */
const counted = (shape: Shape, dtype: DType): Form => ({
  f: (n, x, w) =>
    Object.values(
      nm.whileLoop(
        ({ i }) => less(i, n),
        ({ i, a, b }) => ({
          i: add(i, 1),
          a: where(less(a, w), b, a),
          b: where(greater(i, 2), a, b),
        }),
        { i: nm.tensor(0, 'int32'), a: x, b: w },
      ),
    ),
  text: `whileLoop [${shape}]`,
  operands: [integersBetween('int32', [], -1, 6), anyOperand(dtype, shape), anyOperand(dtype, shape)],
  define: (n, x, w) => {
    let [i, a, b] = [0, [...x.values], [...w.values]];
    for (; i < (n.values[0] as number); i++) {
      const before = a;
      a = a.map((v, j) => (v < (w.values[j] as number) ? (b[j] as number) : v));
      if (i > 2) b = before;
    }
    return [a, b, [i]]; // sorted by their keys
  },
});

const whileRow = (name: string): Row => ({
  name,
  dtypes: numbers,
  error: 'exact',
  values: (dtype) => extents(false).map(({ inner }) => counted(inner, dtype)),
});

/* ---- Branches ---- */

const casesOf = (x: Tensor, y: Tensor): (() => Tensor[])[] => [
  () => [x, y],
  () => [where(less(x, y), x, y), x],
  () => [y, y],
];

const chosenOf = (index: number, x: HostTensor, y: HostTensor): ArrayLike<number>[] => {
  if (index <= 0) return [x.values, y.values];
  if (index >= 2) return [y.values, y.values];
  const least = [...x.values].map(
    (v, i) => [y.values[i] as number, v][Number(v < (y.values[i] as number))] as number,
  );
  return [least, x.values];
};

const smoothCases = (x: Tensor): ((y: Tensor) => Tensor[])[] => [
  (y) => [multiply(x, sin(y)), x],
  (y) => [y, multiply(y, multiply(y, x))],
  (y) => [nm.forLoop(0, 2, (_, s: Tensor) => multiply(sin(s), x), y), nm.zerosLike(y)],
];

const switchRow = (name: string): Row => ({
  name,
  dtypes: numbers,
  error: 'exact',
  values: (dtype) =>
    extents(false).map(({ inner }) => ({
      f: (index, x, y) => nm.switchCase(index, casesOf(x, y)),
      text: `switchCase [${inner}]`,
      operands: [integersBetween('int32', [], -1, 3), anyOperand(dtype, inner), anyOperand(dtype, inner)],
      define: (index, x, y) => chosenOf(index.values[0] as number, x, y),
    })),
  smooth: extents(true).map(({ inner }) => ({
    f: (index, x, y) => nm.switchCase(index, smoothCases(x), y),
    text: `switchCase [${inner}]`,
    operands: [integersBetween('int32', [], 0, 2), smoothOperand(inner, -1, 1), smoothOperand(inner, -1, 1)],
  })),
});

const condRow: Row = {
  name: 'cond',
  dtypes: numbers,
  error: 'exact',
  values: (dtype) =>
    extents(false).map(({ inner }) => ({
      f: (p, x, y) => {
        const [first, second] = casesOf(x, y) as [() => Tensor[], () => Tensor[]];
        return nm.cond(greater(p, 0), second, first);
      },
      text: `cond [${inner}]`,
      operands: [integersBetween('int32', [], 0, 1), anyOperand(dtype, inner), anyOperand(dtype, inner)],
      define: (p, x, y) => chosenOf(p.values[0] as number, x, y),
    })),
  smooth: extents(true).map(({ inner }) => ({
    f: (p, x, y) => {
      const [first, second] = smoothCases(x) as [(y: Tensor) => Tensor[], (y: Tensor) => Tensor[]];
      return nm.cond(greater(p, 0), first, second, y);
    },
    text: `cond [${inner}]`,
    operands: [integersBetween('int32', [], 0, 1), smoothOperand(inner, -1, 1), smoothOperand(inner, -1, 1)],
  })),
};

/* ---- associativeScan ---- */

/** Running extremes of a tree of two tensors: associative, and nothing rounds. */
const associativeRow: Row = {
  name: 'associativeScan',
  dtypes: numbers.filter((dtype) => dtype !== 'float32' && dtype !== 'float64'),
  error: 'exact',
  values: (dtype) =>
    extents(false).map(({ length, inner, reverse }) => ({
      f: (x, y) =>
        Object.values(
          nm.associativeScan(
            (p, q) => ({ last: q.last, most: nm.maximum(p.most, q.most) }),
            { last: y, most: x },
            { axis: 1, reverse },
          ),
        ),
      text: `associativeScan ${length} × [${inner}]${reverse ? ' reversed' : ''}`,
      operands: [anyOperand(dtype, [2, length, ...inner]), anyOperand(dtype, [1, length])],
      define: (x, y) => {
        const size = sizeOf(inner);
        const most = [...x.values];
        const at = (row: number, pass: number): number =>
          (row * length + (reverse ? length - 1 - pass : pass)) * size;
        for (let row = 0; row < 2; row++)
          for (let pass = 1; pass < length; pass++)
            for (let i = 0; i < size; i++)
              most[at(row, pass) + i] = Math.max(
                most[at(row, pass - 1) + i] as number,
                most[at(row, pass) + i] as number,
              );
        return [y.values, most];
      },
    })),
  smooth: extents(true).map(({ length, inner, reverse }) => ({
    // Affine maps x -> a x + b, composed.
    f: (a, b) =>
      Object.values(
        nm.associativeScan(
          (p, q) => ({ a: multiply(q.a, p.a), b: add(multiply(q.a, p.b), q.b) }),
          { a: a, b: b },
          { reverse },
        ),
      ),
    text: `associativeScan of affine maps ${length} × [${inner}]${reverse ? ' reversed' : ''}`,
    operands: [smoothOperand([length, ...inner], -1, 1), smoothOperand([length, ...inner], -1, 1)],
  })),
};

/** The primitives. */
export const controlPrimitiveRows: readonly Row[] = [
  scanRow('scan'),
  {
    ...scanRow('scan of a filter'),
    smooth: extents(true).map(filter),
    linear: [[0, 1]],
  },
  whileRow('while'),
  switchRow('switch'),
];

/** The operations. */
export const controlRows: readonly Row[] = [
  scanRow('scan'),
  forLoopRow,
  whileRow('whileLoop'),
  condRow,
  switchRow('switchCase'),
  associativeRow,
];
