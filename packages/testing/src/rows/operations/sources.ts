/** Operations that make tensors of nothing, of a shape, or of a key. */
import * as nm from '@neumann/core';
import fc from 'fast-check';
import { anyOperand, shapes } from '../../arbitrary.ts';
import type { ErrorModel } from '../../compare.ts';
import { type DType, dtypes, type Tensor } from '../../core.ts';
import type { Row } from '../../row.ts';
import { floats, numbers } from '../dtypes.ts';

type Op1 = (x: Tensor) => Tensor;

/* ---- making tensors ---- */

/** A function of no tensor. */
export function source(
  name: string,
  known: readonly DType[],
  f: (dtype: DType, n: number) => Tensor | readonly Tensor[],
): Row {
  return {
    name,
    dtypes: known,
    error: 'exact',
    values: (dtype) =>
      fc
        .integer({ min: 0, max: 9 })
        .map((n) => ({ f: () => f(dtype, n), text: `${name} ${n} ${dtype}`, operands: [] })),
  };
}

/** A function of a tensor of which only shape and dtype count. */
function likeOp(name: string, f: Op1): Row {
  return {
    name,
    dtypes,
    error: 'exact',
    values: (dtype) =>
      shapes().map((s) => ({ f: (x) => f(x), text: name, operands: [anyOperand(dtype, s)] })),
  };
}

const makers: readonly Row[] = [
  source('arange', numbers, (dtype, n) => nm.arange(2, 2 + 3 * n, 3, dtype)),
  source('linspace', floats, (dtype, n) => nm.linspace(-1, 2, n, { dtype })),
  source('eye', dtypes, (dtype, n) => nm.eye(n, 4, dtype)),
  source('zeros', dtypes, (dtype, n) => nm.zeros([n, 2], dtype)),
  source('ones', dtypes, (dtype, n) => nm.ones([2, n], dtype)),
  source('tensor', dtypes, (dtype, n) =>
    nm.tensor(
      [
        [n % 2, 1],
        [0, 1],
      ],
      dtype,
    ),
  ),
  likeOp('full', (x) => nm.full([2, 3], nm.any(x))),
  likeOp('zerosLike', (x) => nm.zerosLike(x)),
  likeOp('onesLike', (x) => nm.onesLike(x)),
  likeOp('fullLike', (x) => nm.fullLike(x, 1)),
  likeOp('stopGradient', (x) => nm.stopGradient(x)),
];

/* ---- random numbers ---- */

/** A function of a key. */
function randomOp(
  name: string,
  error: ErrorModel,
  f: (key: Tensor, n: number) => Tensor | readonly Tensor[],
): Row {
  return {
    name: `random.${name}`,
    dtypes: ['uint32'],
    error,
    values: () =>
      fc.integer({ min: 1, max: 40 }).map((n) => ({
        f: (key) => f(key, n),
        text: `random.${name} ${n}`,
        operands: [anyOperand('uint32', [2])],
      })),
  };
}

const randomOps: readonly Row[] = [
  source('random.key', ['uint32'], (_, n) => nm.random.key(n + 2 ** 40)),
  randomOp('split', 'exact', (key, n) => nm.random.split(key, Math.min(n, 5))),
  randomOp('foldIn', 'exact', (key, n) => nm.random.foldIn(key, n)),
  randomOp('bits', 'exact', (key, n) => nm.random.bits(key, [n])),
  randomOp('uniform', 'exact', (key, n) => nm.random.uniform(key, [n], { min: -1, max: 3 })),
  randomOp('normal', { ulps: 6 }, (key, n) => nm.random.normal(key, [n, 2])),
  randomOp('truncatedNormal', { ulps: 8 }, (key, n) => nm.random.truncatedNormal(key, -1, 2, [n])),
  randomOp('bernoulli', 'exact', (key, n) => nm.random.bernoulli(key, 0.3, [n])),
  randomOp('randint', 'exact', (key, n) => nm.random.randint(key, [n], { min: -5, max: 100 })),
];

export const sourceRows: readonly Row[] = [...makers, ...randomOps];
