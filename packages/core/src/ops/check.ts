/** What several operations check in the same way. */
import { OptionError } from '../errors.ts';
import { checkShape, type Shape } from '../shape.ts';

/** A shape, or the extent of a 1-D one. */
export type ShapeLike = number | Shape;

/** A new array, so that the caller may change theirs. @throws {ShapeError} if it is no shape. */
export function toShape(op: string, shape: ShapeLike): number[] {
  const copy = typeof shape === 'number' ? [shape] : shape;
  if (!Array.isArray(copy))
    throw new OptionError(`${op}: a shape is an array of integers, but got ${show(shape)}.`);
  checkShape(op, copy);
  return [...copy];
}

/** @throws {OptionError} unless `options` is an object with no other keys than `allowed`. */
export function checkOptions(op: string, options: object, allowed: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new OptionError(
      `${op}: options are an object { ${allowed.join(', ')} }, but got ${show(options)}.`,
    );
  for (const key of Object.keys(options))
    if (!allowed.includes(key))
      throw new OptionError(
        `${op}: has no option ${JSON.stringify(key)}; ` +
          (allowed.length === 1 ? `the option is ${allowed[0]}.` : `the options are ${allowed.join(', ')}.`),
      );
}

/** One integer for each of `rank` axes, from one for all or an array. */
export function perAxis(
  op: string,
  name: string,
  value: number | readonly number[],
  rank: number,
  least: number,
): number[] {
  const values = Array.isArray(value) ? [...value] : new Array<number>(rank).fill(value as number);
  if (values.length !== rank || !values.every((n) => Number.isInteger(n) && n >= least))
    throw new OptionError(
      `${op}: ${name} is an integer of at least ${least}, or an array of ${rank} of them, but got ${show(value)}.`,
    );
  return values;
}

/** @throws {OptionError} unless `value` is an integer, of at least `least` if given. */
export function checkInteger(op: string, name: string, value: number, least = -Infinity): void {
  if (Number.isInteger(value) && value >= least) return;
  const bound = least === -Infinity ? '' : ` of at least ${least}`;
  throw new OptionError(`${op}: ${name} is an integer${bound}, but got ${show(value)}.`);
}

/** @throws {OptionError} unless `value` is a number. */
export function checkNumber(op: string, name: string, value: number): void {
  if (typeof value !== 'number') throw new OptionError(`${op}: ${name} is a number, but got ${show(value)}.`);
}

/** @throws {OptionError} unless `f` is a function. */
export function checkFunction(op: string, f: unknown): void {
  if (typeof f !== 'function') throw new OptionError(`${op}: needs a function, but got ${show(f)}.`);
}

/** What a transformed function is called in messages and profiles. @throws {OptionError} unless it is a function. */
export function nameOf(op: string, f: (...args: never[]) => unknown): string {
  checkFunction(op, f);
  return f.name ? `${op}(${f.name})` : op;
}

/** A value in a message. */
export function show(value: unknown): string {
  switch (typeof value) {
    case 'object':
      return JSON.stringify(value, (_, x: unknown) => (typeof x === 'bigint' ? show(x) : x));
    case 'string':
      return JSON.stringify(value);
    case 'bigint':
      return `${value}n`;
    case 'function':
      return 'a function';
    default:
      return String(value);
  }
}
