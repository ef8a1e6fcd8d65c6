import { showAval } from '../aval.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { remainder } from '../ops/arithmetic.ts';
import { checkOptions, show } from '../ops/check.ts';
import { floatOperand, operandList, type TensorLike } from '../ops/convert.ts';
import {
  add,
  and,
  compare,
  convert,
  elementary,
  max,
  min,
  mul,
  select,
  sub,
} from '../primitives/arithmetic.ts';
import { gather } from '../primitives/gather.ts';
import { broadcastTo, reshape } from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { broadcastShapes, rowMajorStrides, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** Options of {@link mapCoordinates}. */
export interface MapCoordinatesOptions {
  /** 0: the nearest sample; 1 (by default): linear between the samples around. */
  readonly order?: 0 | 1 | undefined;
  /**
   * What lies beyond the edges. `constant` (by default): `value`. `nearest`: the sample at the edge. `wrap`: the grid again.
   * `mirror`: its mirror image, the sample at the edge once. `reflect`: the same, the sample at the edge twice.
   */
  readonly mode?: 'constant' | 'nearest' | 'wrap' | 'mirror' | 'reflect' | undefined;
  /** 0 by default. */
  readonly value?: number | undefined;
}

const int = (x: number): Tensor => scalar(x, 'int32');

/** The sample that a position of an axis of n samples shows. */
const fixes: Readonly<Record<NonNullable<MapCoordinatesOptions['mode']>, (i: Tensor, n: number) => Tensor>> =
  {
    constant: (i, n) => clip(i, n),
    nearest: (i, n) => clip(i, n),
    wrap: (i, n) => remainder(i, int(n)),
    mirror: (i, n) => (n === 1 ? mul(i, int(0)) : folded(remainder(i, int(2 * n - 2)), n - 1)),
    reflect: (i, n) => {
      const j = remainder(i, int(2 * n));
      return min(j, sub(int(2 * n - 1), j));
    },
  };

const clip = (i: Tensor, n: number): Tensor => max(int(0), min(i, int(n - 1)));
/** 0, 1, …, last, …, 1 of 0, …, 2 last - 1. */
const folded = (i: Tensor, last: number): Tensor => min(i, sub(int(2 * last), i));

/**
 * Values at positions between the samples of a grid: SciPy's and JAX's `map_coordinates` of order 0 and 1. Differentiable by the
 * samples and by the coordinates.
 *
 * @param x Floats; integers become `float32`.
 * @param coordinates A float tensor for each axis of `x`; they broadcast. Position i is sample i.
 * @returns The shape of the coordinates.
 * @throws {ShapeError} unless there are coordinates for each axis, and samples. {OptionError} for bad options.
 * @example image.mapCoordinates(tensor([0, 10, 20]), [tensor([0.5, 1.5])])   // [5, 15]
 */
export function mapCoordinates(
  x: Tensor,
  coordinates: readonly TensorLike[],
  options: MapCoordinatesOptions = {},
): Tensor {
  const op = 'image.mapCoordinates';
  checkOptions(op, options, ['order', 'mode', 'value']);
  const { order = 1, mode = 'constant', value = 0 } = options;
  if (order !== 0 && order !== 1) throw new OptionError(`${op}: order is 0 or 1, but got ${show(order)}.`);
  const fix = Object.hasOwn(fixes, mode) ? fixes[mode] : undefined;
  if (!fix)
    throw new OptionError(`${op}: mode is one of ${Object.keys(fixes).join(', ')}, but got ${show(mode)}.`);
  const t = floatOperand(op, x);
  const given = operandList(op, coordinates).map((c) => floatOperand(op, c));
  if (given.length !== t.ndim || t.size === 0)
    throw new ShapeError(
      `${op}: needs samples, and coordinates for each axis, but got ${showAval(t.aval)} and ${given.length}.`,
    );
  const shape = broadcastShapes(op, ...given.map((c) => c.shape));
  const strides = rowMajorStrides(t.shape);
  const axes = given.map((c, axis) => {
    const n = t.shape[axis] as number;
    return samplesAround(convert(c, t.dtype), order).map(({ index, weight }) => ({
      place: mul(fix(index, n), int(strides[axis] as number)),
      weight,
      exists: mode === 'constant' ? inside(index, n) : undefined,
    }));
  });
  const fallback = scalar(value, t.dtype);
  // One term for each corner of the cell around.
  const corners = axes.reduce<(typeof axes)[number][]>(
    (list, samples) => list.flatMap((corner) => samples.map((sample) => [...corner, sample])),
    [[]],
  );
  const terms = corners.map((corner) => {
    const place = broadcastTo(
      corner.map((s) => s.place).reduce((a, b) => add(a, b), int(0)),
      shape,
    );
    const sample = valuesAt(t, place);
    const exists = corner.flatMap((s) => s.exists ?? []);
    const shown =
      exists.length > 0
        ? select(
            exists.reduce((a, b) => and(a, b)),
            sample,
            fallback,
          )
        : sample;
    return corner.flatMap((s) => s.weight ?? []).reduce((product, w) => mul(product, w), shown);
  });
  return terms.reduce((a, b) => add(a, b));
}

const inside = (i: Tensor, n: number): Tensor => and(compare('le', int(0), i), compare('lt', i, int(n)));

interface Sample {
  readonly index: Tensor;
  /** 1 if there is none. */
  readonly weight: Tensor | undefined;
}

function samplesAround(c: Tensor, order: 0 | 1): Sample[] {
  if (order === 0) return [{ index: convert(elementary.round(c), 'int32'), weight: undefined }];
  const low = elementary.floor(c);
  const upper = sub(c, low);
  const index = convert(low, 'int32');
  return [
    { index, weight: sub(scalar(1, c.dtype), upper) },
    { index: add(index, int(1)), weight: upper },
  ];
}

function valuesAt(t: Tensor, place: Tensor): Tensor {
  const count = sizeOf(place.shape);
  const extents = { outer: 1, rows: t.size, count, inner: 1 };
  return reshape(gather(reshape(t, [1, t.size, 1]), reshape(place, [count]), extents), place.shape);
}
