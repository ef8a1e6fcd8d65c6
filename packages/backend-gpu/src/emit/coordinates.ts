import { rowMajorStrides, type Shape } from '@neumann/core/backend';
import type { Dialect } from './dialect.ts';

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
 * WebAssembly; devices need not divide exactly.
 */
export function coordinatesOf(axes: Shape, dialect: Dialect): Coordinate[] {
  const strides = rowMajorStrides(axes);
  const quotientOf = (x: string, y: number): string =>
    dialect === 'exact' ? `Math.floor(${x} / ${y})` : `k_quotient(${x}, ${y})`;
  const outermost = axes.findIndex((extent) => extent !== 1);
  return axes.map((extent, axis) => {
    if (extent === 1) return { text: '0', lines: [] };
    const stride = strides[axis] as number;
    const quotient = stride === 1 ? position : quotientOf(position, stride);
    const [q, c] = [`q${axis}`, `c${axis}`];
    if (axis === outermost)
      return stride === 1 ? { text: position, lines: [] } : { text: c, lines: [`const ${c} = ${quotient};`] };
    return {
      text: c,
      lines: [`const ${q} = ${quotient};`, `const ${c} = ${q} - ${quotientOf(q, extent)} * ${extent};`],
    };
  });
}
