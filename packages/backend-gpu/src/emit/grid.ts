import { rowMajorStrides, type Shape, sizeOf } from '@neumann/core/backend';

/** How the points of a kernel are laid over gpu.js's threads, which have at most three coordinates. */
export interface Grid {
  /** Extents of the threads, innermost first, as gpu.js wants them. */
  readonly output: readonly number[];
  /** The coordinate along each axis of the kernel. */
  readonly coordinates: readonly Coordinate[];
}

export interface Coordinate {
  readonly text: string;
  /** Declarations that `text` needs. */
  readonly lines: readonly string[];
}

/** One thread coordinate, the row-major position, from which those coordinates are made that a kernel uses. */
export function flatGrid(axes: Shape): Grid {
  return { output: [sizeOf(axes)], coordinates: decode(axes, 'this.thread.x') };
}

/**
 * A thread coordinate for each of the last two axes with more than one point, and one for all before them: what does
 * not depend on the last axis is computed once for four neighbours, and these coordinates are integers, not float32.
 */
export function nestedGrid(axes: Shape): Grid {
  const wide = axes.flatMap((extent, axis) => (extent === 1 ? [] : [axis]));
  const [x, y] = [wide.at(-1), wide.at(-2)];
  const outer = axes.slice(0, y ?? 0);
  const outerCoordinates = decode(outer, 'this.thread.z');
  const coordinates = axes.map((extent, axis): Coordinate => {
    if (extent === 1) return zero;
    if (axis === x) return { text: 'this.thread.x', lines: [] };
    if (axis === y) return { text: 'this.thread.y', lines: [] };
    return outerCoordinates[axis] ?? zero;
  });
  const output = [axes[x ?? -1] ?? 1, axes[y ?? -1] ?? 1, sizeOf(outer)];
  return { output: output.slice(0, Math.max(1, Math.min(3, wide.length))), coordinates };
}

const zero: Coordinate = { text: '0', lines: [] };

/** Coordinates from a position below 2^24: float32 quotients, exact because WebAssembly rounds them correctly. */
function decode(axes: Shape, position: string): Coordinate[] {
  const strides = rowMajorStrides(axes);
  const outermost = axes.findIndex((extent) => extent !== 1);
  return axes.map((extent, axis) => {
    const stride = strides[axis] as number;
    const [q, c] = [`q${axis}`, `c${axis}`];
    if (extent === 1) return zero;
    const quotient = stride === 1 ? position : `Math.floor(${position} / ${stride})`;
    if (axis !== outermost)
      return {
        text: c,
        lines: [`const ${q} = ${quotient};`, `const ${c} = ${q} - Math.floor(${q} / ${extent}) * ${extent};`],
      };
    return stride === 1 ? { text: position, lines: [] } : { text: c, lines: [`const ${c} = ${quotient};`] };
  });
}
