import type { Code, Local } from '../asm/code.ts';
import { dynamicTerms, type Loop, type Nest, strideOf } from './nest.ts';
import type { LoadNode } from './node.ts';
import { countTo, type Share, unitsOf } from './part.ts';

/** Points of one square, which is transposed in registers. */
const SIDE = 4;
/** Squares side by side: together they use whole cache lines. */
const SQUARES = 4;

/** A nest that only moves 4-byte elements, along a loop `across` that is contiguous in the input, and `along` in the output. */
interface Transpose {
  readonly load: LoadNode;
  readonly outer: readonly Loop[];
  readonly along: Loop;
  readonly across: Loop;
}

/** A thread's share of so many tasks. */
interface Divided {
  readonly share: Share;
  readonly tasks: number;
}

/** Writes a nest that transposes by squares, or a thread's share of it, if it is one; else nothing. */
export function emitTranspose(
  code: Code,
  nest: Nest,
  [input = 0, output = 0]: readonly Local[],
  divided: Divided | undefined,
): boolean {
  const found = findTranspose(nest);
  if (!found) return false;
  const { load, outer, along, across } = found;
  const { place } = nest.graph;
  const [from, to] = [code.local('i32'), code.local('i32')];
  const start = (constant: number, strides: (loop: Loop) => number) =>
    4 * nest.loops.reduce((sum, loop) => sum + loop.low * strides(loop), constant);
  const [inStride, outStride] = [
    (loop: Loop) => strideOf(load.index, loop),
    (loop: Loop) => strideOf(place, loop),
  ];
  code.get(input).i32(start(load.index.constant, inStride)).op('i32.add').set(from);
  code.get(output).i32(start(place.constant, outStride)).op('i32.add').set(to);
  const walk = (loop: Loop, points: number) =>
    code.advance(from, 4 * points * inStride(loop)).advance(to, 4 * points * outStride(loop));

  const [outermost] = outer;
  const byRows = outermost !== undefined && outermost.high - outermost.low >= across.high - across.low;
  const shareOf = (loop: Loop) => (loop === (byRows ? outermost : across) ? divided : undefined);
  const tiles = () =>
    eachShare(code, across, [SIDE * SQUARES, SIDE, 1], walk, [from, to], shareOf(across), (height) =>
      eachPart(code, along, [SIDE, 1], walk, (width) => {
        const strides = { input: 4 * inStride(along), output: 4 * outStride(across) };
        if (width === SIDE && height >= SIDE)
          for (let at = 0; at < height; at += SIDE) emitSquare(code, from, to, strides, at);
        else emitPoints(code, from, to, strides, width, height);
      }),
    );
  const nested = outer.reduceRight(
    (body, loop) => () => eachShare(code, loop, [1], walk, [from, to], shareOf(loop), body),
    tiles,
  );
  nested();
  return true;
}

function findTranspose({ kernel, graph, loops, parallel }: Nest): Transpose | undefined {
  const [load, ...others] = graph.outputs;
  const along = loops.at(-1);
  if (load?.kind !== 'load' || others.length > 0 || kernel.reductions.length > 0 || !along) return undefined;
  const isWord = load.dtype === 'float32' || load.dtype === 'int32' || load.dtype === 'uint32';
  if (!isWord || load.guard || dynamicTerms(load.index).length > 0 || parallel !== loops.length)
    return undefined;
  const across = loops.find((loop) => strideOf(load.index, loop) === 1);
  if (!across || across === along || strideOf(graph.place, along) !== 1) return undefined;
  if (strideOf(load.index, along) < 1 || [along, across].some((loop) => loop.high - loop.low < SIDE))
    return undefined;
  return { load, outer: loops.filter((loop) => loop !== along && loop !== across), along, across };
}

/** {@link eachPart} for a thread's share: some of the largest parts; the last thread takes the smaller ones too. */
function eachShare(
  code: Code,
  loop: Loop,
  sizes: readonly number[],
  walk: (loop: Loop, points: number) => void,
  pointers: readonly Local[],
  divided: Divided | undefined,
  body: (size: number) => void,
): void {
  if (!divided) {
    eachPart(code, loop, sizes, walk, body);
    return;
  }
  const { share, tasks } = divided;
  const [size = 1, ...smaller] = sizes;
  const extent = loop.high - loop.low;
  const units = Math.floor(extent / size);
  const starts = pointers.map((pointer) => {
    const start = code.local('i32');
    code.get(pointer).set(start);
    return start;
  });
  const { first, end } = unitsOf(code, share, tasks, units);
  const at = code.local('i32');
  code.i32(0).set(at);
  countTo(code, at, first, 1, () => walk(loop, size));
  countTo(code, at, end, 1, () => {
    body(size);
    walk(loop, size);
  });
  const rest = { ...loop, low: loop.low + units * size };
  if (rest.low < rest.high)
    code
      .get(share.end)
      .i32(tasks)
      .op('i32.eq')
      .if(() => eachPart(code, rest, smaller, walk, body));
  for (const [i, pointer] of pointers.entries()) code.get(starts[i] ?? 0).set(pointer);
}

/** Covers a loop with parts of the given sizes, largest first, and returns the pointers to where they started. */
function eachPart(
  code: Code,
  loop: Loop,
  sizes: readonly number[],
  walk: (loop: Loop, points: number) => void,
  body: (size: number) => void,
): void {
  const extent = loop.high - loop.low;
  let left = extent;
  for (const size of sizes) {
    code.repeat(Math.floor(left / size), () => {
      body(size);
      walk(loop, size);
    });
    left %= size;
  }
  walk(loop, -extent);
}

interface Strides {
  /** Bytes between neighbours along the loop that is contiguous in the output. */
  readonly input: number;
  /** Bytes between neighbours across it. */
  readonly output: number;
}

/** A square that starts `at` points across. */
function emitSquare(code: Code, from: Local, to: Local, strides: Strides, at: number): void {
  const rows = code.locals('v128', SIDE);
  for (const [i, row] of rows.entries())
    code
      .get(from)
      .memory('v128.load', i * strides.input + 4 * at)
      .set(row);
  transposeWords(code, rows);
  for (const [i, row] of rows.entries())
    code
      .get(to)
      .get(row)
      .memory('v128.store', (at + i) * strides.output);
}

function emitPoints(
  code: Code,
  from: Local,
  to: Local,
  strides: Strides,
  width: number,
  height: number,
): void {
  for (let j = 0; j < height; j++)
    for (let i = 0; i < width; i++)
      code
        .get(to)
        .get(from)
        .memory('i32.load', i * strides.input + 4 * j)
        .memory('i32.store', j * strides.output + 4 * i);
}

/** Transposes 4 × 4 words, or 2 × 2 pairs of words, in place. */
export function transposeWords(code: Code, rows: readonly Local[]): void {
  const [a = 0, b = 0, c = 0, d = 0] = rows;
  const low = words(0, 1, 4, 5);
  const high = words(2, 3, 6, 7);
  const mix = (x: Local, y: Local, bytes: readonly number[]) => code.get(x).get(y).shuffle(bytes);
  if (rows.length === 2) {
    mix(a, b, low);
    mix(a, b, high).set(b).set(a);
    return;
  }
  mix(a, b, words(0, 4, 1, 5));
  mix(a, b, words(2, 6, 3, 7));
  mix(c, d, words(0, 4, 1, 5));
  mix(c, d, words(2, 6, 3, 7));
  code.set(d).set(c).set(b).set(a); // a0 b0 a1 b1, a2 b2 a3 b3, c0 d0 c1 d1, c2 d2 c3 d3
  mix(a, c, low);
  mix(a, c, high);
  mix(b, d, low);
  mix(b, d, high);
  code.set(d).set(c).set(b).set(a);
}

/** The bytes of a shuffle that picks 32-bit words from two vectors. */
function words(...picks: readonly number[]): number[] {
  return picks.flatMap((word) => [4 * word, 4 * word + 1, 4 * word + 2, 4 * word + 3]);
}
