/** Letters as numbers. */
import { type HostArray, hostArray } from '@neumann/nn/data';

/** The different letters of a text, sorted. */
export const alphabetOf = (text: string): readonly string[] => [...new Set(text)].sort();

/** The place of each letter in the alphabet. */
export function encode(text: string, alphabet: readonly string[]): Int32Array {
  const places = new Map(alphabet.map((letter, i) => [letter, i]));
  return Int32Array.from(text, (letter) => places.get(letter) as number);
}

/** The letters at places of the alphabet. */
export const decode = (tokens: Iterable<number>, alphabet: readonly string[]): string =>
  Array.from(tokens, (token) => alphabet[token]).join('');

/** Neighbouring windows of `length + 1` letters: the last is only to be predicted. `[N, length + 1]` */
export function windows(tokens: Int32Array, length: number): HostArray<Int32Array> {
  const count = Math.max(0, Math.floor((tokens.length - 1) / length));
  const all = new Int32Array(count * (length + 1));
  for (let i = 0; i < count; i++)
    all.set(tokens.subarray(i * length, (i + 1) * length + 1), i * (length + 1));
  return hostArray(all, [count, length + 1]);
}
