/** What the command lines of the examples have in common. */
import { parseArgs } from 'node:util';
import { NeumannError } from '@neumann/core';

/** The user wrote something that cannot be meant; one line says what. */
export class UsageError extends Error {}

/** What can go wrong without a mistake of the program: one line says it. */
export class ExpectedError extends Error {}

/** Options by name: `'flag'` needs no value. */
type Spec = Readonly<Record<string, 'value' | 'flag'>>;

type Values<S extends Spec> = { readonly [K in keyof S]?: S[K] extends 'flag' ? boolean : string };

/** @throws {UsageError} for an unknown option, or one without its value. */
export function parseCommand<const S extends Spec>(args: readonly string[], spec: S): Values<S> {
  const options = Object.fromEntries(
    Object.entries(spec).map(([name, kind]) => [
      name,
      { type: kind === 'flag' ? 'boolean' : 'string', ...(name === 'help' ? { short: 'h' } : {}) } as const,
    ]),
  );
  try {
    return parseArgs({ args: [...args], options }).values as Values<S>;
  } catch (error) {
    // Node's messages go on with advice about positional arguments, which do not exist here.
    throw new UsageError((error as Error).message.split(/\.\s|\n/)[0]);
  }
}

/** @throws {UsageError} unless `value` is absent or one of those allowed, the first of which is the default. */
export function oneOf<const T extends string>(
  option: string,
  value: string | undefined,
  allowed: readonly [T, ...T[]],
): T {
  if (value === undefined) return allowed[0];
  const found = allowed.find((name) => name === value);
  if (found === undefined)
    throw new UsageError(`${option} must be one of ${allowed.join(', ')}, but is ${JSON.stringify(value)}`);
  return found;
}

/** @throws {UsageError} unless `value` is absent or an integer from `least` to `most`. */
export function integer(
  option: string,
  value: string | undefined,
  byDefault: number,
  least: number,
  most: number,
): number {
  if (value === undefined) return byDefault;
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= least && number <= most))
    throw new UsageError(
      `${option} must be an integer from ${least} to ${most}, but is ${JSON.stringify(value)}`,
    );
  return number;
}

/** Runs a program: a mistake of its user, or a file that is not as it should be, is one line and no stack. */
export async function runCommand(
  name: string,
  main: (args: readonly string[]) => Promise<void>,
): Promise<void> {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    process.exitCode = error instanceof UsageError ? 2 : 1;
    if (error instanceof UsageError) console.error(`${name}: ${error.message}; --help lists the options`);
    else console.error(isExpected(error) ? `${name}: ${error.message}` : error);
  }
}

const isExpected = (error: unknown): error is Error =>
  error instanceof NeumannError ||
  error instanceof ExpectedError ||
  (error instanceof Error && 'syscall' in error);
