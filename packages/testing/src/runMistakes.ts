import fc from 'fast-check';
import { describe } from 'vitest';
import { InternalError, NeumannError, tensor, zeros } from './core.ts';
import { law } from './law.ts';

/** What a caller may pass by mistake, with a name for messages. */
const things: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  0: () => 0,
  '-1': () => -1,
  '1.5': () => 1.5,
  NaN: () => Number.NaN,
  Infinity: () => Number.POSITIVE_INFINITY,
  '1n': () => 1n,
  "'x'": () => 'x',
  'Symbol()': () => Symbol('s'),
  'new Date()': () => new Date(0),
  'x => x': () => (x: unknown) => x,
  '{}': () => ({}),
  '{ axis: 9 }': () => ({ axis: 9 }),
  "{ axis: 'a' }": () => ({ axis: 'a' }),
  '{ bogus: 1 }': () => ({ bogus: 1 }),
  '[]': () => [],
  '[1, 2]': () => [1, 2],
  "[['a']]": () => [['a']],
  '[1n]': () => [1n],
  'f32[]': () => tensor(1),
  'f32[2]': () => tensor([1, 2]),
  'f64[2]': () => tensor([1, 2], 'float64'),
  'i32[2]': () => tensor([1, 2], 'int32'),
  'u32[2]': () => tensor([1, 2], 'uint32'),
  'bool[2]': () => tensor([true, false]),
  'f32[2,3]': () => zeros([2, 3]),
  'f64[3,3]': () => zeros([3, 3], 'float64'),
  'f32[0]': () => zeros([0]),
  'f32[2,0,3]': () => zeros([2, 0, 3]),
};

const calls = fc.array(fc.constantFrom(...Object.keys(things)), { maxLength: 4 });

/**
 * The law that whatever a function is called with, it returns or throws an error of ours: one that says what is wrong, and not
 * one of JavaScript's or one that says that a part of ours is broken.
 *
 * @param except Names of functions that must not be called so.
 */
export function runMistakes(title: string, functions: object, except: readonly string[] = []): void {
  describe(`${title}: every mistake has a name`, () => {
    for (const [name, f] of Object.entries(functions))
      if (typeof f === 'function' && /^[a-z]/.test(name) && !except.includes(name))
        law(name, calls, (names) => check(name, f as (...args: unknown[]) => unknown, names), { runs: 40 });
  });
}

function check(name: string, f: (...args: unknown[]) => unknown, names: readonly string[]): void {
  try {
    const result = f(...names.map((thing) => things[thing]?.()));
    if (result instanceof Promise) result.catch(() => {});
  } catch (error) {
    if (error instanceof NeumannError && !(error instanceof InternalError)) return;
    throw new Error(`${name}(${names.join(', ')}) throws ${String(error)}`, { cause: error });
  }
}
