/** Checks of what users write into option objects. */
import { OptionError, Tensor } from '@neumann/core';
import { show } from '@neumann/core/extend';

/** One number for both spatial axes, or one for each. */
export type Pair = number | readonly [height: number, width: number];

/** One number for all spatial axes, or one for each. */
export type PerAxis = number | readonly number[];

/** @throws {OptionError} unless `value` is an integer of at least 1. */
export function positiveInteger(layer: string, name: string, value: number): number {
  if (!isPositive(value))
    throw new OptionError(`${layer}: ${name} must be an integer of at least 1, but is ${show(value)}.`);
  return value;
}

const axisNames = ['depth', 'height', 'width'];

/** @throws {OptionError} unless `value` is one or `axes` integers of at least 1. */
export function positivePerAxis(layer: string, name: string, value: PerAxis, axes: number): number[] {
  const all = typeof value === 'number' ? Array.from({ length: axes }, () => value) : value;
  if (!Array.isArray(all) || all.length !== axes || !all.every(isPositive))
    throw new OptionError(
      `${layer}: ${name} must be an integer of at least 1 or [${axisNames.slice(-axes).join(', ')}] of such, but is ${show(value)}.`,
    );
  return [...all];
}

/** @throws {OptionError} unless `value` is a number in `[0, 1)`. */
export function fraction(layer: string, name: string, value: number): number {
  if (!(value >= 0 && value < 1))
    throw new OptionError(`${layer}: ${name} must be in [0, 1), but is ${show(value)}.`);
  return value;
}

const isPositive = (n: number | undefined): n is number => Number.isInteger(n) && (n as number) >= 1;

/** @throws {OptionError} unless these are the bytes of a file. */
export function checkBytes(op: string, bytes: unknown): void {
  if (!(bytes instanceof Uint8Array))
    throw new OptionError(
      `${op}: takes the bytes of a file as a Uint8Array; new Uint8Array(buffer) makes one of an ArrayBuffer.`,
    );
}

/** @throws {OptionError} unless these are values and a shape that they fill. */
export function checkValues(op: string, values: unknown, shape: unknown): void {
  if (
    !ArrayBuffer.isView(values) ||
    !Array.isArray(shape) ||
    !shape.every((n) => Number.isInteger(n) && n >= 0)
  )
    throw new OptionError(
      `${op}: takes a typed array and a shape of integers, but got ${typeof values} and ${show(shape)}.`,
    );
  const size = (shape as number[]).reduce((product, extent) => product * extent, 1);
  const { length } = values as Uint8Array;
  if (size !== length)
    throw new OptionError(
      `${op}: shape [${shape.join(', ')}] has ${size} places, but there are ${length} values.`,
    );
}

/** @throws {OptionError} unless these are things by name. */
export function checkNamed(op: string, name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null)
    throw new OptionError(`${op}: ${name} must be an object with a name for each, but is ${show(value)}.`);
}

/** @throws {OptionError} unless `value` is one of some words. */
export function oneOf(layer: string, name: string, value: unknown, words: readonly string[]): void {
  if (!words.some((word) => word === value))
    throw new OptionError(
      `${layer}: ${name} must be ${words.map((word) => `'${word}'`).join(' or ')}, but is ${show(value)}.`,
    );
}

/** @throws {OptionError} unless each of some arguments, by name, is a tensor. */
export function checkTensors(op: string, tensors: Readonly<Record<string, unknown>>): void {
  for (const [name, x] of Object.entries(tensors))
    if (!(x instanceof Tensor)) throw new OptionError(`${op}: ${name} must be a tensor, but is ${show(x)}.`);
}
