/** Named values beside the updates: what transformations ask of `extra`. */
import { OptionError, Tensor } from '@neumann/core';
import type { ExtraArgs } from './protocol.ts';

/**
 * `extra.value`, the loss that belongs to the updates.
 * @throws {OptionError} if it is missing, or no scalar.
 */
export function lossOf(op: string, extra: ExtraArgs | undefined): Tensor {
  const value = extra?.['value'];
  if (!(value instanceof Tensor && value.ndim === 0))
    throw new OptionError(
      `${op}: needs the loss as a scalar tensor, but extra.value is ${value === undefined ? 'missing' : typeof value}; ` +
        `call update(updates, state, params, { value }), where valueAndGrad() gives both.`,
    );
  return value;
}

/**
 * A function in `extra`.
 * @throws {OptionError} if it is missing, or no function.
 */
export function functionOf<F>(op: string, extra: ExtraArgs | undefined, name: string): F {
  const f = extra?.[name];
  if (typeof f !== 'function')
    throw new OptionError(
      `${op}: needs a function of the parameters, but extra.${name} is ${f === undefined ? 'missing' : `a ${typeof f}`}; ` +
        `call update(updates, state, params, { ${name} }).`,
    );
  return f as F;
}
