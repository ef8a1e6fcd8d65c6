import { showAval } from '../aval.ts';
import { isFloat } from '../dtype.ts';
import { DTypeError, OptionError, ShapeError } from '../errors.ts';
import { convolve } from '../primitives/conv.ts';
import type { Tensor } from '../tensor.ts';
import { checkInteger, checkOptions, perAxis } from './check.ts';
import { promoteOperands } from './convert.ts';
import { type Padding, slide, spatialNames } from './geometry.ts';

/** Options of {@link conv}; a number stands for all spatial axes. */
export interface ConvOptions {
  /** Distance of windows, 1 by default. */
  readonly stride?: number | readonly number[] | undefined;
  /** `valid` by default. */
  readonly padding?: Padding | undefined;
  /** Distance of the elements of `w`, 1 by default ("atrous"). */
  readonly dilation?: number | readonly number[] | undefined;
  /** Distance at which the elements of `x` are laid out, with zeros between; 1 by default. 2 is a transposed stride. */
  readonly inputDilation?: number | readonly number[] | undefined;
  /** Channels fall into so many groups, each with its own part of `w`; 1 by default. As many as channels: depthwise. */
  readonly groups?: number | undefined;
}

/**
 * Convolution (cross-correlation: `w` is not flipped) over 1, 2 or 3 spatial axes, channels last, as in JAX's NHWC/HWIO.
 *
 * @param x Floats, `[N, W, C]`, `[N, H, W, C]` or `[N, D, H, W, C]`.
 * @param w Floats, `[…kernel, C / groups, F]`.
 * @returns `[N, …, F]`; along each spatial axis `⌊(padded - (k - 1) dilation - 1) / stride⌋ + 1` elements.
 * @throws {ShapeError} if ranks or channels do not fit, or the kernel does not fit into the padded input.
 * @throws {DTypeError} for integers. {OptionError} for bad options.
 * @example
 * conv(ones([1, 5, 5, 3]), ones([3, 3, 3, 8]))                                    // [1,3,3,8]
 * conv(ones([1, 5, 5, 3]), ones([3, 3, 3, 8]), { stride: 2, padding: 'same' })    // [1,3,3,8]
 * conv(ones([1, 5, 5, 4]), ones([3, 3, 1, 4]), { groups: 4 })                     // depthwise: [1,3,3,4]
 */
export function conv(x: Tensor, w: Tensor, options: ConvOptions = {}): Tensor {
  checkOptions('conv', options, ['stride', 'padding', 'dilation', 'inputDilation', 'groups']);
  const { stride = 1, padding = 'valid', dilation = 1, inputDilation = 1, groups = 1 } = options;
  const [a, b] = promoteOperands('conv', x, w) as [Tensor, Tensor];
  const given = `x ${showAval(a.aval)} and w ${showAval(b.aval)}`;
  if (!isFloat(a.dtype))
    throw new DTypeError(`conv: needs floats, but got ${given}; convert them with astype().`);
  const spatial = a.ndim - 2;
  const names = spatialNames[spatial];
  if (!names || spatial === 0 || b.ndim !== a.ndim)
    throw new ShapeError(
      `conv: x and w have 3, 4 or 5 axes each, such as x [N,H,W,C] and w [KH,KW,C,F], but got ${given}.`,
    );
  const layout = `x is [N,${names},C] and w is [${names.map((n) => `K${n}`)},${groups === 1 ? 'C' : `C/${groups}`},F].`;
  const [n, c] = [a.shape[0], a.shape.at(-1)] as [number, number];
  const [perGroup, f] = b.shape.slice(-2) as [number, number];
  checkInteger('conv', 'groups', groups, 1);
  if (perGroup * groups !== c)
    throw new ShapeError(
      `conv: x ${showAval(a.aval)} has ${c} channels but w ${showAval(b.aval)} takes ${perGroup * groups}` +
        `${groups === 1 ? '' : ` (${groups} groups of ${perGroup})`}; ${layout}`,
    );
  if (f % groups !== 0)
    throw new ShapeError(
      `conv: the ${f} results of w ${showAval(b.aval)} do not divide into ${groups} groups; ${layout}`,
    );
  const dilateX = perAxis('conv', 'inputDilation', inputDilation, spatial, 1);
  if (padding === 'same' && dilateX.some((d) => d !== 1))
    throw new OptionError(
      `conv: padding 'same' has no meaning with inputDilation; give [before, after] for each axis.`,
    );
  const extents = a.shape.slice(1, -1);
  const kernel = b.shape.slice(0, -2);
  const laidOut = extents.map((extent, d) => Math.max(0, (extent - 1) * (dilateX[d] as number) + 1));
  const { dilation: dilateW, ...sliding } = slide('conv', laidOut, kernel, { stride, dilation, padding });
  return convolve('y', { n, c, f, groups, x: extents, kernel, ...sliding, dilateX, dilateW }, a, b);
}
