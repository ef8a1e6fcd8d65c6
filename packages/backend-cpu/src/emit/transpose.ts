import { dtypeInfo } from '@neumann/core/backend';
import type { Code, Local } from '../asm/code.ts';
import type { MemoryOp } from '../asm/opcodes.ts';
import { dynamicTerms, type Loop, type Nest, strideOf } from './nest.ts';
import type { LoadNode } from './node.ts';
import { countTo, type Share, unitsOf } from './part.ts';

/** Points along a side of the square that is transposed in registers, by the bytes of an element. */
const sides: Readonly<Record<number, number>> = { 1: 8, 4: 4, 8: 2 };
/** Squares side by side: together they use whole cache lines, two for the processor that fetches them in pairs. */
const SQUARES = 8;

/** A nest that only moves elements, along a loop `across` that is contiguous in the input, and `along` in the output. */
interface Transpose {
  readonly load: LoadNode;
  /** Of an element. */
  readonly bytes: number;
  /** Of a square. */
  readonly side: number;
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
  const { load, bytes, side, outer, along, across } = found;
  const { place } = nest.graph;
  const [from, to] = [code.local('i32'), code.local('i32')];
  const start = (constant: number, strides: (loop: Loop) => number) =>
    bytes * nest.loops.reduce((sum, loop) => sum + loop.low * strides(loop), constant);
  const [inStride, outStride] = [
    (loop: Loop) => strideOf(load.index, loop),
    (loop: Loop) => strideOf(place, loop),
  ];
  code.get(input).i32(start(load.index.constant, inStride)).op('i32.add').set(from);
  code.get(output).i32(start(place.constant, outStride)).op('i32.add').set(to);
  const walk = (loop: Loop, points: number) =>
    code.advance(from, bytes * points * inStride(loop)).advance(to, bytes * points * outStride(loop));

  const [outermost] = outer;
  const byRows = outermost !== undefined && outermost.high - outermost.low >= across.high - across.low;
  const shareOf = (loop: Loop) => (loop === (byRows ? outermost : across) ? divided : undefined);
  const tiles = () =>
    eachShare(code, across, [side * SQUARES, side, 1], walk, [from, to], shareOf(across), (height) =>
      eachPart(code, along, [side, 1], walk, (width) => {
        const size = { bytes, side, input: bytes * inStride(along), output: bytes * outStride(across) };
        if (width === side && height >= side)
          for (let at = 0; at < height; at += side) emitSquare(code, from, to, size, at);
        else emitPoints(code, from, to, size, width, height);
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
  if (load.guard || dynamicTerms(load.index).length > 0 || parallel !== loops.length) return undefined;
  const { bytes } = dtypeInfo(load.dtype);
  const side = sides[bytes] ?? 1;
  const across = loops.find((loop) => strideOf(load.index, loop) === 1);
  if (!across || across === along || strideOf(graph.place, along) !== 1) return undefined;
  if (strideOf(load.index, along) < 1 || [along, across].some((loop) => loop.high - loop.low < side))
    return undefined;
  return {
    load,
    bytes,
    side,
    outer: loops.filter((loop) => loop !== along && loop !== across),
    along,
    across,
  };
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

interface Size {
  /** Of an element. */
  readonly bytes: number;
  readonly side: number;
  /** Bytes between neighbours along the loop that is contiguous in the output. */
  readonly input: number;
  /** Bytes between neighbours across it. */
  readonly output: number;
}

/** A square that starts `at` points across. */
function emitSquare(
  code: Code,
  from: Local,
  to: Local,
  { bytes, side, input, output }: Size,
  at: number,
): void {
  const rows = code.locals('v128', side);
  for (const [i, row] of rows.entries())
    code
      .get(from)
      .memory(bytes === 1 ? 'v128.load64_zero' : 'v128.load', i * input + bytes * at)
      .set(row);
  if (bytes === 1) transposeBytes(code, rows);
  else transposeWords(code, rows);
  for (const i of rows.keys()) {
    code.get(to).get(rows[bytes === 1 ? i >> 1 : i] ?? 0);
    if (bytes === 1) code.memoryLane('v128.store64_lane', i % 2, (at + i) * output);
    else code.memory('v128.store', (at + i) * output);
  }
}

const moves: Readonly<Record<number, readonly [MemoryOp, MemoryOp]>> = {
  1: ['i32.load8_u', 'i32.store8'],
  4: ['i32.load', 'i32.store'],
  8: ['f64.load', 'f64.store'],
};

function emitPoints(
  code: Code,
  from: Local,
  to: Local,
  { bytes, input, output }: Size,
  width: number,
  height: number,
): void {
  const [load, store] = moves[bytes] ?? ['i32.load', 'i32.store'];
  for (let j = 0; j < height; j++)
    for (let i = 0; i < width; i++)
      code
        .get(to)
        .get(from)
        .memory(load, i * input + bytes * j)
        .memory(store, j * output + bytes * i);
}

/** Transposes 8 × 8 bytes, each row in the lower half of its vector; the first four are then pairs of rows. */
function transposeBytes(code: Code, rows: readonly Local[]): void {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = rows;
  const mix = (x: Local, y: Local, unit: number, half: 0 | 1) =>
    code.get(x).get(y).shuffle(mixed(unit, half));
  const bothHalves = (x: Local, y: Local, unit: number) => {
    mix(x, y, unit, 0);
    mix(x, y, unit, 1).set(y).set(x);
  };
  for (const [x, y] of [
    [a, b],
    [c, d],
    [e, f],
    [g, h],
  ] as const)
    mix(x, y, 1, 0).set(x);
  bothHalves(a, c, 2); // columns 0 to 3 and 4 to 7 of rows 0 to 3
  bothHalves(e, g, 2);
  bothHalves(a, e, 4); // a: columns 0 and 1, e: 2 and 3
  bothHalves(c, g, 4);
  code.get(e).get(c).get(g).set(d).set(c).set(b);
}

/** The bytes of a shuffle that takes turns between the lower (upper) halves of two vectors, `unit` bytes each. */
function mixed(unit: number, half: 0 | 1): number[] {
  return Array.from({ length: 16 }, (_, i) => {
    const turn = Math.floor(i / unit);
    return 16 * (turn % 2) + 8 * half + unit * (turn >> 1) + (i % unit);
  });
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
