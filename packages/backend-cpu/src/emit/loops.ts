/** A part of a loop: `trips` iterations of `unroll` slots of `lanes` points; of the last slot only `last` points exist. */
export interface Strip {
  readonly lanes: number;
  readonly unroll: number;
  readonly trips: number;
  readonly last: number;
}

/**
 * What is done about points that fill no vector: they are the only live lanes of one more vector, or they are handled
 * one by one, written out or in a loop.
 */
export type Tail = 'vector' | 'straight' | 'loop';

/** Covers `extent` points: whole iterations, then the remaining vectors, then the tail. */
export function strips(extent: number, lanes: number, unroll: number, tail: Tail): Strip[] {
  const found: Strip[] = [];
  let left = extent;
  const cover = (strip: Strip) => {
    if (strip.trips === 0 || strip.unroll === 0) return;
    left -= pointsOf(strip) * strip.trips;
    found.push(strip);
  };
  cover({ lanes, unroll, trips: Math.floor(left / (lanes * unroll)), last: lanes });
  if (tail === 'vector')
    cover({ lanes, unroll: Math.ceil(left / lanes), trips: 1, last: left % lanes || lanes });
  else cover({ lanes, unroll: Math.floor(left / lanes), trips: 1, last: lanes });
  cover(
    tail === 'loop'
      ? { lanes: 1, unroll: 1, trips: left, last: 1 }
      : { lanes: 1, unroll: left, trips: 1, last: 1 },
  );
  return found;
}

/** Points of one iteration. */
export function pointsOf({ lanes, unroll, last }: Strip): number {
  return lanes * (unroll - 1) + last;
}
