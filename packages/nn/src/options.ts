/** Checks of what users write into option objects. */
import { OptionError } from '@neumann/core';

/** One number for both spatial axes, or one for each. */
export type Pair = number | readonly [height: number, width: number];

/** @throws {OptionError} unless `value` is an integer of at least 1. */
export function positiveInteger(layer: string, name: string, value: number): number {
  if (!isPositive(value))
    throw new OptionError(`${layer}: ${name} must be an integer of at least 1, but is ${show(value)}.`);
  return value;
}

/** @throws {OptionError} unless `value` is one or two integers of at least 1. */
export function positivePair(layer: string, name: string, value: Pair): [number, number] {
  const both: readonly number[] = typeof value === 'number' ? [value, value] : value;
  const [height, width] = Array.isArray(both) ? both : [];
  if (!isPositive(height) || !isPositive(width) || both.length !== 2)
    throw new OptionError(
      `${layer}: ${name} must be an integer of at least 1 or [height, width] of such, but is ${show(value)}.`,
    );
  return [height, width];
}

const isPositive = (n: number | undefined): n is number => Number.isInteger(n) && (n as number) >= 1;

const show = (value: unknown): string => JSON.stringify(value) ?? String(value);
