import type { Callable } from '../asm/code.ts';
import type { EmitContext } from '../emit/plan.ts';
import type { Features } from '../features.ts';
import type { Element } from './element.ts';
import { TILE_VECTORS, Tile, tileVectors } from './tile.ts';

/** `count` panels of `width` columns each, side by side, and the vectors that a row of one takes. */
export interface Panel {
  readonly width: number;
  readonly vectors: number;
  readonly count: number;
}

/**
 * Columns in panels: whole ones, as wide as a tile, and narrower last ones. A panel with a vector that is not full has no
 * more than `TILE_VECTORS`: single elements are stored from registers of 128 bits, and there are no more of those.
 */
export function panelsOf({ lanes }: Element, features: Features, columns: number): Panel[] {
  const panels: Panel[] = [];
  let left = columns;
  for (const vectors of new Set([tileVectors(features), TILE_VECTORS])) {
    const width = vectors * lanes;
    const count = Math.floor(left / width);
    if (count > 0) panels.push({ width, vectors, count });
    left -= count * width;
  }
  if (left > 0) panels.push({ width: left, vectors: Math.ceil(left / lanes), count: 1 });
  return panels;
}

/** Tasks at least, if there are columns enough, for threads to share; fewer columns do not pay for what each group does anew. */
const LEAST_TASKS = 4;
const LEAST_COLUMNS = 128;

/** Into how many equal groups of whole panels columns are divided where there are few tasks. */
export function columnGroups(features: Features, { lanes }: Element, columns: number, tasks: number): number {
  const fits = (groups: number) =>
    columns % (groups * tileVectors(features) * lanes) === 0 && columns / groups >= LEAST_COLUMNS;
  let groups = 1;
  while (groups * tasks < LEAST_TASKS && fits(2 * groups)) groups *= 2;
  return groups;
}

/** Bytes between rows of the result, and between neighbouring terms of both operands, which are packed if not said. */
export interface ProductSteps {
  readonly out: number;
  readonly a?: number;
  readonly b?: number;
}

/**
 * Functions `(a, b, out, count, adds)`: a tile of rows × columns from `count` terms, added to what is there or not. Of
 * one term, the rows' elements in `a` are neighbours, and so are the columns' in `b`.
 */
export function productTiles(
  context: EmitContext,
  element: Element,
  steps: ProductSteps,
): (rows: number, width: number) => Callable {
  const made = new Map<string, Callable>();
  return (rows, width) => {
    const key = `${rows} ${width}`;
    const known = made.get(key);
    if (known) return known;
    const vectors = Math.ceil(width / element.lanes);
    const stepA = steps.a ?? Math.ceil(rows / element.lanes) * 16;
    const stepB = steps.b ?? vectors * 16;
    const callable = context.builder.define(
      { params: ['i32', 'i32', 'i32', 'i32', 'i32'], results: [] },
      (code, [a = 0, b = 0, out = 0, count = 0, adds = 0]) => {
        const tile = new Tile(code, element, context.features, { rows, vectors });
        const offset = (r: number) => r * steps.out;
        code.get(adds).if(() => tile.load(out, offset, width));
        tile.steps(count, a, (r) => r * element.bytes, b, { a: stepA, b: stepB });
        tile.store(out, offset, width);
      },
    );
    made.set(key, callable);
    return callable;
  };
}
