/** Windows that fade a signal's ends out, by their names in NumPy. Computed in float64 and rounded once. */
import type { DType } from '../dtype.ts';
import type { Tensor } from '../tensor.ts';
import { divide, multiply, power, subtract } from './arithmetic.ts';
import { checkInteger } from './check.ts';
import { placed } from './convert.ts';
import { full, linspace } from './creation.ts';
import { sqrt } from './math.ts';
import { i0 } from './special.ts';

function taper(op: string, n: number, dtype: DType, at: (part: number) => number): Tensor {
  checkInteger(op, 'n', n, 0);
  return placed(
    dtype,
    [n],
    Array.from({ length: n }, (_, i) => (n === 1 ? 1 : at(i / (n - 1)))),
  );
}

const wave = (part: number): number => Math.cos(2 * Math.PI * part);

/** A triangle. @throws {OptionError} if `n` is no integer of at least 0. @example bartlett(3)   // [0, 1, 0] */
export function bartlett(n: number, dtype: DType = 'float32'): Tensor {
  return taper('bartlett', n, dtype, (part) => 1 - Math.abs(2 * part - 1));
}

/** A raised cosine. @throws {OptionError} if `n` is no integer of at least 0. @example hanning(3)   // [0, 1, 0] */
export function hanning(n: number, dtype: DType = 'float32'): Tensor {
  return taper('hanning', n, dtype, (part) => 0.5 - 0.5 * wave(part));
}

/** A cosine on a step. @throws {OptionError} if `n` is no integer of at least 0. @example hamming(3)   // [0.08, 1, 0.08] */
export function hamming(n: number, dtype: DType = 'float32'): Tensor {
  return taper('hamming', n, dtype, (part) => 0.54 - 0.46 * wave(part));
}

/** Two cosines. @throws {OptionError} if `n` is no integer of at least 0. @example blackman(3)   // [0, 1, 0] */
export function blackman(n: number, dtype: DType = 'float32'): Tensor {
  return taper('blackman', n, dtype, (part) => 0.42 - 0.5 * wave(part) + 0.08 * wave(2 * part));
}

/**
 * Kaiser's window of a given steepness.
 * @throws {OptionError} if `n` is no integer of at least 0.
 * @example kaiser(3, 2)   // [0.438676, 1, 0.438676]
 */
export function kaiser(n: number, beta: number, dtype: DType = 'float32'): Tensor {
  checkInteger('kaiser', 'n', n, 0);
  if (n === 1) return placed(dtype, [1], [1]);
  const place = linspace(-1, 1, n, { dtype });
  return divide(i0(multiply(sqrt(subtract(1, power(place, 2))), beta)), i0(full([], beta, dtype)));
}
