/** Where windows and convolution kernels go: strides, dilations and padding of the spatial axes. */
import { OptionError, ShapeError } from '../errors.ts';
import { perAxis, show } from './check.ts';

/**
 * What lies beyond the edges. `valid`: nothing, windows stay inside. `same`: zeros, so that the result has `⌈n/stride⌉`
 * elements, the odd one at the end, as in TensorFlow and JAX. Or the number of zeros before and after each spatial
 * axis; negative ones cut elements off.
 */
export type Padding = 'valid' | 'same' | readonly (readonly [before: number, after: number])[];

/** One window position in each spatial axis. */
export interface Sliding {
  readonly stride: number[];
  readonly dilation: number[];
  readonly padLow: number[];
  /** Extents of the result. */
  readonly y: number[];
}

/** The spatial axes by name, for 1 to 3 of them. */
export const spatialNames: readonly (readonly string[])[] = [[], ['W'], ['H', 'W'], ['D', 'H', 'W']];

/** @throws {ShapeError} if a window does not fit, {OptionError} for bad options. */
export function slide(
  op: string,
  x: readonly number[],
  window: readonly number[],
  options: {
    readonly stride: number | readonly number[];
    readonly dilation: number | readonly number[];
    readonly padding: Padding;
  },
): Sliding {
  const rank = x.length;
  const stride = perAxis(op, 'stride', options.stride, rank, 1);
  const dilation = perAxis(op, 'dilation', options.dilation, rank, 1);
  const reach = window.map((k, d) => (k - 1) * (dilation[d] as number) + 1);
  const pads = paddingOf(op, options.padding, x, reach, stride);
  const y = x.map((n, d) => {
    const [low, high] = pads[d] as readonly [number, number];
    const room = n + low + high - (reach[d] as number);
    if (room < 0 || (window[d] as number) < 1)
      throw new ShapeError(
        `${op}: a window of [${window}]${reach.some((r, i) => r !== window[i]) ? ` reaching over [${reach}]` : ''} ` +
          `does not fit into [${x}] with padding ${show(options.padding)}.`,
      );
    return Math.floor(room / (stride[d] as number)) + 1;
  });
  return { stride, dilation, padLow: pads.map(([low]) => low), y };
}

function paddingOf(
  op: string,
  padding: Padding,
  x: readonly number[],
  reach: readonly number[],
  stride: readonly number[],
): (readonly [number, number])[] {
  if (padding === 'valid') return x.map(() => [0, 0]);
  if (padding === 'same')
    return x.map((n, d) => {
      const step = stride[d] as number;
      const total = Math.max(0, (Math.ceil(n / step) - 1) * step + (reach[d] as number) - n);
      return [Math.floor(total / 2), Math.ceil(total / 2)];
    });
  const isPair = (p: unknown): boolean => Array.isArray(p) && p.length === 2 && p.every(Number.isInteger);
  if (!Array.isArray(padding) || padding.length !== x.length || !padding.every(isPair))
    throw new OptionError(
      `${op}: padding is 'valid', 'same', or [before, after] for each of ${x.length} spatial axes, but got ${show(padding)}.`,
    );
  return padding.map(([low, high]) => [low, high]);
}
