/** Elementwise operations that are made of others, and special functions. */
import * as nm from '@neumann/core';
import fc from 'fast-check';
import { anyOperand, broadcasting, integersBetween, shapes } from '../../arbitrary.ts';
import type { DType, Tensor } from '../../core.ts';
import type { Row } from '../../row.ts';
import { floats, integers, numbers } from '../dtypes.ts';
import { binaryOp, unaryOp } from './elementwise.ts';

/** Few samples: the primitives below have rows of their own. */
const few = (row: Row): Row => ({ runs: 0.3, ...row });

/** Formulas of some operations, each within a few ulps, of terms that are up to `floor` where the sum is small. */
const formula = (floor: number) => ({ units: 64, floor }) as const;
const composed = { ulps: 6 } as const;
const apart = [0.3, 2] as const;
const positive = [0.6, 3] as const;

const unaries: readonly Row[] = [
  unaryOp('cbrt', nm.cbrt, { domain: [0.2, 5], error: { ulps: 8 } }),
  unaryOp('deg2rad', nm.deg2rad, { domain: [-4, 4] }),
  unaryOp('rad2deg', nm.rad2deg, { domain: [-4, 4] }),
  unaryOp('sinc', nm.sinc, { domain: [-2, 2], error: formula(1) }),
  unaryOp('signbit', nm.signbit, { domain: null, dtypes: numbers }),
  unaryOp('nanToNum', nm.nanToNum, { domain: [-2, 2] }),
  unaryOp('isPosInf', nm.isPosInf, { domain: null }),
  unaryOp('isNegInf', nm.isNegInf, { domain: null }),
  unaryOp('bitwiseCount', nm.bitwiseCount, { domain: null, dtypes: integers }),
  unaryOp('countLeadingZeros', nm.countLeadingZeros, { domain: null, dtypes: integers }),
  unaryOp('logSigmoid', nm.logSigmoid, { domain: [-4, 4], error: composed }),
  unaryOp('log1mExp', nm.log1mExp, { domain: [0.1, 3], error: formula(1) }),
  unaryOp('logit', nm.logit, { domain: [0.1, 0.9], error: formula(1) }),
  unaryOp('entr', nm.entr, { domain: [0.1, 2], error: formula(1) }),
  unaryOp('logGamma', nm.logGamma, { domain: positive, error: formula(30) }),
  unaryOp('digamma', nm.digamma, { domain: positive, error: formula(10) }),
  unaryOp('i0e', nm.i0e, { domain: [-3, 3], error: formula(1) }),
  unaryOp('i1e', nm.i1e, { domain: [-3, 3], error: formula(1) }),
  unaryOp('ndtr', nm.ndtr, { domain: [-3, 3], error: composed }),
  unaryOp('logNdtr', nm.logNdtr, { domain: [-3, 3], error: formula(1) }),
  unaryOp('ndtri', nm.ndtri, { domain: [0.05, 0.95], error: formula(10) }),
].map(few);

/** Functions that grow like exponentials: of small numbers, since errors of the exponent grow too. */
const growing: readonly Row[] = (
  [
    ['gamma', nm.gamma],
    ['factorial', nm.factorial],
    ['i0', nm.i0],
    ['i1', nm.i1],
  ] as const
).map(([name, f]) => ({
  ...few(unaryOp(name, f, { domain: positive, error: { units: 400, floor: 10 } })),
  dtypes: floats,
  values: (dtype: DType) =>
    shapes().map((s) => ({
      f: (x: Tensor) => f(x),
      text: name,
      operands: [anyOperand(dtype, s, (x) => Math.abs(x) < 10)],
    })),
}));

const binaries: readonly Row[] = [
  binaryOp('hypot', nm.hypot, { domains: [apart, apart], error: composed }),
  binaryOp('logAddExp2', nm.logAddExp2, { domains: [apart, apart], dtypes: floats, error: formula(16) }),
  binaryOp('copysign', nm.copysign, { domains: [apart, apart] }),
  binaryOp('heaviside', nm.heaviside, { domains: [apart, apart] }),
  binaryOp('fmod', nm.fmod, {
    domains: [
      [2.3, 2.9],
      [1, 1.1],
    ],
    dtypes: numbers,
  }),
  binaryOp('fmax', nm.fmax, {
    domains: [
      [-1, 0.4],
      [0.5, 2],
    ],
    dtypes: numbers,
  }),
  binaryOp('fmin', nm.fmin, {
    domains: [
      [-1, 0.4],
      [0.5, 2],
    ],
    dtypes: numbers,
  }),
  binaryOp('isClose', nm.isClose),
  binaryOp('allClose', nm.allClose),
  binaryOp('arrayEqual', nm.arrayEqual),
  binaryOp('gcd', nm.gcd, { dtypes: integers }),
  binaryOp('lcm', nm.lcm, { dtypes: integers }),
  binaryOp('nextAfter', nm.nextAfter, { dtypes: ['float32'] }),
  binaryOp('xlogy', nm.xlogy, { domains: [apart, apart], error: composed }),
  binaryOp('xlog1py', nm.xlog1py, { domains: [apart, apart], error: composed }),
  binaryOp('relEntr', nm.relEntr, { domains: [apart, apart], error: formula(10) }),
  binaryOp('klDiv', nm.klDiv, { domains: [apart, apart], error: formula(10) }),
].map(few);

/** Of positive numbers of ordinary size, where the terms do not cancel. */
const positives: readonly Row[] = (
  [
    ['logBeta', nm.logBeta],
    ['beta', nm.beta],
  ] as const
).map(([name, f]) => ({
  ...few(
    binaryOp(name, (x, y) => f(x, y), {
      domains: [positive, positive],
      dtypes: floats,
      error: { units: 400, floor: 10 },
      numbers: false,
    }),
  ),
  values: (dtype: DType) =>
    broadcasting(2).map((list) => ({
      f: (x: Tensor, y: Tensor) => f(x, y),
      text: name,
      operands: list.map((s) => anyOperand(dtype, s, (x) => x > 1e-3 && x < 50)),
    })),
}));

const parts: readonly Row[] = [
  {
    ...few(unaryOp('zeta', (q) => nm.zeta(2.5, q), { domain: positive, dtypes: floats, error: formula(10) })),
    values: (dtype) =>
      shapes().map((s) => ({
        f: (q) => nm.zeta(2.5, q),
        text: 'zeta 2.5',
        operands: [anyOperand(dtype, s, (x) => x > 1e-3 && x < 50)],
      })),
  },
  {
    name: 'frexp',
    dtypes: floats,
    error: 'exact',
    runs: 0.3,
    values: (dtype) =>
      shapes().map((s) => ({ f: (x) => nm.frexp(x), text: 'frexp', operands: [anyOperand(dtype, s)] })),
  },
  {
    name: 'modf',
    dtypes: floats,
    error: 'exact',
    runs: 0.3,
    values: (dtype) =>
      shapes().map((s) => ({ f: (x) => nm.modf(x), text: 'modf', operands: [anyOperand(dtype, s)] })),
  },
  {
    name: 'ldexp',
    dtypes: floats,
    error: 'exact',
    runs: 0.3,
    values: (dtype) =>
      broadcasting(2).map(([a = [], b = []]) => ({
        f: (x, n) => nm.ldexp(x, n),
        text: 'ldexp',
        operands: [anyOperand(dtype, a), integersBetween('int32', b, -300, 300)],
      })),
  },
  {
    name: 'divmod',
    dtypes: numbers,
    error: 'exact',
    runs: 0.3,
    values: (dtype) =>
      shapes().map((s) => ({ f: (x) => nm.divmod(x, 3), text: 'divmod', operands: [anyOperand(dtype, s)] })),
  },
  {
    ...few(
      unaryOp('polygamma', (x) => nm.polygamma(2, x), {
        domain: positive,
        dtypes: floats,
        error: formula(10),
      }),
    ),
    values: (dtype) =>
      shapes().map((s) => ({
        f: (x) => nm.polygamma(2, x),
        text: 'polygamma 2',
        operands: [anyOperand(dtype, s, (x) => x > 1e-3 && x < 50)],
      })),
  },
  {
    ...few(
      unaryOp('multiLogGamma', (x) => nm.multiLogGamma(x, 3), {
        domain: [1.5, 4],
        dtypes: floats,
        error: { units: 400, floor: 30 },
      }),
    ),
    values: (dtype) =>
      fc.tuple(shapes(), fc.integer({ min: 1, max: 3 })).map(([s, d]) => ({
        f: (x) => nm.multiLogGamma(x, d),
        text: `multiLogGamma ${d}`,
        operands: [anyOperand(dtype, s, (x) => x > 1.5 && x < 50)],
      })),
  },
];

export const numericRows: readonly Row[] = [...unaries, ...growing, ...binaries, ...positives, ...parts];
