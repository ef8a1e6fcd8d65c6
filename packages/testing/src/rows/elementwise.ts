import fc from 'fast-check';
import {
  anyOperand,
  arrays,
  broadcasting,
  edgy,
  integersBetween,
  operandBetween,
  shapes,
  smallShapes,
  smoothOperand,
} from '../arbitrary.ts';
import type { ErrorModel } from '../compare.ts';
import { arithmetic, type DType, dtypes, isFloat, logAddExp, type Shape, type Tensor } from '../core.ts';
import type { Form, Operand, Row } from '../row.ts';
import { floats, integers, numbers } from './dtypes.ts';

const { elementary } = arithmetic;

/** A form for each shape, with the same function. */
function formOf(
  text: string,
  f: (...xs: Tensor[]) => Tensor,
  shapesOf: fc.Arbitrary<Shape[]>,
  operand: (shape: Shape, index: number) => Operand,
): fc.Arbitrary<Form> {
  return shapesOf.map((list) => ({ f, operands: list.map(operand), text }));
}

const single = (arbitrary: fc.Arbitrary<Shape>): fc.Arbitrary<Shape[]> => arbitrary.map((shape) => [shape]);

/* ---- One operand ---- */

/** Where a unary function is smooth, and its accuracy. `null`: it is smooth nowhere, or has no float form. */
interface UnaryFacts {
  readonly domain: readonly [low: number, high: number] | null;
  readonly error?: ErrorModel;
  readonly dtypes?: readonly DType[];
  readonly linear?: boolean;
}

/** Between whole numbers, where floor and its like are constant. */
const betweenIntegers = [0.1, 0.9] as const;
const transcendental = { ulps: 4 } as const;

const unaries = {
  neg: { domain: [-2, 2], dtypes: numbers, linear: true },
  abs: { domain: [0.1, 3], dtypes: numbers },
  sign: { domain: [0.1, 3], dtypes: numbers },
  floor: { domain: betweenIntegers },
  ceil: { domain: betweenIntegers },
  trunc: { domain: betweenIntegers },
  round: { domain: [0.6, 1.4] },
  not: { domain: null, dtypes: [...integers, 'bool'] },
  sqrt: { domain: [0.2, 5] },
  rsqrt: { domain: [0.2, 5], error: { ulps: 2 } },
  exp: { domain: [-3, 3], error: transcendental },
  expm1: { domain: [-2, 2], error: transcendental },
  log: { domain: [0.2, 5], error: transcendental },
  log1p: { domain: [-0.7, 4], error: transcendental },
  sin: { domain: [-4, 4], error: transcendental },
  cos: { domain: [-4, 4], error: transcendental },
  tan: { domain: [-1, 1], error: transcendental },
  asin: { domain: [-0.8, 0.8], error: transcendental },
  acos: { domain: [-0.8, 0.8], error: transcendental },
  atan: { domain: [-3, 3], error: transcendental },
  sinh: { domain: [-2, 2], error: transcendental },
  cosh: { domain: [-2, 2], error: transcendental },
  tanh: { domain: [-2, 2], error: transcendental },
  asinh: { domain: [-3, 3], error: transcendental },
  acosh: { domain: [1.3, 4], error: transcendental },
  atanh: { domain: [-0.8, 0.8], error: transcendental },
  erf: { domain: [-2, 2], error: transcendental },
  erfc: { domain: [-2, 2], error: transcendental },
  erfInv: { domain: [-0.8, 0.8], error: transcendental },
  sigmoid: { domain: [-4, 4], error: transcendental },
} satisfies Record<arithmetic.ElementaryOp | 'neg', UnaryFacts>;

function unaryRow(name: keyof typeof unaries): Row {
  const { domain, error = 'exact', dtypes = floats, linear = false }: UnaryFacts = unaries[name];
  const f = name === 'neg' ? arithmetic.neg : elementary[name];
  const row: Row = {
    name,
    dtypes,
    error,
    values: (dtype) => formOf(name, f, single(shapes()), (shape) => anyOperand(dtype, shape)),
  };
  if (!domain) return row;
  const smooth = formOf(name, f, single(smallShapes()), (shape) => smoothOperand(shape, ...domain));
  return linear ? { ...row, smooth, linear: [[0]] } : { ...row, smooth };
}

/* ---- Two operands ---- */

interface BinaryFacts {
  readonly f: (x: Tensor, y: Tensor) => Tensor;
  readonly dtypes: readonly DType[];
  /** Where each operand is smooth. */
  readonly domains?: readonly [readonly [number, number], readonly [number, number]];
  readonly linear?: readonly (readonly number[])[];
  readonly error?: ErrorModel;
}

const anywhere = [-2, 2] as const;
const apart = [0.3, 2] as const;
const bitDTypes: readonly DType[] = [...integers, 'bool'];

const binaries: Record<string, BinaryFacts> = {
  add: { f: arithmetic.add, dtypes: numbers, domains: [anywhere, anywhere], linear: [[0, 1], [0], [1]] },
  sub: { f: arithmetic.sub, dtypes: numbers, domains: [anywhere, anywhere], linear: [[0, 1], [0], [1]] },
  mul: { f: arithmetic.mul, dtypes: numbers, domains: [anywhere, anywhere], linear: [[0], [1]] },
  div: { f: arithmetic.div, dtypes: numbers, domains: [anywhere, apart], linear: [[0]] },
  // Intervals that do not meet: no ties, and both operands win somewhere.
  max: {
    f: arithmetic.max,
    dtypes: numbers,
    domains: [
      [-1, 0.4],
      [0.5, 2],
    ],
  },
  min: {
    f: arithmetic.min,
    dtypes: numbers,
    domains: [
      [-1, 0.4],
      [0.5, 2],
    ],
  },
  pow: { f: arithmetic.pow, dtypes: numbers, domains: [[0.3, 3], anywhere], error: { ulps: 4 } },
  atan2: { f: arithmetic.atan2, dtypes: floats, domains: [anywhere, apart], error: { ulps: 4 } },
  // The quotient lies between 2.09 and 2.9, so that its whole part does not jump.
  rem: {
    f: arithmetic.rem,
    dtypes: numbers,
    domains: [
      [2.3, 2.9],
      [1, 1.1],
    ],
  },
  // The greater operand and the logarithm may cancel; its error is that of an operand, of at most 10 or so.
  logAddExp: { f: logAddExp, dtypes: floats, domains: [anywhere, anywhere], error: { units: 8, floor: 16 } },
  and: { f: arithmetic.and, dtypes: bitDTypes },
  or: { f: arithmetic.or, dtypes: bitDTypes },
  xor: { f: arithmetic.xor, dtypes: bitDTypes },
};

function binaryRow(name: string, { f, dtypes, domains, linear, error = 'exact' }: BinaryFacts): Row {
  const row: Row = {
    name,
    dtypes,
    error,
    values: (dtype) => formOf(name, f, broadcasting(2), (shape) => anyOperand(dtype, shape)),
  };
  if (!domains) return row;
  const smooth = formOf(name, f, broadcasting(2, smallShapes()), (shape, i) =>
    smoothOperand(shape, ...(domains[i] as readonly [number, number])),
  );
  return linear ? { ...row, smooth, linear } : { ...row, smooth };
}

const shiftRow = (name: string, f: BinaryFacts['f']): Row => ({
  name,
  dtypes: ['int32', 'uint32'],
  error: 'exact',
  values: (dtype) =>
    formOf(name, f, broadcasting(2), (shape, i) =>
      i === 0
        ? { dtype, shape, values: arrays(dtype, shape, edgy(dtype)) }
        : dtype === 'int32'
          ? integersBetween(dtype, shape, -2, 35)
          : integersBetween(dtype, shape, 0, 35),
    ),
});

const compareRow = (op: 'eq' | 'ne' | 'lt' | 'le'): Row => ({
  name: op,
  dtypes,
  error: 'exact',
  values: (dtype) =>
    formOf(
      op,
      (x, y) => arithmetic.compare(op, x, y),
      broadcasting(2),
      (shape) =>
        // Few values, so that equal ones meet.
        isFloat(dtype)
          ? {
              dtype,
              shape,
              values: arrays(
                dtype,
                shape,
                fc.constantFrom(0, -0, 1, 1.5, -1, Number.NaN, Infinity, -Infinity, 2 ** -149),
              ),
            }
          : anyOperand(dtype, shape),
    ),
});

/* ---- select, conversions ---- */

const selectRow: Row = {
  name: 'select',
  dtypes,
  error: 'exact',
  linear: [[1, 2], [1], [2]],
  values: (dtype) =>
    formOf('select', arithmetic.select, broadcasting(3), (shape, i) =>
      i === 0 ? integersBetween('bool', shape, 0, 1) : anyOperand(dtype, shape),
    ),
  smooth: formOf('select', arithmetic.select, broadcasting(3, smallShapes()), (shape, i) =>
    i === 0 ? integersBetween('bool', shape, 0, 1) : smoothOperand(shape),
  ),
};

const convertRow: Row = {
  name: 'convert',
  dtypes,
  error: 'exact',
  values: (dtype) =>
    fc.tuple(shapes(), fc.constantFrom(...dtypes.filter((to) => to !== dtype))).map(([shape, to]) => ({
      f: (x) => arithmetic.convert(x, to),
      operands: [anyOperand(dtype, shape)],
      text: `convert to ${to}`,
    })),
  linear: [[0]],
  rounds: true,
  smooth: smallShapes().map((shape) => ({
    f: (x) => arithmetic.convert(arithmetic.convert(x, 'float32'), 'float64'),
    operands: [smoothOperand(shape)],
    text: 'convert to float32 and back',
  })),
};

const fourBytes: readonly DType[] = ['float32', 'int32', 'uint32'];

const bitcastRow: Row = {
  name: 'bitcast',
  dtypes: fourBytes,
  error: 'exact',
  values: (dtype) =>
    fc.tuple(shapes(), fc.constantFrom(...fourBytes)).map(([shape, to]) => ({
      f: (x) => arithmetic.bitcast(x, to),
      // Only numbers: which bits a NaN has is no part of a value.
      operands: [
        dtype === 'float32'
          ? anyOperand(dtype, shape, (x) => !Number.isNaN(x))
          : operandBetween(dtype, shape, 0, 0x7f7fffff),
      ],
      text: `bitcast to ${to}`,
    })),
};

/** Every pointwise primitive but threefry. */
export const elementwiseRows: readonly Row[] = [
  ...(Object.keys(unaries) as (keyof typeof unaries)[]).map(unaryRow),
  ...Object.entries(binaries).map(([name, facts]) => binaryRow(name, facts)),
  shiftRow('shl', arithmetic.shl),
  shiftRow('shr', arithmetic.shr),
  ...(['eq', 'ne', 'lt', 'le'] as const).map(compareRow),
  selectRow,
  convertRow,
  bitcastRow,
];
