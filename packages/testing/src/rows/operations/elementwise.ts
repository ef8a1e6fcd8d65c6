/** Elementwise operations. */
import * as nm from '@neumann/core';
import fc from 'fast-check';
import {
  anyOperand,
  broadcasting,
  integersBetween,
  operandBetween,
  shapes,
  smallShapes,
  smoothOperand,
} from '../../arbitrary.ts';
import type { ErrorModel } from '../../compare.ts';
import { type DType, dtypes, type Shape, type Tensor } from '../../core.ts';
import type { Form, Operand, Row } from '../../row.ts';
import { floats, integers, numbers } from '../dtypes.ts';

type Interval = readonly [low: number, high: number];
type Op1 = (x: Tensor) => Tensor;
type Op2 = (x: Tensor, y: Tensor) => Tensor;

/* ---- elementwise, one operand ---- */

interface UnaryFacts {
  /** Where it is smooth; `null` for nowhere. */
  readonly domain: Interval | null;
  readonly error?: ErrorModel;
  readonly dtypes?: readonly DType[];
}

export function unaryOp(
  name: string,
  f: Op1,
  { domain, error = 'exact', dtypes: known = dtypes }: UnaryFacts,
): Row {
  const forms = (shape: fc.Arbitrary<Shape>, operand: (s: Shape) => Operand): fc.Arbitrary<Form> =>
    shape.map((s) => ({ f: (x) => f(x), text: name, operands: [operand(s)] }));
  const row: Row = {
    name,
    dtypes: known,
    error,
    values: (dtype) => forms(shapes(), (s) => anyOperand(dtype, s)),
  };
  return domain ? { ...row, smooth: forms(smallShapes(), (s) => smoothOperand(s, ...domain)) } : row;
}

const transcendental = { ulps: 4 } as const;
/** A transcendental function and another operation. */
const composed = { ulps: 6 } as const;
const between = [0.1, 0.9] as const;

const unaryOps: readonly Row[] = [
  unaryOp('abs', nm.abs, { domain: [0.1, 3], dtypes: numbers }),
  unaryOp('negative', nm.negative, { domain: [-2, 2], dtypes: numbers }),
  unaryOp('sign', nm.sign, { domain: [0.1, 3], dtypes: numbers }),
  unaryOp('square', nm.square, { domain: [-2, 2], dtypes: numbers }),
  unaryOp('reciprocal', nm.reciprocal, { domain: [0.3, 3] }),
  unaryOp('floor', nm.floor, { domain: between, dtypes: numbers }),
  unaryOp('ceil', nm.ceil, { domain: between, dtypes: numbers }),
  unaryOp('trunc', nm.trunc, { domain: between, dtypes: numbers }),
  unaryOp('round', nm.round, { domain: [0.6, 1.4], dtypes: numbers }),
  unaryOp('bitwiseNot', nm.bitwiseNot, { domain: null, dtypes: [...integers, 'bool'] }),
  unaryOp('logicalNot', nm.logicalNot, { domain: null }),
  unaryOp('isNan', nm.isNan, { domain: null }),
  unaryOp('isFinite', nm.isFinite, { domain: null }),
  unaryOp('isInf', nm.isInf, { domain: null }),
  unaryOp('sqrt', nm.sqrt, { domain: [0.2, 5] }),
  unaryOp('rsqrt', nm.rsqrt, { domain: [0.2, 5], error: { ulps: 2 } }),
  unaryOp('exp', nm.exp, { domain: [-3, 3], error: transcendental }),
  unaryOp('exp2', nm.exp2, { domain: [-3, 3], error: transcendental }),
  unaryOp('expm1', nm.expm1, { domain: [-2, 2], error: transcendental }),
  unaryOp('log', nm.log, { domain: [0.2, 5], error: transcendental }),
  unaryOp('log1p', nm.log1p, { domain: [-0.7, 4], error: transcendental }),
  unaryOp('log2', nm.log2, { domain: [0.2, 5], error: composed }),
  unaryOp('log10', nm.log10, { domain: [0.2, 5], error: composed }),
  unaryOp('sin', nm.sin, { domain: [-4, 4], error: transcendental }),
  unaryOp('cos', nm.cos, { domain: [-4, 4], error: transcendental }),
  unaryOp('tan', nm.tan, { domain: [-1, 1], error: transcendental }),
  unaryOp('arcsin', nm.arcsin, { domain: [-0.8, 0.8], error: transcendental }),
  unaryOp('arccos', nm.arccos, { domain: [-0.8, 0.8], error: transcendental }),
  unaryOp('arctan', nm.arctan, { domain: [-3, 3], error: transcendental }),
  unaryOp('sinh', nm.sinh, { domain: [-2, 2], error: transcendental }),
  unaryOp('cosh', nm.cosh, { domain: [-2, 2], error: transcendental }),
  unaryOp('tanh', nm.tanh, { domain: [-2, 2], error: transcendental }),
  unaryOp('arcsinh', nm.arcsinh, { domain: [-3, 3], error: transcendental }),
  unaryOp('arccosh', nm.arccosh, { domain: [1.3, 4], error: transcendental }),
  unaryOp('arctanh', nm.arctanh, { domain: [-0.8, 0.8], error: transcendental }),
  unaryOp('erf', nm.erf, { domain: [-2, 2], error: transcendental }),
  unaryOp('erfc', nm.erfc, { domain: [-2, 2], error: transcendental }),
  unaryOp('erfInv', nm.erfInv, { domain: [-0.8, 0.8], error: transcendental }),
  unaryOp('sigmoid', nm.sigmoid, { domain: [-4, 4], error: transcendental }),
  unaryOp('softplus', nm.softplus, { domain: [-3, 3], error: composed }),
];

/* ---- elementwise, two operands ---- */

interface BinaryFacts {
  readonly domains?: readonly [Interval, Interval];
  readonly error?: ErrorModel;
  readonly dtypes?: readonly DType[];
  /** Whether a JavaScript number may stand on either side. */
  readonly numbers?: boolean;
}

/** Two tensors that broadcast; a tensor and a number; a number and a tensor. */
function binaryForms(
  name: string,
  f: (x: nm.TensorLike, y: nm.TensorLike) => Tensor,
  shape: fc.Arbitrary<Shape>,
  operand: (shape: Shape, i: number) => Operand,
  number: number | null,
): fc.Arbitrary<Form> {
  return fc
    .tuple(broadcasting(2, shape), fc.constantFrom('both', 'both', 'left', 'right'))
    .map(([list, sides]) => {
      const [a, b] = list as [Shape, Shape];
      if (number !== null && sides === 'left')
        return { f: (x) => f(x, number), text: `${name}(x, ${number})`, operands: [operand(a, 0)] };
      if (number !== null && sides === 'right')
        return { f: (y) => f(number, y), text: `${name}(${number}, y)`, operands: [operand(b, 1)] };
      return {
        f: (x, y) => f(x, y),
        text: name,
        operands: [operand(a, 0), operand(b, 1)],
      };
    });
}

export function binaryOp(
  name: string,
  f: (x: nm.TensorLike, y: nm.TensorLike) => Tensor,
  { domains, error = 'exact', dtypes: known = dtypes, numbers: takesNumbers = true }: BinaryFacts = {},
): Row {
  const row: Row = {
    name,
    dtypes: known,
    error,
    values: (dtype) =>
      binaryForms(
        name,
        f,
        shapes(),
        (s) => anyOperand(dtype, s),
        takesNumbers && dtype !== 'bool' ? 3 : null,
      ),
  };
  if (!domains) return row;
  const smooth = binaryForms(
    name,
    f,
    smallShapes(),
    (s, i) => smoothOperand(s, ...(domains[i] as Interval)),
    null,
  );
  return { ...row, smooth };
}

const anywhere = [-2, 2] as const;
const apart = [0.3, 2] as const;
const below: Interval = [-1, 0.4];
const above: Interval = [0.5, 2];

const shift = (name: string, f: Op2): Row => ({
  name,
  dtypes: ['int32', 'uint32'],
  error: 'exact',
  values: (dtype) =>
    broadcasting(2).map(([a = [], b = []]) => ({
      f: (x, by) => f(x, by),
      text: name,
      operands: [anyOperand(dtype, a), integersBetween(dtype, b, 0, 35)],
    })),
});

const binaryOps: readonly Row[] = [
  binaryOp('add', nm.add, { domains: [anywhere, anywhere] }),
  binaryOp('subtract', nm.subtract, { domains: [anywhere, anywhere], dtypes: numbers }),
  binaryOp('multiply', nm.multiply, { domains: [anywhere, anywhere] }),
  binaryOp('divide', nm.divide, { domains: [anywhere, apart] }),
  binaryOp('floorDivide', nm.floorDivide, { dtypes: numbers }),
  binaryOp('remainder', nm.remainder, {
    domains: [
      [2.3, 2.9],
      [1, 1.1],
    ],
    dtypes: numbers,
  }),
  binaryOp('power', nm.power, { domains: [[0.3, 3], anywhere], dtypes: numbers, error: { ulps: 5 } }),
  binaryOp('maximum', nm.maximum, { domains: [below, above] }),
  binaryOp('minimum', nm.minimum, { domains: [below, above] }),
  binaryOp('arctan2', nm.arctan2, { domains: [anywhere, apart], error: transcendental }),
  binaryOp('logAddExp', nm.logAddExp, {
    domains: [anywhere, anywhere],
    dtypes: floats,
    error: { units: 8, floor: 16 },
  }),
  binaryOp('bitwiseAnd', nm.bitwiseAnd, { dtypes: [...integers, 'bool'] }),
  binaryOp('bitwiseOr', nm.bitwiseOr, { dtypes: [...integers, 'bool'] }),
  binaryOp('bitwiseXor', nm.bitwiseXor, { dtypes: [...integers, 'bool'] }),
  binaryOp('equal', nm.equal),
  binaryOp('notEqual', nm.notEqual),
  binaryOp('less', nm.less),
  binaryOp('lessEqual', nm.lessEqual),
  binaryOp('greater', nm.greater),
  binaryOp('greaterEqual', nm.greaterEqual),
  binaryOp('logicalAnd', nm.logicalAnd),
  binaryOp('logicalOr', nm.logicalOr),
  binaryOp('logicalXor', nm.logicalXor),
  shift('leftShift', nm.leftShift),
  shift('rightShift', nm.rightShift),
];

/* ---- elementwise, others ---- */

const elementwiseOps: readonly Row[] = [
  {
    name: 'where',
    dtypes,
    error: 'exact',
    values: (dtype) =>
      broadcasting(3).map(([c = [], a = [], b = []]) => ({
        f: (cond, x, y) => nm.where(cond, x, y),
        text: 'where',
        operands: [integersBetween('bool', c, 0, 1), anyOperand(dtype, a), anyOperand(dtype, b)],
      })),
    smooth: broadcasting(3, smallShapes()).map(([c = [], a = [], b = []]) => ({
      f: (cond, x, y) => nm.where(cond, x, y),
      text: 'where',
      operands: [integersBetween('bool', c, 0, 1), smoothOperand(a), smoothOperand(b)],
    })),
  },
  {
    name: 'clip',
    dtypes: numbers,
    error: 'exact',
    values: (dtype) =>
      fc
        .tuple(shapes(), fc.constantFrom({ min: 2 }, { max: 5 }, { min: 2, max: 5 }, {}))
        .map(([s, options]) => ({
          f: (x) => nm.clip(x, options),
          text: `clip ${JSON.stringify(options)}`,
          operands: [anyOperand(dtype, s)],
        })),
    // Bounds that are tensors have derivatives too.
    smooth: broadcasting(2, smallShapes()).map(([a = [], b = []]) => ({
      f: (x, min) => nm.clip(x, { min: min, max: 3 }),
      text: 'clip',
      operands: [smoothOperand(a, 1, 2), smoothOperand(b, 2.1, 2.9)],
    })),
  },
  {
    name: 'astype',
    dtypes,
    error: 'exact',
    values: (dtype) =>
      fc.tuple(shapes(), fc.constantFrom(...dtypes)).map(([s, to]) => ({
        f: (x) => nm.astype(x, to),
        text: `astype ${to}`,
        operands: [anyOperand(dtype, s)],
      })),
  },
  {
    name: 'bitcast',
    dtypes: ['float32', 'int32', 'uint32'],
    error: 'exact',
    values: (dtype) =>
      fc.tuple(shapes(), fc.constantFrom<DType>('float32', 'int32', 'uint32')).map(([s, to]) => ({
        f: (x) => nm.bitcast(x, to),
        text: `bitcast ${to}`,
        operands: [
          dtype === 'float32'
            ? anyOperand(dtype, s, (v) => !Number.isNaN(v))
            : operandBetween(dtype, s, 0, 0x7f7fffff),
        ],
      })),
  },
];

export const elementwiseRows: readonly Row[] = [...unaryOps, ...binaryOps, ...elementwiseOps];
