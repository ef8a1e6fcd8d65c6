import fc from 'fast-check';
import { anyOperand, distinctOperand, finiteOperand, integersBetween, smoothOperand } from '../arbitrary.ts';
import {
  rangeOf,
  sizeOf,
  type WindowGeometry,
  windowArgmax,
  windowGather,
  windowMax,
  windowSum,
} from '../core.ts';
import { accumulate, connections, placeOf, points, read } from '../define.ts';
import type { HostTensor } from '../host.ts';
import type { Form, Operand, Row } from '../row.ts';
import { floats } from './dtypes.ts';

const spatialAxis = (
  small: boolean,
): fc.Arbitrary<Record<'x' | 'window' | 'y' | 'stride' | 'padLow' | 'dilation', number>> =>
  fc
    .record({
      x: fc.integer({ min: 1, max: small ? 4 : 7 }),
      window: fc.integer({ min: 1, max: 3 }),
      stride: fc.integer({ min: 1, max: 3 }),
      padLow: fc.integer({ min: small ? 0 : -1, max: 2 }),
      padHigh: fc.integer({ min: small ? 0 : -1, max: 2 }),
      dilation: fc.oneof(fc.constant(1), fc.constant(2)),
    })
    .map(({ x, window, stride, padLow, padHigh, dilation }) => {
      const room = x + padLow + padHigh - ((window - 1) * dilation + 1);
      return { x, window, stride, padLow, dilation, y: Math.max(0, Math.floor(room / stride) + 1) };
    })
    .filter(({ y }) => !small || y > 0);

function geometries(small: boolean): fc.Arbitrary<WindowGeometry> {
  return fc
    .record({
      n: fc.integer({ min: small ? 1 : 0, max: 2 }),
      c: fc.integer({ min: 1, max: small ? 2 : 6 }),
      axes: fc.array(spatialAxis(small), { minLength: 1, maxLength: small ? 2 : 3 }),
    })
    .map(({ n, c, axes }) => {
      const pick = (key: keyof (typeof axes)[number]): number[] => axes.map((a) => a[key]);
      return {
        n,
        c,
        x: pick('x'),
        window: pick('window'),
        y: pick('y'),
        stride: pick('stride'),
        padLow: pick('padLow'),
        dilation: pick('dilation'),
      };
    })
    .filter((g) => sizeOf(g.x) * g.c * g.n <= 500 && (!small || everyWindowHolds(g)));
}

/** Whether each window has an element of x, so that its maximum is a number. */
function everyWindowHolds(g: WindowGeometry): boolean {
  const found = new Set<number>();
  for (const { o } of connections(g, g.window, g.dilation)) found.add(placeOf(g.y, o));
  return found.size === sizeOf(g.y);
}

const xShape = ({ n, x, c }: WindowGeometry): number[] => [n, ...x, c];
const yShape = ({ n, y, c }: WindowGeometry): number[] => [n, ...y, c];

/** Every connection for each example and channel: places in x and y, and the position in the window. */
function* perElement(g: WindowGeometry): Generator<{ atX: number[]; atY: number[]; position: number }> {
  for (const { i, o, k } of connections(g, g.window, g.dilation))
    for (const [n, c] of points([g.n, g.c]) as Iterable<[number, number]>)
      yield { atX: [n, ...i, c], atY: [n, ...o, c], position: placeOf(g.window, k) };
}

function forms(
  name: string,
  small: boolean,
  build: (g: WindowGeometry) => Pick<Form, 'f' | 'operands'> & { define: (...xs: HostTensor[]) => number[] },
): fc.Arbitrary<Form> {
  return geometries(small).map((g) => {
    const { f, operands, define } = build(g);
    return { f, operands, text: `${name} ${JSON.stringify(g)}`, define: (...xs) => [define(...xs)] };
  });
}

/* ---- sums ---- */

function sumRow(target: 'x' | 'y'): Row {
  const [from, to] = target === 'y' ? [xShape, yShape] : [yShape, xShape];
  const formsOf = (small: boolean, operand: (shape: number[]) => Operand): fc.Arbitrary<Form> =>
    forms(`windowSum ${target}`, small, (g) => ({
      f: (t) => windowSum(target, g, t),
      operands: [operand(from(g))],
      define: (t) =>
        accumulate(to(g), (give) => {
          for (const { atX, atY } of perElement(g))
            give(target === 'y' ? atY : atX, read(t, target === 'y' ? atX : atY));
        }),
    }));
  return {
    name: `windowSum ${target}`,
    dtypes: floats,
    error: 'sum',
    values: (dtype) => formsOf(false, (shape) => finiteOperand(dtype, shape)),
    smooth: formsOf(true, (shape) => smoothOperand(shape)),
    linear: [[0]],
  };
}

/* ---- maxima ---- */

/** The elements of each window, in order of their position; those in the padding are the least number. */
function windowsOf(g: WindowGeometry, x: HostTensor): number[][] {
  const lowest = rangeOf[x.dtype][0];
  const windows = Array.from(points(yShape(g)), () => new Array<number>(sizeOf(g.window)).fill(lowest));
  for (const { atX, atY, position } of perElement(g))
    (windows[placeOf(yShape(g), atY)] as number[])[position] = read(x, atX);
  return windows;
}

function firstGreatest(xs: readonly number[]): number {
  const nan = xs.findIndex(Number.isNaN);
  return nan >= 0 ? nan : xs.reduce((best, x, i) => (x > (xs[best] as number) ? i : best), 0);
}

const maxForms = (small: boolean, operand: (shape: number[]) => Operand): fc.Arbitrary<Form> =>
  forms('windowMax', small, (g) => ({
    f: (x) => windowMax(g, x),
    operands: [operand(xShape(g))],
    define: (x) =>
      windowsOf(g, x).map((window) => window.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)),
  }));

const maxRow: Row = {
  name: 'windowMax',
  dtypes: [...floats, 'int32'],
  error: 'exact',
  values: (dtype) => maxForms(false, (shape) => anyOperand(dtype, shape)),
  smooth: maxForms(true, distinctOperand),
};

const argmaxRow: Row = {
  name: 'windowArgmax',
  dtypes: [...floats, 'int32'],
  error: 'exact',
  values: (dtype) =>
    forms('windowArgmax', false, (g) => ({
      f: (x) => windowArgmax(g, x),
      operands: [anyOperand(dtype, xShape(g))],
      define: (x) => windowsOf(g, x).map(firstGreatest),
    })),
};

/* ---- gathering at found positions ---- */

function gatherRow(target: 'x' | 'y'): Row {
  const [from, to] = target === 'y' ? [xShape, yShape] : [yShape, xShape];
  const formsOf = (small: boolean, operand: (shape: number[]) => Operand): fc.Arbitrary<Form> =>
    forms(`windowGather ${target}`, small, (g) => ({
      f: (t, found) => windowGather(target, g, t, found),
      operands: [operand(from(g)), integersBetween('int32', yShape(g), 0, sizeOf(g.window) - 1)],
      define: (t, found) =>
        accumulate(to(g), (give) => {
          for (const { atX, atY, position } of perElement(g))
            if (read(found, atY) === position)
              give(target === 'y' ? atY : atX, read(t, target === 'y' ? atX : atY));
        }),
    }));
  return {
    name: `windowGather ${target}`,
    dtypes: floats,
    error: 'sum',
    values: (dtype) => formsOf(false, (shape) => finiteOperand(dtype, shape)),
    smooth: formsOf(true, (shape) => smoothOperand(shape)),
    linear: [[0]],
  };
}

/** Windows that slide over the spatial axes. */
export const windowRows: readonly Row[] = [
  sumRow('y'),
  sumRow('x'),
  maxRow,
  argmaxRow,
  gatherRow('y'),
  gatherRow('x'),
];
