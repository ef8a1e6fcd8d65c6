/** A part of a loop: `trips` iterations of `unroll` slots of `lanes` points. */
export interface Strip {
  readonly lanes: number;
  readonly unroll: number;
  readonly trips: number;
}

/**
 * Covers `extent` points: whole iterations, then the remaining vectors, then the remaining points one by one
 * (in one iteration, or in a loop if the body is `long`).
 */
export function strips(extent: number, lanes: number, unroll: number, long: boolean): Strip[] {
  const found: Strip[] = [];
  let left = extent;
  const cover = (strip: Strip) => {
    if (strip.trips === 0 || strip.unroll === 0) return;
    left -= strip.lanes * strip.unroll * strip.trips;
    found.push(strip);
  };
  cover({ lanes, unroll, trips: Math.floor(left / (lanes * unroll)) });
  cover({ lanes, unroll: Math.floor(left / lanes), trips: 1 });
  cover(long ? { lanes: 1, unroll: 1, trips: left } : { lanes: 1, unroll: left, trips: 1 });
  return found;
}
