import { showAval } from '../aval.ts';
import { ShapeError } from '../errors.ts';
import type { Tensor } from '../tensor.ts';
import { checkOptions, perAxis } from './check.ts';
import { type ConvOptions, conv } from './conv.ts';
import { promoteOperands } from './convert.ts';
import type { Padding } from './geometry.ts';
import { flip, reshape, swapaxes } from './shape.ts';

/** Options of {@link convTranspose}. */
export interface ConvTransposeOptions {
  /** Distance of the elements of `x` in the result, 1 by default. */
  readonly stride?: number | readonly number[] | undefined;
  /** `same` by default: `stride` times as many elements. `valid`: all that an element of `x` reaches. Or zeros before and after. */
  readonly padding?: Padding | undefined;
  /** Distance of the elements of `w`, 1 by default. */
  readonly dilation?: number | readonly number[] | undefined;
  /** Takes a `w` of the convolution whose gradient this is: `[…kernel, F, C]`, turned around. False by default. */
  readonly transposeKernel?: boolean | undefined;
}

/**
 * Transposed convolution ("deconvolution"), with the conventions of `jax.lax.conv_transpose`: a convolution of `x` with
 * `stride - 1` zeros between its elements.
 *
 * @param x Floats, `[N, W, C]`, `[N, H, W, C]` or `[N, D, H, W, C]`.
 * @param w Floats, `[…kernel, C, F]`, not turned around.
 * @returns `[N, …, F]`
 * @throws {ShapeError} if ranks or channels do not fit. {DTypeError} for integers. {OptionError} for bad options.
 * @example
 * convTranspose(ones([1, 4, 4, 3]), ones([3, 3, 3, 8]), { stride: 2 })                      // [1,8,8,8]
 * convTranspose(ones([1, 4, 4, 3]), ones([3, 3, 3, 8]), { stride: 2, padding: 'valid' })    // [1,9,9,8]
 */
export function convTranspose(x: Tensor, w: Tensor, options: ConvTransposeOptions = {}): Tensor {
  const [a, b] = promoteOperands('convTranspose', x, w) as [Tensor, Tensor];
  checkOptions('convTranspose', options, ['stride', 'padding', 'dilation', 'transposeKernel']);
  const { padding = 'same', transposeKernel = false } = options;
  const spatial = b.ndim - 2;
  if (spatial < 1 || a.ndim !== b.ndim)
    throw new ShapeError(
      `convTranspose: x and w have 3, 4 or 5 axes each, such as x [N,H,W,C] and w [KH,KW,C,F], but got x ${showAval(a.aval)} and w ${showAval(b.aval)}.`,
    );
  const stride = perAxis('convTranspose', 'stride', options.stride ?? 1, spatial, 1);
  const dilation = perAxis('convTranspose', 'dilation', options.dilation ?? 1, spatial, 1);
  const pads =
    padding === 'same' || padding === 'valid'
      ? stride.map((s, d) => {
          const reach = ((b.shape[d] as number) - 1) * (dilation[d] as number) + 1;
          return padsOf(padding, reach, s);
        })
      : padding;
  const axes = Array.from({ length: spatial }, (_, d) => d);
  const kernel = transposeKernel ? swapaxes(flip(b, { axis: axes }), -1, -2) : b;
  return conv(a, kernel, { padding: pads, inputDilation: stride, dilation });
}

/** Zeros before and after the elements that were laid out, for a kernel that reaches over `k`. */
function padsOf(padding: 'same' | 'valid', k: number, stride: number): [number, number] {
  const total = k + stride - 2 + (padding === 'valid' ? Math.max(k - stride, 0) : 0);
  const before = padding === 'valid' || stride > k - 1 ? k - 1 : Math.ceil(total / 2);
  return [before, total - before];
}

/**
 * Depthwise convolution: each channel by itself, with M kernels of its own.
 *
 * @param x Floats, `[N, W, C]`, `[N, H, W, C]` or `[N, D, H, W, C]`.
 * @param w Floats, `[…kernel, C, M]`.
 * @returns `[N, …, C M]`: the M results of the first channel, then those of the next.
 * @throws {ShapeError} if ranks or channels do not fit. {DTypeError} for integers. {OptionError} for bad options.
 * @example depthwiseConv(ones([1, 5, 5, 4]), ones([3, 3, 4, 2]), { padding: 'same' })       // [1,5,5,8]
 */
export function depthwiseConv(x: Tensor, w: Tensor, options: Omit<ConvOptions, 'groups'> = {}): Tensor {
  const [a, b] = promoteOperands('depthwiseConv', x, w) as [Tensor, Tensor];
  checkOptions('depthwiseConv', options, ['stride', 'padding', 'dilation', 'inputDilation']);
  const c = a.shape.at(-1) as number;
  if (b.ndim < 3 || b.ndim !== a.ndim || b.shape.at(-2) !== c)
    throw new ShapeError(
      `depthwiseConv: x is [N,…,C] and w is […kernel,C,M], but they are ${showAval(a.aval)} and ${showAval(b.aval)}.`,
    );
  const [m] = b.shape.slice(-1) as [number];
  return conv(a, reshape(b, [...b.shape.slice(0, -2), 1, c * m]), { ...options, groups: c });
}
