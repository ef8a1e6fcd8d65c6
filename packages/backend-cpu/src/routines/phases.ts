import type { Code, Local } from '../asm/code.ts';
import { countTo, unitsOf } from '../emit/part.ts';
import type { EmitContext } from '../emit/plan.ts';
import type { Dimension, Phase } from './correlation.ts';
import { coverTiles } from './tile.ts';

/** A phase of each dimension. */
export type PhaseOf3 = readonly [z: Phase, y: Phase, x: Phase];

/** Bands of rows that an image is divided into where there are few images. */
export function bandsOf(images: number, phases: readonly PhaseOf3[]): number {
  const rows = Math.max(...phases.map(([, y]) => y.count));
  return images >= 16 ? 1 : Math.max(1, Math.min(rows, Math.ceil(16 / images)));
}

/** The bands of an image that a thread works on: from `first` up to `end`. */
export interface Bands {
  readonly first: Local;
  readonly end: Local;
  readonly bands: number;
}

/** Calls the epilogue for the rows of an image's bands, where they are neighbours. */
export function finishBands(
  context: EmitContext,
  images: number,
  dimensions: readonly Dimension[],
  phases: readonly PhaseOf3[],
  bands: number,
): ((code: Code, image: Local, first: Local, end: Local) => void) | undefined {
  const [depth = 1, height = 1] = dimensions.map((d) => d.output);
  const rows = depth * height;
  if (bands > 1 && (depth > 1 || phases.length > 1)) return undefined;
  const finish = context.finishRows?.(images * rows);
  return (
    finish &&
    ((code, image, first, end) => {
      const [from, to, base] = code.locals('i32', 3) as [Local, Local, Local];
      code.get(image).i32(rows).op('i32.mul').set(base);
      if (bands === 1) code.get(base).set(from).get(base).i32(rows).op('i32.add').set(to);
      else {
        const own = unitsOf(code, { first, end }, bands, rows);
        code.get(base).get(own.first).op('i32.add').set(from);
        code.get(base).get(own.end).op('i32.add').set(to);
      }
      finish(code, from, to);
    })
  );
}

export function isEmptyPhase(phase: PhaseOf3): boolean {
  return phase.some(({ taps }) => taps.length === 0);
}

export function tapCount(phase: PhaseOf3): number {
  return phase.reduce((count, { taps }) => count * taps.length, 1);
}

/** Visits the outputs of some bands in tiles along x, inside of rows along y and z; pointers walk along by their steps. */
export function walkTiles(
  code: Code,
  phase: PhaseOf3,
  most: number,
  bands: Bands,
  walking: readonly { readonly pointer: Local; readonly steps: readonly number[] }[],
  visit: (rows: number) => void,
): void {
  const [z, y, x] = phase;
  const advance = (dimension: number, points: number) => {
    for (const { pointer, steps } of walking) code.advance(pointer, (steps[dimension] ?? 0) * points);
  };
  const { first, end } =
    bands.bands === 1 ? { first: undefined, end: undefined } : unitsOf(code, bands, bands.bands, y.count);
  const row = code.local('i32');
  const walkRow = () => {
    for (const { size, count } of coverTiles(x.count, most))
      code.repeat(count, () => {
        visit(size);
        advance(2, size);
      });
    advance(2, -x.count);
    advance(1, 1);
  };
  code.repeat(z.count, () => {
    if (first === undefined) {
      code.repeat(y.count, walkRow);
      advance(1, -y.count);
    } else {
      const starts = walking.map(({ pointer, steps }) => {
        const start = code.local('i32');
        code
          .get(pointer)
          .tee(start)
          .get(first)
          .i32(steps[1] ?? 0)
          .op('i32.mul')
          .op('i32.add')
          .set(pointer);
        return start;
      });
      code.get(first).set(row);
      countTo(code, row, end, 1, walkRow);
      for (const [i, { pointer }] of walking.entries()) code.get(starts[i] ?? 0).set(pointer);
    }
    advance(0, 1);
  });
}

/** Bytes between neighbours in three dimensions of `extents` points of `pixel` bytes. */
export function strides3([, y = 1, x = 1]: readonly number[], pixel: number): [number, number, number] {
  return [y * x * pixel, x * pixel, pixel];
}

export function sum3(of: (dimension: number) => number): number {
  return of(0) + of(1) + of(2);
}

/** All triples of one value of each of three lists. */
export function product3<T>([a = [], b = [], c = []]: readonly (readonly T[])[]): (readonly [T, T, T])[] {
  return a.flatMap((x) => b.flatMap((y) => c.map((z) => [x, y, z] as const)));
}
