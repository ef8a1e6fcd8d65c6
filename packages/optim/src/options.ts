/** Checks of options: a table with one row for each, so that messages name the option, its value and its range. */
import { OptionError, Tensor } from '@neumann/core';
import { checkOptions as checkNames } from '@neumann/core/extend';

/** What an option may be. */
export interface Rule {
  readonly allows: (value: unknown) => boolean;
  readonly range: string;
  readonly required?: boolean;
}

/** A number for which `test` holds, or a scalar tensor. */
const scalar = (range: string, test: (x: number) => boolean): Rule => ({
  allows: (x) => (typeof x === 'number' ? test(x) : x instanceof Tensor && x.ndim === 0),
  range: `${range}, or a scalar tensor`,
});

export const finite: Rule = scalar('a finite number', Number.isFinite);
export const positive: Rule = scalar('a number above 0', (x) => x > 0 && x < Infinity);
export const nonNegative: Rule = scalar('a number of at least 0', (x) => x >= 0 && x < Infinity);
export const fraction: Rule = scalar('a number from 0 to 1', (x) => x >= 0 && x <= 1);
export const belowOne: Rule = scalar('a number from 0 to below 1', (x) => x >= 0 && x < 1);

/** Integers up to 2^30, so that their double is an int32. */
export const integerFrom = (least: number): Rule =>
  scalar(`an integer from ${least} to 2^30`, (x) => Number.isInteger(x) && x >= least && x <= 2 ** 30);

/** A count that shapes the computation, and so is a number that is known now. */
export const knownInteger = (least: number): Rule => ({
  allows: (x) => Number.isInteger(x) && (x as number) >= least,
  range: `an integer of at least ${least}`,
});

export const knownPositive: Rule = {
  allows: (x) => typeof x === 'number' && x > 0 && x < Infinity,
  range: 'a number above 0',
};

export const flag: Rule = { allows: (x) => typeof x === 'boolean', range: 'true or false' };

export const oneOf = (...values: readonly string[]): Rule => ({
  allows: (x) => typeof x === 'string' && values.includes(x),
  range: values
    .map((v) => `'${v}'`)
    .join(', ')
    .replace(/, ([^,]*)$/, ' or $1'),
});

export const required = (rule: Rule): Rule => ({ ...rule, required: true });

/** What `rule` allows, or a function of the step count. */
export const scheduled = (rule: Rule): Rule => ({
  allows: (x) => typeof x === 'function' || rule.allows(x),
  range: `${rule.range}, or a schedule`,
});

/** A gradient transformation. */
export const transformation: Rule = {
  allows: (x) => typeof x === 'object' && x !== null && 'init' in x && 'update' in x,
  range: 'a gradient transformation, such as adam({ learningRate: 0.001 }) makes',
};

/** A tree of named things. */
export const record: Rule = {
  allows: (x) => typeof x === 'object' && x !== null && !Array.isArray(x),
  range: 'an object with a name for each',
};

/** A random key. */
export const keyRule: Rule = {
  allows: (x) => x instanceof Tensor && x.dtype === 'uint32' && String(x.shape) === '2',
  range: 'a key u32[2] from random.key()',
};

/** A function of the step count that says whether something happens. */
export const predicate: Rule = {
  allows: (x) => typeof x === 'function',
  range: 'a function from the step count to bool[]',
};

/** A rule for each option of `O`. */
export type RulesOf<O> = { readonly [K in keyof O]-?: Rule };

/**
 * @throws {OptionError} for an option that is not in the table, is missing, or has a value that is not allowed.
 */
export function checkOptions<O extends object>(op: string, options: O, rules: RulesOf<O>): void {
  checkNames(op, options, Object.keys(rules));
  for (const [name, rule] of Object.entries<Rule>(rules)) {
    const value = (options as Readonly<Record<string, unknown>>)[name];
    if (value === undefined ? rule.required : !rule.allows(value))
      throw new OptionError(`${op}: ${name} must be ${rule.range}, but is ${show(value)}.`);
  }
}

/** {@link checkOptions} of one value that has no options object around it. */
export function checkValue(op: string, name: string, value: unknown, rule: Rule): void {
  checkOptions(op, { [name]: value }, { [name]: required(rule) });
}

/** @throws {OptionError} unless `state` has some parts. */
export function checkState(op: string, state: unknown, parts: readonly string[]): void {
  const isObject = typeof state === 'object' && state !== null;
  const missing = parts.filter((part) => !isObject || !(part in state));
  if (missing.length > 0)
    throw new OptionError(
      `${op}: the state must be one that init or the last step made, but ${isObject ? `has no ${missing.join(', ')}` : `is ${show(state)}`}.`,
    );
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (value instanceof Tensor) return `a tensor of shape [${value.shape.join(',')}]`;
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}
