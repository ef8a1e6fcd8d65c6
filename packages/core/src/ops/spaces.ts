/** Numbers spaced by a rule. */
import type { DType } from '../dtype.ts';
import { OptionError } from '../errors.ts';
import type { Tensor } from '../tensor.ts';
import { checkInteger, checkNumber, checkOptions } from './check.ts';
import { placed } from './convert.ts';

/** Options of {@link logspace} and {@link geomspace}. */
export interface SpaceOptions {
  /** Whether `stop` is the last number; else it would be the next. `true` by default. */
  readonly endpoint?: boolean | undefined;
  readonly dtype?: DType | undefined;
}

/**
 * `count` powers of `base`, whose exponents go evenly from `start` to `stop`.
 *
 * @param options.base 10 by default.
 * @returns `[count]`, computed in float64 and rounded once.
 * @throws {OptionError} if `count` is no integer of at least 0.
 * @example logspace(0, 2, 3)             // f32[3] [1, 10, 100]
 */
export function logspace(
  start: number,
  stop: number,
  count = 50,
  options: SpaceOptions & { readonly base?: number | undefined } = {},
): Tensor {
  checkOptions('logspace', options, ['endpoint', 'dtype', 'base']);
  checkNumber('logspace', 'start', start);
  checkNumber('logspace', 'stop', stop);
  checkInteger('logspace', 'count', count, 0);
  const { base = 10, endpoint = true, dtype = 'float32' } = options;
  const exponent = evenly(start, stop, count, endpoint);
  return placed(
    dtype,
    [count],
    Array.from({ length: count }, (_, i) => base ** exponent(i)),
  );
}

/**
 * `count` numbers from `start` to `stop`, each the same multiple of the one before.
 *
 * @returns `[count]`, computed in float64 and rounded once.
 * @throws {OptionError} if `count` is no integer of at least 0, or the ends are not both positive or both negative.
 * @example geomspace(1, 8, 4)            // f32[4] [1, 2, 4, 8]
 */
export function geomspace(start: number, stop: number, count = 50, options: SpaceOptions = {}): Tensor {
  checkOptions('geomspace', options, ['endpoint', 'dtype']);
  checkNumber('geomspace', 'start', start);
  checkNumber('geomspace', 'stop', stop);
  checkInteger('geomspace', 'count', count, 0);
  if (!(start * stop > 0))
    throw new OptionError(
      `geomspace: the ends are both positive or both negative, but are ${start} and ${stop}.`,
    );
  const { endpoint = true, dtype = 'float32' } = options;
  const exponent = evenly(Math.log(Math.abs(start)), Math.log(Math.abs(stop)), count, endpoint);
  const values = Array.from({ length: count }, (_, i) => Math.sign(start) * Math.exp(exponent(i)));
  if (count > 0) values[0] = start;
  if (endpoint && count > 1) values[count - 1] = stop;
  return placed(dtype, [count], values);
}

function evenly(start: number, stop: number, count: number, endpoint: boolean): (i: number) => number {
  const step = (stop - start) / Math.max(1, endpoint ? count - 1 : count);
  return (i) => (endpoint && count > 1 && i === count - 1 ? stop : start + i * step);
}
