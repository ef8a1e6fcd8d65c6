/** Which elements hold, and those elements: results whose size depends on values, so that it is known or given. */
import { showAval } from '../aval.ts';
import { ShapeError, TracerError } from '../errors.ts';
import * as p from '../primitives/arithmetic.ts';
import * as m from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { argsort } from '../primitives/sort.ts';
import { resolveAxis } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { checkInteger, checkOptions } from './check.ts';
import { literal, operand, type TensorLike } from './convert.ts';
import { unravelIndex } from './grids.ts';
import { knownValues, take } from './indexing.ts';

/** Options of {@link nonzero} and its kin. */
export interface SizeOptions {
  /** How many there are at most; by default as many as there are, which must be known, so not while tracing. */
  readonly size?: number | undefined;
  /** What fills the result where there are fewer; 0 by default. */
  readonly fill?: number | undefined;
}

/**
 * The coordinates of the elements that are not 0, in row-major order.
 *
 * @param options.size Needed while tracing.
 * @returns For each axis a vector of int32 positions.
 * @throws {TracerError} if `x` is being traced and there is no size.
 * @example nonzero(tensor([[0, 1], [2, 0]]))                  // [[0, 1], [1, 0]]
 */
export function nonzero(x: TensorLike, options: SizeOptions = {}): Tensor[] {
  checkOptions('nonzero', options, ['size', 'fill']);
  const t = operand('nonzero', x);
  const { places, found } = holding('nonzero', t, options.size);
  const fill = literal('nonzero', options.fill ?? 0, 'int32');
  return unravelIndex(places, t.shape).map((axis) => p.select(found, axis, fill));
}

/**
 * The positions of the elements that are not 0, in row-major order.
 * @returns A vector of int32 positions.
 * @throws {TracerError} if `x` is being traced and there is no size.
 * @example flatNonzero(tensor([[0, 1], [2, 0]]))              // [1, 2]
 */
export function flatNonzero(x: TensorLike, options: SizeOptions = {}): Tensor {
  checkOptions('flatNonzero', options, ['size', 'fill']);
  const { places, found } = holding('flatNonzero', operand('flatNonzero', x), options.size);
  return p.select(found, places, literal('flatNonzero', options.fill ?? 0, 'int32'));
}

/**
 * The slices of `x` along an axis for which a condition holds.
 *
 * @param condition A vector; slices beyond its end are left out.
 * @param options.axis By default `x` is flattened first.
 * @returns `x` with so many slices along the axis.
 * @throws {TracerError} if the condition is being traced and there is no size.
 * @throws {ShapeError} if it is no vector, or longer than the axis.
 * @example compress(tensor([true, false, true]), tensor([1, 2, 3]))   // [1, 3]
 */
export function compress(
  condition: TensorLike,
  x: TensorLike,
  options: SizeOptions & { readonly axis?: number | undefined } = {},
): Tensor {
  checkOptions('compress', options, ['axis', 'size', 'fill']);
  return compressed('compress', operand('compress', condition), operand('compress', x), options);
}

/**
 * The elements of `x` for which a condition of the same shape holds, in row-major order: NumPy's `x[mask]`.
 * @throws {TracerError} if the condition is being traced and there is no size.
 * @throws {ShapeError} if the sizes differ.
 * @example extract(tensor([[true, false]]), tensor([[1, 2]]))   // [1]
 */
export function extract(condition: TensorLike, x: TensorLike, options: SizeOptions = {}): Tensor {
  checkOptions('extract', options, ['size', 'fill']);
  const [c, t] = [operand('extract', condition), operand('extract', x)];
  if (c.size !== t.size)
    throw new ShapeError(
      `extract: needs a condition for each element, but got ${showAval(c.aval)} for ${showAval(t.aval)}.`,
    );
  return compressed('extract', m.reshape(c, [c.size]), t, options);
}

function compressed(
  op: string,
  condition: Tensor,
  x: Tensor,
  options: SizeOptions & { readonly axis?: number | undefined },
): Tensor {
  const t = options.axis === undefined ? m.reshape(x, [x.size]) : x;
  const axis = resolveAxis(op, options.axis ?? 0, t.ndim);
  if (condition.ndim !== 1 || condition.size > (t.shape[axis] as number))
    throw new ShapeError(
      `${op}: the condition is a vector of at most ${t.shape[axis]} elements, but is ${showAval(condition.aval)}.`,
    );
  const { places, found } = holding(op, condition, options.size);
  const slices = take(t, places, { axis });
  const mask = m.reshape(
    found,
    slices.shape.map((n, i) => (i === axis ? n : 1)),
  );
  return p.select(mask, slices, literal(op, options.fill ?? 0, t.dtype));
}

/** The first `size` positions where `x` is not 0, then 0; and which of them were found. */
function holding(op: string, x: Tensor, size: number | undefined): { places: Tensor; found: Tensor } {
  const flat = p.convert(m.reshape(m.stop(x), [x.size]), 'bool');
  const count = size ?? countOf(op, flat);
  checkInteger(op, 'size', count, 0);
  const kept = Math.min(count, x.size);
  const order = argsort(flat, true); // stable: those that hold, in their order
  const first = m.pad(m.slice(order, [0], [kept], [1]), [0], [count - kept], [0]);
  const holds = take(flat, m.slice(order, [0], [kept], [1]));
  const found = m.pad(holds, [0], [count - kept], [0]);
  return { places: p.select(found, first, scalar(0, 'int32')), found };
}

function countOf(op: string, flat: Tensor): number {
  const values = knownValues(flat);
  if (!values)
    throw new TracerError(
      `${op}: how many elements of ${showAval(flat.aval)} hold is not known while it is being traced; give options.size.`,
    );
  return Array.from(values).reduce((n, v) => n + v, 0);
}
