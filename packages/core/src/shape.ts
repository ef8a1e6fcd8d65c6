import { ShapeError } from './errors.ts';

/** Extents of a tensor's axes. */
export type Shape = readonly number[];

/** Number of elements of a shape; an element count beyond 2^31-1 is refused. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((n, extent) => n * extent, 1);
}

/** Whether two shapes are equal. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

/** Throws unless every extent is a non-negative integer and the element count fits 32-bit indices. */
export function checkShape(op: string, shape: Shape): void {
  for (const extent of shape)
    if (!Number.isInteger(extent) || extent < 0)
      throw new ShapeError(
        `${op}: a shape holds non-negative integers, but got [${shape.map(String).join(',')}].`,
      );
  if (sizeOf(shape) > 2 ** 31 - 1)
    throw new ShapeError(
      `${op}: [${shape.join(',')}] has more than 2^31-1 elements, the most a tensor can have.`,
    );
}

/** Elements between neighbours along each axis of a dense row-major array. */
export function rowMajorStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis] as number;
  }
  return strides;
}

/** NumPy's broadcasting: extents align at the right, 1 stretches. */
export function broadcastShapes(op: string, ...shapes: Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, i) => {
    let extent = 1;
    for (const shape of shapes) {
      const n = shape[i - rank + shape.length];
      if (n === undefined || n === 1) continue;
      if (extent !== 1 && extent !== n)
        throw new ShapeError(
          `${op}: shapes ${shapes.map((s) => `[${s.join(',')}]`).join(' and ')} do not broadcast; ` +
            `aligned at the right, extents must be equal or 1.`,
        );
      extent = n;
    }
    return extent;
  });
}

/** Resolves `axis` in [-rank, rank) to [0, rank). */
export function resolveAxis(op: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    throw new ShapeError(
      rank === 0
        ? `${op}: axis ${String(axis)} of a scalar; a scalar has no axes.`
        : `${op}: axis ${String(axis)} is out of range for rank ${rank}; use an integer in [${-rank}, ${rank - 1}].`,
    );
  return axis < 0 ? axis + rank : axis;
}

/** Resolves an axis, or each of several. */
export function resolveEach(op: string, axes: number | readonly number[], rank: number): number[] {
  return (Array.isArray(axes) ? axes : [axes]).map((axis: number) => resolveAxis(op, axis, rank));
}

/** Resolves one axis, several, or all (`undefined`) to distinct ascending axes. */
export function resolveAxes(
  op: string,
  axes: number | readonly number[] | undefined,
  rank: number,
): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i);
  const resolved = resolveEach(op, axes, rank);
  if (new Set(resolved).size !== resolved.length)
    throw new ShapeError(`${op}: axes [${String(axes)}] name an axis twice.`);
  return resolved.sort((a, b) => a - b);
}
