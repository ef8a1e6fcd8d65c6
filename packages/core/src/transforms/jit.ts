/** Staging: a function is traced once for each signature, compiled, and run as one program from then on. */
import { OptionError } from '../errors.ts';
import { type Program, showProgram } from '../ir/program.ts';
import { checkOptions, nameOf } from '../ops/check.ts';
import { callPrimitive } from '../primitives/call.ts';
import { bind } from '../trace.ts';
import type { Leaves, Tensors } from '../tree.ts';
import { recordShapes, type ShapeArguments } from './evalShape.ts';
import { StagedFunction, type StageStats } from './staged.ts';

/** Options of {@link jit}. */
export interface JitOptions {
  /** Arguments that are not data: any values, compared by identity; another value compiles anew. */
  readonly staticArgs?: readonly number[];
  /** Arguments whose memory results may take over. Their tensors cannot be used after the call. */
  readonly donate?: readonly number[];
}

/**
 * A jitted function. It keeps a compiled program for each of the last 256 signatures that it was called with: shapes,
 * dtypes, structure, and static arguments.
 */
export type Jitted<A extends readonly unknown[], R> = ((...args: Leaves<A>) => Tensors<R>) & {
  /** How often a program was found and made, and how many are kept. */
  readonly stats: StageStats;
  /** Forgets all programs. */
  readonly clearCache: () => void;
};

/**
 * `f`, compiled: the first call with given shapes, dtypes and structure traces it; later calls only run the result.
 *
 * `f` must be pure: it sees traced values, once, and JavaScript conditions on them are refused. Numbers among the
 * arguments are traced like tensors (float32 scalars).
 *
 * @throws {TracerError} if `f` reads a traced value or returns a promise; {OptionError} for bad options.
 * @example
 * const step = jit((w: Tensor, g: Tensor) => subtract(w, multiply(0.1, g)), { donate: [0] });
 * let w = ones([1000]);
 * for (let i = 0; i < 3; i++) w = step(w, w);
 */
export function jit<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: JitOptions = {},
): Jitted<A, R> {
  checkJitOptions(options);
  const { staticArgs = [], donate = [] } = options;
  const donated = new Set(donate);
  const staged = new StagedFunction(nameOf('jit', f), f, staticArgs);
  const { name } = staged;

  const jitted = (...args: Leaves<A>): Tensors<R> => {
    const { recorded, f: flatF, inputs, counts } = staged.call(args);
    const { program, captured } = recorded;
    const mask = captured.map(() => false);
    for (const [i, count] of counts.entries()) for (let k = 0; k < count; k++) mask.push(donated.has(i));
    const results = bind(callPrimitive, [...captured, ...inputs], { name, program, donate: mask });
    return flatF.unflatten(results);
  };
  Object.defineProperty(jitted, 'stats', { get: () => staged.stats });
  return Object.assign(jitted, { clearCache: () => staged.clear() }) as Jitted<A, R>;
}

/**
 * Stages `f` for arguments like `args`, without running it: the program, to print, check or count.
 *
 * @param args Trees whose leaves are tensors, numbers, or {@link ShapeDtype}s, which need no data.
 * @throws {TracerError} if `f` reads a traced value or returns a promise.
 * @example
 * String(makeProgram((x: Tensor) => sum(multiply(x, 2)), ones([3])))
 * // { a:f32[3] =>
 * //   b:f32[3] = mul a 2
 * //   c:f32[] = reduceSum[axes=[0]] b
 * //   return c }
 */
export function makeProgram<A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  ...args: ShapeArguments<A>
): Program & { toString(): string } {
  const { program } = recordShapes('makeProgram', f, args);
  return Object.assign(program, { toString: () => showProgram(program) });
}

function checkJitOptions(options: JitOptions): void {
  checkOptions('jit', options, ['staticArgs', 'donate']);
  for (const [key, value] of Object.entries(options)) {
    if (!Array.isArray(value) || value.some((i) => !Number.isInteger(i) || i < 0))
      throw new OptionError(`jit: ${key} is an array of argument indices, but got ${JSON.stringify(value)}.`);
  }
  const both = options.donate?.find((i) => options.staticArgs?.includes(i));
  if (both !== undefined) throw new OptionError(`jit: argument ${both} is static and cannot be donated.`);
}
