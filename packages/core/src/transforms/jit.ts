/** Staging: a function is traced once for each signature, compiled, and run as one program from then on. */
import { showAval } from '../aval.ts';
import { OptionError } from '../errors.ts';
import { idOf } from '../ir/identity.ts';
import { type Program, showProgram } from '../ir/program.ts';
import { capturesTracers, type Recorded, record } from '../ir/record.ts';
import { checkOptions } from '../ops/check.ts';
import { toTensor } from '../ops/convert.ts';
import { callPrimitive } from '../primitives/call.ts';
import type { Tensor } from '../tensor.ts';
import { bind } from '../trace.ts';
import { type Leaves, type Tensors, type TreeStructure, treeFlatten } from '../tree.ts';
import { type FlatFunction, flatFunction } from './flat.ts';

/** Options of {@link jit}. */
export interface JitOptions {
  /** Arguments that are not data: any values, compared by identity; another value compiles anew. */
  readonly staticArgs?: readonly number[];
  /** Arguments whose memory results may take over. Their tensors cannot be used after the call. */
  readonly donate?: readonly number[];
}

/** A jitted function, and how often it has been compiled. */
export type Jitted<A extends readonly unknown[], R> = ((...args: Leaves<A>) => Tensors<R>) & {
  readonly stats: { readonly compilations: number };
};

interface Staged {
  readonly recorded: Recorded;
  readonly f: FlatFunction;
}

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
  const isStatic = new Set(staticArgs);
  const name = f.name ? `jit(${f.name})` : 'jit';
  const cache = new Map<string, Staged>();
  const stats = { compilations: 0 };

  const jitted = (...args: Leaves<A>): Tensors<R> => {
    const statics = staticArgs.map((i) => args[i]);
    const traced = args.filter((_, i) => !isStatic.has(i));
    const flat = treeFlatten(traced);
    const xs = flat.leaves.map((x) => toTensor(x));
    const key = `${structureKey(flat.structure)}${xs.map((x) => showAval(x.aval)).join(' ')}|${statics.map(staticKey).join()}`;
    let staged = cache.get(key);
    if (!staged) {
      const whole = (...dynamic: unknown[]) => f(...(mergeStatic(args, isStatic, dynamic) as unknown as A));
      staged = stage(name, flatFunction(whole, flat.structure), xs);
      stats.compilations++;
      if (!capturesTracers(staged.recorded)) cache.set(key, staged);
    }
    const { program, captured } = staged.recorded;
    const mask = [...captured.map(() => false), ...donated(args, isStatic, new Set(donate))];
    const results = bind(callPrimitive, [...captured, ...xs], { name, program, donate: mask });
    return staged.f.unflatten(results);
  };
  return Object.assign(jitted, { stats });
}

/** Stages `f` for arguments like `args`, without running it: the program, to print, check or count. */
export function makeProgram<A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  ...args: Leaves<A>
): Program & { toString(): string } {
  const flat = treeFlatten(args);
  const { program } = stage(
    'makeProgram',
    flatFunction(f, flat.structure),
    flat.leaves.map((x) => toTensor(x)),
  ).recorded;
  return Object.assign(program, { toString: () => showProgram(program) });
}

function stage(name: string, f: FlatFunction, xs: readonly Tensor[]): Staged {
  const avals = xs.map((x) => x.aval);
  return { recorded: record(name, avals, (inputs) => f.call(...inputs)), f };
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

function mergeStatic(
  args: readonly unknown[],
  isStatic: ReadonlySet<number>,
  dynamic: readonly unknown[],
): unknown[] {
  let next = 0;
  return args.map((arg, i) => (isStatic.has(i) ? arg : dynamic[next++]));
}

/** For each leaf of the traced arguments, whether its argument is donated. */
function donated(
  args: readonly unknown[],
  isStatic: ReadonlySet<number>,
  donate: ReadonlySet<number>,
): boolean[] {
  return args.flatMap((arg, i) => (isStatic.has(i) ? [] : treeFlatten(arg).leaves.map(() => donate.has(i))));
}

function structureKey(s: TreeStructure): string {
  switch (s.kind) {
    case 'leaf':
      return '*';
    case 'null':
      return '-';
    case 'static':
      return `<${staticKey(s.value)}>`;
    case 'array':
      return `[${s.children.map(structureKey).join()}]`;
    case 'object':
      return `{${s.keys.map((key, i) => `${JSON.stringify(key)}:${structureKey(s.children[i] as TreeStructure)}`).join()}}`;
    default:
      return s satisfies never;
  }
}

function staticKey(value: unknown): string {
  if ((typeof value === 'object' && value !== null) || typeof value === 'function') return `#${idOf(value)}`;
  return `${typeof value} ${Object.is(value, -0) ? '-0' : JSON.stringify(String(value))}`;
}
