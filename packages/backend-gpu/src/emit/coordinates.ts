import { rowMajorStrides, type Shape, sizeOf } from '@neumann/core/backend';
import { maxWhole } from '../limits.ts';
import type { Dialect } from './dialect.ts';
import { naturalQuotient } from './words.ts';

/** The coordinate along one axis, as gpu.js can have it. */
export interface Coordinate {
  readonly text: string;
  /** Declarations that `text` needs, after those of `after`. */
  readonly lines: readonly string[];
  readonly after?: Coordinate;
  /** The same as an integer to gpu.js: `text` is one only where `isWhole`, and in WebAssembly a loop's counter is none. */
  readonly whole: string;
  /** Whether shading languages take `text` as an index. */
  readonly isWhole: boolean;
}

/** The thread's only coordinate: the row-major position of its point. Every mode of gpu.js has any number of them. */
export const position = 'this.thread.x';

/**
 * The coordinates of the thread's point along `axes`, by division of its position.
 *
 * A position up to 2^24 is an exact float32, and so is the floor of a quotient that is rounded correctly, as in
 * WebAssembly; devices need not divide exactly. A greater position is an exact integer to gpu.js, but there is no division of
 * integers: it is taken apart once, into two that are small.
 *
 * @returns `undefined` if the axes cannot be parted so.
 */
export function coordinatesOf(axes: Shape, dialect: Dialect): Coordinate[] | undefined {
  const whole: Coordinate = { text: position, whole: position, lines: [], isWhole: true };
  if (sizeOf(axes) <= maxWhole || axes.filter((extent) => extent !== 1).length === 1)
    return decode(axes, 0, whole, dialect);
  const parts = axes.map((_, at) => ({ at, low: sizeOf(axes.slice(at)), high: sizeOf(axes.slice(0, at)) }));
  // The rounded quotient is off by one at most, and the rest that it leaves is exact.
  const part = parts.find(({ low, high }) => low <= 2 ** 23 && high <= 2 ** 21);
  if (!part) return undefined;
  const { at, low } = part;
  const lines = [
    `const h0 = Math.floor(${position} / ${low});`,
    `const l0 = k_rest(${position}, h0, ${low});`,
    'let off = 0;',
    'if (l0 < 0) { off = -1; }',
    `if (l0 >= ${low}) { off = 1; }`,
    'const high = h0 + off;',
    `const low = l0 - off * ${low};`,
  ];
  const after: Coordinate = { text: '', whole: '', lines, isWhole: false };
  const half = (text: string): Coordinate => ({
    text,
    whole: `k_whole(${text})`,
    lines: [],
    after,
    isWhole: false,
  });
  return [
    ...decode(axes.slice(0, at), 0, half('high'), dialect),
    ...decode(axes.slice(at), at, half('low'), dialect),
  ];
}

/** The coordinates along axes, of which the first is axis `first` of the kernel, of a point at `from`. */
function decode(axes: Shape, first: number, from: Coordinate, dialect: Dialect): Coordinate[] {
  const strides = rowMajorStrides(axes);
  const quotientOf = (x: string, y: number): string => {
    if (dialect === 'exact') return `Math.floor(${x} / ${y})`;
    // The quotient of half an integer is farther from whole numbers than all rounding errors are long.
    const isSmall = sizeOf(axes) <= 2 ** 20 && !Number.isInteger(Math.log2(y));
    return isSmall ? `Math.floor((${x} + 0.5) * ${1 / y})` : naturalQuotient(x, String(y));
  };
  const outermost = axes.findIndex((extent) => extent !== 1);
  return axes.map((extent, axis) => {
    if (extent === 1) return { text: '0', whole: '0', lines: [], isWhole: true };
    const stride = strides[axis] as number;
    const quotient = stride === 1 ? from.text : quotientOf(from.text, stride);
    const [q, c] = [`q${first + axis}`, `c${first + axis}`];
    if (axis === outermost && stride === 1) return from;
    const lines =
      axis === outermost
        ? [`const ${c} = ${quotient};`]
        : [`const ${q} = ${quotient};`, `const ${c} = ${q} - ${quotientOf(q, extent)} * ${extent};`];
    return { text: c, whole: `k_whole(${c})`, lines, after: from, isWhole: false };
  });
}
