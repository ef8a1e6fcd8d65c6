import { sameAval, showAval } from './core.ts';
import { type HostTensor, showHost } from './host.ts';

/**
 * How far two computations of the same result may be apart.
 *
 * `exact`: the same number; -0 is not 0, NaN is NaN. `ulps`: units in the last place of the result, and a zero has
 * its sign. `sum`: a sum of `n` terms in any order is within `n u Σ|terms|` (Higham, Accuracy and Stability of
 * Numerical Algorithms, §4.2), so the bound is relative to the same function of the operands' absolute values.
 * `units`: unit roundoffs of the greatest element of the result, or of `floor` if that is greater, for compositions of
 * several steps.
 */
export type ErrorModel =
  | 'exact'
  | { readonly ulps: number }
  | 'sum'
  | { readonly units: number; readonly floor?: number };

const formats = {
  float32: { digits: 23, leastExponent: -126, greatest: 3.4028234663852886e38 },
  float64: { digits: 52, leastExponent: -1022, greatest: Number.MAX_VALUE },
} as const;

/** Half the distance from 1 to the next number: the relative error of one rounding. */
export const unitRoundoff = { float32: 2 ** -24, float64: 2 ** -53 } as const;

/** The distance between a number and its neighbour of the same exponent. */
export function ulp(x: number, dtype: 'float32' | 'float64'): number {
  const { digits, leastExponent } = formats[dtype];
  const exponent = x === 0 ? leastExponent : Math.max(leastExponent, Math.floor(Math.log2(Math.abs(x))));
  return 2 ** (exponent - digits);
}

/**
 * Says where two results differ by more than the model allows; `undefined` where they do not.
 *
 * @param scale for `sum`: the same function of absolute values, and the number of terms.
 */
export function difference(
  actual: readonly HostTensor[],
  expected: readonly HostTensor[],
  model: ErrorModel,
  scale?: { readonly of: readonly HostTensor[]; readonly terms: number },
): string | undefined {
  if (actual.length !== expected.length) return `${actual.length} results instead of ${expected.length}`;
  for (const [i, got] of actual.entries()) {
    const want = expected[i] as HostTensor;
    if (!sameAval(got, want)) return `result ${i} is ${showAval(got)} instead of ${showAval(want)}`;
    if (got.values.length !== want.values.length)
      return `result ${i} has ${got.values.length} elements instead of ${want.values.length}`;
    const greatest =
      typeof model === 'object' && 'units' in model ? Math.max(model.floor ?? 0, greatestOf(want)) : 0;
    const at = got.values.findIndex(
      (x, j) => !close(x, want.values[j] as number, want, model, scale ? scaleAt(scale, i, j) : greatest),
    );
    if (at >= 0)
      return (
        `result ${i}, element ${at}: ${show(got.values[at])} instead of ${show(want.values[at])}` +
        `\n  got  ${showHost(got)}\n  want ${showHost(want)}`
      );
  }
  return undefined;
}

const show = (x: number | undefined): string => (Object.is(x, -0) ? '-0' : String(x));

function scaleAt(scale: { of: readonly HostTensor[]; terms: number }, i: number, j: number): number {
  const { values } = scale.of[i] as HostTensor;
  return scale.terms * Math.abs(values[j] as number);
}

/** The greatest absolute value of the finite elements. */
function greatestOf({ values }: HostTensor): number {
  let greatest = 0;
  for (const x of values) if (Number.isFinite(x)) greatest = Math.max(greatest, Math.abs(x));
  return greatest;
}

function close(x: number, y: number, { dtype }: HostTensor, model: ErrorModel, scale: number): boolean {
  if (Object.is(x, y)) return true;
  if ((dtype !== 'float32' && dtype !== 'float64') || model === 'exact') return false;
  if (model === 'sum') {
    // Where the absolute terms overflow, the order decides what the sum is.
    if (scale > formats[dtype].greatest) return true;
    return Math.abs(x - y) <= 2 * unitRoundoff[dtype] * scale + 2 * ulp(0, dtype);
  }
  if ('units' in model) return Math.abs(x - y) <= model.units * unitRoundoff[dtype] * scale;
  if (Number.isNaN(x) || Number.isNaN(y) || x === 0 || y === 0)
    return Math.abs(x - y) <= model.ulps * ulp(0, dtype) && x !== y;
  // Rounding may carry the greatest numbers over the edge.
  const finite = (v: number): number => Math.max(-1, Math.min(1, v / formats[dtype].greatest));
  if (!Number.isFinite(x) || !Number.isFinite(y))
    return Math.abs(finite(x) - finite(y)) <= 2 * model.ulps * unitRoundoff[dtype];
  return Math.abs(x - y) <= model.ulps * ulp(Math.max(Math.abs(x), Math.abs(y)), dtype);
}
