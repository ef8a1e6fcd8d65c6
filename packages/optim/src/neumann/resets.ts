import {
  add,
  equal,
  floorDivide,
  full,
  greaterEqual,
  maximum,
  multiply,
  remainder,
  subtract,
  type Tensor,
  where,
} from '@neumann/core';
import { checkOptions, integerFrom, oneOf, required } from '../options.ts';
import type { Predicate, Scalar } from '../protocol.ts';
import { scalarOf } from '../trees.ts';
import type { ResetInterval } from './options.ts';

/** When the iterate is reset: the options of the optimizer that decide it. */
export interface NeumannResetsOptions {
  /** K. */
  readonly resetSteps: Scalar;
  /** `'doubleInterval'` by default. */
  readonly resetInterval?: Exclude<ResetInterval, 'never'>;
  /** Steps before t = 1; 0. */
  readonly burnInSteps?: Scalar;
}

/**
 * Whether a step is a reset (Algorithm 2 line 6), as a function of the number of steps before it: what `trace` and
 * `addAnchorRegularizer` take as `resetAt`.
 *
 * With t counted from 1 after the burn-in: `'doubleInterval'` resets at t = 1, 1+K, 1+3K, 1+7K, … (inner loops of K, 2K,
 * 4K steps), `'doubleModulo'` at 1, 1+K, 1+2K, 1+4K, …, `'constant'` at 1, 1+K, 1+2K, 1+3K, …
 *
 * @throws {OptionError} for options that are unknown or out of range, such as K below 1.
 * @example
 * const resets = neumannResets({ resetSteps: 10 });
 * resets(tensor(30, 'int32'))   // true
 */
export function neumannResets(options: NeumannResetsOptions): Predicate {
  checkOptions('neumannResets', options, {
    resetSteps: required(integerFrom(1)),
    resetInterval: oneOf('doubleInterval', 'doubleModulo', 'constant'),
    burnInSteps: integerFrom(0),
  });
  const { resetSteps, resetInterval = 'doubleInterval', burnInSteps = 0 } = options;
  return (count) => {
    const since = subtract(count, scalarOf(burnInSteps, 'int32'));
    return isReset(since, resetSteps, resetInterval);
  };
}

/** Whether the step with t - 1 = `since` is a reset; none is in the burn-in, where that is negative. */
export function isReset(since: Tensor, k: Scalar, interval: ResetInterval): Tensor {
  return equal(since, lastReset(since, k, interval));
}

/**
 * t - 1 of the last reset up to `since`, itself t - 1. The first is at 0.
 *
 * @param since `i32[]`, from 0.
 */
export function lastReset(since: Tensor, k: Scalar, interval: ResetInterval): Tensor {
  const length = scalarOf(k, 'int32');
  const loops = floorDivide(maximum(since, 0), length); // complete multiples of K
  switch (interval) {
    case 'doubleInterval': // 0, K, 3K, 7K: K times powers of two less one
      return multiply(length, subtract(powerBelow(add(loops, 1)), 1));
    case 'doubleModulo': // 0, K, 2K, 4K
      return where(equal(loops, 0), 0, multiply(length, powerBelow(loops)));
    case 'constant':
      return subtract(maximum(since, 0), remainder(maximum(since, 0), length));
    case 'never':
      return full([], 0, 'int32');
    default:
      return interval satisfies never;
  }
}

/**
 * The greatest power of two up to an `i32[]` of at least 1. In products and quotients that never leave the range of `x`, so
 * that backends without bitwise words compute it too.
 */
function powerBelow(x: Tensor): Tensor {
  const one = scalarOf(1, 'int32');
  let [rest, power] = [x, one];
  for (const by of [2 ** 16, 2 ** 8, 2 ** 4, 2 ** 2, 2]) {
    const factor = where(greaterEqual(rest, by), scalarOf(by, 'int32'), one);
    power = multiply(power, factor);
    rest = floorDivide(rest, factor);
  }
  return power;
}
