/**
 * Indexing as NumPy's `x[…]`, with tensors as indices, and updates as JAX's `x.at[…]`.
 *
 * An update finds the positions of the indexed elements by indexing the positions themselves, so there is one meaning of
 * an index for reading and for writing.
 */
import { showAval } from '../aval.ts';
import { DTypeError, OptionError, ShapeError, TracerError } from '../errors.ts';
import * as p from '../primitives/arithmetic.ts';
import { gather, scatterAdd } from '../primitives/gather.ts';
import * as m from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { argsort } from '../primitives/sort.ts';
import { broadcastShapes, rowMajorStrides, type Shape, sameShape, sizeOf } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { show } from './check.ts';
import { operand, promoteOperands, type TensorLike } from './convert.ts';
import { knownValues, positions } from './indexing.ts';
import { nonzero } from './nonzero.ts';
import { type Range, sliced } from './shape.ts';

/**
 * What {@link at} takes of one axis: what {@link slice} takes; an integer tensor, of positions; a bool tensor, of as many
 * axes as it has, for the places where it holds; or `'...'` for all axes that no other entry is about.
 */
export type Index = Range | Tensor | '...';

/** Elements of a tensor by index: read them, or a new tensor in which they are others. */
export interface Indexed {
  /** The elements: `x[…]`. */
  get(): Tensor;
  /** `x` with other elements there. Where a place is named twice, the last one counts. */
  set(values: TensorLike): Tensor;
  /** `x` with something added there; what is added to one place adds up. */
  add(values: TensorLike): Tensor;
  /** `x` multiplied there, by the product where a place is named twice. */
  multiply(values: TensorLike): Tensor;
  /** `x`, but no greater there than the given values. */
  min(values: TensorLike): Tensor;
  /** `x`, but no less there than the given values. */
  max(values: TensorLike): Tensor;
  /** `x` with `f` applied to the elements there (once, also where a place is named twice). */
  apply(f: (elements: Tensor) => TensorLike): Tensor;
}

/**
 * The elements of `x` at an index, as NumPy's `x[…]` reads and JAX's `x.at[…]` updates them. `x` does not change.
 *
 * Integer tensors broadcast against one another, and index together; their axes stand in the result where the first of
 * them stood, or in front if another entry lies between them. Values broadcast to the indexed elements. All of it is
 * differentiable, by `x` and by the values.
 *
 * A position out of range is an error if it is known. If it is being traced, reading gives NaN (0 for integers) and
 * updates leave it out. A mask must be known for its elements to be read; updates by a mask alone may be traced.
 *
 * @param indices One entry for each axis; axes without one are taken whole.
 * @throws {ShapeError} if there are more entries than axes, or a position or a shape does not fit.
 * @throws {DTypeError} if the values have a dtype that `x` cannot hold. {OptionError} for other entries.
 * @example
 * at(zeros(3), [1]).set(5)                                  // [0, 5, 0]
 * at(zeros(3), [tensor([2, 2], 'int32')]).add(1)            // [0, 0, 2]
 * at(tensor([1, -2, 3]), [tensor([false, true, false])]).multiply(10)   // [1, -20, 3]
 * at(tensor([[1, 2], [3, 4]]), [tensor([1, 0], 'int32'), tensor([0, 1], 'int32')]).get()   // [3, 2]
 */
export function at(x: TensorLike, indices: readonly Index[]): Indexed {
  const t = operand('at', x);
  if (!Array.isArray(indices))
    throw new OptionError(
      `at: takes an array of indices, one for each axis, but got ${show(indices)}; write at(x, [i]).`,
    );
  const update = (values: TensorLike, combine: Combine): Tensor => updated(t, indices, values, combine);
  return {
    get: () => read(t, entriesOf(t, indices), showAval(t.aval)),
    set: (values) => update(values, 'set'),
    add: (values) => update(values, 'add'),
    multiply: (values) => update(values, 'multiply'),
    min: (values) => update(values, 'min'),
    max: (values) => update(values, 'max'),
    apply: (f) => update(f(read(t, entriesOf(t, indices), showAval(t.aval))), 'set'),
  };
}

/* ---- entries: one for each axis, masks as positions ---- */

type Entry = Range | Tensor;

const isMask = (index: Index): index is Tensor => index instanceof Tensor && index.dtype === 'bool';
/** How many axes an entry is about. */
const widthOf = (index: Index): number => (index === '...' ? 0 : isMask(index) ? index.ndim : 1);

function entriesOf(x: Tensor, indices: readonly Index[]): Entry[] {
  const given = indices.reduce<number>((n, index) => n + widthOf(index), 0);
  if (given > x.ndim)
    throw new ShapeError(`at: ${given} axes are indexed, but ${showAval(x.aval)} has ${x.ndim}.`);
  if (indices.filter((index) => index === '...').length > 1)
    throw new OptionError("at: '...' stands in the indices twice.");
  const hidden = new Array<Entry>(x.ndim - given).fill(null);
  const all = indices.includes('...') ? indices : [...indices, '...' as const];
  const entries: Entry[] = [];
  for (const index of all) {
    if (index === '...') entries.push(...hidden);
    else if (isMask(index)) entries.push(...placesOf(x, index, entries.length));
    else entries.push(index);
  }
  return entries;
}

/** Where a mask over axes from `first` on holds: one vector of positions for each. */
function placesOf(x: Tensor, mask: Tensor, first: number): Tensor[] {
  checkMask(x, mask, first);
  if (knownValues(mask) === undefined)
    throw new TracerError(
      `at: how many elements the mask ${showAval(mask.aval)} chooses is not known while it is being traced; ` +
        `use where(), or nonzero() with a size.`,
    );
  return nonzero(mask);
}

function checkMask(x: Tensor, mask: Tensor, first: number): void {
  if (mask.ndim === 0 || !sameShape(mask.shape, x.shape.slice(first, first + mask.ndim)))
    throw new ShapeError(
      `at: the mask ${showAval(mask.aval)} does not fit ${showAval(x.aval)} from axis ${first} on.`,
    );
}

/* ---- reading ---- */

/** @param of What messages call the tensor. */
function read(x: Tensor, entries: readonly Entry[], of: string): Tensor {
  if (!entries.some((entry) => entry instanceof Tensor)) return sliced('at', x, entries as Range[], of);
  // Beside tensors, a number is a position like theirs.
  const isAdvanced = (entry: Entry): boolean => entry instanceof Tensor || typeof entry === 'number';
  const part = sliced(
    'at',
    x,
    entries.map((entry) => (isAdvanced(entry) ? null : (entry as Range))),
    of,
  );
  const axes = entries.flatMap((entry, axis) => (isAdvanced(entry) ? [axis] : []));
  const [first = 0] = axes;
  const extents = axes.map((axis) => part.shape[axis] as number);
  const places = axes.map((axis, i) =>
    positions('at', entries[axis] as Tensor | number, extents[i] as number, of),
  );
  const index = axes.length === 1 ? (places[0] as Tensor) : flatIndex(places, extents);
  const rest = entries.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const rows = sizeOf(extents);
  const restShape = rest.map((axis) => part.shape[axis] as number);
  const table = m.reshape(m.transpose(part, [...axes, ...rest]), [1, rows, sizeOf(restShape)]);
  const [count, inner] = [index.size, sizeOf(restShape)];
  const found = gather(table, m.reshape(index, [count]), { outer: 1, rows, count, inner });
  const front = m.reshape(found, [...index.shape, ...restShape]);
  const together = axes.every((axis, i) => axis === first + i);
  return together ? blockTo(front, index.ndim, first) : front;
}

/** Positions in row-major order from positions along each axis; -1 if one of them is out of range. */
function flatIndex(places: readonly Tensor[], extents: Shape): Tensor {
  const strides = rowMajorStrides(extents);
  broadcastShapes('at', ...places.map((place) => place.shape));
  const inside = places
    .map((place, i) =>
      p.and(
        p.compare('le', scalar(0, 'int32'), place),
        p.compare('lt', place, scalar(extents[i] as number, 'int32')),
      ),
    )
    .reduce(p.and);
  const flat = places.map((place, i) => p.mul(place, scalar(strides[i] as number, 'int32'))).reduce(p.add);
  return p.select(inside, flat, scalar(-1, 'int32'));
}

/** Moves the first `count` axes to stand at `first` among the others. */
function blockTo(x: Tensor, count: number, first: number): Tensor {
  const axes = x.shape.map((_, i) => i);
  const block = axes.slice(0, count);
  const others = axes.slice(count);
  return m.transpose(x, [...others.slice(0, first), ...block, ...others.slice(first)]);
}

/* ---- updating ---- */

type Combine = 'set' | 'add' | 'multiply' | 'min' | 'max';

type Fold = (x: Tensor, y: Tensor) => Tensor;

const folds: Record<Exclude<Combine, 'set'>, Fold> = { add: p.add, multiply: p.mul, min: p.min, max: p.max };
const boolFolds: typeof folds = { add: p.or, multiply: p.and, min: p.and, max: p.or };

const foldOf = (combine: Exclude<Combine, 'set'>, { dtype }: Tensor): Fold =>
  (dtype === 'bool' ? boolFolds : folds)[combine];

/** `x` combined with values where `named`. Elsewhere it meets what leaves it as it is, so that derivatives stay clean. */
function combined(combine: Combine, x: Tensor, named: Tensor, values: Tensor): Tensor {
  const neutral =
    combine === 'add' || combine === 'multiply' ? scalar(combine === 'add' ? 0 : 1, x.dtype) : x;
  const met = p.select(named, values, neutral);
  return combine === 'set' ? met : foldOf(combine, x)(x, met);
}

function updated(x: Tensor, indices: readonly Index[], given: TensorLike, combine: Combine): Tensor {
  const values = valuesFor(x, given);
  const [only] = indices;
  if (indices.length === 1 && only instanceof Tensor && isMask(only)) {
    const rest = x.ndim - only.ndim;
    // Values that do not tell the chosen places apart: no need to know how many they are.
    if (values.ndim <= rest) {
      checkMask(x, only, 0);
      const mask = m.reshape(only, [...only.shape, ...new Array<number>(rest).fill(1)]);
      return combined(combine, x, mask, stretched(values, x.shape));
    }
  }
  const entries = entriesOf(x, indices);
  const inner = trailing(entries);
  const lead = x.shape.slice(0, x.ndim - inner);
  const numbered = m.reshape(p.add(m.iota(sizeOf(lead), 'int32'), scalar(1, 'int32')), lead);
  const places = read(numbered, entries.slice(0, lead.length), showAval(x.aval)); // from 1; 0 is out of range
  const rest = x.shape.slice(lead.length);
  const spread = stretched(values, [...places.shape, ...rest]);
  const extents = { rows: sizeOf(lead), count: places.size, inner: sizeOf(rest) };
  const index = p.sub(m.reshape(places, [places.size]), scalar(1, 'int32'));
  const rows = m.reshape(x, [1, extents.rows, extents.inner]);
  const updates = m.reshape(spread, [1, extents.count, extents.inner]);
  const isUnique = !entries.some((entry) => entry instanceof Tensor);
  return m.reshape(scatter(rows, index, updates, combine, isUnique, extents), x.shape);
}

/** How many of the last axes are taken whole: they move together. */
function trailing(entries: readonly Entry[]): number {
  const from = entries.findLastIndex((entry) => entry !== null);
  return entries.length - 1 - from;
}

function valuesFor(x: Tensor, given: TensorLike): Tensor {
  const [values, like] = promoteOperands('at', given, x) as [Tensor, Tensor];
  if (like.dtype !== x.dtype)
    throw new DTypeError(
      `at: values of ${typeof given === 'number' ? given : values.dtype} do not fit into ${showAval(x.aval)}; ` +
        `convert one of them with astype().`,
    );
  return values;
}

function stretched(values: Tensor, shape: Shape): Tensor {
  const lead = shape.length - values.ndim;
  if (lead < 0 || values.shape.some((n, i) => n !== 1 && n !== shape[lead + i]))
    throw new ShapeError(
      `at: values ${showAval(values.aval)} do not broadcast to the indexed elements [${shape}].`,
    );
  return m.broadcastTo(values, shape);
}

interface Extents {
  readonly rows: number;
  readonly count: number;
  readonly inner: number;
}

/** x[1, rows, inner] combined with updates[1, count, inner] at row index[count]; rows out of range are left out. */
function scatter(
  x: Tensor,
  index: Tensor,
  updates: Tensor,
  combine: Combine,
  isUnique: boolean,
  { rows, count, inner }: Extents,
): Tensor {
  if (count === 0 || rows === 0 || inner === 0) return x;
  const extents = { outer: 1, rows, count, inner };
  if (combine === 'add' && x.dtype !== 'uint8' && x.dtype !== 'bool')
    return p.add(x, scatterAdd(updates, index, extents));
  const sorted = isUnique || count === 1 ? { index, updates } : inOrder(index, updates, combine, extents);
  // Each row takes the last update that names it.
  const isLast = isUnique || count === 1 ? scalar(1, 'bool') : differsFromNext(sorted.index);
  const number = p.select(isLast, p.add(m.iota(count, 'int32'), scalar(1, 'int32')), scalar(0, 'int32'));
  const numbers = scatterAdd(m.reshape(m.broadcastTo(number, [count]), [1, count, 1]), sorted.index, {
    ...extents,
    inner: 1,
  });
  const winner = p.sub(m.reshape(numbers, [rows]), scalar(1, 'int32'));
  const named = m.reshape(p.compare('le', scalar(0, 'int32'), winner), [1, rows, 1]);
  const within = p.max(winner, scalar(0, 'int32'));
  const found = gather(sorted.updates, within, { outer: 1, rows: count, count: rows, inner });
  return combined(combine, x, named, found);
}

/** Updates ordered by row, the later ones of a row last, and each combined with the earlier ones of its row. */
function inOrder(
  index: Tensor,
  updates: Tensor,
  combine: Combine,
  { count, inner }: Extents,
): { index: Tensor; updates: Tensor } {
  const order = argsort(index, false);
  const extents = { outer: 1, rows: count, count, inner };
  const ordered = m.reshape(gather(m.reshape(index, [1, count, 1]), order, { ...extents, inner: 1 }), [
    count,
  ]);
  let values = gather(updates, order, extents);
  if (combine === 'set') return { index: ordered, updates: values };
  for (let distance = 1; distance < count; distance *= 2) {
    const back = (t: Tensor, axis: number): Tensor => {
      const by = (n: number): number[] => t.shape.map((_, i) => (i === axis ? n : 0));
      return m.pad(t, by(distance), by(-distance), by(0));
    };
    const row = p.add(ordered, scalar(1, 'int32')); // padding is 0, no row
    const same = m.reshape(p.compare('eq', row, back(row, 0)), [1, count, 1]);
    values = p.select(same, foldOf(combine, values)(values, back(values, 1)), values);
  }
  return { index: ordered, updates: values };
}

/** bool[count]: whether the next index is another one; the last one has none. */
function differsFromNext(index: Tensor): Tensor {
  const one = scalar(1, 'int32');
  const next = p.sub(m.pad(p.add(index, scalar(2, 'int32')), [-1], [1], [0]), one);
  return p.compare('ne', p.add(index, one), next);
}
