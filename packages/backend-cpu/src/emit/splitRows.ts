import {
  coord,
  type Expr,
  floorDiv,
  type Kernel,
  mod,
  rowMajorStrides,
  sizeOf,
  substituteAll,
} from '@neumann/core/backend';

/** The kernel with the leading axes that make up `rows` as one, if there are such. */
export function splitRows(kernel: Kernel, rows: number): Kernel | undefined {
  const { axes, reductions, outputs } = kernel;
  const leading = axes.findIndex((_, axis) => sizeOf(axes.slice(0, axis + 1)) === rows) + 1;
  if (leading === 0) return undefined;
  const lead = axes.slice(0, leading);
  const strides = rowMajorStrides(lead);
  const moved = (axis: number): Expr =>
    axis >= leading
      ? coord(axis - leading + 1)
      : mod(floorDiv(coord(0), strides[axis] ?? 1), axis === 0 ? rows : (lead[axis] ?? 1));
  const exprs = substituteAll([...outputs, ...reductions.map(({ value }) => value)], { coord: moved });
  return {
    ...kernel,
    axes: [rows, ...axes.slice(leading)],
    outputs: exprs.slice(0, outputs.length),
    reductions: reductions.map((reduction, i) => ({
      ...reduction,
      value: exprs[outputs.length + i] ?? reduction.value,
    })),
  };
}
