import { COLUMNS, cover, Tile } from './tile.ts';
import { at, type Code, define, type Local, load, type ModuleBuilder, memo, splat, store } from './words.ts';

const ROWS = 4;

/** Copies an image into one of `width` pixels a row whose border is zero already. */
export function padding(
  builder: ModuleBuilder,
  { size, width, channels }: { size: number; width: number; channels: number },
): ReturnType<typeof define> {
  return define(builder, 2, (code, from = 0, to = 0) => {
    code.advance(to, 4 * (width + 1) * channels);
    code.repeat(size, () => {
      code.repeat((size * channels) / 4, () => {
        store(code, to, 0, () => load(code, from));
        code.advance(from, 16).advance(to, 16);
      });
      code.advance(to, 4 * (width - size) * channels);
    });
  });
}

/**
 * Convolution of square images of one channel by 3×3, same padding:
 * `forward(x, w, bias, out, images, work)` with relu, `w` as [channels / 8, 9, 8], and `weights(x, dy, dw, images, work)`,
 * which adds to dw. The working memory is an image with a border of zeros.
 */
export function firstLayer(builder: ModuleBuilder, size: number, channels: number): void {
  const width = size + 2;
  const [rowBytes, panels] = [4 * channels, channels / COLUMNS];
  const pad = padding(builder, { size, width, channels: 1 });
  const eachPanel = (code: Code, pointers: readonly Local[], body: () => void) => {
    code.repeat(panels, () => {
      body();
      for (const pointer of pointers) code.advance(pointer, 4 * COLUMNS);
    });
    for (const pointer of pointers) code.advance(pointer, -4 * COLUMNS * panels);
  };
  const forward = memo((rows: number) =>
    define(builder, 4, (code, x = 0, w = 0, bias = 0, out = 0) => {
      const sums = new Tile(code, rows);
      sums.load(bias, 0);
      code.repeat(3, () => {
        for (let tap = 0; tap < 3; tap++) sums.step(x, 4, w, 4 * tap, 4 * COLUMNS * tap);
        code.advance(x, 4 * width).advance(w, 3 * 4 * COLUMNS);
      });
      sums.store(out, rowBytes, COLUMNS, () => splat(code, 0).op('f32x4.pmax'));
    }),
  );
  const tiles = cover(size, ROWS);
  define(
    builder,
    6,
    (code, x = 0, w = 0, bias = 0, out = 0, images = 0, work = 0) => {
      const [row, target, panel] = code.locals('i32', 3) as [Local, Local, Local];
      code.countdown(images, () => {
        code.get(x).get(work).call(pad).get(w).set(panel);
        eachPanel(code, [bias, out], () => {
          code.get(work).set(row).get(out).set(target);
          code.repeat(size, () => {
            let column = 0;
            for (const rows of tiles) {
              at(code, row, 4 * column)
                .get(panel)
                .get(bias);
              at(code, target, rowBytes * column).call(forward(rows));
              column += rows;
            }
            code.advance(row, 4 * width).advance(target, rowBytes * size);
          });
          code.advance(panel, 9 * 4 * COLUMNS);
        });
        code.advance(x, 4 * size * size).advance(out, rowBytes * size * size);
      });
    },
    'forward',
  );
  /** The three weights of a row. */
  const weights = define(builder, 3, (code, x = 0, dy = 0, dw = 0) => {
    const sums = new Tile(code, 3);
    sums.load(dw, rowBytes);
    code.repeat(size, () => {
      code.repeat(size, () => {
        sums.step(x, 4, dy);
        code.advance(x, 4).advance(dy, rowBytes);
      });
      code.advance(x, 4 * (width - size));
    });
    sums.store(dw, rowBytes);
  });
  define(
    builder,
    5,
    (code, x = 0, dy = 0, dw = 0, images = 0, work = 0) => {
      code.countdown(images, () => {
        code.get(x).get(work).call(pad);
        for (let tap = 0; tap < 3; tap++)
          eachPanel(code, [dy, dw], () => {
            at(code, work, 4 * tap * width).get(dy);
            at(code, dw, 3 * tap * rowBytes).call(weights);
          });
        code.advance(x, 4 * size * size).advance(dy, rowBytes * size * size);
      });
    },
    'weights',
  );
}
