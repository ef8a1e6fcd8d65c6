import fc from 'fast-check';
import {
  anyOperand,
  broadcasting,
  permutations,
  shapes,
  smallShapes,
  smoothOperand,
  someAxes,
} from '../arbitrary.ts';
import { type DType, dtypes, movement, type Shape, sizeOf, type Tensor } from '../core.ts';
import { build, read } from '../define.ts';
import type { HostTensor } from '../host.ts';
import type { Form, Operand, Row } from '../row.ts';

/** What a call to a structural primitive is, once its operands' shapes are known. */
interface Call {
  readonly f: (...xs: Tensor[]) => Tensor;
  readonly text: string;
  readonly define: (...xs: HostTensor[]) => number[];
}

/** A row for a linear function of elements in place: any dtype, exact, and smooth everywhere. */
function movementRow(
  name: string,
  shapesOf: (small: boolean) => fc.Arbitrary<Shape[]>,
  call: (shapes: Shape[]) => fc.Arbitrary<Call>,
): Row {
  const forms = (small: boolean, operand: (shape: Shape) => Operand): fc.Arbitrary<Form> =>
    shapesOf(small).chain((list) =>
      call(list).map(({ f, text, define }) => ({
        f,
        text,
        operands: list.map(operand),
        define: (...xs) => [define(...xs)],
      })),
    );
  return {
    name,
    dtypes,
    error: 'exact',
    values: (dtype: DType) => forms(false, (shape) => anyOperand(dtype, shape)),
    smooth: forms(true, (shape) => smoothOperand(shape)),
    linear: [[0]],
  };
}

const one = (small: boolean, minRank: number = 0): fc.Arbitrary<Shape[]> =>
  (small ? smallShapes({ minRank }) : shapes({ minRank })).map((shape) => [shape]);

/** Another shape of the same size. */
function reshapings(shape: Shape): fc.Arbitrary<Shape> {
  const size = sizeOf(shape);
  if (size === 0) return permutations(shape.length).map((perm) => perm.map((i) => shape[i] as number));
  return fc.array(fc.nat(), { minLength: 0, maxLength: 4 }).map((picks) => {
    let rest = size;
    const extents = picks.map((pick) => {
      const divisors = Array.from({ length: rest }, (_, i) => i + 1).filter((d) => rest % d === 0);
      const extent = divisors[pick % divisors.length] as number;
      rest /= extent;
      return extent;
    });
    return rest === 1 && size !== 1 ? extents : [...extents, rest];
  });
}

const reshapeRow = movementRow('reshape', one, ([shape]) =>
  reshapings(shape as Shape).map((to) => ({
    f: (x) => movement.reshape(x, to),
    text: `reshape to [${to}]`,
    define: (x) => Array.from(x.values),
  })),
);

const transposeRow = movementRow('transpose', one, ([shape = []]) =>
  permutations(shape.length).map((perm) => ({
    f: (x) => movement.transpose(x, perm),
    text: `transpose [${perm}]`,
    define: (x) =>
      build(
        perm.map((i) => shape[i] as number),
        (at) =>
          read(
            x,
            shape.map((_, i) => at[perm.indexOf(i)] as number),
          ),
      ),
  })),
);

const broadcastRow: Row = movementRow(
  'broadcastTo',
  (small) => broadcasting(1, small ? smallShapes() : shapes()),
  ([shape = []]) =>
    fc
      .tuple(
        smallShapes({ maxRank: 2 }),
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 4, maxLength: 4 }),
      )
      .map(([lead, grow]) => {
        const to = [...lead, ...shape.map((n, i) => (n === 1 ? (grow[i] ?? 1) : n))];
        return {
          f: (x) => movement.broadcastTo(x, to),
          text: `broadcastTo [${to}]`,
          define: (x) =>
            build(to, (at) =>
              read(
                x,
                shape.map((n, i) => (n === 1 ? 0 : (at[lead.length + i] as number))),
              ),
            ),
        };
      }),
);

const sliceRow = movementRow('slice', one, ([shape = []]) =>
  fc
    .tuple(
      ...shape.map((n) =>
        fc.tuple(
          fc.integer({ min: 0, max: n }),
          fc.integer({ min: 0, max: n }),
          fc.integer({ min: 1, max: 3 }),
        ),
      ),
    )
    .map((ranges) => {
      const start = ranges.map(([a, b]) => Math.min(a, b));
      const limit = ranges.map(([a, b]) => Math.max(a, b));
      const stride = ranges.map(([, , s]) => s);
      const extents = start.map((s, i) => Math.ceil(((limit[i] as number) - s) / (stride[i] as number)));
      return {
        f: (x: Tensor) => movement.slice(x, start, limit, stride),
        text: `slice [${start}] to [${limit}] by [${stride}]`,
        define: (x: HostTensor) =>
          build(extents, (at) =>
            read(
              x,
              at.map((i, d) => (start[d] as number) + i * (stride[d] as number)),
            ),
          ),
      };
    }),
);

const padRow = movementRow('pad', one, ([shape = []]) =>
  fc
    .tuple(
      ...shape.map((n) =>
        fc
          .tuple(
            fc.integer({ min: -2, max: 3 }),
            fc.integer({ min: -2, max: 3 }),
            fc.integer({ min: 0, max: 2 }),
          )
          .map(([low, high, interior]) => {
            const spread = n + Math.max(0, n - 1) * interior;
            return {
              low: Math.max(low, -spread),
              high: Math.max(high, -spread - Math.max(low, -spread)),
              interior,
            };
          }),
      ),
    )
    .map((axes) => {
      const [low, high, interior] = [
        axes.map((a) => a.low),
        axes.map((a) => a.high),
        axes.map((a) => a.interior),
      ];
      const extents = shape.map(
        (n, i) => n + Math.max(0, n - 1) * (interior[i] as number) + (low[i] as number) + (high[i] as number),
      );
      return {
        f: (x: Tensor) => movement.pad(x, low, high, interior),
        text: `pad low [${low}] high [${high}] interior [${interior}]`,
        define: (x: HostTensor) =>
          build(extents, (at) => {
            const from = at.map((i, d) => (i - (low[d] as number)) / ((interior[d] as number) + 1));
            return from.every((i, d) => Number.isInteger(i) && i >= 0 && i < (shape[d] as number))
              ? read(x, from)
              : 0;
          }),
      };
    }),
);

const reverseRow = movementRow('reverse', one, ([shape = []]) =>
  someAxes(shape.length).map((axes) => ({
    f: (x) => movement.reverse(x, axes),
    text: `reverse [${axes}]`,
    define: (x) =>
      build(shape, (at) =>
        read(
          x,
          at.map((i, d) => (axes.includes(d) ? (shape[d] as number) - 1 - i : i)),
        ),
      ),
  })),
);

/** Shapes that differ along one axis; the axis is the last entry. */
const joinable = (small: boolean): fc.Arbitrary<{ list: Shape[]; axis: number }> =>
  one(small, 1).chain(([shape = []]) =>
    fc
      .tuple(
        fc.nat({ max: shape.length - 1 }),
        fc.array(fc.integer({ min: small ? 1 : 0, max: 4 }), { minLength: 1, maxLength: 4 }),
      )
      .map(([axis, extents]) => ({
        list: extents.map((n) => shape.map((m, i) => (i === axis ? n : m))),
        axis,
      })),
  );

function concatenateForms(small: boolean, operand: (shape: Shape) => Operand): fc.Arbitrary<Form> {
  return joinable(small).map(({ list, axis }) => ({
    f: (...xs) => movement.concatenate(xs, axis),
    text: `concatenate along ${axis}`,
    operands: list.map(operand),
    define: (...xs) => {
      const total = xs.reduce((n, x) => n + (x.shape[axis] as number), 0);
      const shape = (xs[0] as HostTensor).shape.map((n, i) => (i === axis ? total : n));
      return [
        build(shape, (at) => {
          let i = at[axis] as number;
          let k = 0;
          while (i >= ((xs[k] as HostTensor).shape[axis] as number))
            i -= (xs[k++] as HostTensor).shape[axis] as number;
          return read(
            xs[k] as HostTensor,
            at.map((j, d) => (d === axis ? i : j)),
          );
        }),
      ];
    },
  }));
}

const concatenateRow: Row = {
  name: 'concatenate',
  dtypes,
  error: 'exact',
  values: (dtype) => concatenateForms(false, (shape) => anyOperand(dtype, shape)),
  smooth: concatenateForms(true, (shape) => smoothOperand(shape)),
  linear: [[0]],
};

/** Elements change place; nothing is computed. */
export const movementRows: readonly Row[] = [
  reshapeRow,
  transposeRow,
  broadcastRow,
  sliceRow,
  padRow,
  reverseRow,
  concatenateRow,
];
