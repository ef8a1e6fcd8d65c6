import { padding } from './direct.ts';
import { COLUMNS, cover, Tile } from './tile.ts';
import {
  at,
  type Callable,
  type Code,
  define,
  type Local,
  load,
  type ModuleBuilder,
  memo,
  splat,
  store,
} from './words.ts';

/** Rows of a register tile, and the most tiles of an image that are multiplied together. */
const ROWS = 4;
const TOGETHER = 16;
/** Sides of a tile of outputs and of a transformed one. */
const [OUT, SIDE] = [4, 6];
export const POINTS: number = SIDE * SIDE;

/** Pushes nothing; gives new locals with the results. */
type Map1 = (code: Code, x: readonly Local[]) => Local[];
type Term = readonly [factor: number, x: Local | undefined];

function sum(code: Code, ...terms: readonly Term[]): Local {
  const result = code.local('v128');
  for (const [i, [factor, x = 0]] of terms.entries()) {
    if (i === 0) {
      code.get(x);
      if (factor !== 1) splat(code, factor).op('f32x4.mul');
    } else if (factor === 1) code.get(x).op('f32x4.add');
    else if (factor === -1) code.get(x).op('f32x4.sub');
    else {
      code.set(result).get(x);
      splat(code, factor).get(result).op('f32x4.relaxed_madd');
    }
  }
  code.set(result);
  return result;
}

const inputMap: Map1 = (code, [d0, d1, d2, d3, d4, d5]) => {
  const [a, b] = [sum(code, [1, d4], [-4, d2]), sum(code, [1, d3], [-4, d1])];
  const [c, d] = [sum(code, [1, d4], [-1, d2]), sum(code, [1, d3], [-1, d1])];
  return [
    sum(code, [1, d4], [-5, d2], [4, d0]),
    sum(code, [1, a], [1, b]),
    sum(code, [1, a], [-1, b]),
    sum(code, [1, c], [2, d]),
    sum(code, [1, c], [-2, d]),
    sum(code, [1, d5], [-5, d3], [4, d1]),
  ];
};

const outputMap: Map1 = (code, [m0, m1, m2, m3, m4, m5]) => {
  const [a, b] = [sum(code, [1, m1], [1, m2]), sum(code, [1, m1], [-1, m2])];
  const [c, d] = [sum(code, [1, m3], [1, m4]), sum(code, [1, m3], [-1, m4])];
  return [
    sum(code, [1, m0], [1, a], [1, c]),
    sum(code, [1, b], [2, d]),
    sum(code, [1, a], [4, c]),
    sum(code, [1, m5], [1, b], [8, d]),
  ];
};

/** The adjoint of {@link outputMap}. */
const gradientMap: Map1 = (code, [y0 = 0, y1, y2, y3 = 0]) => {
  const [a, b] = [sum(code, [1, y0], [1, y2]), sum(code, [1, y1], [1, y3])];
  const [c, d] = [sum(code, [1, y0], [4, y2]), sum(code, [2, y1], [8, y3])];
  return [
    y0,
    sum(code, [1, a], [1, b]),
    sum(code, [1, a], [-1, b]),
    sum(code, [1, c], [1, d]),
    sum(code, [1, c], [-1, d]),
    y3,
  ];
};

const weightMap: Map1 = (code, [g0, g1, g2 = 0]) => {
  const [a, b] = [sum(code, [-1 / 6, g0], [-1 / 6, g2]), sum(code, [1 / 24, g0], [1 / 6, g2])];
  return [
    sum(code, [1 / 4, g0]),
    sum(code, [1, a], [-1 / 6, g1]),
    sum(code, [1, a], [1 / 6, g1]),
    sum(code, [1, b], [1 / 12, g1]),
    sum(code, [1, b], [-1 / 12, g1]),
    g2,
  ];
};

/** The adjoint of {@link weightMap}. */
const weightGradientMap: Map1 = (code, [u0, u1, u2, u3, u4, u5]) => {
  const [a, b] = [sum(code, [1, u1], [1, u2]), sum(code, [1, u1], [-1, u2])];
  const [c, d] = [sum(code, [1, u3], [1, u4]), sum(code, [1, u3], [-1, u4])];
  return [
    sum(code, [1 / 4, u0], [-1 / 6, a], [1 / 24, c]),
    sum(code, [-1 / 6, b], [1 / 12, d]),
    sum(code, [1, u5], [-1 / 6, a], [1 / 6, c]),
  ];
};

/** Bytes between rows and columns of a tile, and how many there are. */
interface Square {
  readonly row: number;
  readonly column: number;
  readonly rows: number;
  readonly columns: number;
}

/** `(from, to, temporary, bias)`: a tile of all channels by a map along columns, then along rows. */
function transform(
  builder: ModuleBuilder,
  map: Map1,
  size: number,
  channels: number,
  from: Square,
  to: Square,
  finish?: (code: Code, bias: Local) => void,
): Callable {
  return define(builder, 4, (code, source = 0, target = 0, temporary = 0, bias = 0) => {
    const [pointer, place] = code.locals('i32', 2) as [Local, Local];
    const loaded = (step: number, count: number) =>
      Array.from({ length: size }, (_, i) => {
        const local = code.local('v128');
        if (i < count) load(code, pointer, i * step).set(local);
        else splat(code, 0).set(local);
        return local;
      });
    code.repeat(channels / 4, () => {
      code.get(source).set(pointer).get(temporary).set(place);
      code.repeat(from.columns, () => {
        for (const [i, x] of map(code, loaded(from.row, from.rows)).entries())
          if (i < to.rows) store(code, place, 16 * SIDE * i, () => code.get(x));
        code.advance(pointer, from.column).advance(place, 16);
      });
      code.get(temporary).set(pointer).get(target).set(place);
      code.repeat(to.rows, () => {
        for (const [i, x] of map(code, loaded(16, from.columns)).entries())
          if (i < to.columns)
            store(code, place, i * to.column, () => {
              code.get(x);
              finish?.(code, bias);
            });
        code.advance(pointer, 16 * SIDE).advance(place, to.row);
      });
      code.advance(source, 16).advance(target, 16).advance(bias, 16);
    });
  });
}

/** Square images of so many channels, and the channels of the result. */
export interface Conv {
  readonly size: number;
  readonly from: number;
  readonly to: number;
  readonly relu?: boolean;
}

/** Elements of working memory, which are zero at first. */
export function winogradWork({ size, from, to }: Conv): number {
  return (Math.ceil(size / OUT) * OUT + 2) ** 2 * from + POINTS * (TOGETHER * (from + to) + 4);
}

/**
 * Convolution of square images by 3×3, same padding, by F(4×4, 3×3): `forward(x, out, images, work, u, bias)` with weights
 * from `pack(w, u, work)`, and `weights(x, dy, images, work, du)`, which adds to what `unpack(du, dw, work)` makes a gradient of.
 */
export function winograd(builder: ModuleBuilder, conv: Conv): void {
  const { size, from, to, relu } = conv;
  const across = Math.ceil(size / OUT);
  const width = across * OUT + 2;
  let together = TOGETHER;
  while (across ** 2 % together > 0) together--;
  const [fromBytes, toBytes] = [4 * from, 4 * to];
  const pointsAt = width ** 2 * fromBytes;
  const productsAt = pointsAt + POINTS * together * fromBytes;
  const temporaryAt = productsAt + POINTS * together * toBytes;
  const pad = padding(builder, { size, width, channels: from });
  const plane = (bytes: number): Square => ({
    row: SIDE * together * bytes,
    column: together * bytes,
    rows: SIDE,
    columns: SIDE,
  });
  const image = (rows: number, columns: number): Square => ({
    row: size * toBytes,
    column: toBytes,
    rows,
    columns,
  });
  const input = transform(
    builder,
    inputMap,
    SIDE,
    from,
    { row: width * fromBytes, column: fromBytes, rows: SIDE, columns: SIDE },
    plane(fromBytes),
  );
  const output = memo((rows: number, columns: number) =>
    transform(builder, outputMap, SIDE, to, plane(toBytes), image(rows, columns), (code, bias) => {
      load(code, bias).op('f32x4.add');
      if (relu) splat(code, 0).op('f32x4.pmax');
    }),
  );
  const gradient = memo((rows: number, columns: number) =>
    transform(builder, gradientMap, OUT, to, image(rows, columns), plane(toBytes)),
  );
  /** `(a, b, c)`: rows of products of one point, of tiles with weights. */
  const multiply = memo((rows: number) =>
    define(builder, 3, (code, a = 0, b = 0, c = 0) => {
      const sums = new Tile(code, rows);
      code.repeat(from, () => {
        sums.step(a, fromBytes, b);
        code.advance(a, 4).advance(b, 4 * COLUMNS);
      });
      sums.store(c, toBytes);
    }),
  );
  /** `(a, b, c)`: rows of the gradient of the weights of one point. */
  const accumulate = memo((rows: number) =>
    define(builder, 3, (code, a = 0, b = 0, c = 0) => {
      const sums = new Tile(code, rows);
      sums.load(c, toBytes);
      code.repeat(together, () => {
        sums.step(a, 4, b);
        code.advance(a, fromBytes).advance(b, toBytes);
      });
      sums.store(c, toBytes);
    }),
  );
  const [tiles, channels] = [cover(together, ROWS), cover(from, ROWS)];
  const places = Array.from({ length: across ** 2 }, (_, t) => {
    const [y, x] = [Math.floor(t / across) * OUT, (t % across) * OUT];
    const shape = [Math.min(OUT, size - y), Math.min(OUT, size - x)] as const;
    return { at: t % together, y, x, shape };
  });
  const blocks = Array.from({ length: places.length / together }, (_, i) =>
    places.slice(i * together, (i + 1) * together),
  );
  /** Writes what is done for each block of tiles of each image. */
  const each = (name: string, body: (code: Code, params: readonly Local[], block: typeof places) => void) =>
    define(
      builder,
      6,
      (code, ...params) => {
        const [x = 0, y = 0, images = 0, work = 0] = params;
        code.countdown(images, () => {
          code.get(x).get(work).call(pad);
          for (const block of blocks) {
            for (const place of block) {
              at(code, work, (place.y * width + place.x) * fromBytes);
              at(code, work, pointsAt + place.at * fromBytes);
              at(code, work, temporaryAt).i32(0).call(input);
            }
            body(code, params, block);
          }
          code.advance(x, size ** 2 * fromBytes).advance(y, size ** 2 * toBytes);
        });
      },
      name,
    );
  const moving = (code: Code, ...starts: (() => Code)[]) =>
    starts.map((start) => {
      const pointer = code.local('i32');
      start().set(pointer);
      return pointer;
    }) as [Local, Local, Local];
  each('forward', (code, [, out = 0, , work = 0, u = 0, bias = 0], block) => {
    const [a, b, c] = moving(
      code,
      () => at(code, work, pointsAt),
      () => code.get(u),
      () => at(code, work, productsAt),
    );
    code.repeat(POINTS, () => {
      code.repeat(to / COLUMNS, () => {
        let row = 0;
        for (const rows of tiles) {
          at(code, a, row * fromBytes).get(b);
          at(code, c, row * toBytes).call(multiply(rows));
          row += rows;
        }
        code.advance(b, 4 * COLUMNS * from).advance(c, 4 * COLUMNS);
      });
      code.advance(a, together * fromBytes).advance(c, (together - 1) * toBytes);
    });
    for (const place of block) {
      at(code, work, productsAt + place.at * toBytes);
      at(code, out, (place.y * size + place.x) * toBytes);
      at(code, work, temporaryAt)
        .get(bias)
        .call(output(...place.shape));
    }
  });
  each('weights', (code, [, dy = 0, , work = 0, du = 0], block) => {
    for (const place of block) {
      at(code, dy, (place.y * size + place.x) * toBytes);
      at(code, work, productsAt + place.at * toBytes);
      at(code, work, temporaryAt)
        .i32(0)
        .call(gradient(...place.shape));
    }
    const [a, b, c] = moving(
      code,
      () => at(code, work, pointsAt),
      () => at(code, work, productsAt),
      () => code.get(du),
    );
    code.repeat(POINTS, () => {
      code.repeat(to / COLUMNS, () => {
        let row = 0;
        for (const rows of channels) {
          at(code, a, 4 * row).get(b);
          at(code, c, row * toBytes).call(accumulate(rows));
          row += rows;
        }
        code.advance(b, 4 * COLUMNS).advance(c, 4 * COLUMNS);
      });
      code
        .advance(a, together * fromBytes)
        .advance(b, (together - 1) * toBytes)
        .advance(c, (from - 1) * toBytes);
    });
  });
  const taps: Square = { row: 3 * from * toBytes, column: from * toBytes, rows: 3, columns: 3 };
  const planes: Square = { row: SIDE * from * toBytes, column: from * toBytes, rows: SIDE, columns: SIDE };
  const pack = transform(builder, weightMap, 3, COLUMNS, taps, planes);
  define(
    builder,
    3,
    (code, w = 0, u = 0, work = 0) => {
      const [panel, row] = code.locals('i32', 2) as [Local, Local];
      code.get(w).set(panel);
      code.repeat(to / COLUMNS, () => {
        code.get(panel).set(row);
        code.repeat(from, () => {
          code.get(row).get(u);
          at(code, work, temporaryAt).i32(0).call(pack);
          code.advance(row, toBytes).advance(u, 4 * COLUMNS);
        });
        code.advance(panel, 4 * COLUMNS);
      });
    },
    'pack',
  );
  const unpack = transform(builder, weightGradientMap, SIDE, from * to, planes, taps);
  define(
    builder,
    3,
    (code, du = 0, dw = 0, work = 0) => {
      code.get(du).get(dw);
      at(code, work, temporaryAt).i32(0).call(unpack);
    },
    'unpack',
  );
}

/** Weights [3, 3, from, to] turned around, as [3, 3, to, from]: those of the gradient. */
export function flipped(w: Float32Array, from: number, to: number, result: Float32Array): void {
  for (let tap = 0; tap < 9; tap++)
    for (let c = 0; c < from; c++)
      for (let f = 0; f < to; f++)
        result[((8 - tap) * to + f) * from + c] = w[(tap * from + c) * to + f] ?? 0;
}
