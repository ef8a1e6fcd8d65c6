import { type DType, dtypeInfo } from '@neumann/core/backend';
import type { Code, Local } from '../asm/code.ts';
import type { Functions } from '../emit/functions.ts';
import { strips } from '../emit/loops.ts';
import { scalarLoad, scalarStore } from '../emit/scalar.ts';
import { type VectorWords, vectorLoad, vectorStore } from '../emit/vector.ts';

/** Some neighbouring elements that one instruction handles, and how many elements from the pointers they start. */
export interface Span {
  readonly words: VectorWords;
  readonly at: number;
}

/** A pointer into elements of a dtype that walks along a run. */
export interface Walker {
  readonly pointer: Local;
  readonly dtype: DType;
}

/**
 * Visits `count` contiguous elements, at most `most` vectors at a time, then one by one. The walkers move along and
 * return to where they started.
 */
export function visitRun(
  code: Code,
  functions: Functions,
  count: number,
  walkers: readonly Walker[],
  most: number,
  visit: (spans: readonly Span[]) => void,
): void {
  const lanes = walkers.some(({ dtype }) => dtype === 'float64') ? 2 : 4;
  const advance = (elements: number) => {
    for (const { pointer, dtype } of walkers) code.advance(pointer, elements * dtypeInfo(dtype).bytes);
  };
  let left = count;
  for (const strip of strips(count, lanes, most, 'straight')) {
    const points = strip.lanes * strip.unroll;
    const words = { code, functions, lanes: strip.lanes };
    left -= points * strip.trips;
    code.repeat(strip.trips, () => {
      visit(Array.from({ length: strip.unroll }, (_, i) => ({ words, at: i * strip.lanes })));
      if (strip.trips > 1 || left > 0) advance(points);
    });
  }
  const last = strips(count, lanes, most, 'straight').at(-1);
  if (last) advance(last.trips > 1 ? -count : last.lanes * last.unroll - count);
}

/** Puts the elements of a span on the stack, `offset` bytes further than the pointer. */
export function loadSpan({ words, at }: Span, { pointer, dtype }: Walker, offset = 0): void {
  const { bytes } = dtypeInfo(dtype);
  words.code.get(pointer);
  if (words.lanes === 1) scalarLoad(words.code, dtype, offset + at * bytes);
  else vectorLoad(words, dtype, offset + at * bytes, bytes);
}

/** Stores what `push` puts on the stack. */
export function storeSpan(
  { words, at }: Span,
  { pointer, dtype }: Walker,
  push: () => void,
  offset = 0,
): void {
  const { bytes } = dtypeInfo(dtype);
  words.code.get(pointer);
  push();
  if (words.lanes === 1) scalarStore(words.code, dtype, offset + at * bytes);
  else vectorStore(words, dtype, offset + at * bytes);
}
