import fc from 'fast-check';
import { anyOperand, arrays, broadcasting, edgy, shapes, smallShapes, smoothOperand } from '../arbitrary.ts';
import {
  arithmetic,
  barrier,
  checkpoint,
  customJvp,
  customVjp,
  dtypes,
  jit,
  movement,
  type Tensor,
  threefry2x32,
} from '../core.ts';
import type { Row } from '../row.ts';

const iotaRow: Row = {
  name: 'iota',
  dtypes: dtypes.filter((d) => d !== 'bool'),
  error: 'exact',
  values: (dtype) =>
    fc.integer({ min: 0, max: 70 }).map((size) => ({
      f: () => movement.iota(size, dtype),
      text: `iota ${size} ${dtype}`,
      operands: [],
      define: () => [Array.from({ length: size }, (_, i) => i)],
    })),
};

const threefryRow: Row = {
  name: 'threefry2x32',
  dtypes: ['uint32'],
  error: 'exact',
  values: (dtype) =>
    broadcasting(4).map((list) => ({
      f: (a, b, c, d) => threefry2x32(a, b, c, d),
      text: 'threefry2x32',
      operands: list.map((shape) => ({ dtype, shape, values: arrays(dtype, shape, edgy(dtype)) })),
    })),
};

const stopRow: Row = {
  name: 'stopGradient',
  dtypes,
  error: 'exact',
  values: (dtype) =>
    shapes().map((shape) => ({
      f: (x) => movement.stop(x),
      text: 'stopGradient',
      operands: [anyOperand(dtype, shape)],
      define: (x) => [x.values],
    })),
};

/** A staged function of two results, one of which is not differentiable, and one linear in x. */
const staged = jit((x: Tensor, y: Tensor) => {
  const { sin } = arithmetic.elementary;
  return [arithmetic.mul(sin(y), x), arithmetic.compare('lt', x, y), arithmetic.add(arithmetic.neg(x), x)];
});
const stagedSmooth = jit((x: Tensor, y: Tensor) => [
  arithmetic.mul(arithmetic.elementary.sin(y), x),
  arithmetic.elementary.exp(arithmetic.mul(x, x)),
]);

const callRow: Row = {
  name: 'call',
  dtypes: ['float32', 'float64'],
  // sin, then one product.
  error: { ulps: 6 },
  values: (dtype) =>
    broadcasting(2).map((list) => ({
      f: (x, y) => staged(x, y),
      text: 'jit((x, y) => [sin(y) x, x < y, -x + x])',
      operands: list.map((shape) => anyOperand(dtype, shape)),
    })),
  smooth: broadcasting(2, smallShapes()).map((list) => ({
    f: (x, y) => stagedSmooth(x, y),
    text: 'jit((x, y) => [sin(y) x, exp(x²)])',
    operands: list.map((shape) => smoothOperand(shape, -1, 1)),
  })),
};

const barrierRow: Row = {
  name: 'barrier',
  dtypes: ['float32', 'int32'],
  error: 'exact',
  values: (dtype) =>
    broadcasting(2).map((list) => ({
      f: (...xs) => barrier(xs),
      text: 'barrier',
      operands: list.map((shape) => anyOperand(dtype, shape)),
      define: (...xs) => xs.map((x) => x.values),
    })),
  smooth: broadcasting(2, smallShapes()).map((list) => ({
    f: (...xs) => barrier(xs),
    text: 'barrier',
    operands: list.map((shape) => smoothOperand(shape, -1, 1)),
  })),
};

/** Blocks compute the same as what is in them. */
const product = (x: Tensor, y: Tensor): Tensor => arithmetic.mul(arithmetic.elementary.sin(y), x);
const blockRow = (name: string, f: (x: Tensor, y: Tensor) => Tensor, smooth: boolean): Row => ({
  name,
  dtypes: ['float32', 'float64'],
  error: { ulps: 6 },
  values: (dtype) =>
    broadcasting(2).map((list) => ({
      f: (x, y) => f(x, y),
      text: `${name} of sin(y) x`,
      operands: list.map((shape) => anyOperand(dtype, shape)),
    })),
  ...(smooth && {
    smooth: broadcasting(2, smallShapes()).map((list) => ({
      f: (x, y) => f(x, y),
      text: `${name} of sin(y) x`,
      operands: list.map((shape) => smoothOperand(shape, -1, 1)),
    })),
  }),
});

const checkpointRow = blockRow('checkpoint', checkpoint(product), true);

const ruleOfProduct = customJvp(product, ([x, y], [dx, dy]) => [
  product(x, y),
  arithmetic.add(
    arithmetic.mul(arithmetic.mul(arithmetic.elementary.cos(y), dy), x),
    arithmetic.mul(arithmetic.elementary.sin(y), dx),
  ),
]);
const customJvpRow = blockRow('customJvp', ruleOfProduct, true);

/** Without a forward derivative, which the laws about derivatives use too. */
const reverseOnly = customVjp(
  product,
  (x: Tensor, y: Tensor) => [product(x, y), null],
  () => [null, null],
);
const customVjpRow = blockRow('customVjp', reverseOnly, false);

/** Sources, random bits, and what contains a program. */
export const otherRows: readonly Row[] = [
  iotaRow,
  threefryRow,
  stopRow,
  callRow,
  barrierRow,
  checkpointRow,
  customJvpRow,
  customVjpRow,
];
