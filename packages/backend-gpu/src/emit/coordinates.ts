import { rowMajorStrides, type Shape } from '@neumann/core/backend';

/** The coordinate along one axis, as gpu.js can have it. */
export interface Coordinate {
  readonly text: string;
  /** Declarations that `text` needs. */
  readonly lines: readonly string[];
}

/** The thread's only coordinate: the row-major position of its point. Every mode of gpu.js has any number of them. */
export const position = 'this.thread.x';

/**
 * The coordinates of the thread's point along `axes`, by division of its position.
 *
 * A position below 2^24 is an exact float32, and so is the floor of a quotient that is rounded correctly, as in
 * WebAssembly; a mode that divides less exactly needs another form.
 */
export function coordinatesOf(axes: Shape): Coordinate[] {
  const strides = rowMajorStrides(axes);
  const outermost = axes.findIndex((extent) => extent !== 1);
  return axes.map((extent, axis) => {
    if (extent === 1) return { text: '0', lines: [] };
    const stride = strides[axis] as number;
    const quotient = stride === 1 ? position : `Math.floor(${position} / ${stride})`;
    const [q, c] = [`q${axis}`, `c${axis}`];
    if (axis === outermost)
      return stride === 1 ? { text: position, lines: [] } : { text: c, lines: [`const ${c} = ${quotient};`] };
    return {
      text: c,
      lines: [`const ${q} = ${quotient};`, `const ${c} = ${q} - Math.floor(${q} / ${extent}) * ${extent};`],
    };
  });
}
