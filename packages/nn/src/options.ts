/** Checks of what users write into option objects. */
import { OptionError } from '@neumann/core';

/** One number for both spatial axes, or one for each. */
export type Pair = number | readonly [height: number, width: number];

/** @throws {OptionError} naming an option that does not exist, and those that do. */
export function checkKeys(layer: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw new OptionError(
      `${layer}: has no option ${JSON.stringify(unknown)}; the options are ${known.join(', ')}.`,
    );
}

/** @throws {OptionError} unless `value` is an integer of at least 1. */
export function positiveInteger(layer: string, name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1)
    throw new OptionError(`${layer}: ${name} must be an integer of at least 1, but is ${show(value)}.`);
  return value;
}

/** @throws {OptionError} unless `value` is one or two integers of at least 1. */
export function positivePair(layer: string, name: string, value: Pair): [number, number] {
  const both = typeof value === 'number' ? [value, value] : value;
  if (!Array.isArray(both) || both.length !== 2 || both.some((n) => !Number.isInteger(n) || n < 1))
    throw new OptionError(
      `${layer}: ${name} must be an integer of at least 1 or [height, width] of such, but is ${show(value)}.`,
    );
  return [both[0], both[1]];
}

const show = (value: unknown): string => JSON.stringify(value) ?? String(value);
